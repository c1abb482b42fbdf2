"""The query sets that are kept here: what each must be to be worth measuring with."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

HERE = Path(__file__).parent
LIBRARIES = (
    "cloud_faq",
    "saas_support",
    "demo",
    "medical_qa",
    "bank_hant",
    "cityhall",
)
Row = dict[str, str]


def rows(name: str) -> list[Row]:
    with (HERE / name).open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE))


def test_a_query_off_topic_stands_once() -> None:
    queries = [row["query"] for row in rows("offtopic.tsv")]
    assert len(queries) == len(set(queries)) >= 300


def test_what_it_is_no_fair_negative_for_is_a_library() -> None:
    named = {lib for row in rows("offtopic.tsv") for lib in row["not_for"].split(",")}
    assert named <= {"", *LIBRARIES}


@pytest.mark.parametrize("library", LIBRARIES)
def test_every_library_has_fair_negatives(library: str) -> None:
    fair = [r for r in rows("offtopic.tsv") if library not in r["not_for"].split(",")]
    assert len(fair) >= 250
