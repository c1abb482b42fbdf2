"""Turn what a person typed into entries that person may read."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from django.contrib.auth.models import AnonymousUser

from kb.index import autocomplete
from kb.index.autocomplete import Suggestion
from kb.index.documents import make_category_label
from kb.index.engines import EngineUnavailableError, FieldGroup, get_engine
from kb.language import vocabulary
from kb.models import Category, Entry, Reader, get_visible_category_ids
from kb.search.filters import SearchFilters
from kb.search.query_analysis import (
    MAX_QUERY_CHARS,
    analyze_query,
    build_clauses,
    clean_query,
)
from kb.search.ranking import (
    MAX_NEAR_HITS,
    MAX_RANKED_CANDIDATES,
    LoadAnswers,
    LoadWordings,
    RankedCandidate,
    is_confident,
    rank_candidates,
)
from kb.search.results import (
    MAX_RESULTS,
    ReaderScope,
    SearchHit,
    load_wordings,
    search_database,
)
from kb.search.scope import PUBLIC_FIELD_GROUPS, STAFF_FIELD_GROUPS, SearchScope
from kb.search.weights import WEIGHTS
from kb.text.chinese import autocomplete_keys, pinyin, tokenizer
from kb.text.chinese.term_weights import weigh_synonyms, weigh_terms
from kb.usage import LearnedWords, get_search_side

__all__ = [
    "MAX_QUERY_CHARS",
    "MAX_RESULTS",
    "PUBLIC_FIELD_GROUPS",
    "STAFF_FIELD_GROUPS",
    "LoadAnswers",
    "LoadWordings",
    "SearchFilters",
    "SearchHit",
    "SearchResults",
    "SearchScope",
    "Suggestion",
    "analyze_query",
    "build_clauses",
    "clean_query",
    "find_duplicate_entries",
    "find_related_entries",
    "find_similar_entries",
    "is_confident",
    "preview_search",
    "rank_candidates",
    "search_entries",
    "search_entry_ids",
    "suggest_entries",
    "warm_up_search",
]
MAX_SIMILAR_CANDIDATES = (
    20  # entries that are looked at when some like a text are wanted
)
DUPLICATE_THRESHOLD = WEIGHTS.duplicates.threshold


@dataclass(frozen=True, slots=True)
class SearchResults:
    """`total` counts what this reader may see, up to MOST; `terms` are to be marked.

    Where no hit is sure enough there are none, and the best are in `near`. Where
    nobody writes what was typed, `meant` is what the best entry writes instead.
    """

    query: str
    hits: tuple[SearchHit, ...] = ()
    total: int = 0
    terms_to_highlight: tuple[str, ...] = ()
    is_degraded: bool = False
    near_hits: tuple[SearchHit, ...] = ()
    did_you_mean: str = ""


def search_entries(
    words: str,
    *,
    user: Reader,
    category: Category | None = None,
    within: SearchFilters | None = None,
    offset: int = 0,
    limit: int = 20,
) -> SearchResults:
    """Return the published entries that `user` may read and `words` ask for.

    When the engine is unavailable, questions are matched in the database and
    the results say so.
    """
    words = clean_query(words)
    lexicon = vocabulary.load_current_lexicon()
    if not (terms := weigh_terms(words, lexicon, WEIGHTS.term_weights)):
        return SearchResults(words)
    reading = ReaderScope(user, filters=within or SearchFilters(category))
    learned, degraded = LearnedWords(words, get_search_side(user)), False
    try:
        scope = SearchScope(
            _select_field_groups(user),
            (*_list_live_labels(user), *reading.filters.labels),
        )
        found = _find_candidates(words, scope, reading, MAX_RESULTS, learned=learned)
    except EngineUnavailableError:
        found, degraded = (
            search_database(terms, reading.readable_entries, learned),
            True,
        )
    results = SearchResults(
        words, is_degraded=degraded, **_describe_terms(words, found)
    )
    if not degraded and not is_confident(found):
        return replace(results, near_hits=reading.load_hits(found[:MAX_NEAR_HITS]))
    hits = reading.load_hits(found[offset:][:limit])
    return replace(results, hits=hits, total=len(found))


def preview_search(
    words: str, *, user: Reader, entry: Entry, limit: int = 20
) -> tuple[SearchHit, ...]:
    """Return what `user` would find if `entry` were published as it is now.

    `search`, with one draft among what is live. Raises EngineUnavailable.
    """
    words = clean_query(words)
    if not weigh_terms(words, vocabulary.load_current_lexicon()):
        return ()
    drafts = Entry.objects.searchable().exclude(status=Entry.Status.PUBLISHED)
    apart = list(drafts.exclude(pk=entry.pk).values_list("pk", flat=True))
    found = _find_candidates(
        words,
        SearchScope(_select_field_groups(user), (_list_audience_labels(user),)),
        reading := ReaderScope(user, preview_entry_id=entry.pk),
        MAX_RESULTS + len(apart),
        exclude=apart,
        learned=LearnedWords(words, get_search_side(user)),
    )
    return reading.load_hits(found[:limit]) if is_confident(found) else ()


def _describe_terms(words: str, found: Sequence[RankedCandidate]) -> dict[str, Any]:
    """Return what was meant, and what to mark: what was typed, and said otherwise."""
    lexicon = vocabulary.get_loaded_lexicon()
    weights = WEIGHTS.term_weights
    mended = found[0].corrected_query if found else ""
    terms = [
        term
        for text in (words, mended)
        for term in weigh_terms(text, lexicon, weights).list_terms_to_highlight(
            weights=weights
        )
    ]
    synonyms = weigh_synonyms(words, lexicon, weights)
    return {
        "did_you_mean": mended,
        "terms_to_highlight": (
            *terms,
            *synonyms.list_terms_to_highlight(weights.synonym, weights),
        ),
    }


def warm_up_search() -> None:
    """Search once for what needs every dictionary, so that no reader waits for it.

    A server does it before it forks, so that its processes share what was loaded.
    """
    tokenizer.load_tokenizer_dictionaries()
    pinyin.load_pinyin_dictionaries()
    search_entries("網路斷線 wifi 退宽 tuihuo", user=AnonymousUser())


def suggest_entries(
    words: str, *, user: Reader, limit: int = 8, fill: bool = True
) -> tuple[Suggestion, ...]:
    """Return what `words` begin; with `fill`, what is found where they begin nothing.

    A search takes ten times as long, and who is still typing has not said it all.
    """
    words = clean_query(words)
    found = autocomplete.find_completions(words, user=user, limit=limit)
    if fill and not found and len(autocomplete_keys.extract_letters(words)) > 1:
        hits = search_entries(words, user=user, limit=limit).hits
        found = [Suggestion(hit.entry, hit.entry.question) for hit in hits]
    return tuple(found[:limit])


# One machinery, three questions -------------------------------------------------


def find_similar_entries(
    text: str, *, user: Reader, limit: int = 5, exclude: Collection[int] = ()
) -> tuple[SearchHit, ...]:
    """Return the entries most like `text`; drafts too, for those who see them."""
    edits = user.is_authenticated and user.can_edit_library
    labels = (_list_audience_labels(user),) if edits else _list_live_labels(user)
    return _find_similar_hits(
        text, ReaderScope(user, include_drafts=True), labels, exclude
    )[:limit]


def search_entry_ids(words: str, *, user: Reader) -> list[int]:
    """Return the ids of what `words` ask for, drafts too for who sees them, best first.

    None while the engine is down: who asks looks in the database as well.
    """
    if not weigh_terms(words := clean_query(words), vocabulary.load_current_lexicon()):
        return []
    edits = user.is_authenticated and user.can_edit_library
    scope = SearchScope(
        _select_field_groups(user),
        (_list_audience_labels(user),) if edits else _list_live_labels(user),
    )
    try:
        found = _find_candidates(
            words, scope, ReaderScope(user, include_drafts=edits), MAX_RESULTS
        )
        return [one.id for one in found]
    except EngineUnavailableError:
        return []


def find_duplicate_entries(
    text: str, *, user: Reader, exclude: Collection[int] = ()
) -> tuple[SearchHit, ...]:
    """Return the entries that ask for the same as `text`, as far as words can tell."""
    hits = find_similar_entries(
        text, user=user, limit=MAX_SIMILAR_CANDIDATES, exclude=exclude
    )
    same = (hit for hit in hits if hit.duplicate_score >= DUPLICATE_THRESHOLD)
    return tuple(sorted(same, key=lambda hit: -hit.duplicate_score))


def find_related_entries(
    entry: Entry, *, user: Reader, limit: int = 5
) -> tuple[Entry, ...]:
    """Return published entries about the same matter as `entry`."""
    hits = _find_similar_hits(
        entry.question, ReaderScope(user), _list_live_labels(user), [entry.pk]
    )
    return tuple(hit.entry for hit in hits[:limit])


def _find_similar_hits(
    text: str,
    reading: ReaderScope,
    labels: tuple[frozenset[str], ...],
    exclude: Collection[int],
) -> tuple[SearchHit, ...]:
    """Return entries like `text` among `labels`: others must not even be counted."""
    scope = SearchScope(_select_field_groups(reading.user), labels)
    most = MAX_SIMILAR_CANDIDATES + len(exclude)
    try:
        vocabulary.load_current_lexicon()
        found = _find_candidates(
            clean_query(text), scope, reading, most, exclude=exclude
        )
        return reading.load_hits(found)
    except EngineUnavailableError:
        return ()


def _find_candidates(
    words: str,
    scope: SearchScope,
    reading: ReaderScope,
    limit: int,
    *,
    exclude: Collection[int] = (),
    learned: LearnedWords | None = None,
) -> list[RankedCandidate]:
    """Return what `words` ask for in `scope`, of the readable, best first."""
    engine = get_engine()
    asked = analyze_query(engine, words, scope, vocabulary.get_loaded_lexicon(), limit)
    if asked is None:
        return []

    staff = scope.field_groups is STAFF_FIELD_GROUPS
    seen = partial(load_wordings, reading=reading, learned=learned, staff=staff)
    if learned is None:  # likeness is all that is wanted
        return rank_candidates(engine, asked, seen, exclude=exclude)
    lift = partial(learned.boost_scores, depth=MAX_RANKED_CANDIDATES)
    read = partial(reading.load_answers, staff=staff)
    return rank_candidates(
        engine, asked, seen, exclude=exclude, lift=lift, answers=read
    )


# What a reader may find -----------------------------------------------------------


def _select_field_groups(user: Reader) -> tuple[FieldGroup, ...]:
    """Return the texts `user` may match on: hit or miss must tell nothing else."""
    return (
        STAFF_FIELD_GROUPS
        if user.is_authenticated and user.can_read_library
        else PUBLIC_FIELD_GROUPS
    )


def _list_audience_labels(user: Reader) -> frozenset[str]:
    inside = user.is_authenticated and user.can_read_library
    audiences = Entry.Audience.values if inside else [Entry.Audience.PUBLIC.value]
    return frozenset(f"audience={audience}" for audience in audiences)


def _list_live_labels(user: Reader) -> tuple[frozenset[str], ...]:
    """Return the labels of published documents that `user` may find."""
    live = (
        _list_audience_labels(user),
        frozenset({f"status={Entry.Status.PUBLISHED.value}"}),
    )
    shown = get_visible_category_ids(user)
    return (
        live if shown is None else (*live, frozenset(map(make_category_label, shown)))
    )
