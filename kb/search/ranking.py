"""Put the best candidates in order, and say how sure each is."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Callable, Collection, Mapping, Sequence, Set
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from kb.engines import Clause, Engine
from kb.engines.base import Mask
from kb.search.asking import Asked, Meaning, Need
from kb.search.mending import mended
from kb.text import segment
from kb.text.likeness import Likeness, Terms, Wording, likeness, ways

DEPTH = 30  # candidates that are looked at closely
CUT = 0.2  # share of the best score of the engine below which a result is noise
HEARD = 0.95  # what a clause is credited that is only heard, or only in parts
HALF = 0.5  # share of a query that must be met before what sounds alike is meant
WHOLE = 0.9  # share of a query above which it is covered as a whole
FOUND = 0.6  # how sure an entry is that holds all that was typed
EVIDENCE = 8.0  # rare words held: who says as much is sure
Shares = npt.NDArray[np.float64]
Lift = Callable[[dict[int, float]], dict[int, float]]  # scores, best first
# Which of these ids the reader may see; of the first so many the wordings, too, the
# question first.
Faces = Callable[[Sequence[int], int], Mapping[int, Sequence[Wording]]]


@dataclass(frozen=True, slots=True)
class Found:
    """A candidate: `score` from 0 to 1 says how surely it is what was asked for.

    `alike`, from 0 to 1, says how much its question and the query ask for the same:
    an answer may hold all that was asked, and be no answer to that alone.
    """

    id: int
    score: float
    mended: str = ""  # what was typed as the entry writes it, if that differs
    alike: float = 0.0


class Signs(NamedTuple):
    """What speaks for a candidate: all from 0 to 1, whatever the library's size.

    covered   share of what the query is worth that the entry holds
    titled    share of it that stands in one of the entry's wordings
    evidence  how much is covered, in rare words out of EVIDENCE
    whole     all of the query is covered, and it does more than ask
    just      the question is what was typed
    mended    the query as the entry writes it, where it differs
    """

    covered: float
    titled: float
    evidence: float
    whole: bool
    just: bool
    mended: str
    like: Likeness


def rank(
    engine: Engine,
    asked: Asked,
    faces: Faces,
    *,
    exclude: Collection[int] = (),
    lift: Lift = dict,
) -> list[Found]:
    """Return what is worth showing of what was found, best first.

    `lift` raises what people picked after these words, and brings it in. What
    asks just that is first, whatever was picked.
    """
    pairs = zip(asked.hits.ids, asked.hits.scores, strict=True)
    asked_of = {id: score for id, score in pairs if id not in exclude}
    floor = CUT * max(asked_of.values(), default=0.0)
    scores = lift({id: score for id, score in asked_of.items() if score >= floor})
    ids = list(scores)
    seen = faces(ids, DEPTH)
    near = [id for id in ids[:DEPTH] if id in seen]
    far = [id for id in ids[DEPTH:] if id in seen]
    signs = dict(zip(near, _signs(engine, asked, near, seen), strict=True))
    top = max(scores.values(), default=1.0)
    order = {id: _order(scores[id] / top, signs[id]) for id in near}
    near.sort(key=lambda id: (not signs[id].just, -order[id], id))
    found = [_found(id, signs[id]) for id in near]
    least = min((one.score for one in found), default=0.0)
    return found + [Found(id, least) for id in far]


def _found(id: int, signs: Signs) -> Found:
    return Found(id, certainty(signs), signs.mended, alike(signs))


def _order(score: float, signs: Signs) -> float:
    """Return what candidates are sorted by; `score` is the share of the best.

    Logarithms of the engine's score, lifted by what it cannot see: whether the
    letters stand in the same order, and how much of the query is answered at all.
    """
    like = signs.like
    return math.log(score) + 2.5 * like.same**2 + 2 * signs.covered + like.reached


def certainty(signs: Signs) -> float:
    """Return how surely a candidate is meant, from 0 to 1; ½ is as likely as not.

    A logistic regression of right and wrong answers, in libraries of 80 to 7,000
    entries, each library counting alike; `make bench` shows what it rejects. Who
    types a word that stands here wants to see where: that is never rejected.
    """
    like = signs.like
    odds = 3.3 * signs.covered + 1.7 * signs.titled + 10.9 * signs.evidence
    odds += 3.4 * like.same**2 + 6.8 * like.asked - 6.2
    likely = 1 / (1 + math.exp(-odds))
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


def _signs(
    engine: Engine,
    asked: Asked,
    ids: Sequence[int],
    seen: Mapping[int, Sequence[Wording]],
) -> list[Signs]:
    sought = _Sought.of(asked)
    held = np.pad(engine.matched(asked.query, ids), ((0, 0), (0, 1)))
    at: defaultdict[Clause, int]
    at = defaultdict(lambda: -1)  # what is not asked for, nobody holds
    at.update((clause, place) for place, clause in enumerate(asked.query.clauses))
    heard = _heard(sought, held, at)
    covered = _covered(asked, held, at, heard)
    return [
        _sign(asked, sought, shares, worth, seen[id])
        for id, shares, worth in zip(ids, heard.tolist(), covered, strict=True)
    ]


class _Sought(NamedTuple):
    """What is looked for in every candidate.

    `tells` says whether anything that was typed does more than ask. `worth` is
    that of each term needed; `lost` are those which nobody writes and others may
    stand for; `same` the meanings, each with the terms that are met where it is.
    """

    tells: bool
    ways: Sequence[Wording]
    terms: Terms
    worth: Mapping[str, float]
    lost: Sequence[Need]
    same: Sequence[tuple[Meaning, Sequence[str]]]

    @classmethod
    def of(cls, asked: Asked) -> _Sought:
        worth: defaultdict[str, float] = defaultdict(float)
        for need in asked.needs:
            worth[need.clause.term] += need.worth
        lost = [need for need in asked.needs if need.instead]
        same = [
            (m, [term for term in worth if term in m.member]) for m in asked.meanings
        ]
        terms = Terms.of([*worth, *(term for m in asked.meanings for term in m.terms)])
        return cls(asked.tells, ways(asked.words), terms, worth, lost, same)


def _sign(
    asked: Asked,
    sought: _Sought,
    heard: Sequence[float],
    covered: float,
    wordings: Sequence[Wording],
) -> Signs:
    query, terms, meant = sought.ways, sought.terms, ""
    if covered >= HALF * asked.worth and any(heard):
        meant = mended(asked, wordings)
    if meant:
        query = [*query, Wording.of(meant)]
        terms = Terms.of([*terms.pairs, *terms.rest, *segment.pairs(meant)])
    like = likeness(query, terms, wordings)
    return Signs(
        covered=covered / asked.worth,
        titled=_titled(sought, heard, like.standing) / asked.worth,
        evidence=min(covered / EVIDENCE, 1.0),
        whole=sought.tells and covered >= WHOLE * asked.worth,
        just=wordings[0].bare == query[0].bare,
        mended=meant,
        like=like,
    )


def _heard(sought: _Sought, held: Mask, at: Mapping[Clause, int]) -> Shares:
    """Return how much each document holds of what stands for each term lost.

    `held`, [documents, clauses], tells which clauses of the query each matches, and
    `at` which clause stands where.
    """
    if not sought.lost:
        return np.zeros((len(held), 0))
    sizes = [len(need.instead) for need in sought.lost]
    places = [at[clause] for need in sought.lost for clause in need.instead]
    sums = np.add.reduceat(held[:, places], np.cumsum([0, *sizes[:-1]]), 1, np.float64)
    shares: Shares = sums / sizes
    return shares


def _covered(
    asked: Asked, held: Mask, at: Mapping[Clause, int], heard: Shares
) -> list[float]:
    """Return what the needs are worth that each document meets."""
    met = held[:, [at[need.clause] for need in asked.needs]].astype(float)
    met[:, [n for n, need in enumerate(asked.needs) if need.instead]] = HEARD * heard
    places_of = defaultdict(list)
    for place, clause in enumerate(asked.query.clauses):
        places_of[clause.term].append(place)
    for meaning in asked.meanings:
        said = _said(meaning, places_of, held)
        inside = [n.clause.term in meaning.member for n in asked.needs]
        met[said[:, None] & np.array(inside)] = 1.0
    worth: list[float] = (met @ [need.worth for need in asked.needs]).tolist()
    return worth


def _said(meaning: Meaning, places: Mapping[str, list[int]], holds: Mask) -> Mask:
    """Return which documents say what means the same."""
    alone = [at for word in meaning.words for at in places[word]]
    said = np.zeros(len(holds), np.bool_)
    said |= holds[:, alone].any(axis=1)
    for words in meaning.several:
        each = [holds[:, places[word]].any(axis=1) for word in words]
        said |= np.all(each, axis=0)
    return said


def _titled(sought: _Sought, heard: Sequence[float], there: Set[str]) -> float:
    """Return what the needs are worth that stand in the wordings, or sound so."""
    met = there & sought.worth.keys()
    for meaning, terms in sought.same:
        if meaning.said(there):
            met.update(terms)
    worth = sum(map(sought.worth.__getitem__, met))
    for need, share in zip(sought.lost, heard, strict=True):
        if need.clause.term not in met:
            worth += need.worth * HEARD * share
    return worth
