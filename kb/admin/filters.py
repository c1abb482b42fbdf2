"""What people narrow the list of entries by, beyond its columns."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest

from kb.admin.category import indented
from kb.models import Category, Entry, Validity

if TYPE_CHECKING:
    Filter = admin.SimpleListFilter
else:
    Filter = admin.SimpleListFilter


class BranchFilter(Filter):
    """Entries of a category and of all that stands below it."""

    title = "分类"
    parameter_name = "category"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        tree = Category.objects.with_tree_fields()
        return [(str(node.pk), indented(node)) for node in tree]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> Any:
        if self.value() not in dict(self.lookup_choices):
            return queryset
        top = Category.objects.get(pk=self.value())
        below = top.descendants(include_self=True)
        return queryset.filter(category__in=[node.pk for node in below])


class ValidityFilter(Filter):
    """Of what is published: what has to be looked at before or after its end."""

    title = "有效期"
    parameter_name = "validity"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [(str(value), str(label)) for value, label in Validity.choices]

    def queryset(self, request: HttpRequest, queryset: Any) -> Any:
        if self.value() not in Validity.values:
            return queryset
        return queryset.having(self.value()).filter(status=Entry.Status.PUBLISHED)
