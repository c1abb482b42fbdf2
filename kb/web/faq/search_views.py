"""The search page with its filters, and the suggestions under the search box."""

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
from kb.library import taxonomy
from kb.library.entries import entry_lookup
from kb.models import Category, Entry, Reader, Tag
from kb.publishing import edition, locale_prefix, translations
from kb.publishing.category_tree import ReadableCategoryTree
from kb.search import SearchHit, SearchResults, Suggestion
from kb.text.chinese import normalize, term_weights
from kb.web.faq import query_params
from kb.web.faq.view_decorators import identify_visitor, public_view, rate_limited
from kb.web.faq.views import ENTRIES_PER_PAGE

MAX_NEAR_ENTRIES = 6  # offered where nothing was found
MAX_TRIED_CHARACTERS = 4  # of the query, to find these
MAX_SEARCH_RESULTS = 100
MAX_FACET_CHOICES = 8  # categories, and tags, to filter by
_HAN_CHARACTER = re.compile(f"[{normalize.HAN_CHARACTER_CLASS}]")


@dataclass(frozen=True, slots=True)
class FacetChoice:
    """One filter: the query string that applies it, and how many results remain."""

    name: str
    count: int
    query_string: str
    is_chosen: bool


class SearchFacets:
    """The category and the tag in an address, by which the results are filtered.

    A category or tag without entries for this reader is ignored.
    """

    def __init__(self, request: HttpRequest, words: str) -> None:
        self.words, self.user = words, request.user
        self.category_tree = ReadableCategoryTree(
            self.user, edition.get_request_edition(request).outline
        )
        self.category = self._find_category(request.GET.get("c", ""))
        self.tag = self._find_tag(request.GET.get("tag", ""))

    def __bool__(self) -> bool:
        return self.category is not None or self.tag is not None

    def make_query_string(self, **changes: Any) -> str:
        """Return the query string of this page with some parameters changed."""
        current: dict[str, Any] = {
            "q": self.words,
            "c": self.category.pk if self.category else None,
            "tag": self.tag.pk if self.tag else None,
        }
        merged = {name: value for name, value in (current | changes).items() if value}
        return f"?{urlencode(merged)}"

    def filter_hits(self, hits: Sequence[SearchHit]) -> list[SearchHit]:
        """Return the hits within the category and with the tag.

        `list_choices` was called before with the same hits: it loads their tags.
        """
        category_ids = (
            set(self.category_tree.list_subtree_ids(self.category.pk))
            if self.category
            else None
        )
        return [
            hit
            for hit in hits
            if (category_ids is None or hit.entry.category_id in category_ids)
            and (
                self.tag is None or self.tag.pk in self._tag_ids_by_entry[hit.entry.pk]
            )
        ]

    def list_choices(self, hits: Sequence[SearchHit]) -> dict[str, list[FacetChoice]]:
        """Return the filters by category and by tag, the most frequent first."""
        self._tags_by_entry = taxonomy.load_tags_by_entry(
            [hit.entry.pk for hit in hits]
        )
        top_categories = Counter(
            path[0]
            for hit in hits
            if (path := self.category_tree.get_path(hit.entry.category_id))
        )
        tags = Counter(
            tag for entry_tags in self._tags_by_entry.values() for tag in entry_tags
        )
        translations.translate_names(*tags)
        return {
            "category_choices": self._make_choices(
                top_categories, "c", self.category, len(hits)
            ),
            "tag_choices": self._make_choices(tags, "tag", self.tag, len(hits)),
        }

    def _make_choices(
        self, counts: Counter[Any], parameter: str, chosen: Any, total: int
    ) -> list[FacetChoice]:
        """Return a choice for all and one for each row; none where all is one."""
        if chosen is not None and chosen not in counts:
            counts[chosen] = 0
        if len(counts) < 2 and chosen is None:  # noqa: PLR2004
            return []
        ranked = sorted(counts.items(), key=lambda item: (-item[1], item[0].pk))
        all_choice = FacetChoice(
            "", total, self.make_query_string(**{parameter: None}), chosen is None
        )
        return [all_choice] + [
            FacetChoice(
                str(row),
                count,
                self.make_query_string(**{parameter: row.pk}),
                row == chosen,
            )
            for rank, (row, count) in enumerate(ranked)
            if row == chosen or rank < MAX_FACET_CHOICES
        ]

    @cached_property
    def _tag_ids_by_entry(self) -> dict[int, set[int]]:
        return {
            pk: {tag.pk for tag in tags} for pk, tags in self._tags_by_entry.items()
        }

    def _find_category(self, value: str) -> Category | None:
        pk = query_params.parse_row_id(value)
        return self.category_tree.find_category(pk) if pk else None

    def _find_tag(self, value: str) -> Tag | None:
        pk = query_params.parse_row_id(value)
        tag = taxonomy.find_used_tag(pk, user=self.user) if pk else None
        if tag:
            translations.translate_names(tag)
        return tag


