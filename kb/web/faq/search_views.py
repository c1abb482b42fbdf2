"""Searching: what is asked, narrowed by category and tag, and never a dead end."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.http import urlencode

from kb import search, usage
from kb.language import vocabulary
from kb.models import Category, Entry, Reader, Tag
from kb.publishing import edition, locale_prefix, translations
from kb.publishing.category_tree import ReadableCategoryTree
from kb.search import SearchHit, SearchResults, Suggestion
from kb.text.chinese import normalize, regional, term_weights
from kb.web.faq import query_params
from kb.web.faq.view_decorators import identify_visitor, public_view, rate_limited
from kb.web.faq.views import ENTRIES_PER_PAGE, select_listed_entries

MAX_NEAR_ENTRIES = 6  # entries offered where nothing was found
MAX_TRIED_LETTERS = 4  # letters that are tried to find them
MAX_SEARCH_RESULTS = 100  # results that search gives at most
MAX_FACET_CHOICES = 8  # categories and tags that are offered to narrow by
_HAN_CHARACTER = re.compile(f"[{normalize.HAN_CHARACTER_CLASS}]")


@dataclass(frozen=True, slots=True)
class FacetChoice:
    """One way to narrow, with the address that does it and how much is left."""

    name: str
    count: int
    query_string: str
    is_chosen: bool


class SearchFacets:
    """What an address narrows by; what nobody may know of narrows nothing."""

    def __init__(self, request: HttpRequest, words: str) -> None:
        self.words, self.user = words, request.user
        self.category_tree = ReadableCategoryTree(
            self.user, edition.get_request_edition(request).outline
        )
        self.category = self._find_category(request.GET.get("c", ""))
        self.tag = self._find_tag(request.GET.get("tag", ""))

    def __bool__(self) -> bool:
        return self.category is not None or self.tag is not None

    def make_query_string(self, **given: Any) -> str:
        """Return the query string of this page with something else chosen."""
        now: dict[str, Any] = {"q": self.words}
        now |= {"c": self.category.pk if self.category else None}
        now |= {"tag": self.tag.pk if self.tag else None}
        chosen = {name: value for name, value in (now | given).items() if value}
        return f"?{urlencode(chosen)}"

    def filter_hits(self, hits: Sequence[SearchHit]) -> list[SearchHit]:
        """Return the hits inside of what was chosen."""
        inside = (
            set(self.category_tree.list_subtree_ids(self.category.pk))
            if self.category
            else None
        )
        return [
            hit
            for hit in hits
            if (inside is None or hit.entry.category_id in inside)
            and (
                self.tag is None or self.tag.pk in self._tag_ids_by_entry[hit.entry.pk]
            )
        ]

    def list_choices(self, hits: Sequence[SearchHit]) -> dict[str, list[FacetChoice]]:
        """Return the categories and tags that part the hits, the largest first."""
        self._load_tags(hits)
        tops = Counter(
            path[0]
            for hit in hits
            if (path := self.category_tree.get_path(hit.entry.category_id))
        )
        tags = Counter(tag for one in self._tags_by_entry.values() for tag in one)
        translations.translate_names(*tags)
        return {
            "categories": self._make_choices(tops, "c", self.category, len(hits)),
            "tags": self._make_choices(tags, "tag", self.tag, len(hits)),
        }

    def _make_choices(
        self, found: Counter[Any], name: str, chosen: Any, total: int
    ) -> list[FacetChoice]:
        if chosen is not None and chosen not in found:
            found[chosen] = 0
        if len(found) < 2 and chosen is None:  # noqa: PLR2004
            return []
        most = sorted(found.items(), key=lambda item: (-item[1], item[0].pk))
        every = FacetChoice(
            "", total, self.make_query_string(**{name: None}), chosen is None
        )
        return [every] + [
            FacetChoice(
                str(one), count, self.make_query_string(**{name: one.pk}), one == chosen
            )
            for one, count in most
            if one == chosen or most.index((one, count)) < MAX_FACET_CHOICES
        ]

    def _load_tags(self, hits: Sequence[SearchHit]) -> None:
        wanted = [hit.entry.pk for hit in hits]
        links = Entry.tags.through.objects.filter(entry__in=wanted)
        rows = list(links.select_related("tag").order_by("tag__name"))
        known = {row.tag_id: row.tag for row in rows}
        self._tags_by_entry: dict[int, list[Tag]] = {pk: [] for pk in wanted}
        for row in rows:
            self._tags_by_entry[row.entry_id].append(known[row.tag_id])

    @cached_property
    def _tag_ids_by_entry(self) -> dict[int, set[int]]:
        return {
            pk: {tag.pk for tag in tags} for pk, tags in self._tags_by_entry.items()
        }

    def _find_category(self, given: str) -> Category | None:
        pk = query_params.parse_row_id(given)
        return self.category_tree.find_category(pk) if pk else None

    def _find_tag(self, given: str) -> Tag | None:
        if not (pk := query_params.parse_row_id(given)):
            return None
        told = Tag.objects.filter(
            pk=pk, entries__in=select_listed_entries(self.user).order_by()
        )
        found = told.distinct().first()
        if found:
            translations.translate_names(found)
        return found


@public_view
@rate_limited("search")
def show_search_page(request: HttpRequest) -> HttpResponse:
    words, number = (
        query_params.read_query_words(request),
        query_params.read_page_number(request),
    )
    narrow = SearchFacets(request, words)
    if not words:
        return render(
            request, "faq/search/page.html", _make_start_context(request, narrow)
        )
    results = search.search_entries(words, user=request.user, limit=MAX_SEARCH_RESULTS)
    choices = narrow.list_choices(results.hits)
    inside = narrow.filter_hits(results.hits)
    results = replace(
        results,
        hits=tuple(inside[(number - 1) * ENTRIES_PER_PAGE :][:ENTRIES_PER_PAGE]),
    )
    if number > 1 and not results.hits:
        raise Http404
    if request.method == "GET" and number == 1 and not (narrow or results.is_degraded):
        usage.record_search(
            words,
            user=request.user,
            results=results.total,
            person=identify_visitor(request),
        )
    context = (
        _make_results_context(results, narrow)
        if results.total
        else _make_no_results_context(results, narrow)
    )
    context |= {"words": words, "results": results, "number": number, **choices}
    context |= {
        "narrow": narrow,
        "total": len(inside),
        "all": narrow.make_query_string(c=0, tag=0),
    }
    context["more"] = number * ENTRIES_PER_PAGE < len(inside)
    context["before"] = narrow.make_query_string(page=number - 1)
    context["after"] = narrow.make_query_string(page=number + 1)
    response = render(request, "faq/search/page.html", context)
    if results.is_degraded:
        response.headers["X-Search-Degraded"] = "1"
    return response


@public_view
@rate_limited("suggest")
def show_suggestions(request: HttpRequest) -> HttpResponse:
    """A fragment: the options of the list under a search box."""
    words = query_params.read_query_words(request)
    found = search.suggest_entries(words, user=request.user) if words else ()
    terms = (
        normalize.normalize_text(words),
        *term_weights.weigh_terms(
            words, vocabulary.get_loaded_lexicon()
        ).list_terms_to_highlight(),
    )
    shown = _translate_suggestions(found)
    context = {"suggestions": shown, "terms": _list_marked_terms(terms, words)}
    return render(request, "faq/search/_suggestions.html", context)


def _make_start_context(request: HttpRequest, narrow: SearchFacets) -> dict[str, Any]:
    """Return what stands on a search page without words: a tag's entries, or shelves."""
    context: dict[str, Any] = {"narrow": narrow, "all": "?"}
    if narrow.tag is None:
        return context | {"tree": narrow.category_tree}
    rows = select_listed_entries(request.user).filter(tags=narrow.tag)
    page = query_params.paginate_rows(request, rows, ENTRIES_PER_PAGE)
    translations.apply_translations(page.object_list)
    return context | {"page": page, "tag": narrow.tag}


