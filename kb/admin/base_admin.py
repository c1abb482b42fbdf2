"""Base classes of the admin: lists, forms, read-only tables and their helpers."""

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

MAX_LIST_SEARCH_CHARS = 200

if TYPE_CHECKING:
    ModelAdmin = admin.ModelAdmin[Any]
    ModelForm = forms.ModelForm[Any]
else:
    ModelAdmin, ModelForm = admin.ModelAdmin, forms.ModelForm


class LabeledDateTimeWidget(AdminSplitDateTime):
    """A date and a time, each with an `aria-label` of its own."""

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
    """Lists without a count of all rows, and forms that lock the row they save."""

    list_per_page = 50
    show_full_result_count = False
    formfield_overrides = {DateTimeField: {"widget": LabeledDateTimeWidget}}

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        """Search for at most MAX_LIST_SEARCH_CHARS visible characters."""
        words = normalize.clean_single_line(search_term)[:MAX_LIST_SEARCH_CHARS]
        return super().get_search_results(request, queryset, words)

    def get_deleted_objects(self, objs: Any, request: HttpRequest) -> Any:
        """Return what would be deleted, without the rows of many-to-many tables."""
        deleted, counts, missing_perms, protected = super().get_deleted_objects(
            objs, request
        )
        links = [
            m
            for m in apps.get_models(include_auto_created=True)
            if m._meta.auto_created
        ]
        names = {str(m._meta.verbose_name_plural) for m in links}
        prefixes = tuple(f"{capfirst(m._meta.verbose_name)}:" for m in links)
        counts = {name: n for name, n in counts.items() if str(name) not in names}
        deleted = _drop_texts_with_prefix(deleted, prefixes)
        return deleted, counts, missing_perms, protected

    def get_object(
        self, request: HttpRequest, object_id: str, from_field: str | None = None
    ) -> Any:
        """Return the row; within a transaction, as in every save, it is locked."""
        row = super().get_object(request, object_id, from_field)
        if row is not None and connection.in_atomic_block:
            rows = self.model._default_manager.select_for_update()
            row.refresh_from_db(from_queryset=rows)
        return row

    def response_action(
        self, request: HttpRequest, queryset: QuerySet[Any], *args: Any
    ) -> HttpResponse | None:
        if all(map(is_valid_id, request.POST.getlist(ACTION_CHECKBOX_NAME))):
            return super().response_action(request, queryset, *args)
        messages.warning(request, "选中的行有问题，请重新选择。")
        return None


def _drop_texts_with_prefix(node: Any, prefixes: tuple[str, ...]) -> Any:
    """Return nested lists of texts without the texts that have one of the prefixes."""
    if not isinstance(node, list):
        return node
    children = [_drop_texts_with_prefix(child, prefixes) for child in node]
    return [
        child
        for child in children
        if child != [] and not str(child).startswith(prefixes)
    ]


def render_yes_no_badge(value: bool) -> SafeString:
    """Return 是 or 否; Django's own icon has an English text."""
    css_class, word = ("ok", "是") if value else ("", "否")
    return format_html('<span class="badge {}">{}</span>', css_class, word)


def format_local_time(moment: datetime) -> str:
    """Return `moment` in local time as "YYYY-MM-DD HH:MM"."""
    return timezone.localtime(moment).strftime("%Y-%m-%d %H:%M")


class ConstraintCheckingForm(ModelForm):
    """A form that checks constraints on columns that it does not show as well."""

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
    """Rows that the site writes itself; they cannot be added, changed or deleted here."""

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False
