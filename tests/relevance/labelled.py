"""Libraries whose queries are labelled: those kept here, and those beside the checkout."""

from __future__ import annotations

import csv
import json
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
ROOT = HERE.parent.parent
DATA = Path(os.environ.get("KB_SHARED_DATA") or ROOT.parent / "shared") / "data"
DEMO = ROOT / "kb" / "import_export" / "demo" / "library"
BY_AGENTS = {"shortcode", "reply", "internal"}  # kinds of queries of agents only
SHARED = {
    "cloud_faq": "colloquial_cloud.tsv",
    "saas_support_zhcn": "colloquial_saas.tsv",
    "saas_support_zhtw": "",
    "medical_qa": "",
    "encyclopedia": "",
}
OWN = ("bank_hant", "cityhall")
Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Case:
    """A query of a set, and the ids of all entries that are right."""

    set: str
    query: str
    relevant: frozenset[str]


@dataclass(frozen=True, slots=True)
class Labelled:
    """A library: rows with id, question, answer and similar; and its queries."""

    name: str
    rows: list[Row]
    cases: list[Case]


def libraries() -> Iterator[Labelled]:
    """Yield every library that is here, the demo first."""
    yield _demo()
    for name in OWN:
        yield _library(name, HERE / name)
    for name, colloquial in SHARED.items():
        if (DATA / name / "corpus.jsonl").exists():
            yield _library(name, DATA / name, colloquial)


def tsv(name: str) -> list[dict[str, str]]:
    """Return the rows of a table in this folder."""
    with (HERE / name).open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE))


def lines(path: Path) -> list[Row]:
    """Return the objects of a JSON Lines file."""
    with path.open(encoding="utf-8") as file:
        return [json.loads(line) for line in file if line.strip()]


def _library(name: str, folder: Path, colloquial: str = "") -> Labelled:
    cases = [
        Case(name, row["query"], frozenset(row["relevant"]))
        for row in lines(folder / "queries.jsonl")
    ]
    if colloquial:
        cases += [
            Case(f"{name}, colloquial", r["query"], frozenset(r["relevant"].split(",")))
            for r in tsv(colloquial)
        ]
    return Labelled(name, lines(folder / "corpus.jsonl"), cases)


def _demo() -> Labelled:
    """Return what the public may read of the demo library, and its queries for customers."""
    rows = []
    for path in sorted(DEMO.glob("*.json")):
        for entry in json.loads(path.read_text("utf-8"))["entries"]:
            if (entry["audience"], entry["status"]) == ("public", "published"):
                similar = entry.get("phrasings", [])
                rows.append(entry | {"id": entry["key"], "similar": similar})
    cases = [
        Case("demo", row["query"], frozenset({row["expect"]}))
        for row in tsv("golden.tsv")
        if row["expect"] and row["kind"] not in BY_AGENTS
    ]
    return Labelled("demo", rows, cases)
