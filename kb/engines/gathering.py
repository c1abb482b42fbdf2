"""Gather the impacts of a query's clauses in arrays, to be added up at once."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

import numpy as np

from kb.engines.base import Mask
from kb.engines.gains import Floats, Places
from kb.engines.packed import Ints
from kb.engines.tables import Few, Impacts, Part


class Lone(NamedTuple):
    """The impacts of one row in one segment that many documents hold."""

    row: int
    segment: slice  # where it stands among all documents
    impacts: Impacts


class Found(NamedTuple):
    """All impacts of a query's clauses."""

    lone: list[Lone]
    few: Few | None


def gathered(parts: Iterable[tuple[slice, Part]]) -> Found:
    """Return as arrays what clauses are worth in segments, given where each stands."""
    lone: list[Lone] = []
    several: list[Few] = []
    for where, part in parts:
        lone += [Lone(row, where, impacts) for row, impacts in part.lone]
        if few := part.few:
            several.append(few._replace(places=few.places + where.start))
    if len(several) > 1:
        several = [Few(*map(np.concatenate, zip(*several, strict=True)))]
    return Found(lone, several[0] if several else None)


def added(found: Found, factors: Floats, count: int) -> Floats:
    """Return for each of `count` documents the sum of impact · factor, one a row."""
    sums = np.zeros(count, np.float32)
    for row, segment, (places, worth, _) in found.lone:
        if places is None:
            sums[segment] += worth * factors[row]
        else:
            np.add.at(sums[segment], places.astype(np.int64), worth * factors[row])
    if few := found.few:
        each = np.repeat(factors.take(few.rows), few.sizes)
        each *= few.worth
        np.add.at(sums, few.places, each)
    return sums


def fitting(few: Few, mask: Mask) -> Ints:
    """Return how many documents of `mask` hold each row."""
    held = mask.take(few.places)
    counts: Ints = np.add.reduceat(held, few.sizes.cumsum() - few.sizes, dtype=np.int64)
    return counts


def fitting_of(lone: Lone, mask: Mask) -> int:
    """Return how many documents of `mask` hold a row that many hold."""
    places, worth, _ = lone.impacts
    here = mask[lone.segment]
    held = here & (worth > 0) if places is None else here.take(places)
    return int(np.count_nonzero(held))


def holding(found: Found, near: Ints, shape: tuple[int, int]) -> Mask:
    """Return which documents at `near`, ascending, hold each clause's term.

    In the first group, that is; shaped [near, clauses]. `shape` says how many
    documents and clauses there are in all.
    """
    documents, clauses = shape
    holds = np.zeros((len(near), clauses), np.bool_)
    parts: dict[int, tuple[slice, Places]] = {}
    for row, segment, (places, worth, _) in found.lone:
        if row >= clauses:
            continue
        if segment.start not in parts:
            here = slice(*near.searchsorted((segment.start, segment.stop)).tolist())
            parts[segment.start] = here, (near[here] - segment.start).astype(np.uint32)
        here, at = parts[segment.start]
        holds[here, row] = _held_at(places, worth, at)
    if few := found.few:
        line_of = np.full(documents, -1, np.int16)
        line_of[near] = np.arange(len(near))
        lines = line_of.take(few.places)
        hits = np.flatnonzero(lines >= 0)
        rows = few.rows.take(few.sizes.cumsum().searchsorted(hits, side="right"))
        first = np.flatnonzero(rows < clauses)
        holds[lines.take(hits.take(first)), rows.take(first)] = True
    return holds


def _held_at(places: Places | None, worth: Floats, near: Places) -> Mask:
    """Return which documents at `near` are among `places`."""
    if places is None:
        return worth.take(near) > 0
    at = places.searchsorted(near)
    at[at == len(places)] = 0
    held: Mask = places.take(at) == near
    return held


def counted(found: Found) -> Found:
    """Return one for what each impact is worth: to be a match is all that counts."""
    lone = [
        part._replace(
            impacts=part.impacts._replace(worth=(part.impacts.worth > 0).astype("f"))
        )
        for part in found.lone
    ]
    few = found.few and found.few._replace(worth=np.ones_like(found.few.worth))
    return Found(lone, few)
