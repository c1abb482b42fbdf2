"""The data sets of the bench, and the libraries made of them."""

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
QUERY_ORDER_SEED = 7  # queries are shuffled in the same order in every run
Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Library:
    """Entries of sets, the first so many of each, and their queries.

    `asked` names a file of queries without labels; without one the labelled queries
    of the sets are used. `queries` is their number at most.
    """

    name: str
    title: str
    parts: tuple[tuple[str, int], ...]
    asked: str = ""
    queries: int = 2_000

    def is_available(self) -> bool:
        return all(_find_corpus_file(name).exists() for name, _ in self.parts)

    def rows(self) -> Iterator[Row]:
        """Yield {question, answer, similar, id} of every entry."""
        for name, most in self.parts:
            for row in islice(read_json_lines(_find_corpus_file(name)), most):
                yield row | {"id": f"{name}/{row['id']}"}

    def load_queries(self, ids: Iterable[str]) -> list[tuple[str, list[str]]]:
        """Return queries in a fixed order, each with the ids of right entries.

        `ids` are those of the library; queries for other entries are left out.
        """
        if self.asked:
            questions = (get_data_folder() / self.asked).read_text("utf-8").splitlines()
            asked = [line for line in questions if line.strip()]
            return [(line, []) for line in asked[: self.queries]]
        indexed_ids = set(ids)
        labelled: list[tuple[str, list[str]]] = []
        for name, _ in self.parts:
            for row in read_json_lines(get_data_folder() / name / "queries.jsonl"):
                relevant = [f"{name}/{key}" for key in row["relevant"]]
                if indexed_ids.issuperset(relevant):
                    labelled.append((row["query"], relevant))
        random.Random(QUERY_ORDER_SEED).shuffle(labelled)
        return labelled[: self.queries]


ALL_ROWS = 1 << 30
LAWS_QUERY_FILE = "laws_144k/latency_queries.txt"
LIBRARIES = {
    library.name: library
    for library in (
        Library("cloud_faq", "a cloud vendor's FAQ", (("cloud_faq", ALL_ROWS),)),
        Library(
            "mix",
            "that FAQ, an office suite's support (asked in 繁體) and 4,615 patients' "
            "questions with doctors' answers",
            (
                ("cloud_faq", ALL_ROWS),
                ("saas_support_zhcn", ALL_ROWS),
                ("medical_qa", 4_615),
            ),
        ),
        Library(
            "laws_10k",
            "the first 10,000 articles of statutes, asked by people in trouble",
            (("laws_144k", 10_000),),
            LAWS_QUERY_FILE,
        ),
        Library(
            "laws",
            "articles of statutes, asked by people in trouble",
            (("laws_144k", ALL_ROWS),),
            LAWS_QUERY_FILE,
        ),
    )
}


def get_data_folder() -> Path:
    """Return the folder of sets, in KB_SHARED_DATA or beside the checkout."""
    return Path(os.environ.get("KB_SHARED_DATA") or ROOT.parent / "shared") / "data"


def read_json_lines(path: Path) -> Iterator[Row]:
    """Yield the objects of a JSON Lines file, gzipped or not."""
    opened = gzip.open if path.suffix == ".gz" else open
    with opened(path, "rt", encoding="utf-8") as file:
        yield from map(json.loads, file)


def _find_corpus_file(name: str) -> Path:
    plain = get_data_folder() / name / "corpus.jsonl"
    return plain if plain.exists() else plain.with_suffix(".jsonl.gz")
