"""Complete and lazy impact tables return the same impacts."""

from __future__ import annotations

import random
from dataclasses import replace
from pathlib import Path

import pytest

from kb.index.engines import Clause, FieldGroup, Query
from kb.index.engines.base import Document
from kb.index.engines.impact_cache import ImpactCache
from kb.index.engines.impact_tables import CompleteImpactTable, LazyImpactTable
from kb.index.engines.whoosh import WhooshEngine
from tests.searching import EVERYONE, PUBLIC, STAFF, TEXTS, doc, put

HEADING = FieldGroup((TEXTS.fields[0],), k1=1.2, boost=2.0)
GROUPS = (TEXTS, HEADING)
WORDS = [f"词{n}" for n in range(40)]


def library(count: int) -> list[Document]:
    """Return documents in which some words are rare, and some in nearly all."""
    dice = random.Random(count)
    weights = [1 / (n + 1) for n in range(len(WORDS))]
    return [
        Document(
            id,
            frozenset({PUBLIC}),
            {
                "question": tuple(dice.choices(WORDS, weights, k=3)),
                "answer": tuple(dice.choices(WORDS, weights, k=dice.randrange(1, 30))),
            },
        )
        for id in range(1, count + 1)
    ]


def tables(engine: WhooshEngine) -> set[type]:
    """Return the types of the tables that searches use."""
    segments = engine._loaded_segments.values()
    return {
        type(t) for one in segments for t in one._impact_scale._impact_tables.values()
    }


def query(*words: str) -> Query:
    clauses = tuple(Clause(word, 1.0) for word in words)
    return Query(clauses, GROUPS, EVERYONE, limit=5_000)


@pytest.mark.parametrize("slice", [1_000_000, 300])
def test_both_kinds_of_tables_find_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, slice: int
) -> None:
    """In several segments, with deleted documents, and words in all of them or in one."""
    monkeypatch.setattr("kb.index.engines.impact_tables.IMPACT_SLICE_POSTINGS", slice)
    whole = WhooshEngine(tmp_path)
    whole.replace_index(library(4_000))
    put(whole, doc(5_000, "词3", "单独"), doc(5_001, "退款"))
    with whole.open_writer() as changes:
        changes.deleted_ids.update(range(1, 4_000, 7))
    lazy = WhooshEngine(tmp_path, cache_mb=0)
    for words in ([word] for word in [*WORDS, "单独", "退款", "没有"]):
        assert whole.search(query(*words)) == lazy.search(query(*words))
    together = query(*WORDS, "单独", "没有")
    assert whole.search(together) == lazy.search(together)
    assert whole.count_documents_per_clause(
        together
    ) == lazy.count_documents_per_clause(together)
    ids = [1, 2, 3, 5_000, 9_999]
    assert (
        whole.match_clauses(together, ids) == lazy.match_clauses(together, ids)
    ).all()
    assert len(whole._loaded_segments) > 1
    assert tables(whole) == {CompleteImpactTable}
    assert tables(lazy) == {LazyImpactTable}


def test_documents_that_do_not_fit_are_not_counted_in_either(tmp_path: Path) -> None:
    whole = WhooshEngine(tmp_path)
    hidden = [replace(d, labels=frozenset({STAFF})) for d in library(3_000)[::3]]
    shown = [d for d in library(3_000) if d.id % 3 != 1]
    whole.replace_index([*shown, *hidden])
    lazy = WhooshEngine(tmp_path, cache_mb=0)
    for word in (WORDS[0], WORDS[-1]):
        holding = sum(any(word in held for held in d.terms.values()) for d in shown)
        for engine in (whole, lazy, whole):
            assert engine.count_documents_per_clause(query(word)) == (holding,)


def test_a_complete_table_takes_its_bytes_off_the_budget(tmp_path: Path) -> None:
    engine = WhooshEngine(tmp_path, cache_mb=1)
    engine.replace_index(library(500))
    assert engine.search(replace(query("词1"), groups=(TEXTS,))).ids
    (segment,) = engine._loaded_segments.values()
    (table,) = segment._impact_scale._impact_tables.values()
    assert isinstance(table, CompleteImpactTable)
    held = sum(a.nbytes for a in (table._doc_numbers, table._impacts, table._edges))
    assert held <= engine.impact_cache.used_bytes <= held * 1.5
    before = engine.impact_cache.used_bytes
    assert engine.search(query("词1")).ids  # in other groups: a table of its own
    assert engine.impact_cache.used_bytes > before
    del table, segment
    engine.replace_index(library(10))
    assert engine.search(query("词1")).ids
    assert engine.impact_cache.used_bytes < before


def test_reservations_take_at_most_half_of_the_budget() -> None:
    cache = ImpactCache(1000)
    rooms = [
        cache.reserve_bytes(400),
        cache.reserve_bytes(200),
        cache.reserve_bytes(100),
    ]
    assert [room is not None for room in rooms] == [True, False, True]
    assert cache.used_bytes == 500
    rooms.clear()
    assert cache.used_bytes == 0
    assert cache.reserve_bytes(500) is not None
