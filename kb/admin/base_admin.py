"""What every list and form of the admin has in common."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

from django import forms
from django.apps import apps
from django.contrib import admin, messages
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.contrib.admin.widgets import AdminSplitDateTime
from django.core.exceptions import ValidationError
from django.db import connection
from django.db.models import DateTimeField, QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.text import capfirst

from kb.admin.autocomplete_lookup import (
    AutocompleteMixin,
    AutocompleteTargetMixin,
    is_valid_id,
)
from kb.admin.recoverable_admin import RecoverableMixin
from kb.text.chinese import normalize

MAX_LIST_SEARCH_CHARS = 200  # characters of a search

if TYPE_CHECKING:
    ModelAdmin = admin.ModelAdmin[Any]
    ModelForm = forms.ModelForm[Any]
else:
    ModelAdmin, ModelForm = admin.ModelAdmin, forms.ModelForm


class LabeledDateTimeWidget(AdminSplitDateTime):
    """A date and a time, each with a name of its own for who does not see them."""

    def get_context(self, *args: Any, **kwargs: Any) -> dict[str, Any]:
        context: dict[str, Any] = super().get_context(*args, **kwargs)
        for part, name in zip(
            context["widget"]["subwidgets"], ("日期", "时间"), strict=True
        ):
            part["attrs"]["aria-label"] = name
        return context


class BaseAdmin(
    RecoverableMixin, AutocompleteMixin, AutocompleteTargetMixin, ModelAdmin
):
    """Lists that stay fast, and forms that never write over somebody else."""

    list_per_page = 50
    show_full_result_count = False
    formfield_overrides = {DateTimeField: {"widget": LabeledDateTimeWidget}}

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        """Search for what can be seen of `search_term`, and not for a novel."""
        words = normalize.clean_single_line(search_term)[:MAX_LIST_SEARCH_CHARS]
        return super().get_search_results(request, queryset, words)

    def get_deleted_objects(self, objs: Any, request: HttpRequest) -> Any:
        """Say what would go; a link between two tables is nothing to be told of."""
        found, counts, lacking, protected = super().get_deleted_objects(objs, request)
        links = [
            m
            for m in apps.get_models(include_auto_created=True)
            if m._meta.auto_created
        ]
        names = {str(m._meta.verbose_name_plural) for m in links}
        begins = tuple(f"{capfirst(m._meta.verbose_name)}:" for m in links)
        counts = {name: n for name, n in counts.items() if str(name) not in names}
        return _drop_texts_with_prefix(found, begins), counts, lacking, protected

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
        if all(map(is_valid_id, request.POST.getlist(ACTION_CHECKBOX_NAME))):
            return super().response_action(request, queryset, *args)
        messages.warning(request, "选中的行有问题，请重新选择。")
        return None


def _drop_texts_with_prefix(found: Any, begins: tuple[str, ...]) -> Any:
    """Return nested lists without the texts that begin so."""
    if not isinstance(found, list):
        return found
    told = [_drop_texts_with_prefix(one, begins) for one in found]
    return [one for one in told if one != [] and not str(one).startswith(begins)]


def render_yes_no_badge(value: bool) -> SafeString:
    """Return yes or no in a word: a picture would say it in English."""
    tone, word = ("ok", "是") if value else ("", "否")
    return format_html('<span class="badge {}">{}</span>', tone, word)


def format_local_time(moment: datetime) -> str:
    """Return `moment` as lists show it, in the time of the house."""
    return timezone.localtime(moment).strftime("%Y-%m-%d %H:%M")


class ConstraintCheckingForm(ModelForm):
    """A form that keeps constraints on columns which it does not show, too."""

    def _post_clean(self) -> None:
        super()._post_clean()  # type: ignore[misc]
        if self.errors:
            return
        try:
            self.instance.validate_constraints(exclude=self.get_columns_set_on_save())
        except ValidationError as error:
            self.add_error(None, ValidationError(error.messages))

    def get_columns_set_on_save(self) -> set[str]:
        """Return the columns that are set only when the form is saved."""
        return set()


class ReadOnlyAdmin(BaseAdmin):
    """Rows that the site keeps itself: to look at, not to touch."""

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False
