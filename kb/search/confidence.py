"""How surely a candidate is meant, by what speaks for it."""

from __future__ import annotations

import math
from typing import NamedTuple

from kb.search.weights import WEIGHTS
from kb.text.chinese.similarity import Similarity


class CandidateFeatures(NamedTuple):
    """What speaks for a candidate: all from 0 to 1, whatever the library's size.

    covered   share of what the query is worth that the entry holds
    titled    share of it that stands in one of the entry's wordings
    evidence  how much is covered, in rare words out of EVIDENCE
    whole     all of the query is covered, and it does more than ask; or the
              wordings say all that it asks about
    beside    what is covered only leads up to what is asked about
    just      the question is what was typed
    mended    the query as the entry writes it, where it differs
    said      as `titled`, in wordings that are not learned
    told      share of what the query is worth that stands in a sentence of the answer
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


def compute_confidence(signs: CandidateFeatures) -> float:
    """Return how surely a candidate is meant, from 0 to 1; ½ is as likely as not.

    A logistic regression of right and wrong answers, in libraries of 80 to 7,000
    entries, each library counting alike (bench/fit_confidence.py); `make bench`
    shows what it rejects. Who
    types a word that stands here wants to see where: that is never rejected. Who asks
    今天天气怎么样 does not want 今天能发货吗: that always is.
    """
    like, weights = signs.similarity, WEIGHTS.confidence
    odds = (
        weights.query_coverage * signs.query_coverage
        + weights.wording_coverage * signs.wording_coverage
        + weights.rare_term_coverage * signs.rare_term_coverage
    )
    odds += (
        weights.asked_content_share * like.asked_content_share
        + weights.learned_letter_coverage * like.learned_letter_coverage
        + weights.answer_coverage * signs.answer_coverage
        + weights.intercept
    )
    likely = 1 / (1 + math.exp(-odds))
    if signs.is_carrier_only:
        return min(likely, weights.max_carrier_only)
    return max(likely, weights.min_full_match) if signs.is_fully_covered else likely


def compute_duplicate_score(signs: CandidateFeatures) -> float:
    """Return how much two texts ask for the same, from 0 to 1, whichever is longer.

    Half of it is the harmonic mean of what of the query stands in the wording and
    what of the wording is asked for: all of one in a part of the other is half of
    the matter. The other half is how many letters they share, in order.
    """
    if signs.is_exact:
        return 1.0
    said, asked = signs.wording_coverage, signs.similarity.asked_content_share
    return said * asked / max(said + asked, 1e-9) + signs.similarity.indel_ratio / 2
