"""What every list and form of the admin has in common."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

from django import forms
from django.contrib import admin, messages
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.contrib.admin.widgets import AutocompleteSelect, AutocompleteSelectMultiple
from django.core.exceptions import ValidationError
from django.db import connection
from django.db.models import ForeignKey, ManyToManyField, QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils import timezone

from kb.text import normalize

LONGEST = 200  # characters of a search
DIGITS = 18  # of an id: what fits into every database

if TYPE_CHECKING:
    ModelAdmin = admin.ModelAdmin[Any]
    ModelForm = forms.ModelForm[Any]
else:
    ModelAdmin, ModelForm = admin.ModelAdmin, forms.ModelForm


def is_id(value: object) -> bool:
    """Tell whether `value`, sent by anybody, may be asked for as an id."""
    text = str(value)
    return text.isascii() and text.isdecimal() and len(text) <= DIGITS


class OneOf(AutocompleteSelect):
    """A lookup that a forged choice does not bring down."""

    def optgroups(self, name: str, value: Any, attr: Any = None) -> Any:
        return super().optgroups(name, [v for v in value if is_id(v)], attr)


class SomeOf(AutocompleteSelectMultiple):
    """OneOf, for several."""

    def optgroups(self, name: str, value: Any, attr: Any = None) -> Any:
        return super().optgroups(name, [v for v in value if is_id(v)], attr)


class Curation(ModelAdmin):
    """Lists that stay fast, and forms that never write over somebody else."""

    list_per_page = 50
    show_full_result_count = False

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        """Search for what can be seen of `search_term`, and not for a novel."""
        words = normalize.line(search_term)[:LONGEST]
        return super().get_search_results(request, queryset, words)

    def get_object(
        self, request: HttpRequest, object_id: str, from_field: str | None = None
    ) -> Any:
        """Return the row, ours until the transaction ends when it is to change."""
        found = super().get_object(request, object_id, from_field)
        if found is not None and connection.in_atomic_block:  # as in every save
            rows = self.model._default_manager.select_for_update()
            found.refresh_from_db(from_queryset=rows)
        return found

    def response_action(
        self, request: HttpRequest, queryset: QuerySet[Any], *args: Any
    ) -> HttpResponse | None:
        if all(map(is_id, request.POST.getlist(ACTION_CHECKBOX_NAME))):
            return super().response_action(request, queryset, *args)
        messages.warning(request, "选中的行有问题，请重新选择。")
        return None

    def formfield_for_foreignkey(
        self, db_field: ForeignKey[Any], request: HttpRequest, **kwargs: Any
    ) -> Any:
        if db_field.name in self.autocomplete_fields:
            kwargs.setdefault("widget", OneOf(db_field, self.admin_site))
        return super().formfield_for_foreignkey(db_field, request, **kwargs)

    def formfield_for_manytomany(
        self, db_field: ManyToManyField[Any, Any], request: HttpRequest, **kwargs: Any
    ) -> Any:
        if db_field.name in self.autocomplete_fields:
            kwargs.setdefault("widget", SomeOf(db_field, self.admin_site))
        return super().formfield_for_manytomany(db_field, request, **kwargs)


def short(moment: datetime) -> str:
    """Return `moment` as lists show it, in the time of the house."""
    return timezone.localtime(moment).strftime("%Y-%m-%d %H:%M")


class WholeForm(ModelForm):
    """A form that keeps constraints on columns which it does not show, too."""

    def _post_clean(self) -> None:
        super()._post_clean()  # type: ignore[misc]
        if self.errors:
            return
        try:
            self.instance.validate_constraints(exclude=self.not_yet())
        except ValidationError as error:
            self.add_error(None, ValidationError(error.messages))

    def not_yet(self) -> set[str]:
        """Return the columns that are set only when the form is saved."""
        return set()


class ReadOnly(Curation):
    """Rows that the site keeps itself: to look at, not to touch."""

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False
