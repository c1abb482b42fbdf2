"""The search box of the entries' list: our own engine first, then letter by letter."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from django.contrib import admin
from django.db.models import Case, IntegerField, Q, QuerySet, Value, When
from django.http import HttpRequest

from kb import search
from kb.admin.autocomplete_lookup import is_valid_id
from kb.admin.base_admin import MAX_LIST_SEARCH_CHARS
from kb.models import Entry
from kb.text.chinese import normalize


class OwnEntriesFilter(admin.SimpleListFilter):
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


def search_entries(
    request: HttpRequest,
    queryset: QuerySet[Any],
    search_term: str,
    *,
    find_letters: Callable[[str], QuerySet[Any]],
    usual_order: Sequence[Any],
) -> QuerySet[Any]:
    """Return what is found by meaning, best first, then what only holds the letters.

    Drafts are the engine's as well. What is retired is found by its letters alone,
    as all is while the engine is down. `find_letters` looks for letters in
    `queryset`; `usual_order` is the order among equals.
    """
    words = normalize.clean_single_line(search_term)[:MAX_LIST_SEARCH_CHARS]
    if not words:
        return queryset
    ids = _parse_entry_number(words)
    ids += search.search_entry_ids(words, user=request.user)
    letters = find_letters(words).order_by().values("pk")
    found = queryset.filter(Q(pk__in=ids) | Q(pk__in=letters))
    if request.GET.get("o"):  # a column that somebody clicked on
        return found
    order = [When(pk=pk, then=Value(n)) for n, pk in enumerate(ids)]
    best = Case(*order, default=Value(len(order)), output_field=IntegerField())
    ordered: QuerySet[Any] = found.annotate(best_=best).order_by("best_", *usual_order)
    return ordered


def _parse_entry_number(words: str) -> list[int]:
    """Return the entry that #12 is, first of all."""
    number = words.lstrip("#＃")
    return [int(number)] if number != words and is_valid_id(number) else []
