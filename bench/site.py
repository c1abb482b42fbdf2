"""A child process on a site's own database and index; each command prints JSON.

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
from collections.abc import Callable, Sequence
from functools import partial
from importlib import import_module
from itertools import islice
from typing import Any

from bench.figures import compute_percentile, compute_percentiles, time_call
from bench.sets import LIBRARIES, QUERY_ORDER_SEED

BATCH_ENTRIES = 500  # written in one call
MAX_TYPED_QUESTIONS = 500  # letter by letter
MAX_TYPING_SECONDS = 60.0  # the report says how many prefixes were timed
TIMED_COMMITS = 10
MAX_QUESTION_CHARS = 200  # of a question in the database


def load_site() -> float:
    """Load what a server loads before its first request; return the seconds."""
    began = time.perf_counter()
    import_module("config.wsgi")
    import_module(
        "kb.search"
    ).warm_up_search()  # as config/gunicorn.py does before it forks
    return time.perf_counter() - began


def fill_site(library: str) -> dict[str, Any]:
    """Write a library as imports do, without the index; return how many entries."""
    load_site()
    from kb.library import entries

    rows, count = LIBRARIES[library].rows(), 0
    while batch := list(islice(rows, BATCH_ENTRIES)):
        made = [_make_entry(row) for row in batch]
        phrasings = [
            p
            for entry, row in zip(made, batch, strict=True)
            for p in _make_phrasings(entry, row)
        ]
        entries.store_entries(made, [], phrasings=phrasings, by=None)
        count += len(made)
    return {"entries": count}


def _make_entry(row: dict[str, Any]) -> Any:
    from django.utils import timezone

    from kb.models import Entry

    source, _, number = row["id"].partition("/")
    entry = Entry(
        question=row["question"][:MAX_QUESTION_CHARS],
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


def _make_phrasings(entry: Any, row: dict[str, Any]) -> list[Any]:
    from kb.models import Phrasing

    made = {}
    for text in row.get("similar") or []:
        phrasing = Phrasing(entry=entry, text=text[:MAX_QUESTION_CHARS])
        phrasing.clean()
        made[phrasing.text_key] = phrasing
    return list(made.values())


# Asking --------------------------------------------------------------------------


def time_searches(library: str, queries: str) -> dict[str, Any]:
    """Time kb.search.search_entries for a visitor, twice over the same queries."""
    load_site()
    from django.contrib.auth.models import AnonymousUser

    from kb import search

    customer = AnonymousUser()
    texts = _load_queries(library)
    search.search_entries(texts.pop(), user=customer)
    _freeze_garbage()
    report: dict[str, Any] = {"queries": len(texts[: int(queries)])}
    for which in ("first", "second"):
        times = [
            time_call(partial(search.search_entries, text, user=customer))[1]
            for text in texts[: int(queries)]
        ]
        report |= compute_percentiles(times, f"{which}_")
    return report


def time_suggestions(library: str, queries: str) -> dict[str, Any]:
    """Time kb.search.suggest_entries for every prefix of questions, as people type."""
    load_site()
    from django.contrib.auth.models import AnonymousUser

    from kb import search

    customer = AnonymousUser()
    typed = _list_prefixes(library, min(int(queries), MAX_TYPED_QUESTIONS))
    search.suggest_entries(typed[-1], user=customer)
    _freeze_garbage()
    ends = time.monotonic() + MAX_TYPING_SECONDS
    times = [
        time_call(partial(search.suggest_entries, text, user=customer))[1]
        for text in typed
        if time.monotonic() < ends
    ]
    return {"beginnings": len(typed), "asked": len(times)} | compute_percentiles(times)


def _list_prefixes(library: str, questions: int) -> list[str]:
    """Return prefixes of questions of a library, shuffled in the same order every time."""
    rows = [row["question"][:40] for row in LIBRARIES[library].rows()]
    chance = random.Random(QUERY_ORDER_SEED)
    chosen = chance.sample(rows, min(questions, len(rows)))
    typed = sorted({text[:n] for text in chosen for n in range(1, len(text) + 1)})
    chance.shuffle(typed)
    return typed


def _load_queries(library: str) -> list[str]:
    ids = [row["id"] for row in LIBRARIES[library].rows()]
    return [text for text, _ in LIBRARIES[library].load_queries(ids)]


# Once ------------------------------------------------------------------------------


def time_first_search(library: str, number: str) -> dict[str, float]:
    """Time the loading and the first search of a new process."""
    text = _load_queries(library)[int(number)]
    loaded = load_site()
    from django.contrib.auth.models import AnonymousUser

    from kb import search

    began = time.perf_counter()
    found = search.search_entries(text, user=AnonymousUser())
    assert not found.is_degraded
    return {"load_s": loaded, "search_s": time.perf_counter() - began}


def time_commits(library: str, queries: str) -> dict[str, float]:
    """Time from the start of publishing an entry until another process finds it.

    That process searches all the time; its slowest search is reported as well.
    """
    load_site()
    from django.db import connections

    texts = _load_queries(library)[:50]
    connections.close_all()
    context = multiprocessing.get_context("fork")
    here, there = context.Pipe()
    reader = context.Process(
        target=_search_until_found, args=(there, texts), daemon=True
    )
    reader.start()
    here.recv()  # it is warmed up
    waits, slowest = [], []
    for number in range(TIMED_COMMITS):
        began = _publish_entry(here, f"kbqz{number:04d}x")
        found, slow = here.recv()
        waits.append(found - began)
        slowest.append(slow)
    here.send(None)
    reader.join()
    return {
        "p50_s": round(compute_percentile(waits, 50), 3),
        "most_s": round(max(waits), 3),
        "slowest_search_ms": round(1000 * max(slowest), 1),
    }


def _publish_entry(reader: Any, word: str) -> float:
    """Publish an entry that contains `word`; return the time at which that began."""
    from kb.library import entries

    made = entries.create_draft(
        f"怎么用{word}", by=None, answer="这样用。", audience="public"
    )
    reader.send(word)
    began = time.perf_counter()
    entries.publish_entry(made, by=None)
    return began


def _search_until_found(pipe: Any, texts: Sequence[str]) -> None:
    """Search for each received word until it is found; send that time and the slowest search."""
    from django.contrib.auth.models import AnonymousUser

    from kb import search

    customer = AnonymousUser()
    for text in texts:
        search.search_entries(text, user=customer)
    pipe.send(True)
    while word := pipe.recv():
        slowest, found = 0.0, False
        while not found:
            began = time.perf_counter()
            hits = search.search_entries(word, user=customer).hits
            ended = time.perf_counter()
            slowest = max(slowest, ended - began)
            found = any(word in hit.entry.question for hit in hits)
        pipe.send((ended, slowest))


def _freeze_garbage() -> None:
    gc.collect()
    gc.freeze()


COMMANDS: dict[str, Callable[..., dict[str, Any]]] = {
    "fill": fill_site,
    "call": time_searches,
    "suggest": time_suggestions,
    "cold": time_first_search,
    "commit": time_commits,
}

if __name__ == "__main__":
    command, *arguments = sys.argv[1:]
    print(json.dumps(COMMANDS[command](*arguments)))
