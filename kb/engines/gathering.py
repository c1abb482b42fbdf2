"""Gather the impacts of a query's clauses in arrays, to be added up at once."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

import numpy as np

from kb.engines.base import Mask
from kb.engines.impacts import LONE, ByGroup, Floats, Impacts, Places
from kb.engines.packed import Ints


class Few(NamedTuple):
    """Impacts of rows that few documents hold, one after another.

    A row is a clause in a group: those in the first group come first.
    """

    rows: list[int]  # whose they are; there may be none
    sizes: tuple[int, ...]  # how many impacts each has
    places: Ints  # among all documents
    worth: Floats


class Lone(NamedTuple):
    """The impacts of one row in one segment that many documents hold."""

    row: int
    segment: slice  # where it stands among all documents
    places: Places | None
    worth: Floats


class Found(NamedTuple):
    """All impacts of a query's clauses."""

    lone: list[Lone]
    few: Few | None


def gathered(segments: Iterable[tuple[slice, list[ByGroup]]]) -> Found:
    """Return as arrays what clauses are worth in segments, given where each stands."""
    lone: list[Lone] = []
    rows: list[int] = []
    few: list[Impacts] = []
    starts: list[int] = []
    for where, found in segments:
        for group, column in enumerate(zip(*found, strict=True)):
            for row, impacts in enumerate(column, group * len(found)):
                if impacts is None:
                    continue
                if impacts.holds > LONE:
                    lone.append(Lone(row, where, impacts.places, impacts.worth))
                else:
                    rows.append(row)
                    few.append(impacts)
        starts += [where.start] * (len(few) - len(starts))
    return Found(lone, _together(rows, starts, few) if few else None)


def _together(rows: list[int], starts: list[int], impacts: list[Impacts]) -> Few:
    places, worth, sizes = zip(*impacts, strict=True)
    every = np.concatenate(places, dtype=np.int64)
    if any(starts):
        every += np.repeat(starts, sizes)
    return Few(rows, sizes, every, np.concatenate(worth))


def added(found: Found, factors: Floats, count: int) -> Floats:
    """Return for each of `count` documents the sum of impact · factor, one a row."""
    sums = np.zeros(count, np.float32)
    for row, segment, places, worth in found.lone:
        if places is None:
            sums[segment] += worth * factors[row]
        else:
            np.add.at(sums[segment], places.astype(np.int64), worth * factors[row])
    if few := found.few:
        each = np.repeat(factors.take(few.rows), few.sizes)
        each *= few.worth
        np.add.at(sums, few.places, each)
    return sums


def fitting(found: Found, mask: Mask, rows: int) -> Ints:
    """Return how many documents of `mask` hold each of `rows`."""
    counts = np.zeros(rows, np.int64)
    for row, segment, places, worth in found.lone:
        here = mask[segment]
        held = here & (worth > 0) if places is None else here.take(places)
        counts[row] += np.count_nonzero(held)
    if few := found.few:
        starts = np.cumsum([0, *few.sizes[:-1]])
        held = mask.take(few.places)
        np.add.at(counts, few.rows, np.add.reduceat(held, starts, dtype=np.int64))
    return counts


def holding(found: Found, near: Ints, shape: tuple[int, int]) -> Mask:
    """Return which documents at `near`, ascending, hold each clause's term.

    In the first group, that is; shaped [near, clauses]. `shape` says how many
    documents and clauses there are in all.
    """
    documents, clauses = shape
    holds = np.zeros((len(near), clauses), np.bool_)
    parts: dict[int, tuple[slice, Places]] = {}
    for row, segment, places, worth in found.lone:
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
        rows = np.array(few.rows).take(
            np.cumsum(few.sizes).searchsorted(hits, side="right")
        )
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
    lone = [part._replace(worth=(part.worth > 0).astype("f")) for part in found.lone]
    few = found.few and found.few._replace(worth=np.ones_like(found.few.worth))
    return Found(lone, few)
