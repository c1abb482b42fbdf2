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
LEARNED_FIELDS = (
    "picked",
    "picked_staff",
)  # words that led customers here, and colleagues
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
FORM_TERM_MARKS = "'~·"  # of terms that say how a text sounds, and of single characters
INDEX_FIELDS = (
    *TEXT_FIELDS,
    *(f"{text}{BIGRAM_SUFFIX}" for text in BIGRAM_TEXT_FIELDS),
)
INDEX_FORMAT_VERSION = (
    7  # raise it when documents or files change, so that old indexes are remade
)


class EngineUnavailableError(Exception):
    """The engine cannot answer now; nothing is lost, try again later."""


class EngineBusyError(EngineUnavailableError):
    """Another process holds the write lock."""


class RebuildRunningError(EngineBusyError):
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
        facts = (
            INDEX_FORMAT_VERSION,
            self.id,
            sorted(self.labels),
            sorted(self.terms.items()),
        )
        return hashlib.blake2b(repr(facts).encode(), digest_size=16).hexdigest()


@dataclass(frozen=True, slots=True)
class WeightedField:
    """What a match in a text is worth, and how strongly long texts are held back."""

    name: str
    boost: float
    b: float


@dataclass(frozen=True, slots=True, eq=False)  # a key of caches: one is itself
class FieldGroup:
    """Texts that are matched as if they were one, by BM25F.

    A term's frequencies in the texts are added, each times its field's weight
    over 1 − b + b · length / average length, before k1 lets repetition fade:
    the fifth mention says less than the first, wherever it stands. `weight` is
    what the group's score is worth beside those of others.
    """

    fields: tuple[WeightedField, ...]
    k1: float
    boost: float = 1.0


class Clause(NamedTuple):  # and no dataclass: it is hashed a thousand times a search
    """One term wanted: a word, or a pair of characters when `pair` is set."""

    term: str
    weight: float
    is_bigram: bool = False


@dataclass(frozen=True, slots=True)
class Query:
    """Any of `clauses` in any of `groups`, among documents with fitting labels.

    A document fits when it carries a label of each set in `labels`. It must
    match at least `minimum`, a share from 0 to 1, of the clauses' weight, as
    the first group tells.
    """

    clauses: tuple[Clause, ...]
    groups: tuple[FieldGroup, ...]
    labels: tuple[frozenset[str], ...]
    limit: int = 20
    min_match_share: float = 0.0

    @property
    def min_match_weight(self) -> float:
        """The weight that must match, less what sums of floats may lose."""
        return (
            self.min_match_share * sum(clause.weight for clause in self.clauses) - 1e-4
        )


@dataclass(frozen=True, slots=True)
class EngineHits:
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
class IndexChanges:
    """What a writer changes. `stamp` names the state of the index after it."""

    stamp: str = ""
    documents: list[Document] = field(default_factory=list)
    deleted_ids: set[int] = field(default_factory=set)


def return_unchanged(item: Any) -> Document:
    document: Document = item
    return document


def ignore_missed_ids(ids: set[int]) -> None:
    """What changes while an index is replaced is of no interest."""


class Engine(ABC):
    """An engine is a disposable copy: `replace` remakes it from the database.

    An engine that stores its index carries a stamp with every commit. It asks
    `is_known_stamp` before it answers or writes, and is unavailable when the
    stamp is strange: then an older copy was put back, or an older database.
    """

    is_stored = False
    is_known_stamp: Callable[[str], bool] = staticmethod(lambda stamp: True)

    def read_stamp(self) -> str | None:
        """Return the stamp of the last commit; None for an index that is not stored.

        Raises EngineUnavailable.
        """
        return None

    def verify_index(self) -> None:  # noqa: B027 - nothing is to be done in memory
        """Read what was stored since the last check; raises EngineUnavailable.

        It is cheap where nothing changed.
        """

    @abstractmethod
    def open_writer(self) -> AbstractContextManager[IndexChanges]:
        """Become the one writer, or raise EngineUnavailable after a short wait.

        Read the database inside the block: what is read while holding the pen
        can never be older than what the index holds. Leaving the block applies
        the changes, all or nothing; an exception discards them.
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
        """Swap in a whole new index; a search sees the old one or the new one.

        `describe` makes the document of an item; with more `processes` than one,
        items and it must be such as can be sent to another process. Changes go
        on meanwhile, in the old index, and the ids that they name are given to
        `missed` just before the swap: none may be lost after it. Raises what
        items or `describe` raise, and EngineUnavailable, when nothing changes.
        """

    @abstractmethod
    def search(self, query: Query) -> EngineHits:
        """Return the best matches. Raises EngineUnavailable, nothing else."""

    @abstractmethod
    def count_documents_per_clause(self, query: Query) -> tuple[int, ...]:
        """Return how many fitting documents hold each clause's term, by first group.

        What does not fit is not counted: a reader must not find out that a word
        is there in what he may not read. Raises EngineUnavailable, nothing else.
        """

    @abstractmethod
    def match_clauses(self, query: Query, ids: Sequence[int]) -> Mask:
        """Return which of `ids` match which clauses by the first group.

        Shaped [ids, clauses], in the order of both. What does not fit matches
        nothing. Raises EngineUnavailable, nothing else.
        """

    @abstractmethod
    def suggest_spellings(self, term: str) -> tuple[str, ...]:
        """Return words in Latin letters that `term` may be a slip of, nearest first.

        Words of what does not fit as well: ask `holding` before anybody is told.
        Raises EngineUnavailable, nothing else.
        """

    @abstractmethod
    def count_documents(self, labels: tuple[frozenset[str], ...]) -> int:
        """Return how many documents fit. Raises EngineUnavailable, nothing else."""

    @abstractmethod
    def load_digests(self) -> dict[int, str]:
        """Return {id: digest} of everything held."""


def resolve_field_name(text: str, term: str, *, pair: bool) -> str | None:
    """Return the name in FIELDS where `text` may hold `term`, None if nowhere.

    Terms with a mark of FORM_MARKS are in `forms`, all others elsewhere: half
    of what a query would look up in vain.
    """
    is_form = any(mark in term for mark in FORM_TERM_MARKS)
    return get_field_name(text, pair=pair) if is_form == (text == "forms") else None


def get_field_name(text: str, *, pair: bool) -> str | None:
    """Return the name in FIELDS for words or pairs of `text`, None if it has none."""
    if not pair:
        return text
    return f"{text}{BIGRAM_SUFFIX}" if text in BIGRAM_TEXT_FIELDS else None


@lru_cache(maxsize=10_000)  # most counts are small
def compute_idf(documents: int, holding: int) -> float:
    """Return the weight of a term by rarity: ln(1 + (N − n + ½) / (n + ½))."""
    return math.log1p(_compute_odds(documents, holding))


def compute_idfs(
    documents: int, holding: npt.NDArray[np.int64]
) -> npt.NDArray[np.float64]:
    """Return the weights of many terms, as `idf` does of one."""
    weights: npt.NDArray[np.float64] = np.log1p(_compute_odds(documents, holding))
    return weights


def _compute_odds(documents: int, holding: Any) -> Any:
    """Return how many documents lack a term for each that holds it; of many, an array."""
    return (documents - holding + 0.5) / (holding + 0.5)
