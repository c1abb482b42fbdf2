"""Queries with the entry that must come first, on the demo library.

golden.tsv has the expected entries, chosen by meaning; misses.tsv the queries that are
known to fail. A change that moves a query from one to the other fails this test, which
names it; KB_WRITE_MISSES=1 writes misses.tsv again.
"""

from __future__ import annotations

import csv
import os
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import AnonymousUser

from kb.import_export import demo
from kb.index import sync
from kb.language import vocabulary
from kb.models import Reader, User
from kb.search import search_entries

HERE = Path(__file__).parent
GOLDEN, MISSES = HERE / "golden.tsv", HERE / "misses.tsv"
BY_AGENTS = {"shortcode", "reply", "internal"}  # what only agents may find
Row = dict[str, str]


def rows(path: Path) -> list[Row]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE))


def rank(row: Row, user: Reader) -> int:
    """Return the rank of the expected entry, 0 when it is not found.

    Of a query that expects none: 1 when nothing was found, else 0.
    """
    hits = search_entries(row["query"], user=user, limit=20).hits
    if row["kind"] == "none":
        return 0 if hits else 1
    keys = [hit.entry.external_id for hit in hits]
    return keys.index(row["expect"]) + 1 if row["expect"] in keys else 0


def missed(agent: User) -> dict[tuple[str, str], str]:
    """Return {(kind, query): what happened} of every row that fails."""
    found = {}
    for row in rows(GOLDEN):
        reader = agent if row["kind"] in BY_AGENTS else AnonymousUser()
        place = rank(row, reader)
        if not 1 <= place <= int(row["within"] or 1):
            found[row["kind"], row["query"]] = f"{row['expect'] or '—'} at {place}"
    return found


@pytest.fixture
def library(settings: Any, tmp_path: Path, agent: User) -> User:
    engine = "kb.index.engines.whoosh.WhooshEngine"
    settings.KB_ENGINE = {"BACKEND": engine, "PATH": tmp_path / "index"}
    sync.rebuild_index()
    vocabulary.install_starter_vocabulary()
    demo.load_demo_library()
    sync.sync_all_marks()
    return agent


def test_golden_queries_are_many_and_of_every_kind() -> None:
    kinds = [row["kind"] for row in rows(GOLDEN)]
    assert len(kinds) >= 150
    assert min(map(kinds.count, set(kinds))) >= 8


def test_no_golden_query_moves_unseen(library: User) -> None:
    now = missed(library)
    if os.environ.get("KB_WRITE_MISSES"):
        lines = ["kind\tquery", *(f"{kind}\t{query}" for kind, query in sorted(now))]
        MISSES.write_text("\n".join(lines) + "\n", encoding="utf-8")
    known = {(row["kind"], row["query"]) for row in rows(MISSES)}
    lost = [f"{kind} {query}: {now[kind, query]}" for kind, query in now.keys() - known]
    won = [f"{kind} {query}" for kind, query in known - now.keys()]
    report = "\n".join(["lost:", *sorted(lost), "won:", *sorted(won)])
    assert not lost, report
    assert not won, f"{report}\nTake these out of {MISSES.name}."
