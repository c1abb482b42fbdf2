"""Put the best candidates in order, and say how sure each is."""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass

from kb.engines import Engine
from kb.search.asking import Asked
from kb.search.certainty import Signs, alike, certainty
from kb.search.looking import signs_of, worth_of
from kb.text.likeness import Wording
from kb.text.passage import told

DEPTH = 30  # candidates that are looked at closely
CUT = 0.2  # share of the best score of the engine below which a result is noise
SURE = 0.5  # score below which nothing was found, only something near
NEAR = 5  # entries offered where nothing was found, and whose answers are read
JUST = 100.0  # more than all else that puts candidates in order
ABOUT = 0.75  # share of a question that must be asked for before it tells enough
Lift = Callable[[dict[int, float]], dict[int, float]]  # scores, best first
# Which of these ids the reader may see; of the first so many the wordings, too, the
# question first.
Faces = Callable[[Sequence[int], int], Mapping[int, Sequence[Wording]]]
Answers = Callable[[Sequence[int]], Mapping[int, str]]  # of entries that he may see


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


def rank(
    engine: Engine,
    asked: Asked,
    faces: Faces,
    *,
    exclude: Collection[int] = (),
    lift: Lift = dict,
    answers: Answers | None = None,
) -> list[Found]:
    """Return what is worth showing of what was found, best first.

    `lift` raises what people picked after these words, and brings it in. What
    asks just that is first, whatever was picked. Where questions do not tell
    which is meant, or whether any is, the `answers` of the best are read.
    """
    scores = lift(_proposed(asked, exclude))
    ids = list(scores)
    seen = faces(ids, DEPTH)
    near, far = ([n for n in part if n in seen] for part in (ids[:DEPTH], ids[DEPTH:]))
    signs = dict(zip(near, signs_of(engine, asked, near, seen), strict=True))
    top = max(scores.values(), default=1.0)
    order = {id: _order(scores[id] / top, signs[id]) for id in near}
    near.sort(key=lambda id: (-order[id], id))
    found = [_found(id, signs[id]) for id in near]
    if answers and not (sure(found) and signs[near[0]].like.asked >= ABOUT):
        best = _read(asked, near[:NEAR], signs, answers)
        near[:NEAR] = sorted(best, key=lambda id: (-order[id] - _place(best[id]), id))
        found[:NEAR] = [_found(id, best[id]) for id in near[:NEAR]]
    least = min((one.score for one in found), default=0.0)
    return found + [Found(id, least) for id in far]


def _proposed(asked: Asked, exclude: Collection[int]) -> dict[int, float]:
    """Return what the engine proposes, best first, and how it scores; no noise."""
    pairs = zip(asked.hits.ids, asked.hits.scores, strict=True)
    scores = {id: score for id, score in pairs if id not in exclude}
    floor = CUT * max(scores.values(), default=0.0)
    return {id: score for id, score in scores.items() if score >= floor}


def sure(found: Sequence[Found]) -> bool:
    """Tell whether what was asked for is among the best of `found`."""
    return max((one.score for one in found[:NEAR]), default=0.0) >= SURE


def _read(
    asked: Asked, ids: Sequence[int], signs: Mapping[int, Signs], answers: Answers
) -> dict[int, Signs]:
    """Return the signs of `ids` with what their answers tell."""
    texts, worth = answers(ids), worth_of(asked)
    shares = {id: told(text, worth) / asked.worth for id, text in texts.items()}
    return {id: signs[id]._replace(told=shares.get(id, 0.0)) for id in ids}


def _found(id: int, signs: Signs) -> Found:
    return Found(id, certainty(signs), signs.mended, alike(signs))


def _order(score: float, signs: Signs) -> float:
    """Return what candidates are sorted by; `score` is the share of the best.

    Logarithms of the engine's score, lifted by what it cannot see: whether the
    letters stand in the same order, and how much of the query is answered at all.
    What asks just that is before all else.
    """
    like, just = signs.like, JUST * signs.just
    known = math.log(score) + 2.5 * like.same**2 + 2 * signs.covered + like.reached
    return known + just


def _place(signs: Signs) -> float:
    """Return what is added to the order for how much of the query stands in one place.

    That is the question, or a sentence of the answer.
    """
    return 2 * max(signs.told, signs.said)
