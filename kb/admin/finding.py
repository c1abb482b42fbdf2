"""The search box of the entries' list: our own engine first, then letter by letter."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.contrib import admin
from django.db.models import Case, IntegerField, Q, QuerySet, Value, When
from django.http import HttpRequest

from kb import search
from kb.admin.base import LONGEST, Curation
from kb.admin.lookup import is_id
from kb.models import Entry
from kb.text import normalize

if TYPE_CHECKING:
    Base = Curation
else:
    Base = object


class MineFilter(admin.SimpleListFilter):
    """What the reader has made, and of it what still waits for him."""

    title = "我的"
    parameter_name = "mine"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("drafts", "我的草稿"), ("all", "我建的"), ("owned", "我负责的")]

    def queryset(self, request: HttpRequest, queryset: Any) -> Any:
        mine = queryset.filter(created_by=request.user)
        if self.value() == "drafts":
            return mine.filter(status=Entry.Status.DRAFT)
        if self.value() == "owned":
            return queryset.filter(owner=request.user)
        return mine if self.value() == "all" else queryset


class Found(Base):
    """What is found by meaning stands first; what only holds the letters comes after.

    Drafts are the engine's as well. What is retired is found by its letters alone,
    as all is while the engine is down.
    """

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        words = normalize.line(search_term)[:LONGEST]
        if not words:
            return queryset, False
        ids = _numbered(words)
        ids += search.listed(words, user=request.user)
        same, _ = super().get_search_results(request, queryset, words)
        letters = same.order_by().values("pk")
        found = queryset.filter(Q(pk__in=ids) | Q(pk__in=letters))
        if request.GET.get("o"):  # a column that somebody clicked on
            return found, False
        order = [When(pk=pk, then=Value(n)) for n, pk in enumerate(ids)]
        best = Case(*order, default=Value(len(order)), output_field=IntegerField())
        usual = self.get_ordering(request) or ["-updated_at", "-pk"]
        return found.annotate(best_=best).order_by("best_", *usual), False


def _numbered(words: str) -> list[int]:
    """Return the entry that #12 is, first of all."""
    number = words.lstrip("#＃")
    return [int(number)] if number != words and is_id(number) else []
