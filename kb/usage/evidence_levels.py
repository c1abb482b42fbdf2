"""From picks to a level of evidence: pure, so that it can be measured offline."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta

PICK_HALF_LIFE = timedelta(days=90)
PICK_RETENTION = 4 * PICK_HALF_LIFE  # age at which a pick says next to nothing: 1/16
MIN_EVIDENCE_PERSONS = 2  # persons: what one alone does, however often, is no evidence
EVIDENCE_LEVEL_STRENGTHS = (
    0.5,
    2.5,
    5.5,
)  # strengths from which evidence is of level 1, 2, 3
MAX_EVIDENCE_BOOST = (
    0.6  # share of the best score that the same words can gain an entry
)


def compute_evidence_level(
    picks: Iterable[tuple[str, datetime]], *, now: datetime
) -> int:
    """Return the level, 0 to 3, of what (person, moment) of picks say together.

    The strength is the sum over persons of ½^(age / HALF_LIFE), each by the
    latest pick; a few levels instead of a number, so that the index is not
    written anew for every pick and every day.
    """
    latest: dict[str, datetime] = {}
    for person, moment in picks:
        who = get_person_origin(person)
        latest[who] = max(moment, latest.get(who, moment))
    if len(latest) < MIN_EVIDENCE_PERSONS:
        return 0
    strength = sum(
        0.5 ** ((now - moment) / PICK_HALF_LIFE) for moment in latest.values()
    )
    return sum(strength >= least for least in EVIDENCE_LEVEL_STRENGTHS)


def boost_by_evidence(
    scores: Mapping[int, float], levels: Mapping[int, int]
) -> dict[int, float]:
    """Return {id: score} anew, best first: entries with a level gain by it.

    By at most RAISE of the best score; what only picks know of comes in.
    """
    best = max(scores.values(), default=0.0) or 1.0
    new = dict(scores)
    for id, level in levels.items():
        new[id] = new.get(id, 0.0) + MAX_EVIDENCE_BOOST * best * level / len(
            EVIDENCE_LEVEL_STRENGTHS
        )
    return dict(sorted(new.items(), key=lambda item: -item[1]))


def get_person_origin(person: str) -> str:
    """Return who `person` is for evidence: whoever only changes browsers is one."""
    return person.partition(":")[0]
