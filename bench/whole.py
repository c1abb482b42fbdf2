"""A search on a real site: text analysis, engine, and database rows."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import Any

from bench import machine
from bench.figures import AT_LEAST, AT_MOST, TIME_UNITS, Target, make_target
from bench.sets import LIBRARIES, get_data_folder

COLD_PROCESSES = 3  # new processes whose first search is timed


def measure_searches(libraries: dict[str, int]) -> dict[str, Any]:
    """Return {library: report}; `libraries` is {name: number of queries}."""
    found = {}
    for name, queries in libraries.items():
        if LIBRARIES[name].is_available():
            with TemporaryDirectory(prefix="kb-bench-") as folder:
                found[name] = measure_library(name, queries, Path(folder))
        else:
            print(f"search: {name} is not below {get_data_folder()}")
    return found


def measure_library(library: str, queries: int, folder: Path) -> dict[str, Any]:
    """Fill a new site with a library, rebuild its index by the command, and time it."""
    machine.run_command(folder, "kb_setup", "--no-demo")
    entries = machine.run_module(folder, "site", "fill", library).parse_report()[
        "entries"
    ]
    report = {"title": LIBRARIES[library].title, "entries": entries}
    _print_progress(f"{library}: {entries} entries in the database")
    rebuilt = machine.run_command(folder, "kb_index", "rebuild")
    report["rebuild_s"] = round(rebuilt.seconds, 1)
    report["rebuild_cpu_s"] = round(rebuilt.cpu_s, 1)
    report["rebuild_entries_s"] = round(entries / rebuilt.seconds, 1)
    report["rebuild_peak_mb"] = rebuilt.peak_mb
    _print_progress(f"  rebuilt in {rebuilt.seconds:.1f} s")
    asked = str(queries)
    for part in ("call", "suggest", "commit"):
        report[part] = machine.run_module(
            folder, "site", part, library, asked
        ).parse_report()
        _print_progress(f"  {part}: {report[part]}")
    cold = [
        machine.run_module(folder, "site", "cold", library, str(number)).parse_report()
        for number in range(COLD_PROCESSES)
    ]
    report["cold"] = {
        what: round(median(one[what] for one in cold), 3) for what in cold[0]
    }
    _print_progress(f"  cold: {report['cold']}")
    return report


def list_targets(report: dict[str, Any]) -> Iterator[Target]:
    """Yield the targets, and whether each was reached."""
    for name, one in report.items():
        where = f"at {one['entries']:,} ({name})"
        if one["entries"] <= 10_000:
            for by, unit in zip(("clock", "processor"), TIME_UNITS, strict=True):
                for which in ("first", "second"):
                    speed = one["call"][f"{which}_p95_{unit}"]
                    title = f"search call, {which} p95 {where}, by {by}"
                    yield make_target(title, speed, AT_MOST, 8, "ms")
                for share in ("p50", "p95"):
                    speed = one["suggest"][f"{share}_{unit}"]
                    title = f"typeahead {share} {where}, by {by}"
                    yield make_target(title, speed, AT_MOST, 2, "ms")
        first = one["cold"]["search_s"]
        yield make_target(
            f"first search of a process {where}", first, AT_MOST, 0.5, "s"
        )
        found = one["commit"]["most_s"]
        yield make_target(f"commit to found {where}", found, AT_MOST, 1, "s")
        speed = one["rebuild_entries_s"]
        yield make_target(
            f"kb_index rebuild {where}, by clock", speed, AT_LEAST, 400, "/s"
        )
        peak = one["rebuild_peak_mb"]
        yield make_target(f"rebuild's memory {where}", peak, AT_MOST, 700, "MB")


def _print_progress(line: str) -> None:
    print(line, flush=True)
