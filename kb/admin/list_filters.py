"""Filters of the lists: used relations, branches of categories, validity."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from django.contrib import admin
from django.db.models import Count, Q, QuerySet
from django.http import HttpRequest

from kb.admin.autocomplete_lookup import is_valid_id
from kb.admin.category import format_indented_name
from kb.models import Category, Entry, Validity

if TYPE_CHECKING:
    SimpleListFilterBase = admin.SimpleListFilter
else:
    SimpleListFilterBase = admin.SimpleListFilter

MAX_FILTER_CHOICES = 20  # rows of a relation in a filter


def compute_once_per_request(
    request: HttpRequest, name: str, compute: Callable[[], Any]
) -> Any:
    """Return the result of `compute`, cached in the request.

    Django makes every filter twice in a request where it counts facets.
    """
    cache: dict[str, Any] = request.__dict__.setdefault("_filters", {})
    if name not in cache:
        cache[name] = compute()
    return cache[name]


class UsedRelationFilter(admin.RelatedFieldListFilter):
    """A filter by a relation that lists only used rows, the most used first."""

    def field_choices(
        self, field: Any, request: HttpRequest, model_admin: Any
    ) -> list[tuple[str, Any]]:
        def load_used_rows() -> dict[Any, str]:
            return _load_most_used(model_admin.model, field)

        choices = dict(compute_once_per_request(request, field.name, load_used_rows))
        selected = [int(pk) for pk in self.lookup_val or [] if is_valid_id(pk)]
        # A link may select a row that is not among the most used.
        if missing := [pk for pk in selected if pk not in choices]:
            others = field.remote_field.model._default_manager.filter(pk__in=missing)
            choices |= {row.pk: str(row) for row in others}
        return list(choices.items())


def _load_most_used(model: Any, field: Any) -> dict[Any, str]:
    """Return {id: name} of the rows that most rows of `model` point to."""
    name = f"{field.name}__name"
    used = model._default_manager.filter(**{f"{field.name}__isnull": False})
    counted = used.order_by().values_list(field.name, name).annotate(n=Count("pk"))
    return {
        pk: str(label)
        for pk, label, _ in counted.order_by("-n", name)[:MAX_FILTER_CHOICES]
    }


class CategoryBranchFilter(SimpleListFilterBase):
    """Entries of a category and of its descendants."""

    title = "分类"
    parameter_name = "category"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        self.categories = compute_once_per_request(
            request, "tree", lambda: list(Category.objects.with_tree_fields())
        )
        return [(str(node.pk), format_indented_name(node)) for node in self.categories]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> Any:
        if self.value() not in dict(self.lookup_choices):
            return queryset
        return queryset.filter(category__in=self._list_branch_ids(str(self.value())))

    def get_facet_counts(self, pk_attname: str, filtered_qs: Any) -> dict[str, Any]:
        """Count each branch by the ids of its categories.

        Django's own way would query the tree again for every choice.
        """
        return {
            f"{number}__c": Count(
                pk_attname,
                filter=Q(category__in=self._list_branch_ids(value)),
                distinct=True,
            )
            for number, (value, _) in enumerate(self.lookup_choices)
        }

    def _list_branch_ids(self, top: str) -> list[int]:
        return [node.pk for node in self.categories if int(top) in node.tree_path]


class ValidityFilter(SimpleListFilterBase):
    """Published entries by validity, such as those that expire soon."""

    title = "有效期"
    parameter_name = "validity"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [(str(value), str(label)) for value, label in Validity.choices]

    def queryset(self, request: HttpRequest, queryset: Any) -> Any:
        if self.value() not in Validity.values:
            return queryset
        return queryset.with_validity(self.value()).filter(
            status=Entry.Status.PUBLISHED
        )
