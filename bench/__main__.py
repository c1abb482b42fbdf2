"""`make bench`: measure the parts, write one JSON, print tables and what was missed.

Sets are read from KB_SHARED_DATA, or from `shared/data` beside the checkout; a set that
is absent is named and left out.
"""

from __future__ import annotations

import argparse
import json
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

from bench import (
    engines,
    importing,
    machine,
    pages,
    rejection,
    relevance,
    tables,
    vocabulary,
    whole,
)
from bench.figures import Target, format_target
from bench.sets import ROOT

USUAL, QUICK, FULL = "usual", "quick", "full"


class Part(NamedTuple):
    """Functions of a part: measure by a mode, then list targets and format the report."""

    measure: Callable[[str], dict[str, Any]]
    targets: Callable[[dict[str, Any]], Iterator[Target]]
    table: Callable[[dict[str, Any]], str]


RACES = {
    USUAL: engines.USUAL_RACES,
    QUICK: engines.QUICK_RACES,
    FULL: engines.FULL_RACES,
}
SITES = {
    USUAL: {"mix": 2_000},
    QUICK: {"cloud_faq": 200},
    FULL: {"mix": 2_000, "laws": 2_000},
}
SETS = {
    USUAL: tuple(relevance.RELEVANCE_AIMS),
    QUICK: relevance.QUICK_SETS,
    FULL: tuple(relevance.RELEVANCE_AIMS),
}
PARTS = {
    "relevance": Part(
        lambda how: relevance.measure_relevance(SETS[how]),
        relevance.list_targets,
        relevance.format_table,
    ),
    "engines": Part(
        lambda how: engines.compare_engines(RACES[how]),
        engines.list_targets,
        tables.format_engines,
    ),
    "search": Part(
        lambda how: whole.measure_searches(SITES[how]),
        whole.list_targets,
        tables.format_searches,
    ),
    "importing": Part(
        lambda _: importing.measure_importing(),
        importing.list_targets,
        importing.format_table,
    ),
    "pages": Part(
        lambda _: pages.measure_pages(), pages.list_targets, pages.format_table
    ),
    "rejection": Part(
        lambda _: rejection.measure_rejection(),
        rejection.list_targets,
        rejection.format_table,
    ),
}
# Run by name only: each row of the starter vocabulary is left out in turn, ten minutes.
LONG_PARTS = {"vocabulary": vocabulary.measure_vocabulary}


def main() -> None:
    options = _parse_options()
    path = options.json or _get_report_path(options.how)
    kept = json.loads(path.read_text("utf-8")) if path.exists() else {}
    if options.docs or options.table:
        if not kept:
            raise SystemExit(f"{path} is not there: run the bench first")
        print(shown := format_report(kept))
        if options.docs:
            tables.write_docs(shown)
        return
    report = {"machine": machine.describe_machine(), "parts": kept.get("parts", {})}
    for name in options.parts or PARTS:
        if name in LONG_PARTS:
            LONG_PARTS[name]()
            continue
        print(f"== {name}", flush=True)
        report["parts"][name] = PARTS[name].measure(options.how)
        report["targets"] = list_targets(report)
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        path.write_text(json.dumps(report, ensure_ascii=False, indent=1), "utf-8")
    print(f"\n{format_report(report)}\n")
    print(*map(format_target, list_targets(report)), f"written to {path}", sep="\n")


def list_targets(report: dict[str, Any]) -> list[Target]:
    """Return the targets of all parts that were measured."""
    return [
        target
        for name, part in PARTS.items()
        if name in report["parts"]
        for target in part.targets(report["parts"][name])
    ]


def format_report(report: dict[str, Any]) -> str:
    """Return the whole report as Markdown."""
    parts = [
        part.table(report["parts"][name])
        for name, part in PARTS.items()
        if name in report["parts"]
    ]
    sections = [
        tables.format_machine(report["machine"]),
        *parts,
        tables.format_missed(list_targets(report)),
    ]
    return "\n\n".join(filter(None, sections))


def _parse_options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    add = parser.add_argument
    add(
        "parts",
        nargs="*",
        metavar="PART",
        help=f"some of: {', '.join([*PARTS, *LONG_PARTS])}",
    )
    how = parser.add_mutually_exclusive_group()
    for name, description in {
        QUICK: "two minutes, on small libraries",
        FULL: "everything: hours",
    }.items():
        how.add_argument(
            f"--{name}", dest="how", action="store_const", const=name, help=description
        )
    add("--json", type=Path, help="where the report is kept; DATA_DIR/bench.json")
    add("--table", action="store_true", help="print what was measured last")
    add("--docs", action="store_true", help="and write it into docs/bench.md")
    parser.set_defaults(how=USUAL)
    options = parser.parse_args()
    if unknown := set(options.parts) - PARTS.keys() - LONG_PARTS.keys():
        parser.error(f"no such part: {', '.join(sorted(unknown))}")
    return options


def _get_report_path(how: str) -> Path:
    name = "bench-quick.json" if how == QUICK else "bench.json"
    return Path(os.environ.get("DATA_DIR") or ROOT / "data") / name


if __name__ == "__main__":
    main()