def _make_results_context(
    results: SearchResults, narrow: SearchFacets
) -> dict[str, Any]:
    entries = [hit.entry for hit in results.hits]
    translations.apply_translations(entries)
    return {
        "rows": [
            (one, narrow.category_tree.get_path(one.category_id)) for one in entries
        ],
        "terms": _list_marked_terms(results.terms_to_highlight, results.query),
    }


def _make_no_results_context(
    results: SearchResults, narrow: SearchFacets
) -> dict[str, Any]:
    near = [hit.entry for hit in results.near_hits] or _find_entries_by_letters(
        results.query, narrow.user
    )
    translations.apply_translations(near)
    return {"near": near, "tree": narrow.category_tree}


def _list_marked_terms(terms: Sequence[str], words: str) -> tuple[str, ...]:
    """Return the terms to mark, and how the other script says them."""
    lexicon = vocabulary.get_loaded_lexicon()
    said = [*terms]
    for wording in regional.list_simplified_wordings(words):
        said += term_weights.weigh_terms(wording, lexicon).list_terms_to_highlight()
    if locale_prefix.is_traditional_page():
        said += [
            normalize.normalize_text(locale_prefix.convert_to_traditional(term))
            for term in said
        ]
    return tuple(dict.fromkeys(said))


def _translate_suggestions(found: Sequence[Suggestion]) -> Sequence[Suggestion]:
    """Return the suggestions in the script of the page.

    Marks stand by letters: they hold where there are as many.
    """
    if not locale_prefix.is_traditional_page():
        return found
    own = [one.text == one.entry.question for one in found]
    translations.apply_translations([one.entry for one in found])
    return [_translate_suggestion(*pair) for pair in zip(found, own, strict=True)]


def _translate_suggestion(one: Suggestion, own: bool) -> Suggestion:
    text = one.entry.question if own else locale_prefix.convert_to_traditional(one.text)
    typed = one.typed_count if len(text) == len(one.text) else 0
    return replace(one, text=text, typed_count=typed)


def _find_entries_by_letters(words: str, user: Reader) -> list[Entry]:
    """Entries with a word that begins with a letter of what is nowhere: a slip spares some."""
    letters = dict.fromkeys(_HAN_CHARACTER.findall(normalize.normalize_text(words)))
    told = [
        letter for letter in letters if letter not in term_weights.PARTICLE_CHARACTERS
    ]
    found = dict.fromkeys(
        suggestion.entry.pk
        for letter in told[:MAX_TRIED_LETTERS]
        for suggestion in search.suggest_entries(
            letter, user=user, limit=MAX_NEAR_ENTRIES // 2
        )
    )
    near = select_listed_entries(user).in_bulk([*found][:MAX_NEAR_ENTRIES])
    return [near[pk] for pk in found if pk in near]
