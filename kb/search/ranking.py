"""The order of the best candidates, and the confidence of each."""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass

from kb.index.engines import Engine
from kb.search.candidates import CandidateSet
from kb.search.confidence import (
    CandidateFeatures,
    compute_confidence,
    compute_duplicate_score,
)
from kb.search.features import compute_features
from kb.search.weights import WEIGHTS
from kb.text.chinese.similarity import Wording
from kb.text.markup.passage import score_best_sentence

MAX_RANKED_CANDIDATES = 30  # candidates whose features are computed
MAX_NEAR_HITS = 5  # entries offered where none is sure, and whose answers are read
BoostScores = Callable[[dict[int, float]], dict[int, float]]  # scores, best first
# Takes ids and a number. Returns those of the ids that the reader may see; the first
# so many with their wordings, the question first, the others with none.
LoadWordings = Callable[[Sequence[int], int], Mapping[int, Sequence[Wording]]]
LoadAnswers = Callable[[Sequence[int]], Mapping[int, str]]  # of readable entries


@dataclass(frozen=True, slots=True)
class RankedCandidate:
    """A candidate with the probability, from 0 to 1, that it answers the query.

    `corrected_query` is the query as the entry writes it, if that differs.
    `duplicate_score`, from 0 to 1, says how much its question and the query ask the
    same: an answer may hold all of a query, and not be for that query alone.
    """

    id: int
    confidence: float
    corrected_query: str = ""
    duplicate_score: float = 0.0


def rank_candidates(
    engine: Engine,
    candidates: CandidateSet,
    load_wordings: LoadWordings,
    *,
    exclude: Collection[int] = (),
    boost_scores: BoostScores = dict,
    load_answers: LoadAnswers | None = None,
) -> list[RankedCandidate]:
    """Return the readable candidates, best first, without noise.

    `boost_scores` raises, and adds, entries that people picked after this query. An
    entry whose question is the query is first, whatever was picked. Where the
    questions do not decide which entry is meant, or whether any is, the answers of
    the first MAX_NEAR_HITS are read.
    """
    scores = boost_scores(_select_scores(candidates, exclude))
    ids = list(scores)
    wordings = load_wordings(ids, MAX_RANKED_CANDIDATES)
    near, far = (
        [id for id in part if id in wordings]
        for part in (ids[:MAX_RANKED_CANDIDATES], ids[MAX_RANKED_CANDIDATES:])
    )
    rows = compute_features(engine, candidates, near, wordings)
    features = dict(zip(near, rows, strict=True))
    best_score = max(scores.values(), default=1.0)
    order = {
        id: _compute_rank_score(scores[id] / best_score, features[id]) for id in near
    }
    near.sort(key=lambda id: (-order[id], id))
    ranked = [_make_ranked_candidate(id, features[id]) for id in near]
    if load_answers and not (
        is_confident(ranked)
        and features[near[0]].similarity.asked_content_share
        >= WEIGHTS.ranking.min_question_coverage
    ):
        best = near[:MAX_NEAR_HITS]
        features |= _add_answer_coverage(
            candidates, {id: features[id] for id in best}, load_answers(best)
        )
        best.sort(
            key=lambda id: (-order[id] - _compute_proximity_boost(features[id]), id)
        )
        ranked[:MAX_NEAR_HITS] = [
            _make_ranked_candidate(id, features[id]) for id in best
        ]
    lowest = min((candidate.confidence for candidate in ranked), default=0.0)
    return ranked + [RankedCandidate(id, lowest) for id in far]


def is_confident(ranked: Sequence[RankedCandidate]) -> bool:
    """Return whether one of the first MAX_NEAR_HITS is probably the answer."""
    confidences = (candidate.confidence for candidate in ranked[:MAX_NEAR_HITS])
    return max(confidences, default=0.0) >= WEIGHTS.confidence.threshold


def _select_scores(
    candidates: CandidateSet, exclude: Collection[int]
) -> dict[int, float]:
    """Return {id: score} of the engine, best first, without the low ones."""
    pairs = zip(candidates.hits.ids, candidates.hits.scores, strict=True)
    scores = {id: score for id, score in pairs if id not in exclude}
    floor = WEIGHTS.ranking.min_score_share * max(scores.values(), default=0.0)
    return {id: score for id, score in scores.items() if score >= floor}


def _add_answer_coverage(
    candidates: CandidateSet,
    features: Mapping[int, CandidateFeatures],
    answers: Mapping[int, str],
) -> dict[int, CandidateFeatures]:
    """Return `features` with the share of the query in the best sentence of answers."""
    shares = {
        id: score_best_sentence(text, candidates.term_weights) / candidates.total_weight
        for id, text in answers.items()
    }
    return {
        id: row._replace(answer_coverage=shares.get(id, 0.0))
        for id, row in features.items()
    }


def _make_ranked_candidate(id: int, features: CandidateFeatures) -> RankedCandidate:
    return RankedCandidate(
        id,
        compute_confidence(features),
        features.corrected_query,
        compute_duplicate_score(features),
    )


def _compute_rank_score(score_share: float, features: CandidateFeatures) -> float:
    """Return the number that candidates are sorted by, the largest first.

    `score_share` is the engine's score divided by the best one; its logarithm is
    raised by what the engine cannot see: letters in the same order, and the share
    of the query that the entry holds. An exact match is before all others.
    """
    similarity, weights = features.similarity, WEIGHTS.ranking
    rank_score = (
        math.log(score_share)
        + weights.indel_ratio_squared * similarity.indel_ratio**2
        + weights.query_coverage * features.query_coverage
        + weights.letter_coverage * similarity.letter_coverage
    )
    return rank_score + weights.exact_match * features.is_exact


def _compute_proximity_boost(features: CandidateFeatures) -> float:
    """Return what the rank score gains by query terms in one place.

    A place is the question, or a sentence of the answer.
    """
    return WEIGHTS.ranking.single_place * max(
        features.answer_coverage, features.own_wording_coverage
    )
