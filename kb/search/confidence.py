"""Features of a candidate, and how probable they make it that it is the answer."""

from __future__ import annotations

import math
from typing import NamedTuple

from kb.search.weights import WEIGHTS
from kb.text.chinese.similarity import Similarity


class CandidateFeatures(NamedTuple):
    """What speaks for a candidate; numbers from 0 to 1, whatever the library's size.

    A share is of the query's total idf weight.

    query_coverage        share of the terms that the entry holds
    wording_coverage      share of the terms in the entry's wordings
    rare_term_coverage    weight of the terms held, of `certain_rare_terms`
    is_fully_covered      the entry holds the whole query, and that does more than
                          ask; or its wordings hold all core terms
    is_carrier_only       only terms of the carrier phrase match
    is_exact              the question is the query
    corrected_query       the query as the entry writes it, "" if that is as typed
    own_wording_coverage  as `wording_coverage`, without learned wordings
    answer_coverage       share of the terms in the best sentence of the answer
    """

    query_coverage: float
    wording_coverage: float
    rare_term_coverage: float
    is_fully_covered: bool
    is_carrier_only: bool
    is_exact: bool
    corrected_query: str
    similarity: Similarity
    own_wording_coverage: float = 0.0
    answer_coverage: float = 0.0


def compute_confidence(features: CandidateFeatures) -> float:
    """Return the probability, from 0 to 1, that a candidate answers the query.

    A logistic regression of right and wrong answers, in libraries of 80 to 7,000
    entries, each library counting alike (bench/fit_confidence.py); `make bench`
    shows what it rejects. A query of words that the entry holds is never rejected.
    A match of the carrier phrase alone always is: 今天天气怎么样 is no query for
    今天能发货吗.
    """
    similarity, weights = features.similarity, WEIGHTS.confidence
    log_odds = (
        weights.query_coverage * features.query_coverage
        + weights.wording_coverage * features.wording_coverage
        + weights.rare_term_coverage * features.rare_term_coverage
    )
    log_odds += (
        weights.asked_content_share * similarity.asked_content_share
        + weights.learned_letter_coverage * similarity.learned_letter_coverage
        + weights.answer_coverage * features.answer_coverage
        + weights.intercept
    )
    probability = 1 / (1 + math.exp(-log_odds))
    if features.is_carrier_only:
        return min(probability, weights.max_carrier_only)
    if features.is_fully_covered:
        return max(probability, weights.min_full_match)
    return probability


def compute_duplicate_score(features: CandidateFeatures) -> float:
    """Return how much two texts ask the same, from 0 to 1, whichever is longer.

    Half of it is the harmonic mean of the share of the query in the wording and of
    the wording in the query: all of one in a part of the other is half of a match.
    The other half is the Indel ratio, the letters in common, in order.
    """
    if features.is_exact:
        return 1.0
    query_share = features.wording_coverage
    wording_share = features.similarity.asked_content_share
    shares = query_share * wording_share / max(query_share + wording_share, 1e-9)
    return shares + features.similarity.indel_ratio / 2
