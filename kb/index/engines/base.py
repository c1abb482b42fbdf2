"""The search port: the contract of every engine, in terms that belong to none."""

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

# Fields of a document. Texts are indexed as words, and most also as bigrams of Han
# characters, in a field of their own with BIGRAM_SUFFIX.
# Searches after which customers, and agents, picked the entry:
LEARNED_FIELDS = ("picked", "picked_staff")
TEXT_FIELDS = (
    "keywords",
    "question",
    "phrasings",
    "replies",
    "answer",
    "forms",
    *LEARNED_FIELDS,
)
BIGRAM_TEXT_FIELDS = ("question", "phrasings", "replies", "answer", *LEARNED_FIELDS)
BIGRAM_SUFFIX = "_pairs"
FORM_TERM_MARKS = "'~·"  # characters in terms of `forms`: sounds, initials, single ones
INDEX_FIELDS = (
    *TEXT_FIELDS,
    *(f"{text}{BIGRAM_SUFFIX}" for text in BIGRAM_TEXT_FIELDS),
)
# Raise it when documents or files change: an index of another version is rebuilt.
INDEX_FORMAT_VERSION = 7


class EngineUnavailableError(Exception):
    """The engine cannot answer now; nothing is lost, and a later call may succeed."""


class EngineBusyError(EngineUnavailableError):
    """Another process holds the write lock."""


class RebuildRunningError(EngineBusyError):
    """Another process is rebuilding the index."""


@dataclass(frozen=True, slots=True)
class Document:
    """All that an engine stores of an entry: labels to filter on, terms to match.

    `terms` maps names in INDEX_FIELDS to terms in order, duplicates included.
    Neither terms nor labels contain a space.
    """

    id: int
    labels: frozenset[str] = frozenset()
    terms: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    @property
    def digest(self) -> str:
        """Changes whenever the entry, its analysis, or this class changes."""
        facts = (
            INDEX_FORMAT_VERSION,
            self.id,
            sorted(self.labels),
            sorted(self.terms.items()),
        )
        return hashlib.blake2b(repr(facts).encode(), digest_size=16).hexdigest()


@dataclass(frozen=True, slots=True)
class WeightedField:
    """A field's factor of the term frequency, and its length normalization b, 0 to 1."""

    name: str
    boost: float
    b: float


@dataclass(frozen=True, slots=True, eq=False)  # a key of caches, by identity
class FieldGroup:
    """Fields that are matched as one text, by BM25F.

    The frequency of a term is the sum over fields of
    boost · frequency / (1 − b + b · length / average length); k1 saturates that sum,
    so that a fifth mention adds less than the first. `boost` is the factor of the
    group's score beside those of other groups.

    Source: S. Robertson, H. Zaragoza, M. Taylor, Simple BM25 Extension to Multiple
    Weighted Fields, CIKM 2004.
    """

    fields: tuple[WeightedField, ...]
    k1: float
    boost: float = 1.0


class Clause(NamedTuple):  # a dataclass hashes more slowly, a thousand times a search
    """One term of a query: a word, or a bigram of characters."""

    term: str
    weight: float
    is_bigram: bool = False


@dataclass(frozen=True, slots=True)
class Query:
    """Any of `clauses` in any of `groups`, among documents that fit `labels`.

    A document fits when it carries at least one label of each set. To be a hit it
    must match at least `min_match_share`, 0 to 1, of the sum of the clauses' weights
    in the first group.
    """

    clauses: tuple[Clause, ...]
    groups: tuple[FieldGroup, ...]
    labels: tuple[frozenset[str], ...]
    limit: int = 20
    min_match_share: float = 0.0

    @property
    def min_match_weight(self) -> float:
        """The weight that must match, less a margin for rounding in sums of floats."""
        return (
            self.min_match_share * sum(clause.weight for clause in self.clauses) - 1e-4
        )


@dataclass(frozen=True, slots=True)
class EngineHits:
    """The ids and scores of the best documents, best first, and the count of all hits.

    A score is the sum over clauses and groups of
    clause.weight · group.boost · idf · tf · (k1 + 1) / (tf + k1),
    with tf as FieldGroup defines it and idf of the fitting documents alone: scores
    must not reveal documents that the reader may not see. Equal scores are ordered
    by id.
    """

    ids: tuple[int, ...] = ()
    scores: tuple[float, ...] = ()
    total: int = 0


@dataclass(slots=True)
class IndexChanges:
    """The changes of one commit. `stamp` names the state of the index after it."""

    stamp: str = ""
    documents: list[Document] = field(default_factory=list)
    deleted_ids: set[int] = field(default_factory=set)


def return_unchanged(item: Any) -> Document:
    """The default of `replace_index`, whose items are documents already."""
    document: Document = item
    return document


def ignore_missed_ids(ids: set[int]) -> None:
    """The default of `replace_index`, for callers without concurrent changes."""


