"""What publishing an entry would do to the golden queries, before it is done."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from kb.index import sync
from kb.index.engines import EngineUnavailableError
from kb.language import vocabulary
from kb.models import Entry, RelevanceTest
from kb.quality.relevance_tests.result_ranks import (
    ResultRank,
    find_result_rank,
    forecast_result_rank,
)
from kb.search.weights import WEIGHTS
from kb.text.chinese.normalize import normalize_text
from kb.text.chinese.term_weights import weigh_terms

MIN_SHARED_WEIGHT = (
    0.5  # of what a query tells that must stand in an entry to be touched by it
)
MAX_FORECAST_TESTS = (
    60  # queries that are tried: half a second in a library of hundreds
)


@dataclass(frozen=True, slots=True)
class RankForecast:
    """A golden query, where its entry stands, and where it would stand."""

    relevance_test: RelevanceTest
    before: int
    after: ResultRank

    @property
    def is_regression(self) -> bool:
        """Whether it holds now and would not after."""
        return self.relevance_test.is_met_at_rank(self.before) and self.is_failing

    @property
    def is_failing(self) -> bool:
        return not self.relevance_test.is_met_at_rank(self.after.rank)


def forecast_failures(entry: Entry) -> list[RankForecast]:
    """Return the golden queries that would fail with `entry` published, harm first.

    Tried is what expects the entry, and what asks for words that it holds: other
    queries cannot be moved by it. Nothing is told while the engine is down.
    """
    sync.sync_small_lots()  # what was saved a moment ago is tried as it is now
    try:
        told = [_forecast_rank(golden, entry) for golden in _find_affected_tests(entry)]
    except EngineUnavailableError:
        return []
    return sorted(
        (one for one in told if one.is_failing), key=lambda one: not one.is_regression
    )


def has_forecast_regression(entry: Entry) -> bool:
    """Tell whether a golden query that holds now would fail with `entry` live."""
    return any(one.is_regression for one in forecast_failures(entry))


def _forecast_rank(golden: RelevanceTest, entry: Entry) -> RankForecast:
    words, side, expected = golden.words, golden.side, golden.entry_id
    before = find_result_rank(words, side=side, entry=expected).rank
    after = forecast_result_rank(words, side=side, entry=expected, draft=entry)
    return RankForecast(golden, before, after)


def _find_affected_tests(entry: Entry) -> list[RelevanceTest]:
    text = normalize_text(" ".join(_list_searched_texts(entry)))
    shares = {
        golden: 2.0
        if golden.entry_id == entry.pk
        else _compute_shared_weight(golden.words, text)
        for golden in RelevanceTest.objects.select_related("entry")
    }
    near = [golden for golden, share in shares.items() if share >= MIN_SHARED_WEIGHT]
    return sorted(near, key=lambda golden: (-shares[golden], golden.pk))[
        :MAX_FORECAST_TESTS
    ]


def _list_searched_texts(entry: Entry) -> Iterator[str]:
    yield from (entry.question, entry.keywords, entry.answer_text)
    yield from entry.phrasings.values_list("text", flat=True)
    yield from entry.replies.shared().values_list("text", flat=True)


def _compute_shared_weight(words: str, text: str) -> float:
    """Return the share of what `words` tell that stands in a normalized text."""
    term_weights = WEIGHTS.term_weights
    terms = weigh_terms(words, vocabulary.load_current_lexicon(), term_weights).words
    weights = {
        term: weight
        for term, weight in terms.items()
        if weight > term_weights.question_word
    }
    held = sum(weight for term, weight in weights.items() if term in text)
    return held / (sum(weights.values()) or 1.0)
