"""`make bench`: measure the parts, write one JSON, print tables and what was missed.

Sets are read from KB_SHARED_DATA, or from `shared/data` beside the checkout; one
that is absent is named and left out.
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
from bench.figures import Target, line
from bench.sets import ROOT

USUAL, QUICK, FULL = "usual", "quick", "full"


class Part(NamedTuple):
    """What `measure` finds, given how thorough to be, others judge and show."""

    measure: Callable[[str], dict[str, Any]]
    targets: Callable[[dict[str, Any]], Iterator[Target]]
    table: Callable[[dict[str, Any]], str]


RACES = {USUAL: engines.USUAL, QUICK: engines.QUICK, FULL: engines.FULL}
SITES = {
    USUAL: {"mix": 2_000},
    QUICK: {"cloud_faq": 200},
    FULL: {"mix": 2_000, "laws": 2_000},
}
SETS = {
    USUAL: tuple(relevance.AIMS),
    QUICK: relevance.QUICK,
    FULL: tuple(relevance.AIMS),
}
PARTS = {
    "relevance": Part(
        lambda how: relevance.measure(SETS[how]), relevance.targets, relevance.table
    ),
    "engines": Part(
        lambda how: engines.compare(RACES[how]), engines.targets, tables.engines
    ),
    "search": Part(lambda how: whole.measure(SITES[how]), whole.targets, tables.whole),
    "importing": Part(
        lambda _: importing.measure(), importing.targets, importing.table
    ),
    "pages": Part(lambda _: pages.measure(), pages.targets, pages.table),
    "rejection": Part(
        lambda _: rejection.rejection(), rejection.targets, rejection.table
    ),
}
# Asked for by name alone: each row of the starter left out in turn, ten minutes.
LONG = {"vocabulary": vocabulary.vocabulary}


def main() -> None:
    options = _options()
    path = options.json or _default(options.how)
    kept = json.loads(path.read_text("utf-8")) if path.exists() else {}
    if options.docs or options.table:
        if not kept:
            raise SystemExit(f"{path} is not there: run the bench first")
        print(shown := show(kept))
        if options.docs:
            tables.write(shown)
        return
    report = {"machine": machine.facts(), "parts": kept.get("parts", {})}
    for name in options.parts or PARTS:
        if name in LONG:
            LONG[name]()
            continue
        print(f"== {name}", flush=True)
        report["parts"][name] = PARTS[name].measure(options.how)
        report["targets"] = targets(report)
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        path.write_text(json.dumps(report, ensure_ascii=False, indent=1), "utf-8")
    print(f"\n{show(report)}\n")
    print(*map(line, targets(report)), f"written to {path}", sep="\n")


def targets(report: dict[str, Any]) -> list[Target]:
    """Return what is aimed at in all parts that were measured."""
    return [
        one
        for name, part in PARTS.items()
        if name in report["parts"]
        for one in part.targets(report["parts"][name])
    ]


def show(report: dict[str, Any]) -> str:
    """Return the whole report as Markdown."""
    parts = [
        part.table(report["parts"][name])
        for name, part in PARTS.items()
        if name in report["parts"]
    ]
    told = [tables.machine(report["machine"]), *parts, tables.missed(targets(report))]
    return "\n\n".join(filter(None, told))


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    add = parser.add_argument
    add(
        "parts",
        nargs="*",
        metavar="PART",
        help=f"some of: {', '.join([*PARTS, *LONG])}",
    )
    how = parser.add_mutually_exclusive_group()
    for name, told in {
        QUICK: "two minutes, on small libraries",
        FULL: "everything: hours",
    }.items():
        how.add_argument(
            f"--{name}", dest="how", action="store_const", const=name, help=told
        )
    add("--json", type=Path, help="where the report is kept; DATA_DIR/bench.json")
    add("--table", action="store_true", help="print what was measured last")
    add("--docs", action="store_true", help="and write it into docs/bench.md")
    parser.set_defaults(how=USUAL)
    options = parser.parse_args()
    if unknown := set(options.parts) - PARTS.keys() - LONG.keys():
        parser.error(f"no such part: {', '.join(sorted(unknown))}")
    return options


def _default(how: str) -> Path:
    name = "bench-quick.json" if how == QUICK else "bench.json"
    return Path(os.environ.get("DATA_DIR") or ROOT / "data") / name


if __name__ == "__main__":
    main()
