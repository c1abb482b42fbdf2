"""The whole search call on a real site: text, engine, rows that a reader may see."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import Any

from bench import machine
from bench.figures import AT_LEAST, AT_MOST, UNITS, Target, target
from bench.sets import LIBRARIES, data

COLD = 3  # fresh processes that are timed


def measure(libraries: dict[str, int]) -> dict[str, Any]:
    """Return {library: report}; `libraries` says how many queries each is asked."""
    found = {}
    for name, queries in libraries.items():
        if LIBRARIES[name].here():
            with TemporaryDirectory(prefix="kb-bench-") as folder:
                found[name] = run(name, queries, Path(folder))
        else:
            print(f"search: {name} is not below {data()}")
    return found


def run(library: str, queries: int, folder: Path) -> dict[str, Any]:
    """Fill a new site with a library, rebuild its index as people do, and ask it."""
    machine.manage(folder, "kb_setup", "--no-demo")
    entries = machine.worker(folder, "site", "fill", library).report()["entries"]
    report = {"title": LIBRARIES[library].title, "entries": entries}
    _tell(f"{library}: {entries} entries in the database")
    rebuilt = machine.manage(folder, "kb_index", "rebuild")
    report["rebuild_s"] = round(rebuilt.seconds, 1)
    report["rebuild_cpu_s"] = round(rebuilt.cpu_s, 1)
    report["rebuild_entries_s"] = round(entries / rebuilt.seconds, 1)
    report["rebuild_peak_mb"] = rebuilt.peak_mb
    _tell(f"  rebuilt in {rebuilt.seconds:.1f} s")
    asked = str(queries)
    for part in ("call", "suggest", "commit"):
        report[part] = machine.worker(folder, "site", part, library, asked).report()
        _tell(f"  {part}: {report[part]}")
    cold = [
        machine.worker(folder, "site", "cold", library, str(number)).report()
        for number in range(COLD)
    ]
    report["cold"] = {
        what: round(median(one[what] for one in cold), 3) for what in cold[0]
    }
    _tell(f"  cold: {report['cold']}")
    return report


def targets(report: dict[str, Any]) -> Iterator[Target]:
    """Yield what is aimed at, and whether it was reached."""
    for name, one in report.items():
        where = f"at {one['entries']:,} ({name})"
        if one["entries"] <= 10_000:
            for by, unit in zip(("clock", "processor"), UNITS, strict=True):
                for which in ("first", "second"):
                    speed = one["call"][f"{which}_p95_{unit}"]
                    told = f"search call, {which} p95 {where}, by {by}"
                    yield target(told, speed, AT_MOST, 8, "ms")
                for share in ("p50", "p95"):
                    speed = one["suggest"][f"{share}_{unit}"]
                    told = f"typeahead {share} {where}, by {by}"
                    yield target(told, speed, AT_MOST, 2, "ms")
        first = one["cold"]["search_s"]
        yield target(f"first search of a process {where}", first, AT_MOST, 0.5, "s")
        found = one["commit"]["most_s"]
        yield target(f"commit to found {where}", found, AT_MOST, 1, "s")
        speed = one["rebuild_entries_s"]
        yield target(f"kb_index rebuild {where}, by clock", speed, AT_LEAST, 400, "/s")
        peak = one["rebuild_peak_mb"]
        yield target(f"rebuild's memory {where}", peak, AT_MOST, 700, "MB")


def _tell(line: str) -> None:
    print(line, flush=True)
