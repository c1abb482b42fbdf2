"""Impacts computed all at once, and as they are asked for, say the same."""

from __future__ import annotations

import random
from dataclasses import replace
from pathlib import Path

import pytest

from kb.engines import Clause, Group, Query
from kb.engines.base import Document
from kb.engines.cache import Cache
from kb.engines.tables import Lazy, Whole
from kb.engines.whoosh import WhooshEngine
from tests.searching import EVERYONE, PUBLIC, STAFF, TEXTS, doc, put

HEADING = Group((TEXTS.fields[0],), k1=1.2, weight=2.0)
GROUPS = (TEXTS, HEADING)
WORDS = [f"词{n}" for n in range(40)]


def library(count: int) -> list[Document]:
    """Documents in which some words are rare, and some in nearly all."""
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
    """Return the kinds of tables that searches read."""
    segments = engine._segments.values()
    return {type(t) for one in segments for t in one._scale._tables.values()}


def query(*words: str) -> Query:
    clauses = tuple(Clause(word, 1.0) for word in words)
    return Query(clauses, GROUPS, EVERYONE, limit=5_000)


@pytest.mark.parametrize("slice", [1_000_000, 300])
def test_both_kinds_of_tables_find_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, slice: int
) -> None:
    """In several segments, some documents dead, words in all of them or in one."""
    monkeypatch.setattr("kb.engines.tables.SLICE", slice)
    whole = WhooshEngine(tmp_path)
    whole.replace(library(4_000))
    put(whole, doc(5_000, "词3", "单独"), doc(5_001, "退款"))
    with whole.writing() as changes:
        changes.forget.update(range(1, 4_000, 7))
    lazy = WhooshEngine(tmp_path, cache_mb=0)
    for words in ([word] for word in [*WORDS, "单独", "退款", "没有"]):
        assert whole.search(query(*words)) == lazy.search(query(*words))
    together = query(*WORDS, "单独", "没有")
    assert whole.search(together) == lazy.search(together)
    assert whole.holding(together) == lazy.holding(together)
    ids = [1, 2, 3, 5_000, 9_999]
    assert (whole.matched(together, ids) == lazy.matched(together, ids)).all()
    assert len(whole._segments) > 1
    assert tables(whole) == {Whole}
    assert tables(lazy) == {Lazy}


def test_what_does_not_fit_is_not_counted_in_either(tmp_path: Path) -> None:
    whole = WhooshEngine(tmp_path)
    hidden = [replace(d, labels=frozenset({STAFF})) for d in library(3_000)[::3]]
    shown = [d for d in library(3_000) if d.id % 3 != 1]
    whole.replace([*shown, *hidden])
    lazy = WhooshEngine(tmp_path, cache_mb=0)
    for word in (WORDS[0], WORDS[-1]):
        holding = sum(any(word in held for held in d.terms.values()) for d in shown)
        for engine in (whole, lazy, whole):
            assert engine.holding(query(word)) == (holding,)


def test_a_whole_table_takes_its_bytes_off_the_budget(tmp_path: Path) -> None:
    engine = WhooshEngine(tmp_path, cache_mb=1)
    engine.replace(library(500))
    assert engine.search(replace(query("词1"), groups=(TEXTS,))).ids
    (segment,) = engine._segments.values()
    (table,) = segment._scale._tables.values()
    assert isinstance(table, Whole)
    held = sum(a.nbytes for a in (table._places, table._worth, table._edges))
    assert held <= engine.cache.size <= held * 1.5
    before = engine.cache.size
    assert engine.search(query("词1")).ids  # in other groups: a table of its own
    assert engine.cache.size > before
    del table, segment
    engine.replace(library(10))
    assert engine.search(query("词1")).ids
    assert engine.cache.size < before


def test_a_cache_lends_no_more_than_half_of_its_budget() -> None:
    cache = Cache(1000)
    rooms = [cache.reserve(400), cache.reserve(200), cache.reserve(100)]
    assert [room is not None for room in rooms] == [True, False, True]
    assert cache.size == 500
    rooms.clear()
    assert cache.size == 0
    assert cache.reserve(500) is not None
