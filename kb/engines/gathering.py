"""Gather the impacts of a query's clauses in arrays, to be added up at once."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from kb.engines.base import Mask
from kb.engines.impacts import Floats, Impacts
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
    """All impacts of a query's clauses."""

    lone: list[Lone]
    few: Few | None


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


def fitting(found: Found, mask: Mask, shape: tuple[int, int]) -> Ints:
    """Return how many documents of `mask` hold each clause's term.

    Shaped [groups, clauses], which `shape` says.
    """
    counts = np.zeros(shape, np.int64)
    for clause, segment, places, worth in found.lone:
        here = mask[segment]
        held = (worth > 0) & (here if places is None else here.take(places))
        counts[:, clause] += np.count_nonzero(held, axis=1)
    if few := found.few:
        held = (few.worth > 0) & mask.take(few.places)
        starts = np.cumsum([0, *few.sizes[:-1]])
        sizes = np.add.reduceat(held, starts, axis=1, dtype=np.int64)
        for row, part in zip(counts, sizes, strict=True):
            np.add.at(row, few.clauses, part)
    return counts


def holding(found: Found, near: Ints, shape: tuple[int, int]) -> Mask:
    """Return which documents at `near`, ascending, hold each clause's term.

    In the first group, that is; shaped [near, clauses]. `shape` says how many
    documents and clauses there are in all.
    """
    documents, clauses = shape
    holds = np.zeros((len(near), clauses), np.bool_)
    parts: dict[int, tuple[slice, Ints]] = {}
    for clause, segment, places, worth in found.lone:
        if segment.start not in parts:
            here = slice(*near.searchsorted((segment.start, segment.stop)).tolist())
            parts[segment.start] = here, near[here] - segment.start
        here, at = parts[segment.start]
        holds[here, clause] |= _held_at(places, worth[0], at)
    if few := found.few:
        row_of = np.full(documents, -1, np.int16)
        row_of[near] = np.arange(len(near))
        rows = row_of.take(few.places)
        hits = np.flatnonzero(rows >= 0)
        hits = hits[few.worth[0].take(hits) > 0]
        clause_of = np.array(few.clauses).take(
            np.cumsum(few.sizes).searchsorted(hits, side="right")
        )
        holds[rows.take(hits), clause_of] = True
    return holds


def _held_at(places: Ints | None, worth: Floats, near: Ints) -> Mask:
    """Return which documents at `near` are among `places`, and worth anything."""
    if places is None:
        return worth.take(near) > 0
    at = places.searchsorted(near)
    at[at == len(places)] = 0
    return (places.take(at) == near) & (worth.take(at) > 0)


def ones(worth: Floats) -> Floats:
    """Return one where the first group holds a term, zero elsewhere."""
    return (worth[:1] > 0).astype(np.float32)
