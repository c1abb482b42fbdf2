"""The query sets that are kept here: what each must be to be worth measuring with."""

from __future__ import annotations

import pytest

from tests.relevance.labelled import DATA, HERE, lines, tsv

LIBRARIES = (
    "cloud_faq",
    "saas_support",
    "demo",
    "medical_qa",
    "bank_hant",
    "cityhall",
)
COLLOQUIAL = {
    "colloquial_cloud.tsv": "cloud_faq",
    "colloquial_saas.tsv": "saas_support_zhcn",
}


def test_a_query_off_topic_stands_once() -> None:
    queries = [row["query"] for row in tsv("offtopic.tsv")]
    assert len(queries) == len(set(queries)) >= 300


def test_what_it_is_no_fair_negative_for_is_a_library() -> None:
    named = {lib for row in tsv("offtopic.tsv") for lib in row["not_for"].split(",")}
    assert named <= {"", *LIBRARIES}


@pytest.mark.parametrize("library", LIBRARIES)
def test_every_library_has_fair_negatives(library: str) -> None:
    fair = [r for r in tsv("offtopic.tsv") if library not in r["not_for"].split(",")]
    assert len(fair) >= 250


@pytest.mark.parametrize("library", ["bank_hant", "cityhall"])
def test_a_library_of_our_own_answers_all_its_queries(library: str) -> None:
    ids = [entry["id"] for entry in lines(HERE / library / "corpus.jsonl")]
    queries = lines(HERE / library / "queries.jsonl")
    assert len(ids) == len(set(ids)) == 80
    assert len({query["query"] for query in queries}) == len(queries) == 160
    assert {id for query in queries for id in query["relevant"]} == set(ids)


@pytest.mark.parametrize(("name", "corpus"), COLLOQUIAL.items())
def test_a_colloquial_query_stands_once_and_names_what_answers_it(
    name: str, corpus: str
) -> None:
    found = tsv(name)
    queries = [row["query"] for row in found]
    assert len(queries) == len(set(queries)) >= 100
    path = DATA / corpus / "corpus.jsonl"
    if not path.exists():
        pytest.skip(f"{corpus} is not here")
    ids = {entry["id"] for entry in lines(path)}
    assert {id for row in found for id in row["relevant"].split(",")} <= ids
