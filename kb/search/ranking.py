"""Put the best candidates in order, and say how sure each is."""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass

from kb.index.engines import Engine
from kb.search.confidence import (
    CandidateFeatures,
    compute_confidence,
    compute_duplicate_score,
)
from kb.search.features import compute_features, sum_term_weights
from kb.search.query_analysis import QueryAnalysis
from kb.search.weights import WEIGHTS
from kb.text.chinese.similarity import Wording
from kb.text.markup.passage import score_best_sentence

MAX_RANKED_CANDIDATES = 30  # candidates that are looked at closely
MAX_NEAR_HITS = 5  # entries offered where nothing was found, and whose answers are read
BoostScores = Callable[[dict[int, float]], dict[int, float]]  # scores, best first
# Which of these ids the reader may see; of the first so many the wordings, too, the
# question first.
LoadWordings = Callable[[Sequence[int], int], Mapping[int, Sequence[Wording]]]
LoadAnswers = Callable[[Sequence[int]], Mapping[int, str]]  # of entries that he may see


@dataclass(frozen=True, slots=True)
class RankedCandidate:
    """A candidate: `score` from 0 to 1 says how surely it is what was asked for.

    `alike`, from 0 to 1, says how much its question and the query ask for the same:
    an answer may hold all that was asked, and be no answer to that alone.
    """

    id: int
    confidence: float
    corrected_query: str = ""  # what was typed as the entry writes it, if that differs
    duplicate_score: float = 0.0


def rank_candidates(
    engine: Engine,
    asked: QueryAnalysis,
    faces: LoadWordings,
    *,
    exclude: Collection[int] = (),
    lift: BoostScores = dict,
    answers: LoadAnswers | None = None,
) -> list[RankedCandidate]:
    """Return what is worth showing of what was found, best first.

    `lift` raises what people picked after these words, and brings it in. What
    asks just that is first, whatever was picked. Where questions do not tell
    which is meant, or whether any is, the `answers` of the best are read.
    """
    scores = lift(_select_candidates(asked, exclude))
    ids = list(scores)
    seen = faces(ids, MAX_RANKED_CANDIDATES)
    near, far = (
        [n for n in part if n in seen]
        for part in (ids[:MAX_RANKED_CANDIDATES], ids[MAX_RANKED_CANDIDATES:])
    )
    signs = dict(zip(near, compute_features(engine, asked, near, seen), strict=True))
    top = max(scores.values(), default=1.0)
    order = {id: _compute_rank_score(scores[id] / top, signs[id]) for id in near}
    near.sort(key=lambda id: (-order[id], id))
    found = [_make_ranked_candidate(id, signs[id]) for id in near]
    if answers and not (
        is_confident(found)
        and signs[near[0]].similarity.asked_content_share
        >= WEIGHTS.ranking.min_question_coverage
    ):
        best = _add_answer_coverage(asked, near[:MAX_NEAR_HITS], signs, answers)
        near[:MAX_NEAR_HITS] = sorted(
            best, key=lambda id: (-order[id] - _compute_proximity_boost(best[id]), id)
        )
        found[:MAX_NEAR_HITS] = [
            _make_ranked_candidate(id, best[id]) for id in near[:MAX_NEAR_HITS]
        ]
    least = min((one.confidence for one in found), default=0.0)
    return found + [RankedCandidate(id, least) for id in far]


def _select_candidates(
    asked: QueryAnalysis, exclude: Collection[int]
) -> dict[int, float]:
    """Return what the engine proposes, best first, and how it scores; no noise."""
    pairs = zip(asked.candidates.ids, asked.candidates.scores, strict=True)
    scores = {id: score for id, score in pairs if id not in exclude}
    floor = WEIGHTS.ranking.min_score_share * max(scores.values(), default=0.0)
    return {id: score for id, score in scores.items() if score >= floor}


def is_confident(found: Sequence[RankedCandidate]) -> bool:
    """Tell whether what was asked for is among the best of `found`."""
    return (
        max((one.confidence for one in found[:MAX_NEAR_HITS]), default=0.0)
        >= WEIGHTS.confidence.threshold
    )


def _add_answer_coverage(
    asked: QueryAnalysis,
    ids: Sequence[int],
    signs: Mapping[int, CandidateFeatures],
    answers: LoadAnswers,
) -> dict[int, CandidateFeatures]:
    """Return the signs of `ids` with what their answers tell."""
    texts, worth = answers(ids), sum_term_weights(asked)
    shares = {
        id: score_best_sentence(text, worth) / asked.total_weight
        for id, text in texts.items()
    }
    return {id: signs[id]._replace(answer_coverage=shares.get(id, 0.0)) for id in ids}


def _make_ranked_candidate(id: int, signs: CandidateFeatures) -> RankedCandidate:
    return RankedCandidate(
        id,
        compute_confidence(signs),
        signs.corrected_query,
        compute_duplicate_score(signs),
    )


def _compute_rank_score(score: float, signs: CandidateFeatures) -> float:
    """Return what candidates are sorted by; `score` is the share of the best.

    Logarithms of the engine's score, lifted by what it cannot see: whether the
    letters stand in the same order, and how much of the query is answered at all.
    What asks just that is before all else.
    """
    like, weights = signs.similarity, WEIGHTS.ranking
    just = weights.exact_match * signs.is_exact
    known = (
        math.log(score)
        + weights.indel_ratio_squared * like.indel_ratio**2
        + weights.query_coverage * signs.query_coverage
        + weights.letter_coverage * like.letter_coverage
    )
    return known + just


def _compute_proximity_boost(signs: CandidateFeatures) -> float:
    """Return what is added to the order for how much of the query stands in one place.

    That is the question, or a sentence of the answer.
    """
    return WEIGHTS.ranking.single_place * max(
        signs.answer_coverage, signs.own_wording_coverage
    )
