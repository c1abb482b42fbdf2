"""The formulas of evidence: from picks to a level, from levels to scores.

No Django here, so that benchmarks can measure the formulas offline.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta

PICK_HALF_LIFE = timedelta(days=90)
PICK_RETENTION = 4 * PICK_HALF_LIFE  # then a pick counts (1/2)^4 = 1/16
MIN_EVIDENCE_PERSONS = 2  # so that one person alone cannot move results
# Thresholds of the strength for levels 1, 2 and 3: two persons reach level 1 and keep
# it for two half-lives, three reach level 2 for a few weeks, six level 3.
EVIDENCE_LEVEL_STRENGTHS = (0.5, 2.5, 5.5)
MAX_EVIDENCE_BOOST = 0.6  # of the best score, which an entry of level 3 gains


def compute_evidence_level(
    picks: Iterable[tuple[str, datetime]], *, now: datetime
) -> int:
    """Return the level, 0 to 3, of `picks`, given as (person, time).

    strength = Σ over persons of ½^(age of their latest pick / PICK_HALF_LIFE)

    This is exponential decay with a half-life. It is not from a publication: a person
    counts once however often they pick, and old picks lose weight without a cut-off.
    Fewer than MIN_EVIDENCE_PERSONS persons are level 0. There are few levels instead
    of a number, so that the index is not updated for every pick and every day.
    """
    latest: dict[str, datetime] = {}
    for person, moment in picks:
        origin = get_person_origin(person)
        latest[origin] = max(moment, latest.get(origin, moment))
    if len(latest) < MIN_EVIDENCE_PERSONS:
        return 0
    strength = sum(
        0.5 ** ((now - moment) / PICK_HALF_LIFE) for moment in latest.values()
    )
    return sum(strength >= threshold for threshold in EVIDENCE_LEVEL_STRENGTHS)


def boost_by_evidence(
    scores: Mapping[int, float], levels: Mapping[int, int]
) -> dict[int, float]:
    """Return {entry id: score} with the boost of `levels` added, best first.

    boost = MAX_EVIDENCE_BOOST · best score · level / highest level

    The boost is relative to the best score, because scores of different queries have
    no common scale. Entries that are only in `levels` are added.
    """
    best = max(scores.values(), default=0.0) or 1.0
    boosted = dict(scores)
    for id, level in levels.items():
        boosted[id] = boosted.get(id, 0.0) + MAX_EVIDENCE_BOOST * best * level / len(
            EVIDENCE_LEVEL_STRENGTHS
        )
    return dict(sorted(boosted.items(), key=lambda item: -item[1]))


def get_person_origin(person: str) -> str:
    """Return the part of a person's key that counts for evidence.

    It leaves out the browser, so that changing it does not make another person.
    """
    return person.partition(":")[0]