@public_view
@rate_limited("search")
def show_search_page(request: HttpRequest) -> HttpResponse:
    """Show a page of results; a first page without filters is recorded as a search."""
    words = query_params.read_query_words(request)
    page_number = query_params.read_page_number(request)
    facets = SearchFacets(request, words)
    if not words:
        return render(
            request, "faq/search/page.html", _make_start_context(request, facets)
        )
    results = search.search_entries(words, user=request.user, limit=MAX_SEARCH_RESULTS)
    choices = facets.list_choices(results.hits)
    filtered_hits = facets.filter_hits(results.hits)
    start = (page_number - 1) * ENTRIES_PER_PAGE
    results = replace(
        results, hits=tuple(filtered_hits[start : start + ENTRIES_PER_PAGE])
    )
    if page_number > 1 and not results.hits:
        raise Http404
    is_first_page = page_number == 1 and not facets
    if request.method == "GET" and is_first_page and not results.is_degraded:
        usage.record_search(
            words,
            user=request.user,
            results=results.total,
            person=identify_visitor(request),
        )
    context = (
        _make_results_context(results, facets)
        if results.total
        else _make_no_results_context(results, facets)
    )
    context |= {
        **choices,
        "words": words,
        "results": results,
        "page_number": page_number,
        "total": len(filtered_hits),
        "has_next_page": page_number * ENTRIES_PER_PAGE < len(filtered_hits),
        "unfiltered_url": facets.make_query_string(c=0, tag=0),
        "previous_page_url": facets.make_query_string(page=page_number - 1),
        "next_page_url": facets.make_query_string(page=page_number + 1),
    }
    response = render(request, "faq/search/page.html", context)
    if results.is_degraded:
        response.headers["X-Search-Degraded"] = "1"
    return response


@public_view
@rate_limited("suggest")
def show_suggestions(request: HttpRequest) -> HttpResponse:
    """Return a fragment: the options of the list under a search box."""
    words = query_params.read_query_words(request)
    found = search.suggest_entries(words, user=request.user) if words else ()
    query = search.analyze_query(words, vocabulary.get_loaded_lexicon())
    terms = (
        normalize.normalize_text(words),
        *query.terms.list_terms_to_highlight(),
        *query.simplified_terms,
    )
    shown = _translate_suggestions(found)
    context = {"suggestions": shown, "terms": _list_marked_terms(terms)}
    return render(request, "faq/search/_suggestions.html", context)


def _make_start_context(request: HttpRequest, facets: SearchFacets) -> dict[str, Any]:
    """Return the context without a query: the entries of a tag, or the categories."""
    if facets.tag is None:
        return {"tree": facets.category_tree}
    entries = entry_lookup.query_listed_entries(request.user).filter(tags=facets.tag)
    page = query_params.paginate_rows(request, entries, ENTRIES_PER_PAGE)
    translations.apply_translations(page.object_list)
    return {"page": page, "tag": facets.tag}


def _make_results_context(
    results: SearchResults, facets: SearchFacets
) -> dict[str, Any]:
    entries = [hit.entry for hit in results.hits]
    translations.apply_translations(entries)
    return {
        "rows": [
            (entry, facets.category_tree.get_path(entry.category_id))
            for entry in entries
        ],
        "terms": _list_marked_terms(
            (*results.terms_to_highlight, *results.simplified_terms)
        ),
    }


def _make_no_results_context(
    results: SearchResults, facets: SearchFacets
) -> dict[str, Any]:
    near = [hit.entry for hit in results.near_hits] or _find_entries_by_character(
        results.query, facets.user
    )
    translations.apply_translations(near)
    return {"near": near, "tree": facets.category_tree}


def _list_marked_terms(terms: Sequence[str]) -> tuple[str, ...]:
    """Return the terms to mark; on a 繁體 page also as it writes them."""
    marked = [*terms]
    if locale_prefix.is_traditional_page():
        marked += [
            normalize.normalize_text(locale_prefix.convert_to_traditional(term))
            for term in terms
        ]
    return tuple(dict.fromkeys(marked))


def _translate_suggestions(
    suggestions: Sequence[Suggestion],
) -> Sequence[Suggestion]:
    """Return the suggestions in the script of the page."""
    if not locale_prefix.is_traditional_page():
        return suggestions
    is_question = [s.text == s.entry.question for s in suggestions]
    translations.apply_translations([s.entry for s in suggestions])
    return [
        _translate_suggestion(suggestion, use_question=flag)
        for suggestion, flag in zip(suggestions, is_question, strict=True)
    ]


def _translate_suggestion(suggestion: Suggestion, *, use_question: bool) -> Suggestion:
    """Return the suggestion in 繁體.

    The typed part is marked by a count of characters, which is right only where both
    texts have the same length.
    """
    text = (
        suggestion.entry.question
        if use_question
        else locale_prefix.convert_to_traditional(suggestion.text)
    )
    typed_count = suggestion.typed_count if len(text) == len(suggestion.text) else 0
    return replace(suggestion, text=text, typed_count=typed_count)


def _find_entries_by_character(words: str, user: Reader) -> list[Entry]:
    """Return entries with a term that begins with a character of the query.

    A typing error changes one character of a query and leaves the others right.
    """
    characters = dict.fromkeys(_HAN_CHARACTER.findall(normalize.normalize_text(words)))
    content_characters = [
        character
        for character in characters
        if character not in term_weights.PARTICLE_CHARACTERS
    ]
    ids = dict.fromkeys(
        suggestion.entry.pk
        for character in content_characters[:MAX_TRIED_CHARACTERS]
        for suggestion in search.suggest_entries(
            character, user=user, limit=MAX_NEAR_ENTRIES // 2
        )
    )
    entries = entry_lookup.query_listed_entries(user).in_bulk([*ids][:MAX_NEAR_ENTRIES])
    return [entries[pk] for pk in ids if pk in entries]
