"""Search: from what somebody typed to the entries that they may read.

The words of a query are read once, in step 3; later steps read its analysis. A
reader follows a query through these places:

 1. kb/web/faq/search_views.py, `show_search_page`: parses the address
 2. kb/search/__init__.py, `search_entries`: the steps of a search, in order
 3. kb/search/query_analysis.py, `analyze_query`: a `QueryAnalysis` of the words
 4. kb/text/chinese/term_weights.py: weights of terms, carrier phrase, synonyms
 5. kb/text/chinese/tokenizer.py: words and bigrams
 6. kb/search/scope.py, `SearchScope`: fields and documents that a reader may match
 7. kb/search/candidates.py, `find_candidates`: document frequencies, other forms,
    and a `CandidateSet` of what the engine finds
 8. kb/index/engines/base.py, `Engine.search`: the port of the engines
 9. kb/search/ranking.py, `rank_candidates`: `RankedCandidate`s, best first
10. kb/usage/evidence.py, `LearnedWords`: what people picked after the same words
11. kb/search/results.py, `load_wordings`: the database says who may read what
12. kb/search/features.py, `compute_features`: `CandidateFeatures` of the best
13. kb/text/chinese/similarity.py, `compare_wordings`: query and question compared
14. kb/search/confidence.py, `compute_confidence`: how probable an answer is
15. kb/search/results.py, `ReaderScope.load_hits`: the entries, as `SearchResults`

All fitted numbers are in weights.toml.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace
from functools import partial

from django.contrib.auth.models import AnonymousUser

from kb.index import autocomplete
from kb.index.autocomplete import Suggestion
from kb.index.engines import EngineUnavailableError, get_engine
from kb.language import vocabulary
from kb.models import Category, Entry, Reader
from kb.search.candidates import build_clauses, find_candidates
from kb.search.query_analysis import (
    MAX_QUERY_CHARS,
    QueryAnalysis,
    analyze_query,
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
    SearchResults,
    load_wordings,
    search_database,
)
from kb.search.scope import (
    PUBLIC_FIELD_GROUPS,
    STAFF_FIELD_GROUPS,
    SearchFilters,
    SearchScope,
)
from kb.search.weights import WEIGHTS
from kb.text.chinese import autocomplete_keys, pinyin, tokenizer
from kb.usage import LearnedWords, get_search_side

__all__ = [
    "MAX_QUERY_CHARS",
    "MAX_RESULTS",
    "PUBLIC_FIELD_GROUPS",
    "STAFF_FIELD_GROUPS",
    "LoadAnswers",
    "LoadWordings",
    "QueryAnalysis",
    "SearchFilters",
    "SearchHit",
    "SearchResults",
    "SearchScope",
    "Suggestion",
    "analyze_query",
    "build_clauses",
    "clean_query",
    "find_candidates",
    "find_duplicate_entries",
    "find_related_entries",
    "find_similar_entries",
    "is_confident",
    "preview_search",
    "rank_candidates",
    "run_search",
    "search_entries",
    "search_entry_ids",
    "suggest_entries",
    "warm_up_search",
]
DUPLICATE_THRESHOLD = WEIGHTS.duplicates.threshold
MAX_SIMILAR_CANDIDATES = 20  # entries compared where those like a text are wanted


def search_entries(
    text: str,
    *,
    user: Reader,
    category: Category | None = None,
    within: SearchFilters | None = None,
    offset: int = 0,
    limit: int = 20,
) -> SearchResults:
    """Return the published entries that `user` may read and `text` asks for.

    `within` narrows the search, or else `category`. While the engine is unavailable,
    questions are matched in the database, and the results say so.
    """
    query = analyze_query(text, vocabulary.load_current_lexicon())
    filters = within or SearchFilters(category)
    return run_search(query, user=user, filters=filters, offset=offset, limit=limit)


def run_search(
    query: QueryAnalysis,
    *,
    user: Reader,
    filters: SearchFilters,
    offset: int = 0,
    limit: int = 20,
) -> SearchResults:
    """Return the results of an analyzed query, as `search_entries`."""
    if query.is_empty:
        return SearchResults(query.text)
    reader = ReaderScope(user, filters=filters)
    learned = LearnedWords(query.spelling_key, get_search_side(user))
    try:
        scope, is_degraded = SearchScope.of_published(user, filters), False
        ranked = _rank_entries(query, scope, reader, MAX_RESULTS, learned=learned)
    except EngineUnavailableError:
        is_degraded = True
        ranked = search_database(query, reader.readable_entries, learned)
    corrected_query = ranked[0].corrected_query if ranked else ""
    results = SearchResults(
        query.text,
        is_degraded=is_degraded,
        did_you_mean=corrected_query,
        terms_to_highlight=query.list_terms_to_highlight(corrected_query),
        simplified_terms=query.simplified_terms,
    )
    if not is_degraded and not is_confident(ranked):
        return replace(results, near_hits=reader.load_hits(ranked[:MAX_NEAR_HITS]))
    hits = reader.load_hits(ranked[offset:][:limit])
    return replace(results, hits=hits, total=len(ranked))


def preview_search(
    text: str, *, user: Reader, entry: Entry, limit: int = 20
) -> tuple[SearchHit, ...]:
    """Return what `user` would find if `entry` were published as it is now.

    As `search_entries`, with one draft among the published entries. Raises
    EngineUnavailableError.
    """
    query = analyze_query(text, vocabulary.load_current_lexicon())
    if query.is_empty:
        return ()
    drafts = Entry.objects.searchable().exclude(status=Entry.Status.PUBLISHED)
    excluded = list(drafts.exclude(pk=entry.pk).values_list("pk", flat=True))
    reader = ReaderScope(user, preview_entry_id=entry.pk)
    ranked = _rank_entries(
        query,
        SearchScope.of_all_statuses(user),
        reader,
        MAX_RESULTS + len(excluded),
        exclude=excluded,
        learned=LearnedWords(query.spelling_key, get_search_side(user)),
    )
    return reader.load_hits(ranked[:limit]) if is_confident(ranked) else ()


def warm_up_search() -> None:
    """Load every dictionary by a search, so that no reader waits for it.

    A server does it before it forks, so that its processes share the memory.
    """
    tokenizer.load_tokenizer_dictionaries()
    pinyin.load_pinyin_dictionaries()
    search_entries("網路斷線 wifi 退宽 tuihuo", user=AnonymousUser())


def suggest_entries(
    text: str, *, user: Reader, limit: int = 8, fill: bool = True
) -> tuple[Suggestion, ...]:
    """Return completions of `text`; with `fill`, search results where there are none.

    A search takes ten times as long, and who still types has not said it all.
    """
    text = clean_query(text)
    suggestions = autocomplete.find_completions(text, user=user, limit=limit)
    if fill and not suggestions and len(autocomplete_keys.extract_letters(text)) > 1:
        hits = search_entries(text, user=user, limit=limit).hits
        suggestions = [Suggestion(hit.entry, hit.entry.question) for hit in hits]
    return tuple(suggestions[:limit])


# Entries like a text -------------------------------------------------------------


def find_similar_entries(
    text: str, *, user: Reader, limit: int = 5, exclude: Collection[int] = ()
) -> tuple[SearchHit, ...]:
    """Return the entries most like `text`; drafts too, for those who see them."""
    reader, scope = ReaderScope(user, include_drafts=True), SearchScope.of_visible(user)
    return _find_similar_hits(text, reader, scope, exclude)[:limit]


def search_entry_ids(text: str, *, user: Reader) -> list[int]:
    """Return the ids that `text` asks for, best first; drafts too for editors.

    Empty while the engine is unavailable: callers look in the database as well.
    """
    query = analyze_query(text, vocabulary.load_current_lexicon())
    can_edit = user.is_authenticated and user.can_edit_library
    reader = ReaderScope(user, include_drafts=can_edit)
    try:
        ranked = _rank_entries(query, SearchScope.of_visible(user), reader, MAX_RESULTS)
        return [candidate.id for candidate in ranked]
    except EngineUnavailableError:
        return []


def find_duplicate_entries(
    text: str, *, user: Reader, exclude: Collection[int] = ()
) -> tuple[SearchHit, ...]:
    """Return the entries whose question asks the same as `text`, best first."""
    hits = find_similar_entries(
        text, user=user, limit=MAX_SIMILAR_CANDIDATES, exclude=exclude
    )
    duplicates = (hit for hit in hits if hit.duplicate_score >= DUPLICATE_THRESHOLD)
    return tuple(sorted(duplicates, key=lambda hit: -hit.duplicate_score))


def find_related_entries(
    entry: Entry, *, user: Reader, limit: int = 5
) -> tuple[Entry, ...]:
    """Return the published entries whose questions are most like that of `entry`."""
    hits = _find_similar_hits(
        entry.question, ReaderScope(user), SearchScope.of_published(user), [entry.pk]
    )
    return tuple(hit.entry for hit in hits[:limit])


def _find_similar_hits(
    text: str, reader: ReaderScope, scope: SearchScope, exclude: Collection[int]
) -> tuple[SearchHit, ...]:
    """Return hits like `text`, none while the engine is unavailable."""
    query = analyze_query(text, vocabulary.load_current_lexicon())
    limit = MAX_SIMILAR_CANDIDATES + len(exclude)
    try:
        return reader.load_hits(
            _rank_entries(query, scope, reader, limit, exclude=exclude)
        )
    except EngineUnavailableError:
        return ()


def _rank_entries(
    query: QueryAnalysis,
    scope: SearchScope,
    reader: ReaderScope,
    limit: int,
    *,
    exclude: Collection[int] = (),
    learned: LearnedWords | None = None,
) -> list[RankedCandidate]:
    """Return what `query` finds in `scope` among readable entries, best first.

    Without `learned`, candidates are ranked by similarity alone: picks and answers
    do not count.
    """
    engine = get_engine()
    candidates = find_candidates(engine, query, scope, limit)
    if candidates is None:
        return []
    load = partial(load_wordings, reader=reader, learned=learned, staff=scope.is_staff)
    if learned is None:
        return rank_candidates(engine, candidates, load, exclude=exclude)
    return rank_candidates(
        engine,
        candidates,
        load,
        exclude=exclude,
        boost_scores=partial(learned.boost_scores, depth=MAX_RANKED_CANDIDATES),
        load_answers=partial(reader.load_answers, staff=scope.is_staff),
    )
