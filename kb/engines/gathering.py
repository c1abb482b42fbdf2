"""Gather the impacts of a query's clauses in arrays, to be added up at once."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from kb.engines.base import Mask
from kb.engines.impacts import Counts, Floats, Impacts
from kb.engines.packed import Ints


class Few(NamedTuple):
    """The impacts of clauses that few documents hold, one after another."""

    clauses: list[int]  # whose, by their place in the query; there may be none
    sizes: list[int]  # how many impacts each has
    places: Ints  # among all documents
    worth: Floats  # [groups, places]


class Lone(NamedTuple):
    """The impacts of one clause in one segment that many documents hold."""

    clause: int
    segment: slice  # where it stands among all documents
    places: Ints | None
    worth: Floats


class Found(NamedTuple):
    """All impacts of a query's clauses, and how many documents hold each."""

    lone: list[Lone]
    few: Few | None
    holds: list[Counts]


def together(parts: list[tuple[int, int, Impacts]]) -> Few | None:
    if not parts:
        return None
    clauses, starts, impacts = zip(*parts, strict=True)
    worth = np.concatenate([each.worth for each in impacts], axis=1)
    sizes = [len(each.places) for each in impacts]
    places = np.concatenate([each.places for each in impacts])
    if any(starts):
        places += np.repeat(starts, sizes)
    return Few(list(clauses), sizes, places, worth)


def held_at(places: Ints | None, worth: Floats, near: Ints) -> Mask:
    """Return which documents at `near` are among `places`, and worth anything."""
    at, held = near, np.ones(len(near), np.bool_)
    if places is not None:
        at = places.searchsorted(near).clip(max=len(places) - 1)
        held = places.take(at) == near
    held &= worth.take(at) > 0
    return held


def ones(worth: Floats) -> Floats:
    """Return one where the first group holds a term, zero elsewhere."""
    return (worth[:1] > 0).astype(np.float32)
