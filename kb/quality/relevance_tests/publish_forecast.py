"""What publishing an entry would do to the relevance tests, computed beforehand."""

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

# Share of the weight of a test's content terms that an entry must contain to affect it.
MIN_SHARED_WEIGHT = 0.5
MAX_FORECAST_TESTS = 60  # that are run: half a second in a library of hundreds


@dataclass(frozen=True, slots=True)
class RankForecast:
    """A relevance test, the rank of its entry now, and its rank after publication."""

    relevance_test: RelevanceTest
    before: int
    after: ResultRank

    @property
    def is_regression(self) -> bool:
        """Whether the test passes now and would fail."""
        return self.relevance_test.is_met_at_rank(self.before) and self.is_failing

    @property
    def is_failing(self) -> bool:
        """Whether the test would fail."""
        return not self.relevance_test.is_met_at_rank(self.after.rank)


def forecast_failures(entry: Entry) -> list[RankForecast]:
    """Return the tests that would fail with `entry` published, regressions first.

    Only tests that expect the entry or share content terms with it are run: it cannot
    change the results of others. Returns none while the engine is unavailable.
    """
    sync.sync_small_lots()  # so that entries saved a moment ago are in the index
    try:
        forecasts = [
            _forecast_rank(test, entry) for test in _find_affected_tests(entry)
        ]
    except EngineUnavailableError:
        return []
    failures = [forecast for forecast in forecasts if forecast.is_failing]
    return sorted(failures, key=lambda forecast: not forecast.is_regression)


def has_forecast_regression(entry: Entry) -> bool:
    """Return whether a test that passes now would fail with `entry` published."""
    return any(forecast.is_regression for forecast in forecast_failures(entry))


def _forecast_rank(test: RelevanceTest, entry: Entry) -> RankForecast:
    """Search as the test does, without and with `entry`. Raises EngineUnavailableError."""
    words, side, expected = test.words, test.side, test.entry_id
    before = find_result_rank(words, side=side, entry=expected).rank
    after = forecast_result_rank(words, side=side, entry=expected, draft=entry)
    return RankForecast(test, before, after)


def _find_affected_tests(entry: Entry) -> list[RelevanceTest]:
    """Return the tests that `entry` may affect, the most affected first."""
    text = normalize_text(" ".join(_list_searched_texts(entry)))
    shares = {
        test: 2.0
        if test.entry_id == entry.pk
        else _compute_shared_weight(test.words, text)
        for test in RelevanceTest.objects.select_related("entry")
    }
    affected = [test for test, share in shares.items() if share >= MIN_SHARED_WEIGHT]
    affected.sort(key=lambda test: (-shares[test], test.pk))
    return affected[:MAX_FORECAST_TESTS]


def _list_searched_texts(entry: Entry) -> Iterator[str]:
    yield from (entry.question, entry.keywords, entry.answer_text)
    yield from entry.phrasings.values_list("text", flat=True)
    yield from entry.replies.shared().values_list("text", flat=True)


def _compute_shared_weight(words: str, text: str) -> float:
    """Return the share, by weight, of the content terms of `words` that `text` contains."""
    term_weights = WEIGHTS.term_weights
    terms = weigh_terms(words, vocabulary.load_current_lexicon(), term_weights).words
    weights = {
        term: weight
        for term, weight in terms.items()
        if weight > term_weights.question_word
    }
    matched = sum(weight for term, weight in weights.items() if term in text)
    return matched / (sum(weights.values()) or 1.0)
