"""The search port: what every engine must do, in words no engine owns."""

from __future__ import annotations

import hashlib
import math
from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field

# Searchable field: its b of BM25, how strongly long texts are held back.
FIELDS: Mapping[str, float] = {
    "keywords": 0.0,
    "question": 0.6,
    "question_grams": 0.6,
    "phrasings": 0.6,
    "phrasings_grams": 0.6,
    "replies": 0.5,
    "replies_grams": 0.5,
    "answer": 0.5,
    "answer_grams": 0.5,
}
K1 = 1.2  # of BM25: how soon repeating a term stops to count
FORMAT = 1  # raise it when documents or files change, so that old indexes are remade


class EngineUnavailable(Exception):
    """The engine cannot answer now; nothing is lost, try again later."""


@dataclass(frozen=True, slots=True)
class Document:
    """All an engine may know of an entry: labels to filter on, terms to match.

    `terms` maps names of FIELDS to terms in order, duplicates kept. No term
    and no label holds a space.
    """

    id: int
    labels: frozenset[str] = frozenset()
    terms: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    @property
    def digest(self) -> str:
        """Changes whenever the entry, its analysis, or this class changes."""
        facts = (FORMAT, self.id, sorted(self.labels), sorted(self.terms.items()))
        return hashlib.blake2b(repr(facts).encode(), digest_size=16).hexdigest()


@dataclass(frozen=True, slots=True)
class Clause:
    """One term wanted in one field, with the weight of its match."""

    field: str
    term: str
    weight: float


@dataclass(frozen=True, slots=True)
class Query:
    """Any of `clauses`, among documents with a label of each group of `labels`."""

    clauses: tuple[Clause, ...]
    labels: tuple[frozenset[str], ...]
    limit: int = 20


@dataclass(frozen=True, slots=True)
class Hits:
    """The best documents, best first, and how many there are in all.

    A score is the sum over the query's clauses of weight · BM25(term in field);
    equal scores stand in order of id.
    """

    ids: tuple[int, ...] = ()
    scores: tuple[float, ...] = ()
    total: int = 0


@dataclass(slots=True)
class Changes:
    put: list[Document] = field(default_factory=list)
    forget: set[int] = field(default_factory=set)


class Engine(ABC):
    """An engine is a disposable copy: `replace` remakes it from the database."""

    @abstractmethod
    def writing(self) -> AbstractContextManager[Changes]:
        """Become the one writer, or raise EngineUnavailable after a short wait.

        Read the database inside the block: what is read while holding the pen
        can never be older than what the index holds. Leaving the block applies
        the changes, all or nothing; an exception discards them.
        """

    @abstractmethod
    def replace(self, documents: Iterable[Document]) -> None:
        """Swap in a whole new index; a search sees the old one or the new one.

        Holds the pen from the first document to the swap.
        """

    @abstractmethod
    def search(self, query: Query) -> Hits:
        """Return the best matches. Raises EngineUnavailable, nothing else."""

    @abstractmethod
    def digests(self) -> dict[int, str]:
        """Return {id: digest} of everything held."""


def idf(documents: int, holding: int) -> float:
    """Return the weight of a term by rarity: ln(1 + (N − n + ½) / (n + ½)).

    Robertson and Zaragoza, The Probabilistic Relevance Framework (2009), in the
    form that never falls below zero.
    """
    return math.log(1 + (documents - holding + 0.5) / (holding + 0.5))
