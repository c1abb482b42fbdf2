"""Look at candidates closely: what of a query each holds, and where."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence, Set
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from kb.engines import Clause, Engine
from kb.engines.base import Mask
from kb.search.asking import Asked, Meaning, Need
from kb.search.certainty import Signs
from kb.search.mending import mended
from kb.text import segment
from kb.text.likeness import Terms, Wording, likeness, ways

HEARD = 0.95  # what a clause is credited that is only heard, or only in parts
HALF = 0.5  # share of a query that must be met before what sounds alike is meant
WHOLE = 0.9  # share of a query above which it is covered as a whole
HARDLY = 0.1  # share of what is asked about below which it is not covered at all
EVIDENCE = 8.0  # rare words held: who says as much is sure
Shares = npt.NDArray[np.float64]


def signs_of(
    engine: Engine,
    asked: Asked,
    ids: Sequence[int],
    seen: Mapping[int, Sequence[Wording]],
) -> list[Signs]:
    """Return the signs of `ids`, in their order; `seen` has the wordings of each."""
    sought = _Sought.of(asked)
    held = np.pad(engine.matched(asked.query, ids), ((0, 0), (0, 1)))
    at: defaultdict[Clause, int]
    at = defaultdict(lambda: -1)  # what is not asked for, nobody holds
    at.update((clause, place) for place, clause in enumerate(asked.query.clauses))
    heard = _heard(sought, held, at)
    covered = _covered(asked, held, at, heard)
    return [
        _sign(asked, sought, shares, covers, seen[id])
        for id, shares, covers in zip(ids, heard.tolist(), covered, strict=True)
    ]


class _Sought(NamedTuple):
    """What is looked for in every candidate.

    `tells` says whether anything that was typed does more than ask. `worth` is
    that of each term needed, `about` that of the core, 0 where a synonym may say it;
    `lost` are those which nobody writes and others may stand for; `same` the meanings,
    each with the terms that are met where it is.
    """

    tells: bool
    ways: Sequence[Wording]
    terms: Terms
    worth: Mapping[str, float]
    about: float
    lost: Sequence[Need]
    same: Sequence[tuple[Meaning, Sequence[str]]]

    @classmethod
    def of(cls, asked: Asked) -> _Sought:
        worth = worth_of(asked)
        lost = [need for need in asked.needs if need.instead]
        same = [
            (m, [term for term in worth if term in m.member]) for m in asked.meanings
        ]
        terms = Terms.of([*worth, *(term for m in asked.meanings for term in m.terms)])
        said = any(term in m.member for term in asked.core for m in asked.meanings)
        about = 0.0 if said else sum(map(worth.__getitem__, asked.core))
        return cls(asked.tells, ways(asked.words), terms, worth, about, lost, same)


def worth_of(asked: Asked) -> Mapping[str, float]:
    """Return what each term needed is worth."""
    worth: defaultdict[str, float] = defaultdict(float)
    for need in asked.needs:
        worth[need.clause.term] += need.worth
    return worth


def _sign(
    asked: Asked,
    sought: _Sought,
    heard: Sequence[float],
    covers: Sequence[float],
    wordings: Sequence[Wording],
) -> Signs:
    query, terms, meant = sought.ways, sought.terms, ""
    covered, core = covers
    if covered >= HALF * asked.worth and any(heard):
        meant = mended(asked, wordings)
    if meant:
        query = [*query, Wording.of(meant)]
        terms = terms.plus(segment.pairs(meant))
    like = likeness(query, terms, wordings)
    met = _met(sought, like.standing)
    titled = said = _titled(sought, heard, met)
    if like.own != like.standing:
        said = _titled(sought, heard, _met(sought, like.own))
    return Signs(
        covered=covered / asked.worth,
        titled=titled / asked.worth,
        evidence=min(covered / EVIDENCE, 1.0),
        whole=_whole(asked, sought, covered, heard, met),
        beside=core < HARDLY * sought.about and asked.core.isdisjoint(met),
        just=wordings[0].bare == query[0].bare,
        mended=meant,
        like=like,
        said=said / asked.worth,
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
) -> list[tuple[float, float]]:
    """Return what the needs are worth that each document meets, and those of the core."""
    met = held[:, [at[need.clause] for need in asked.needs]].astype(float)
    met[:, [n for n, need in enumerate(asked.needs) if need.instead]] = HEARD * heard
    places_of = defaultdict(list)
    for place, clause in enumerate(asked.query.clauses):
        places_of[clause.term].append(place)
    for meaning in asked.meanings:
        said = _said(meaning, places_of, held)
        inside = [n.clause.term in meaning.member for n in asked.needs]
        met[said[:, None] & np.array(inside)] = 1.0
    worth = np.array([need.worth for need in asked.needs])
    core = worth * [need.clause.term in asked.core for need in asked.needs]
    pairs: list[tuple[float, float]] = (met @ np.column_stack([worth, core])).tolist()
    return pairs


def _said(meaning: Meaning, places: Mapping[str, list[int]], holds: Mask) -> Mask:
    """Return which documents say what means the same."""
    alone = [at for word in meaning.words for at in places[word]]
    said = np.zeros(len(holds), np.bool_)
    said |= holds[:, alone].any(axis=1)
    for words in meaning.several:
        each = [holds[:, places[word]].any(axis=1) for word in words]
        said |= np.all(each, axis=0)
    return said


def _met(sought: _Sought, there: Set[str]) -> Set[str]:
    """Return the terms needed that stand in the wordings, or are said otherwise."""
    met = there & sought.worth.keys()
    for meaning, terms in sought.same:
        if meaning.said(there):
            met.update(terms)
    return met


def _whole(
    asked: Asked,
    sought: _Sought,
    covered: float,
    heard: Sequence[float],
    met: Set[str],
) -> bool:
    """Tell whether all is covered, or the wordings say all that is asked about.

    Of what only sounds so, Latin letters count for these: pinyin, initials.
    """
    if sought.tells and covered >= WHOLE * asked.worth:
        return True
    spelt = {
        need.clause.term
        for need, share in zip(sought.lost, heard, strict=True)
        if share == 1 and need.clause.term.isascii()
    }
    return bool(asked.core) and asked.core <= met | spelt


def _titled(sought: _Sought, heard: Sequence[float], met: Set[str]) -> float:
    """Return what the needs are worth that are met, or sound so."""
    worth = sum(map(sought.worth.__getitem__, met))
    for need, share in zip(sought.lost, heard, strict=True):
        if need.clause.term not in met:
            worth += need.worth * HEARD * share
    return worth
