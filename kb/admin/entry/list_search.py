"""The search box of the entries' list: the search engine first, then the columns."""

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
    """Entries that the reader created or owns, and their drafts."""

    title = "我的"
    parameter_name = "mine"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("drafts", "我的草稿"), ("all", "我建的"), ("owned", "我负责的")]

    def queryset(self, request: HttpRequest, queryset: Any) -> Any:
        created = queryset.filter(created_by=request.user)
        if self.value() == "drafts":
            return created.filter(status=Entry.Status.DRAFT)
        if self.value() == "owned":
            return queryset.filter(owner=request.user)
        return created if self.value() == "all" else queryset


def search_entries(
    request: HttpRequest,
    queryset: QuerySet[Any],
    search_term: str,
    *,
    search_columns: Callable[[str], QuerySet[Any]],
    default_order: Sequence[Any],
) -> QuerySet[Any]:
    """Return the results of the engine, best first, then those of the columns alone.

    The engine has drafts, too. Retired entries are found by `search_columns` only, as
    all entries are while the engine is down. `default_order` sorts those that the
    engine did not find.
    """
    words = normalize.clean_single_line(search_term)[:MAX_LIST_SEARCH_CHARS]
    if not words:
        return queryset
    ids = _parse_entry_number(words)
    ids += search.search_entry_ids(words, user=request.user)
    matching = search_columns(words).order_by().values("pk")
    rows = queryset.filter(Q(pk__in=ids) | Q(pk__in=matching))
    if request.GET.get("o"):  # sorted by a column
        return rows
    order = [When(pk=pk, then=Value(n)) for n, pk in enumerate(ids)]
    rank = Case(*order, default=Value(len(order)), output_field=IntegerField())
    ranked: QuerySet[Any] = rows.annotate(engine_rank=rank)
    return ranked.order_by("engine_rank", *default_order)


def _parse_entry_number(words: str) -> list[int]:
    """Return [12] for "#12", else []."""
    number = words.lstrip("#＃")
    return [int(number)] if number != words and is_valid_id(number) else []
