"""How surely a candidate is meant, by what speaks for it."""

from __future__ import annotations

import math
from typing import NamedTuple

from kb.text.likeness import Likeness

BESIDE = 0.4  # how sure an entry is at most that shares what leads up to a question
FOUND = 0.6  # how sure an entry is that holds all that was typed


class Signs(NamedTuple):
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

    covered: float
    titled: float
    evidence: float
    whole: bool
    beside: bool
    just: bool
    mended: str
    like: Likeness
    said: float = 0.0
    told: float = 0.0


def certainty(signs: Signs) -> float:
    """Return how surely a candidate is meant, from 0 to 1; ½ is as likely as not.

    A logistic regression of right and wrong answers, in libraries of 80 to 7,000
    entries, each library counting alike; `make bench` shows what it rejects. Who
    types a word that stands here wants to see where: that is never rejected. Who asks
    今天天气怎么样 does not want 今天能发货吗: that always is.
    """
    like = signs.like
    odds = 2 * signs.covered + signs.titled + 7 * signs.evidence
    odds += 5 * like.asked + 2.5 * like.echoed + 2.5 * signs.told - 5
    likely = 1 / (1 + math.exp(-odds))
    if signs.beside:
        return min(likely, BESIDE)
    return max(likely, FOUND) if signs.whole else likely


def alike(signs: Signs) -> float:
    """Return how much two texts ask for the same, from 0 to 1, whichever is longer.

    Half of it is the harmonic mean of what of the query stands in the wording and
    what of the wording is asked for: all of one in a part of the other is half of
    the matter. The other half is how many letters they share, in order.
    """
    if signs.just:
        return 1.0
    said, asked = signs.titled, signs.like.asked
    return said * asked / max(said + asked, 1e-9) + signs.like.same / 2
