"""What people narrow the list of entries by, beyond its columns."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.contrib import admin
from django.db.models import Count, QuerySet
from django.http import HttpRequest

from kb.admin.category import indented
from kb.admin.lookup import is_id
from kb.models import Category, Entry, Validity

if TYPE_CHECKING:
    Filter = admin.SimpleListFilter
else:
    Filter = admin.SimpleListFilter


MOST = 20  # rows of a relation that a filter names


class UsedFilter(admin.RelatedFieldListFilter):
    """Of tags, modules and the like those that are used, the most used first."""

    def field_choices(
        self, field: Any, request: HttpRequest, model_admin: Any
    ) -> list[tuple[str, Any]]:
        rows = model_admin.model._default_manager
        used = rows.filter(**{f"{field.name}__isnull": False})
        name = f"{field.name}__name"
        counted = used.order_by().values_list(field.name, name).annotate(n=Count("pk"))
        found = {pk: str(said) for pk, said, _ in counted.order_by("-n", name)[:MOST]}
        asked = [int(value) for value in self.lookup_val or [] if is_id(value)]
        if missing := [
            pk for pk in asked if pk not in found
        ]:  # led here from elsewhere
            others = field.remote_field.model._default_manager.filter(pk__in=missing)
            found |= {row.pk: str(row) for row in others}
        return list(found.items())


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
