"""The sets that are measured on, and the libraries made of them."""

from __future__ import annotations

import gzip
import json
import os
import random
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
ORDER = 7  # of shuffled queries: the same in every run
Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Library:
    """Entries of sets, each with how many of its first ones, and who asks what.

    `asked` names a file of plain questions; without one the labelled queries of
    the sets are used. `queries` is the most of them.
    """

    name: str
    title: str
    parts: tuple[tuple[str, int], ...]
    asked: str = ""
    queries: int = 2_000

    def here(self) -> bool:
        return all(_corpus(name).exists() for name, _ in self.parts)

    def rows(self) -> Iterator[Row]:
        """Yield {question, answer, similar, id} of every entry."""
        for name, most in self.parts:
            for row in islice(lines(_corpus(name)), most):
                yield row | {"id": f"{name}/{row['id']}"}

    def asks(self, held: Iterable[str]) -> list[tuple[str, list[str]]]:
        """Return queries in a fixed order, each with the ids that answer it.

        `held` are the ids of the library; queries that ask for others are left out.
        """
        if self.asked:
            questions = (data() / self.asked).read_text("utf-8").splitlines()
            asked = [line for line in questions if line.strip()]
            return [(line, []) for line in asked[: self.queries]]
        held = set(held)
        found: list[tuple[str, list[str]]] = []
        for name, _ in self.parts:
            for row in lines(data() / name / "queries.jsonl"):
                relevant = [f"{name}/{id}" for id in row["relevant"]]
                if held.issuperset(relevant):
                    found.append((row["query"], relevant))
        random.Random(ORDER).shuffle(found)
        return found[: self.queries]


ALL = 1 << 30
LAWS_ASKED = "laws_144k/latency_queries.txt"
LIBRARIES = {
    library.name: library
    for library in (
        Library("cloud_faq", "a cloud vendor's FAQ", (("cloud_faq", ALL),)),
        Library(
            "mix",
            "that FAQ, an office suite's support (asked in 繁體) and 4,615 patients' "
            "questions with doctors' answers",
            (("cloud_faq", ALL), ("saas_support_zhcn", ALL), ("medical_qa", 4_615)),
        ),
        Library(
            "laws_10k",
            "the first 10,000 articles of statutes, asked by people in trouble",
            (("laws_144k", 10_000),),
            LAWS_ASKED,
        ),
        Library(
            "laws",
            "articles of statutes, asked by people in trouble",
            (("laws_144k", ALL),),
            LAWS_ASKED,
        ),
    )
}


def data() -> Path:
    """Return the folder of sets: in KB_SHARED_DATA, or beside the checkout."""
    return Path(os.environ.get("KB_SHARED_DATA") or ROOT.parent / "shared") / "data"


def lines(path: Path) -> Iterator[Row]:
    """Yield the objects of a JSON Lines file, gzipped or not."""
    opened = gzip.open if path.suffix == ".gz" else open
    with opened(path, "rt", encoding="utf-8") as file:
        yield from map(json.loads, file)


def _corpus(name: str) -> Path:
    plain = data() / name / "corpus.jsonl"
    return plain if plain.exists() else plain.with_suffix(".jsonl.gz")
