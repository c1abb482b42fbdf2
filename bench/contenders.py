"""The engines that are compared, each with the same terms in the same fields."""

from __future__ import annotations

import pickle
import sqlite3
from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any, ClassVar

from kb.index.engines.base import (
    BIGRAM_SUFFIX,
    INDEX_FIELDS,
    Document,
    Engine,
    Query,
    resolve_field_name,
)

WANTED_HITS = 10  # hits of a query
WRITER_HEAP_MB = 256  # that a writer may use before it writes a segment


class Contender(ABC):
    """One engine in `folder`: built once, then opened and searched by another process."""

    name: ClassVar[str]
    needs: ClassVar[str] = ""  # a module that must be installed
    note: ClassVar[str]

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    @classmethod
    def is_available(cls) -> bool:
        return not cls.needs or find_spec(cls.needs) is not None

    def settings(self) -> dict[str, Any]:
        """Return the settings of the engine, for the report."""
        return {"heap_mb": WRITER_HEAP_MB}

    @abstractmethod
    def build(self, documents: Iterable[Document]) -> None:
        """Write an index of `documents`, as compact as the engine makes it."""

    @abstractmethod
    def open(self, queries: Sequence[Query]) -> None:
        """Open the index for queries like these, which all have the same field groups."""

    @abstractmethod
    def prepare_query(self, query: Query) -> Any:
        """Return `query` in the engine's own form; timed apart from the search."""

    @abstractmethod
    def search_top(self, ready: Any) -> tuple[int, ...]:
        """Return the ids of the best hits, best first."""


class OwnEngine(Contender):
    name = "ours"
    note = "the site's engine, through its port, with the site's filter on labels"

    def build(self, documents: Iterable[Document]) -> None:
        self._engine().replace_index(documents)

    def open(self, queries: Sequence[Query]) -> None:
        self.engine = self._engine()

    def prepare_query(self, query: Query) -> Query:
        return Query(query.clauses, query.groups, query.labels, WANTED_HITS)

    def search_top(self, ready: Query) -> tuple[int, ...]:
        return self.engine.search(ready).ids

    def settings(self) -> dict[str, Any]:
        from django.conf import settings

        return {k: v for k, v in settings.KB_ENGINE.items() if k != "PATH"}

    def _engine(self) -> Engine:
        from django.conf import settings

        from kb.index.engines import make_engine

        return make_engine({**settings.KB_ENGINE, "PATH": self.folder})


class Whoosh(Contender):
    name = "Whoosh"
    note = "Whoosh's own BM25F, a query built from terms, no filter"

    def build(self, documents: Iterable[Document]) -> None:
        from whoosh.analysis import SpaceSeparatedTokenizer
        from whoosh.fields import STORED, TEXT, Schema
        from whoosh.index import create_in

        text = TEXT(analyzer=SpaceSeparatedTokenizer(), phrase=False)
        schema = Schema(id=STORED, **dict.fromkeys(INDEX_FIELDS, text))
        with create_in(self.folder, schema).writer(limitmb=WRITER_HEAP_MB) as writer:
            for document in documents:
                writer.add_document(id=document.id, **join_terms(document))

    def open(self, queries: Sequence[Query]) -> None:
        from whoosh.index import open_dir
        from whoosh.scoring import BM25F

        group = queries[0].groups[0]
        bs = {f"{field.name}_B": field.b for field in group.fields}
        weighting = BM25F(K1=group.k1, **bs)
        self.searcher = open_dir(self.folder).searcher(weighting=weighting)

    def prepare_query(self, query: Query) -> Any:
        from whoosh.query import Or, Term

        return Or(
            [Term(name, term, boost=w) for name, term, w in list_posting_lists(query)]
        )

    def search_top(self, ready: Any) -> tuple[int, ...]:
        hits = self.searcher.search(ready, limit=WANTED_HITS, scored=True)
        return tuple(hit["id"] for hit in hits)


class Fts5(Contender):
    name = "FTS5"
    note = "SQLite FTS5, bm25() with column weights; it cannot weigh terms; no filter"

    def build(self, documents: Iterable[Document]) -> None:
        """Index each term as the letters of its number, which no tokenizer changes."""
        numbers: dict[str, str] = {}
        with self._connect() as base:
            columns = ", ".join(INDEX_FIELDS)
            base.execute(
                f"CREATE VIRTUAL TABLE texts USING fts5"
                f"({columns}, content='', tokenize='ascii')"
            )
            places = ", ".join("?" * (len(INDEX_FIELDS) + 1))
            base.executemany(
                f"INSERT INTO texts(rowid, {columns}) VALUES ({places})",
                self._rows(documents, numbers),
            )
            base.execute("INSERT INTO texts(texts) VALUES ('optimize')")
        (self.folder / "numbers").write_bytes(pickle.dumps(numbers))

    def open(self, queries: Sequence[Query]) -> None:
        self.numbers = pickle.loads((self.folder / "numbers").read_bytes())
        self.base = self._connect()
        weights = compute_column_weights(queries)
        rank = ", ".join(str(weights.get(name, 0.0)) for name in INDEX_FIELDS)
        self.base.execute(
            "INSERT INTO texts(texts, rank) VALUES ('rank', ?)", [f"bm25({rank})"]
        )

    def prepare_query(self, query: Query) -> str:
        columns: dict[str, list[str]] = {}
        for clause in query.clauses:
            if number := self.numbers.get(clause.term):
                names = " ".join(
                    sorted(find_field_weights(query, clause.term, clause.is_bigram))
                )
                columns.setdefault(names, []).append(number)
        return " OR ".join(f"{{{n}}} : ({' OR '.join(t)})" for n, t in columns.items())

    def search_top(self, ready: str) -> tuple[int, ...]:
        if not ready:
            return ()
        rows = self.base.execute(
            "SELECT rowid FROM texts WHERE texts MATCH ? ORDER BY rank LIMIT ?",
            [ready, WANTED_HITS],
        )
        return tuple(id for (id,) in rows)

    def settings(self) -> dict[str, Any]:
        return {"sqlite": sqlite3.sqlite_version, "cache_mb": WRITER_HEAP_MB}

    def _connect(self) -> sqlite3.Connection:
        base = sqlite3.connect(self.folder / "fts5.sqlite3")
        base.execute("PRAGMA synchronous=NORMAL")
        base.execute(f"PRAGMA cache_size=-{WRITER_HEAP_MB * 1024}")
        base.execute(f"PRAGMA mmap_size={1 << 32}")
        return base

    def _rows(
        self, documents: Iterable[Document], numbers: dict[str, str]
    ) -> Iterator[list[Any]]:
        for document in documents:
            row: list[Any] = [document.id]
            for name in INDEX_FIELDS:
                terms = document.terms.get(name, ())
                row.append(
                    " ".join(
                        numbers.setdefault(t, encode_number(len(numbers)))
                        for t in terms
                    )
                )
            yield row


