"""Autocomplete of the relations in the forms, and which rows they may point to."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.contrib.admin.views.autocomplete import AutocompleteJsonView
from django.contrib.admin.widgets import AutocompleteSelect, AutocompleteSelectMultiple
from django.db.models import ForeignKey, ManyToManyField, QuerySet
from django.http import HttpRequest

MAX_ID_DIGITS = 18  # every such number fits into a 64-bit column

if TYPE_CHECKING:
    from django.contrib.admin.options import BaseModelAdmin

    FormAdminBase = BaseModelAdmin[Any]
else:
    FormAdminBase = object


def is_valid_id(value: object) -> bool:
    """Return whether a posted `value` is a number that a query for an id accepts."""
    text = str(value)
    return text.isascii() and text.isdecimal() and len(text) <= MAX_ID_DIGITS


class SafeAutocompleteSelect(AutocompleteSelect):
    """A lookup that ignores choices that are no ids."""

    def optgroups(self, name: str, value: Any, attr: Any = None) -> Any:
        return super().optgroups(name, [v for v in value if is_valid_id(v)], attr)


class SafeAutocompleteSelectMultiple(AutocompleteSelectMultiple):
    """SafeAutocompleteSelect for several values; each has its own button to remove it."""

    def build_attrs(self, *args: Any, **kwargs: Any) -> dict[str, Any]:
        return {**super().build_attrs(*args, **kwargs), "data-allow-clear": "false"}

    def optgroups(self, name: str, value: Any, attr: Any = None) -> Any:
        return super().optgroups(name, [v for v in value if is_valid_id(v)], attr)


class AutocompleteTargetMixin:
    """How relations that point to a model offer its rows."""

    def filter_choices(
        self, rows: QuerySet[Any], field: Any, request: HttpRequest
    ) -> QuerySet[Any]:
        """Return those of `rows` that `field` may point to."""
        return rows

    def get_choice_label(self, row: Any) -> str:
        """Return a label that tells the row from others of the same name."""
        return str(row)


class AutocompleteMixin(FormAdminBase):
    """Forms and inlines whose relations use autocomplete where the target allows it."""

    def formfield_for_foreignkey(
        self, db_field: ForeignKey[Any], request: HttpRequest, **kwargs: Any
    ) -> Any:
        widget = SafeAutocompleteSelect(db_field, self.admin_site)
        options = self._build_field_options(db_field, request, widget=widget)
        field = super().formfield_for_foreignkey(db_field, request, **options, **kwargs)
        return self._use_target_labels(field, db_field)

    def formfield_for_manytomany(
        self, db_field: ManyToManyField[Any, Any], request: HttpRequest, **kwargs: Any
    ) -> Any:
        widget = SafeAutocompleteSelectMultiple(db_field, self.admin_site)
        options = self._build_field_options(db_field, request, widget=widget)
        field = super().formfield_for_manytomany(db_field, request, **options, **kwargs)
        return self._use_target_labels(field, db_field)

    def _find_target_admin(self, db_field: Any) -> Any:
        """Return the admin of the related model, if it filters and labels its rows."""
        target = self.admin_site._registry.get(db_field.remote_field.model)
        return target if isinstance(target, AutocompleteTargetMixin) else None

    def _build_field_options(
        self, db_field: Any, request: HttpRequest, *, widget: Any
    ) -> Any:
        target = self._find_target_admin(db_field)
        if target is None:
            return {}
        rows = db_field.remote_field.model._default_manager.all()
        return {
            "widget": widget,
            "queryset": target.filter_choices(rows, db_field, request),
        }

    def _use_target_labels(self, field: Any, db_field: Any) -> Any:
        if (
            field is not None
            and (target := self._find_target_admin(db_field)) is not None
        ):
            field.label_from_instance = target.get_choice_label
        return field


class ChoiceAutocompleteView(AutocompleteJsonView):
    """Rows for what is typed into a relation, for people who may write the form."""

    model_admin: Any
    source_field: Any
    request: HttpRequest

    def has_perm(self, request: HttpRequest, obj: Any = None) -> bool:
        """Return whether the person may choose rows of the related model.

        People who may write the form may choose rows that they may not open. Reverse
        relations are refused.
        """
        if not isinstance(self.source_field, (ForeignKey, ManyToManyField)):
            return False
        opts = self.source_field.model._meta
        can_write = any(
            request.user.has_perm(f"{opts.app_label}.{action}_{opts.model_name}")
            for action in ("add", "change")
        )
        return can_write or bool(super().has_perm(request, obj))

    def get_queryset(self) -> QuerySet[Any]:
        rows: QuerySet[Any] = super().get_queryset()
        if isinstance(self.model_admin, AutocompleteTargetMixin):
            rows = self.model_admin.filter_choices(
                rows, self.source_field, self.request
            )
        return rows if rows.ordered else rows.order_by("pk")

    def serialize_result(self, obj: Any, to_field_name: str) -> dict[str, str]:
        result: dict[str, str] = super().serialize_result(obj, to_field_name)
        if isinstance(self.model_admin, AutocompleteTargetMixin):
            result["text"] = self.model_admin.get_choice_label(obj)
        return result
