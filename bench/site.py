"""A child that runs on a site's own database and index; each part prints JSON.

`fill LIBRARY`, `call LIBRARY QUERIES`, `suggest LIBRARY QUERIES`,
`commit LIBRARY QUERIES`, `cold LIBRARY NUMBER`; the site is that of DATA_DIR.
"""

from __future__ import annotations

import gc
import json
import multiprocessing
import random
import sys
import time
from collections.abc import Sequence
from functools import partial
from importlib import import_module
from itertools import islice
from typing import Any

from bench.figures import percentile, speeds, timed
from bench.sets import LIBRARIES, ORDER

BATCH = 500  # entries written at a time
MOST_TYPED = 500  # questions that are typed letter by letter
PATIENCE = 60.0  # seconds after which typing ends, and the report says where
COMMITS = 10
LONGEST = 200  # characters of a question, as the database holds it


def load() -> float:
    """Load what a server loads before it serves; return the seconds."""
    began = time.perf_counter()
    import_module("config.wsgi")
    import_module(
        "kb.search"
    ).warm_up_search()  # as config/gunicorn.py does before it forks
    return time.perf_counter() - began


def fill(library: str) -> dict[str, Any]:
    """Write a library by the stage that imports use; the index is not touched."""
    load()
    from kb.library import entries

    rows, count = LIBRARIES[library].rows(), 0
    while batch := list(islice(rows, BATCH)):
        made = [_entry(row) for row in batch]
        phrasings = [
            p
            for entry, row in zip(made, batch, strict=True)
            for p in _phrasings(entry, row)
        ]
        entries.store_entries(made, [], phrasings=phrasings, by=None)
        count += len(made)
    return {"entries": count}


def _entry(row: dict[str, Any]) -> Any:
    from django.utils import timezone

    from kb.models import Entry

    source, _, number = row["id"].partition("/")
    entry = Entry(
        question=row["question"][:LONGEST],
        answer=(row.get("answer") or row["question"])[:20_000],
        status=Entry.Status.PUBLISHED,
        audience=Entry.Audience.PUBLIC,
        published_at=timezone.now(),
        source=source,
        external_id=number,
    )
    entry.clean()
    entry.update_derived_columns()
    return entry


def _phrasings(entry: Any, row: dict[str, Any]) -> list[Any]:
    from kb.models import Phrasing

    made = {}
    for text in row.get("similar") or []:
        phrasing = Phrasing(entry=entry, text=text[:LONGEST])
        phrasing.clean()
        made[phrasing.text_key] = phrasing
    return list(made.values())


# Asking --------------------------------------------------------------------------


def call(library: str, queries: str) -> dict[str, Any]:
    """Time kb.search.search_entries for a visitor, twice over the same queries."""
    load()
    from django.contrib.auth.models import AnonymousUser

    from kb import search

    nobody = AnonymousUser()
    texts = _queries(library)
    search.search_entries(texts.pop(), user=nobody)
    _settle()
    report: dict[str, Any] = {"queries": len(texts[: int(queries)])}
    for which in ("first", "second"):
        times = [
            timed(partial(search.search_entries, text, user=nobody))[1]
            for text in texts[: int(queries)]
        ]
        report |= speeds(times, f"{which}_")
    return report


def suggest(library: str, queries: str) -> dict[str, Any]:
    """Time kb.search.suggest_entries by every beginning of questions, as people type them."""
    load()
    from django.contrib.auth.models import AnonymousUser

    from kb import search

    nobody = AnonymousUser()
    typed = _beginnings(library, min(int(queries), MOST_TYPED))
    search.suggest_entries(typed[-1], user=nobody)
    _settle()
    ends = time.monotonic() + PATIENCE
    times = [
        timed(partial(search.suggest_entries, text, user=nobody))[1]
        for text in typed
        if time.monotonic() < ends
    ]
    return {"beginnings": len(typed), "asked": len(times)} | speeds(times)


def _beginnings(library: str, questions: int) -> list[str]:
    """Return the beginnings of questions of a library, in a fixed order at random."""
    rows = [row["question"][:40] for row in LIBRARIES[library].rows()]
    chance = random.Random(ORDER)
    chosen = chance.sample(rows, min(questions, len(rows)))
    typed = sorted({text[:n] for text in chosen for n in range(1, len(text) + 1)})
    chance.shuffle(typed)
    return typed


def _queries(library: str) -> list[str]:
    ids = [row["id"] for row in LIBRARIES[library].rows()]
    return [text for text, _ in LIBRARIES[library].asks(ids)]


# Once ------------------------------------------------------------------------------


def cold(library: str, number: str) -> dict[str, float]:
    """Time what a new process loads, and its first search."""
    text = _queries(library)[int(number)]
    loaded = load()
    from django.contrib.auth.models import AnonymousUser

    from kb import search

    began = time.perf_counter()
    found = search.search_entries(text, user=AnonymousUser())
    assert not found.is_degraded
    return {"load_s": loaded, "search_s": time.perf_counter() - began}


def commit(library: str, queries: str) -> dict[str, float]:
    """Time from asking to publish an entry until another process finds it.

    That process searches all the while; its slowest search is told as well.
    """
    load()
    from django.db import connections

    texts = _queries(library)[:50]
    connections.close_all()
    context = multiprocessing.get_context("fork")
    here, there = context.Pipe()
    reader = context.Process(target=_watch, args=(there, texts), daemon=True)
    reader.start()
    here.recv()  # it has searched
    waits, slowest = [], []
    for number in range(COMMITS):
        began = _publish(here, f"kbqz{number:04d}x")
        found, slow = here.recv()
        waits.append(found - began)
        slowest.append(slow)
    here.send(None)
    reader.join()
    return {
        "p50_s": round(percentile(waits, 50), 3),
        "most_s": round(max(waits), 3),
        "slowest_search_ms": round(1000 * max(slowest), 1),
    }


def _publish(reader: Any, word: str) -> float:
    """Publish an entry that holds `word`; return when that began."""
    from kb.library import entries

    made = entries.create_draft(
        f"怎么用{word}", by=None, answer="这样用。", audience="public"
    )
    reader.send(word)
    began = time.perf_counter()
    entries.publish_entry(made, by=None)
    return began


def _watch(pipe: Any, texts: Sequence[str]) -> None:
    """Search until each word that comes is found; tell when, and the slowest search."""
    from django.contrib.auth.models import AnonymousUser

    from kb import search

    nobody = AnonymousUser()
    for text in texts:
        search.search_entries(text, user=nobody)
    pipe.send(True)
    while word := pipe.recv():
        slowest, found = 0.0, False
        while not found:
            began = time.perf_counter()
            hits = search.search_entries(word, user=nobody).hits
            ended = time.perf_counter()
            slowest = max(slowest, ended - began)
            found = any(word in hit.entry.question for hit in hits)
        pipe.send((ended, slowest))


def _settle() -> None:
    gc.collect()
    gc.freeze()


if __name__ == "__main__":
    part, *words = sys.argv[1:]
    parts = {f.__name__: f for f in (fill, call, suggest, cold, commit)}
    print(json.dumps(parts[part](*words)))