class Tantivy(Contender):
    name = "tantivy"
    needs = "tantivy"
    note = "tantivy (Rust), boosted terms in one flat boolean query, no filter"

    def build(self, documents: Iterable[Document]) -> None:
        import tantivy

        schema = tantivy.SchemaBuilder().add_unsigned_field("id", fast=True)
        for name in INDEX_FIELDS:
            schema.add_text_field(name, tokenizer_name="terms", index_option="freq")
        index = self._with_terms(tantivy.Index(schema.build(), path=str(self.folder)))
        # One thread writes fewer segments than two, and those are searched faster.
        writer = index.writer(WRITER_HEAP_MB << 20, 1)
        for document in documents:
            made = tantivy.Document()
            made.add_unsigned("id", document.id)
            for name, text in join_terms(document).items():
                made.add_text(name, text)
            writer.add_document(made)
        writer.commit()
        writer.wait_merging_threads()

    def open(self, queries: Sequence[Query]) -> None:
        import tantivy

        self.index = self._with_terms(tantivy.Index.open(str(self.folder)))
        self.searcher = self.index.searcher()

    def prepare_query(self, query: Query) -> Any:
        from tantivy import Occur
        from tantivy import Query as Of

        schema = self.index.schema
        return Of.boolean_query(
            [
                (Occur.Should, Of.boost_query(Of.term_query(schema, f, t, "freq"), w))
                for f, t, w in list_posting_lists(query)
            ]
        )

    def search_top(self, ready: Any) -> tuple[int, ...]:
        found = self.searcher.search(ready, WANTED_HITS, count=False).hits
        places = [place for _, place in found]
        return tuple(self.searcher.fast_field_values("id", places))

    def _with_terms(self, index: Any) -> Any:
        import tantivy

        whitespace = tantivy.Tokenizer.whitespace()
        analyzer = tantivy.TextAnalyzerBuilder(whitespace).build()
        index.register_tokenizer("terms", analyzer)
        return index


CONTENDERS: dict[str, type[Contender]] = {
    one.name: one for one in (OwnEngine, Tantivy, Fts5, Whoosh)
}


def join_terms(document: Document) -> dict[str, str]:
    return {name: " ".join(terms) for name, terms in document.terms.items()}


def encode_number(number: int) -> str:
    """Return `number` in base 26, written from a to z."""
    found = ""
    while number >= 0:
        number, rest = divmod(number, 26)
        found += chr(ord("a") + rest)
        number -= 1
    return found


def sum_text_boosts(query: Query) -> dict[str, float]:
    """Return {text: sum over groups of boosts}."""
    weights: dict[str, float] = {}
    for group in query.groups:
        for field in group.fields:
            worth = group.boost * field.boost
            weights[field.name] = weights.get(field.name, 0.0) + worth
    return weights


def find_field_weights(query: Query, term: str, pair: bool) -> dict[str, float]:
    """Return {field: weight} of the fields in which `term` is searched."""
    weights = sum_text_boosts(query)
    named = (
        (resolve_field_name(text, term, pair=pair), w) for text, w in weights.items()
    )
    return {name: weight for name, weight in named if name}


def list_posting_lists(query: Query) -> list[tuple[str, str, float]]:
    """Return (field, term, weight) of every posting list of a query."""
    return [
        (name, clause.term, clause.weight * weight)
        for clause in query.clauses
        for name, weight in find_field_weights(
            query, clause.term, clause.is_bigram
        ).items()
    ]


def compute_column_weights(queries: Sequence[Query]) -> dict[str, float]:
    """Return {field: weight}; bigram fields get that of the heaviest bigram."""
    pairs = [c.weight for query in queries for c in query.clauses if c.is_bigram]
    worth = max(pairs, default=1.0)
    weights = sum_text_boosts(queries[0])
    paired = {
        f"{text}{BIGRAM_SUFFIX}": worth * weight for text, weight in weights.items()
    }
    return weights | {name: w for name, w in paired.items() if name in INDEX_FIELDS}
