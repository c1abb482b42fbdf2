"""The search port: what every engine must do, in words no engine owns."""

from __future__ import annotations

import hashlib
import math
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

Mask = npt.NDArray[np.bool_]

# What a document may hold. Texts are indexed as words, and most as pairs of Han
# characters too, in a field of their own.
LEARNED = ("picked", "picked_staff")  # words that led customers here, and colleagues
TEXTS = ("keywords", "question", "phrasings", "replies", "answer", "forms", *LEARNED)
IN_PAIRS = ("question", "phrasings", "replies", "answer", *LEARNED)
PAIRS = "_pairs"
FORM_MARKS = "'~·"  # of terms that say how a text sounds, and of single characters
FIELDS = (*TEXTS, *(f"{text}{PAIRS}" for text in IN_PAIRS))
FORMAT = 6  # raise it when documents or files change, so that old indexes are remade


class EngineUnavailable(Exception):
    """The engine cannot answer now; nothing is lost, try again later."""


class EngineBusy(EngineUnavailable):
    """Another process holds the write lock."""


class RebuildRunning(EngineBusy):
    """Another process is rebuilding the index."""


@dataclass(frozen=True, slots=True)
class Document:
    """All an engine may know of an entry: labels to filter on, terms to match.

    `terms` maps names in FIELDS to terms in order, duplicates kept. No term
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
class Field:
    """What a match in a text is worth, and how strongly long texts are held back."""

    text: str
    weight: float
    b: float


@dataclass(frozen=True, slots=True, eq=False)  # a key of caches: one is itself
class Group:
    """Texts that are matched as if they were one, by BM25F.

    A term's frequencies in the texts are added, each times its field's weight
    over 1 − b + b · length / average length, before k1 lets repetition fade:
    the fifth mention says less than the first, wherever it stands. `weight` is
    what the group's score is worth beside those of others.
    """

    fields: tuple[Field, ...]
    k1: float
    weight: float = 1.0


class Clause(NamedTuple):  # and no dataclass: it is hashed a thousand times a search
    """One term wanted: a word, or a pair of characters when `pair` is set."""

    term: str
    weight: float
    pair: bool = False


@dataclass(frozen=True, slots=True)
class Query:
    """Any of `clauses` in any of `groups`, among documents with fitting labels.

    A document fits when it carries a label of each set in `labels`. It must
    match at least `minimum`, a share from 0 to 1, of the clauses' weight, as
    the first group tells.
    """

    clauses: tuple[Clause, ...]
    groups: tuple[Group, ...]
    labels: tuple[frozenset[str], ...]
    limit: int = 20
    minimum: float = 0.0

    @property
    def floor(self) -> float:
        """The weight that must match, less what sums of floats may lose."""
        return self.minimum * sum(clause.weight for clause in self.clauses) - 1e-4


@dataclass(frozen=True, slots=True)
class Hits:
    """The best documents, best first, and how many there are in all.

    A score is the sum over clauses and groups of
    clause.weight · group.weight · idf · tf · (k1 + 1) / (tf + k1)
    with tf as Group says and idf by the fitting documents that hold the term in
    the group: what does not fit must not be told by scores. Equal scores stand in order of id. Source: Robertson, Zaragoza and
    Taylor, Simple BM25 Extension to Multiple Weighted Fields (2004).
    """

    ids: tuple[int, ...] = ()
    scores: tuple[float, ...] = ()
    total: int = 0


@dataclass(slots=True)
class Changes:
    """What a writer changes. `stamp` names the state of the index after it."""

    stamp: str = ""
    put: list[Document] = field(default_factory=list)
    forget: set[int] = field(default_factory=set)


def as_it_is(item: Any) -> Document:
    document: Document = item
    return document


def nothing_missed(ids: set[int]) -> None:
    """What changes while an index is replaced is of no interest."""


class Engine(ABC):
    """An engine is a disposable copy: `replace` remakes it from the database.

    An engine that stores its index carries a stamp with every commit. It asks
    `is_known_stamp` before it answers or writes, and is unavailable when the
    stamp is strange: then an older copy was put back, or an older database.
    """

    is_stored = False
    is_known_stamp: Callable[[str], bool] = staticmethod(lambda stamp: True)

    def stamp(self) -> str | None:
        """Return the stamp of the last commit; None for an index that is not stored.

        Raises EngineUnavailable.
        """
        return None

    def check(self) -> None:  # noqa: B027 - nothing is to be done in memory
        """Read what was stored since the last check; raises EngineUnavailable.

        It is cheap where nothing changed.
        """

    @abstractmethod
    def writing(self) -> AbstractContextManager[Changes]:
        """Become the one writer, or raise EngineUnavailable after a short wait.

        Read the database inside the block: what is read while holding the pen
        can never be older than what the index holds. Leaving the block applies
        the changes, all or nothing; an exception discards them.
        """

    @abstractmethod
    def replace(
        self,
        items: Iterable[Any],
        describe: Callable[[Any], Document] = as_it_is,
        *,
        missed: Callable[[set[int]], None] = nothing_missed,
        processes: int = 1,
        stamp: str = "",
    ) -> None:
        """Swap in a whole new index; a search sees the old one or the new one.

        `describe` makes the document of an item; with more `processes` than one,
        items and it must be such as can be sent to another process. Changes go
        on meanwhile, in the old index, and the ids that they name are given to
        `missed` just before the swap: none may be lost after it. Raises what
        items or `describe` raise, and EngineUnavailable, when nothing changes.
        """

    @abstractmethod
    def search(self, query: Query) -> Hits:
        """Return the best matches. Raises EngineUnavailable, nothing else."""

    @abstractmethod
    def holding(self, query: Query) -> tuple[int, ...]:
        """Return how many fitting documents hold each clause's term, by first group.

        What does not fit is not counted: a reader must not find out that a word
        is there in what he may not read. Raises EngineUnavailable, nothing else.
        """

    @abstractmethod
    def matched(self, query: Query, ids: Sequence[int]) -> Mask:
        """Return which of `ids` match which clauses by the first group.

        Shaped [ids, clauses], in the order of both. What does not fit matches
        nothing. Raises EngineUnavailable, nothing else.
        """

    @abstractmethod
    def alike(self, term: str) -> tuple[str, ...]:
        """Return words in Latin letters that `term` may be a slip of, nearest first.

        Words of what does not fit as well: ask `holding` before anybody is told.
        Raises EngineUnavailable, nothing else.
        """

    @abstractmethod
    def count(self, labels: tuple[frozenset[str], ...]) -> int:
        """Return how many documents fit. Raises EngineUnavailable, nothing else."""

    @abstractmethod
    def digests(self) -> dict[int, str]:
        """Return {id: digest} of everything held."""


def holder(text: str, term: str, *, pair: bool) -> str | None:
    """Return the name in FIELDS where `text` may hold `term`, None if nowhere.

    Terms with a mark of FORM_MARKS are in `forms`, all others elsewhere: half
    of what a query would look up in vain.
    """
    is_form = any(mark in term for mark in FORM_MARKS)
    return field_name(text, pair=pair) if is_form == (text == "forms") else None


def field_name(text: str, *, pair: bool) -> str | None:
    """Return the name in FIELDS for words or pairs of `text`, None if it has none."""
    if not pair:
        return text
    return f"{text}{PAIRS}" if text in IN_PAIRS else None


@lru_cache(maxsize=10_000)  # most counts are small
def idf(documents: int, holding: int) -> float:
    """Return the weight of a term by rarity: ln(1 + (N − n + ½) / (n + ½))."""
    return math.log1p(_odds(documents, holding))


def idfs(documents: int, holding: npt.NDArray[np.int64]) -> npt.NDArray[np.float64]:
    """Return the weights of many terms, as `idf` does of one."""
    weights: npt.NDArray[np.float64] = np.log1p(_odds(documents, holding))
    return weights


def _odds(documents: int, holding: Any) -> Any:
    """Return how many documents lack a term for each that holds it; of many, an array."""
    return (documents - holding + 0.5) / (holding + 0.5)
