"""Times, percentiles, and targets that were reached or missed."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import NamedTuple, TypedDict, TypeVar

T = TypeVar("T")
AT_LEAST, AT_MOST = "≥", "≤"
TIME_UNITS = ("ms", "cpu_ms")  # by the clock; of the processor, whatever else runs
REPORTED_PERCENTILES = (50, 95, 99)


class CallTime(NamedTuple):
    """The time of one call in milliseconds, for each of TIME_UNITS."""

    ms: float
    cpu_ms: float


class Target(TypedDict):
    """A figure, its aim as text, and whether it was reached."""

    what: str
    figure: float
    aim: str
    reached: bool


def make_target(
    what: str, figure: float, sign: str, aim: float, unit: str = ""
) -> Target:
    """Return a target; `figure` and `aim` are in `unit`."""
    reached = figure >= aim if sign == AT_LEAST else figure <= aim
    aim_text = f"{sign} {aim:g} {unit}".strip()
    return Target(what=what, figure=figure, aim=aim_text, reached=reached)


def format_target(target: Target) -> str:
    """Return a target as a line of plain text."""
    mark = "reached" if target["reached"] else "MISSED "
    return f"{mark}  {target['what']}: {target['figure']:g} (aim {target['aim']})"


def compute_percentile(times: Sequence[float], share: int) -> float:
    """Return the smallest time that `share` percent do not exceed (nearest rank)."""
    ordered = sorted(times)
    return round(ordered[max(-(-len(ordered) * share // 100) - 1, 0)], 3)


def time_call(call: Callable[[], T]) -> tuple[T, CallTime]:
    """Return the result of `call`, and its time."""
    used, began = time.process_time(), time.perf_counter()
    result = call()
    ended = time.perf_counter()
    return result, CallTime(1000 * (ended - began), 1000 * (time.process_time() - used))


def compute_percentiles(
    times: Sequence[CallTime], prefix: str = ""
) -> dict[str, float]:
    """Return {prefix + percentile + unit: ms} for REPORTED_PERCENTILES and TIME_UNITS."""
    return {
        f"{prefix}p{share}_{unit}": compute_percentile(
            [getattr(t, unit) for t in times], share
        )
        for unit in TIME_UNITS
        for share in REPORTED_PERCENTILES
    }
