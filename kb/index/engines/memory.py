"""The reference engine: documents in a dict, for tests and small trials."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np

from kb.index.engines.base import (
    Clause,
    Document,
    Engine,
    EngineHits,
    FieldGroup,
    IndexChanges,
    Mask,
    Query,
    compute_idf,
    ignore_missed_ids,
    resolve_field_name,
    return_unchanged,
)
from kb.index.engines.spelling import LATIN_WORD_PATTERN, find_spellings


class MemoryEngine(Engine):
    """BM25F written as its formula, slowly; every other engine must return the same.

    The formula is in EngineHits and FieldGroup of `base`.
    """

    def __init__(self) -> None:
        self.documents: dict[int, Document] = {}
        self.changed_ids: set[int] = set()  # since the last rebuild started

    @contextmanager
    def open_writer(self) -> Iterator[IndexChanges]:
        changes = IndexChanges()
        yield changes
        self.changed_ids |= changes.deleted_ids | {d.id for d in changes.documents}
        self.documents |= {d.id: d for d in changes.documents}
        for id in changes.deleted_ids:
            self.documents.pop(id, None)

    def replace_index(
        self,
        items: Iterable[Any],
        describe: Callable[[Any], Document] = return_unchanged,
        *,
        missed: Callable[[set[int]], None] = ignore_missed_ids,
        processes: int = 1,
        stamp: str = "",
    ) -> None:
        self.changed_ids.clear()
        documents = {d.id: d for d in map(describe, items)}
        missed(set(self.changed_ids))
        self.documents = documents

    def search(self, query: Query) -> EngineHits:
        fitting = self._filter_ids(query.labels)
        scores: Counter[int] = Counter()
        matched: Counter[int] = Counter()
        for clause in query.clauses:
            for group in query.groups:
                for id, impact in self._compute_impacts(clause, group, fitting).items():
                    scores[id] += clause.weight * impact  # type: ignore[assignment]
            for id in self._compute_impacts(clause, query.groups[0], fitting):
                matched[id] += clause.weight  # type: ignore[assignment]
        hits = [i for i in scores if matched[i] >= query.min_match_weight]
        best = sorted(hits, key=lambda i: (-scores[i], i))[: query.limit]
        return EngineHits(tuple(best), tuple(scores[i] for i in best), len(hits))

    def count_documents_per_clause(self, query: Query) -> tuple[int, ...]:
        fitting = self._filter_ids(query.labels)
        return tuple(
            len(self._compute_impacts(c, query.groups[0], fitting))
            for c in query.clauses
        )

    def match_clauses(self, query: Query, ids: Sequence[int]) -> Mask:
        fitting = self._filter_ids(query.labels) & set(ids)
        columns = [
            self._compute_impacts(c, query.groups[0], fitting) for c in query.clauses
        ]
        rows = [[id in impacts for impacts in columns] for id in ids]
        return np.array(rows, np.bool_).reshape(len(ids), len(columns))

    def suggest_spellings(self, term: str) -> tuple[str, ...]:
        texts = (words for d in self.documents.values() for words in d.terms.values())
        words = {
            word
            for text in texts
            for word in text
            if LATIN_WORD_PATTERN.fullmatch(word)
        }
        return find_spellings(term, list(words))

    def count_documents(self, labels: tuple[frozenset[str], ...]) -> int:
        return len(self._filter_ids(labels))

    def load_digests(self) -> dict[int, str]:
        return {d.id: d.digest for d in self.documents.values()}

    def _filter_ids(self, labels: tuple[frozenset[str], ...]) -> set[int]:
        return {
            id
            for id, document in self.documents.items()
            if all(document.labels & group for group in labels)
        }

    def _compute_impacts(
        self, clause: Clause, group: FieldGroup, fitting: set[int]
    ) -> dict[int, float]:
        """Return {id: boost · idf · tf · (k1 + 1) / (tf + k1)} of fitting documents."""
        counts: Counter[int] = Counter()
        for field in group.fields:
            if name := resolve_field_name(
                field.name, clause.term, pair=clause.is_bigram
            ):
                texts = {i: d.terms.get(name, ()) for i, d in self.documents.items()}
                average = sum(map(len, texts.values())) / max(len(texts), 1)
                for id in fitting:
                    text = texts[id]
                    if count := text.count(clause.term):
                        norm = 1 - field.b + field.b * len(text) / average
                        counts[id] += field.boost * count / norm  # type: ignore[assignment]
        scale = group.boost * compute_idf(len(fitting), len(counts)) * (group.k1 + 1)
        return {id: scale * tf / (tf + group.k1) for id, tf in counts.items()}
