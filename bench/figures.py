"""Figures and what is aimed at: a miss is never hidden."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import NamedTuple, TypedDict, TypeVar

T = TypeVar("T")
AT_LEAST, AT_MOST = "≥", "≤"
UNITS = ("ms", "cpu_ms")  # by the clock; of the processor, whatever else runs here
SHARES = (50, 95, 99)


class Took(NamedTuple):
    """What one call took, in milliseconds of each of UNITS."""

    ms: float
    cpu_ms: float


class Target(TypedDict):
    what: str
    figure: float
    aim: str
    reached: bool


def target(what: str, figure: float, sign: str, aim: float, unit: str = "") -> Target:
    """Return one aim; `figure` and `aim` in `unit`."""
    reached = figure >= aim if sign == AT_LEAST else figure <= aim
    told = f"{sign} {aim:g} {unit}".strip()
    return Target(what=what, figure=figure, aim=told, reached=reached)


def line(one: Target) -> str:
    """Return `one` as a line of plain text."""
    mark = "reached" if one["reached"] else "MISSED "
    return f"{mark}  {one['what']}: {one['figure']:g} (aim {one['aim']})"


def percentile(times: Sequence[float], share: int) -> float:
    """Return the smallest time that `share` percent do not exceed, by nearest rank."""
    ordered = sorted(times)
    return round(ordered[max(-(-len(ordered) * share // 100) - 1, 0)], 3)


def timed(call: Callable[[], T]) -> tuple[T, Took]:
    """Return what `call` returns, and what it took."""
    used, began = time.process_time(), time.perf_counter()
    found = call()
    ended = time.perf_counter()
    return found, Took(1000 * (ended - began), 1000 * (time.process_time() - used))


def speeds(times: Sequence[Took], before: str = "") -> dict[str, float]:
    """Return percentiles of times by each of UNITS, their names after `before`."""
    return {
        f"{before}p{share}_{unit}": percentile([getattr(t, unit) for t in times], share)
        for unit in UNITS
        for share in SHARES
    }
