"""A child of the comparison: describes a library, builds an index, or answers.

`describe LIBRARY FOLDER`, `build ENGINE FOLDER`, `answer ENGINE FOLDER`; each
prints JSON. FOLDER has the files that `describe` wrote, and a folder for each engine.
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
from bench.contenders import CONTENDERS, Contender, list_posting_lists
from bench.figures import time_call
from bench.sets import LIBRARIES, Library
from kb.index.engines.base import Document, Query

BATCH_ROWS = 500  # in memory at a time
WARM_UP_QUERIES = 5  # that are not timed, so that all code has run once
DOCUMENT_LABELS = ("audience=public", "status=published")


# What is measured on ------------------------------------------------------------


def describe_library(name: str, folder: Path) -> dict[str, Any]:
    """Write the documents and the queries of a library; return facts about them.

    `describe_s` are seconds of jieba, pinyin and the like, without reading.
    """
    import django

    django.setup()
    from kb.text.chinese import pinyin, tokenizer

    tokenizer.load_tokenizer_dictionaries()
    pinyin.load_pinyin_dictionaries()
    library = LIBRARIES[name]
    (spent, used), ids, terms = _describe_rows(library, folder)
    queries = _build_queries(library, ids)
    (folder / "queries").write_bytes(pickle.dumps(queries))
    asked = [query for query, _ in queries[1]]
    return {
        "entries": len(ids),
        "describe_s": round(spent, 1),
        "describe_cpu_s": round(used, 1),
        "terms_an_entry": round(terms / len(ids)),
        "queries": len(asked),
        "clauses_a_query": round(mean(len(query.clauses) for query in asked), 1),
        "postings_a_query": round(
            mean(len(list_posting_lists(query)) for query in asked), 1
        ),
    }


def _describe_rows(
    library: Library, folder: Path
) -> tuple[tuple[float, float], list[str], int]:
    from kb.language import vocabulary

    vocabulary.load_starter_lexicon()  # the tokenizer learns its words
    ids: list[str] = []
    spent, used, terms = 0.0, 0.0, 0
    rows = library.rows()
    with (folder / "documents").open("wb") as file:
        while batch := list(islice(rows, BATCH_ROWS)):
            made, took = time_call(partial(_build_documents, len(ids), batch))
            spent, used = spent + took.ms / 1000, used + took.cpu_ms / 1000
            pickle.dump(made, file)
            ids += [row["id"] for row in batch]
            terms += sum(len(t) for d in made for t in d.terms.values())
    return (spent, used), ids, terms


def _build_documents(first: int, batch: list[dict[str, Any]]) -> list[Document]:

    from kb.index import documents

    return [
        documents.make_document(place, _list_texts(row), DOCUMENT_LABELS)
        for place, row in enumerate(batch, first)
    ]


def _list_texts(row: dict[str, Any]) -> dict[str, list[str]]:
    return {
        "question": [row["question"]],
        "phrasings": row.get("similar") or [],
        "answer": [row.get("answer") or ""],
    }


def _build_queries(
    library: Library, ids: list[str]
) -> tuple[list[Query], list[tuple[Query, list[int]]]]:
    """Return queries to warm up with, and those to time with the ids that answer."""
    from kb import search
    from kb.language import vocabulary

    lexicon = vocabulary.load_starter_lexicon()
    places = {id: place for place, id in enumerate(ids)}
    labels = tuple(frozenset({label}) for label in DOCUMENT_LABELS)
    made = []
    for words, relevant in library.load_queries(ids):
        clauses = search.build_clauses(search.analyze_query(words, lexicon).terms)
        if clauses:
            query = Query(
                clauses, search.PUBLIC_FIELD_GROUPS, labels, search.MAX_RESULTS
            )
            made.append((query, [places[id] for id in relevant]))
    warm = min(WARM_UP_QUERIES, len(made) // 2)
    return [query for query, _ in made[:warm]], made[warm:]


# Build -----------------------------------------------------------------------------


class DocumentFeed:
    """The documents of a library, read from a file one batch after another.

    Reading took `spent` seconds by the clock, and `used` seconds of the processor in
    this thread: an engine may work in others meanwhile.
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


def build_index(name: str, folder: Path) -> dict[str, Any]:
    """Build the index of one engine; its seconds are without reading the documents."""
    place = folder / name
    place.mkdir()
    contender = CONTENDERS[name](place)
    feed = DocumentFeed(folder / "documents")
    began, used = time.perf_counter(), machine.get_processor_seconds()
    contender.build(feed)
    seconds = time.perf_counter() - began - feed.spent
    return {
        "build_s": round(seconds, 4),
        "build_cpu_s": round(machine.get_processor_seconds() - used - feed.used, 4),
        "entries_s": round(feed.count / max(seconds, 1e-9)),
        "build_peak_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024,
        "index_bytes": machine.sum_file_sizes(place),
        "settings": contender.settings(),
    }


# Answer ----------------------------------------------------------------------------


def answer_queries(name: str, folder: Path) -> None:
    """Read requests from standard input and print a line of JSON for each.

    A request is a list of query numbers, answered for each with ms to prepare and to
    search, by the clock, ms of the processor, and ids; or the word `memory`.
    """
    contender = CONTENDERS[name](folder / name)
    warm, asked = pickle.loads((folder / "queries").read_bytes())
    before = machine.measure_memory_mb()
    contender.open(warm)
    for query in warm:
        contender.search_top(contender.prepare_query(query))
    gc.collect()
    gc.freeze()
    _print_json({"opened": True})
    for line in sys.stdin:
        if line.strip() == "memory":
            _print_json(machine.measure_memory_mb() | {"before_mb": before["rss_mb"]})
        else:
            _print_json([_time_query(contender, asked[i][0]) for i in json.loads(line)])


def _time_query(contender: Contender, query: Query) -> dict[str, Any]:
    ready, made = time_call(lambda: contender.prepare_query(query))
    ids, took = time_call(lambda: contender.search_top(ready))
    return took._asdict() | {"made_ms": made.ms, "ids": ids}


def _print_json(what: Any) -> None:
    print(json.dumps(what), flush=True)


if __name__ == "__main__":
    action, name, folder_path = sys.argv[1:]
    if action == "answer":
        answer_queries(name, Path(folder_path))
    else:
        commands = {"describe": describe_library, "build": build_index}
        _print_json(commands[action](name, Path(folder_path)))