class Engine(ABC):
    """A disposable copy of the library: `replace_index` builds it from the database.

    An engine that stores its index carries a stamp with every commit. It calls
    `is_known_stamp` before it answers or writes, and is unavailable when the stamp is
    unknown: then an older copy of the index or of the database was restored.
    """

    is_stored = False
    is_known_stamp: Callable[[str], bool] = staticmethod(lambda stamp: True)

    def read_stamp(self) -> str | None:
        """Return the stamp of the last commit; None for an index that is not stored.

        Raises EngineUnavailableError.
        """
        return None

    def verify_index(self) -> None:  # noqa: B027 - an index in memory needs none
        """Verify checksums of files written since the last call, cheaply where none were.

        Raises EngineUnavailableError when one is damaged.
        """

    @abstractmethod
    def open_writer(self) -> AbstractContextManager[IndexChanges]:
        """Hold the write lock and yield changes; leaving the block commits them.

        The commit is atomic; an exception in the block discards the changes. Read the
        database inside the block: what is read under the lock cannot be older than the
        index. Raises EngineUnavailableError after a short wait for another writer.
        """

    @abstractmethod
    def replace_index(
        self,
        items: Iterable[Any],
        describe: Callable[[Any], Document] = return_unchanged,
        *,
        missed: Callable[[set[int]], None] = ignore_missed_ids,
        processes: int = 1,
        stamp: str = "",
    ) -> None:
        """Build a new index and swap it in; a search sees the old one or the new one.

        `describe` returns the document of an item; with more than one of `processes`,
        it and the items must be picklable. Commits to the old index go on meanwhile;
        `missed` gets the ids that they changed just before the swap, and must see to
        it that none is lost. Raises what items or `describe` raise, and
        EngineUnavailableError; the old index stays then.
        """

    @abstractmethod
    def search(self, query: Query) -> EngineHits:
        """Return the best matches. Raises EngineUnavailableError, nothing else."""

    @abstractmethod
    def count_documents_per_clause(self, query: Query) -> tuple[int, ...]:
        """Return the document frequency of each clause's term in the first group.

        Only fitting documents count: a reader must not learn that a word occurs in
        what they may not read. Raises EngineUnavailableError, nothing else.
        """

    @abstractmethod
    def match_clauses(self, query: Query, ids: Sequence[int]) -> Mask:
        """Return [ids, clauses] bool: which of `ids` match which clauses.

        Only the first group counts, and rows of documents that do not fit are False.
        Raises EngineUnavailableError, nothing else.
        """

    @abstractmethod
    def suggest_spellings(self, term: str) -> tuple[str, ...]:
        """Return indexed words in Latin letters that `term` may misspell, nearest first.

        They are of all documents: call `count_documents_per_clause` before a reader
        sees one. Raises EngineUnavailableError, nothing else.
        """

    @abstractmethod
    def count_documents(self, labels: tuple[frozenset[str], ...]) -> int:
        """Return how many documents fit. Raises EngineUnavailableError, nothing else."""

    @abstractmethod
    def load_digests(self) -> dict[int, str]:
        """Return {id: digest} of all documents. Raises EngineUnavailableError."""


def resolve_field_name(text: str, term: str, *, pair: bool) -> str | None:
    """Return the name in INDEX_FIELDS where `text` may hold `term`, None if nowhere.

    Terms with a mark of FORM_TERM_MARKS are in `forms` only, all others elsewhere:
    that saves half of a query's lookups.
    """
    is_form = any(mark in term for mark in FORM_TERM_MARKS)
    return get_field_name(text, pair=pair) if is_form == (text == "forms") else None


def get_field_name(text: str, *, pair: bool) -> str | None:
    """Return the name in INDEX_FIELDS for words or bigrams of `text`, None without one."""
    if not pair:
        return text
    return f"{text}{BIGRAM_SUFFIX}" if text in BIGRAM_TEXT_FIELDS else None


@lru_cache(maxsize=10_000)  # most document frequencies are small
def compute_idf(documents: int, holding: int) -> float:
    """Return the idf of a term: ln(1 + (N − n + ½) / (n + ½)), never below 0.

    `documents` is N, `holding` is n, the document frequency. Source: S. Robertson and
    H. Zaragoza, The Probabilistic Relevance Framework: BM25 and Beyond (2009), with
    the 1 that Lucene adds so that common terms do not count against a document.
    """
    return math.log1p(_compute_odds(documents, holding))


def compute_idfs(
    documents: int, holding: npt.NDArray[np.int64]
) -> npt.NDArray[np.float64]:
    """Return [terms] float64 idf of document frequencies [terms], as compute_idf does."""
    weights: npt.NDArray[np.float64] = np.log1p(_compute_odds(documents, holding))
    return weights


def _compute_odds(documents: int, holding: Any) -> Any:
    """Return documents without a term per document with it, smoothed by ½."""
    return (documents - holding + 0.5) / (holding + 0.5)
