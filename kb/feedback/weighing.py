"""From picks to a level of evidence: pure, so that it can be measured offline."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta

HALF_LIFE = timedelta(days=90)
GONE = 4 * HALF_LIFE  # age at which a pick says next to nothing: 1/16
FEWEST = 2  # persons: what one alone does, however often, is no evidence
LEVELS = (0.5, 2.5, 5.5)  # strengths from which evidence is of level 1, 2, 3
RAISE = 0.6  # share of the best score that the same words can gain an entry


def level(picks: Iterable[tuple[str, datetime]], *, now: datetime) -> int:
    """Return the level, 0 to 3, of what (person, moment) of picks say together.

    The strength is the sum over persons of ½^(age / HALF_LIFE), each by the
    latest pick; a few levels instead of a number, so that the index is not
    written anew for every pick and every day.
    """
    latest: dict[str, datetime] = {}
    for person, moment in picks:
        who = origin(person)
        latest[who] = max(moment, latest.get(who, moment))
    if len(latest) < FEWEST:
        return 0
    strength = sum(0.5 ** ((now - moment) / HALF_LIFE) for moment in latest.values())
    return sum(strength >= least for least in LEVELS)


def raised(scores: Mapping[int, float], levels: Mapping[int, int]) -> dict[int, float]:
    """Return {id: score} anew, best first: entries with a level gain by it.

    By at most RAISE of the best score; what only picks know of comes in.
    """
    best = max(scores.values(), default=0.0) or 1.0
    new = dict(scores)
    for id, level in levels.items():
        new[id] = new.get(id, 0.0) + RAISE * best * level / len(LEVELS)
    return dict(sorted(new.items(), key=lambda item: -item[1]))


def origin(person: str) -> str:
    """Return who `person` is for evidence: whoever only changes browsers is one."""
    return person.partition(":")[0]
