"""A child of the comparison: describes a library, builds an index, or answers.

`describe LIBRARY FOLDER`, `build ENGINE FOLDER`, `answer ENGINE FOLDER`; each
prints JSON. FOLDER holds what `describe` wrote, and a folder an engine.
"""

from __future__ import annotations

import gc
import json
import pickle
import resource
import sys
import time
from collections.abc import Iterator
from functools import partial
from itertools import islice
from pathlib import Path
from statistics import mean
from typing import Any

from bench import machine
from bench.contenders import CONTENDERS, Contender, flat
from bench.figures import timed
from bench.sets import LIBRARIES, Library
from kb.index.engines.base import Document, Query

BATCH = 500  # documents in memory at a time
WARM = 5  # queries that nobody is timed on, so that all code has run once
LABELS = ("audience=public", "status=published")


# What is measured on ------------------------------------------------------------


def describe(name: str, folder: Path) -> dict[str, Any]:
    """Write the documents and the queries of a library; return facts about them.

    `describe_s` are seconds of jieba, pinyin and the like, without reading.
    """
    import django

    django.setup()
    from kb.text.chinese import pinyin, tokenizer

    tokenizer.load_tokenizer_dictionaries()
    pinyin.load_pinyin_dictionaries()
    library = LIBRARIES[name]
    (spent, used), ids, terms = _describe(library, folder)
    queries = _queries(library, ids)
    (folder / "queries").write_bytes(pickle.dumps(queries))
    asked = [query for query, _ in queries[1]]
    return {
        "entries": len(ids),
        "describe_s": round(spent, 1),
        "describe_cpu_s": round(used, 1),
        "terms_an_entry": round(terms / len(ids)),
        "queries": len(asked),
        "clauses_a_query": round(mean(len(query.clauses) for query in asked), 1),
        "postings_a_query": round(mean(len(flat(query)) for query in asked), 1),
    }


def _describe(
    library: Library, folder: Path
) -> tuple[tuple[float, float], list[str], int]:
    from kb.language import vocabulary

    vocabulary.load_starter_lexicon()  # teaches jieba its words
    ids: list[str] = []
    spent, used, terms = 0.0, 0.0, 0
    rows = library.rows()
    with (folder / "documents").open("wb") as file:
        while batch := list(islice(rows, BATCH)):
            made, took = timed(partial(_made, len(ids), batch))
            spent, used = spent + took.ms / 1000, used + took.cpu_ms / 1000
            pickle.dump(made, file)
            ids += [row["id"] for row in batch]
            terms += sum(len(t) for d in made for t in d.terms.values())
    return (spent, used), ids, terms


def _made(first: int, batch: list[dict[str, Any]]) -> list[Document]:

    from kb.index import documents

    return [
        documents.make_document(place, _texts(row), LABELS)
        for place, row in enumerate(batch, first)
    ]


def _texts(row: dict[str, Any]) -> dict[str, list[str]]:
    return {
        "question": [row["question"]],
        "phrasings": row.get("similar") or [],
        "answer": [row.get("answer") or ""],
    }


def _queries(
    library: Library, ids: list[str]
) -> tuple[list[Query], list[tuple[Query, list[int]]]]:
    """Return queries to warm up with, and those to time with the ids that answer."""
    from kb import search
    from kb.language import vocabulary

    lexicon = vocabulary.load_starter_lexicon()
    places = {id: place for place, id in enumerate(ids)}
    labels = tuple(frozenset({label}) for label in LABELS)
    made = []
    for words, relevant in library.asks(ids):
        clauses = search.build_clauses(search.analyze_query(words, lexicon).terms)
        if clauses:
            query = Query(
                clauses, search.PUBLIC_FIELD_GROUPS, labels, search.MAX_RESULTS
            )
            made.append((query, [places[id] for id in relevant]))
    warm = min(WARM, len(made) // 2)
    return [query for query, _ in made[:warm]], made[warm:]


# Build -----------------------------------------------------------------------------


class Feed:
    """The documents, read as they are asked for.

    Reading took `spent` seconds by the clock, and `used` of the processor: of
    this thread, because an engine may work in others meanwhile.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.spent = self.used = 0.0
        self.count = 0

    def __iter__(self) -> Iterator[Document]:
        with self.path.open("rb") as file:
            while batch := self._read(file):
                self.count += len(batch)
                yield from batch

    def _read(self, file: Any) -> list[Document]:
        began, used = time.perf_counter(), time.thread_time()
        try:
            batch: list[Document] = pickle.load(file)
        except EOFError:
            batch = []
        self.spent += time.perf_counter() - began
        self.used += time.thread_time() - used
        return batch


def build(name: str, folder: Path) -> dict[str, Any]:
    """Build the index of one engine; its seconds are without reading the documents."""
    place = folder / name
    place.mkdir()
    contender = CONTENDERS[name](place)
    feed = Feed(folder / "documents")
    began, used = time.perf_counter(), machine.processor_s()
    contender.build(feed)
    seconds = time.perf_counter() - began - feed.spent
    return {
        "build_s": round(seconds, 4),
        "build_cpu_s": round(machine.processor_s() - used - feed.used, 4),
        "entries_s": round(feed.count / max(seconds, 1e-9)),
        "build_peak_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024,
        "index_bytes": machine.size(place),
        "settings": contender.settings(),
    }


# Answer ----------------------------------------------------------------------------


def answer(name: str, folder: Path) -> None:
    """Answer on standard output, a line a line, what standard input asks.

    A list of numbers asks those queries and is told of each what making it ready
    and answering it took, in ms by the clock, what answering took of the processor,
    and which ids were found; `memory` asks for that.
    """
    contender = CONTENDERS[name](folder / name)
    warm, asked = pickle.loads((folder / "queries").read_bytes())
    before = machine.memory_mb()
    contender.open(warm)
    for query in warm:
        contender.top(contender.ready(query))
    gc.collect()
    gc.freeze()
    _say({"opened": True})
    for line in sys.stdin:
        if line.strip() == "memory":
            _say(machine.memory_mb() | {"before_mb": before["rss_mb"]})
        else:
            _say([_timed(contender, asked[i][0]) for i in json.loads(line)])


def _timed(contender: Contender, query: Query) -> dict[str, Any]:
    ready, made = timed(lambda: contender.ready(query))
    ids, took = timed(lambda: contender.top(ready))
    return took._asdict() | {"made_ms": made.ms, "ids": ids}


def _say(what: Any) -> None:
    print(json.dumps(what), flush=True)


if __name__ == "__main__":
    action, which, where = sys.argv[1:]
    if action == "answer":
        answer(which, Path(where))
    else:
        _say({"describe": describe, "build": build}[action](which, Path(where)))
