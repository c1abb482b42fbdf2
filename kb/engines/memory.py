"""A dict with a score: the reference engine, for tests."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np

from kb.engines.base import (
    Changes,
    Clause,
    Document,
    Engine,
    Group,
    Hits,
    Mask,
    Query,
    as_it_is,
    holder,
    idf,
    nothing_missed,
)
from kb.engines.slips import LATIN, slips


class MemoryEngine(Engine):
    """BM25F as the books write it: what every other engine must agree with."""

    def __init__(self) -> None:
        self.documents: dict[int, Document] = {}
        self.changed: set[int] = set()  # since the last rebuild began

    @contextmanager
    def writing(self) -> Iterator[Changes]:
        changes = Changes()
        yield changes
        self.changed |= changes.forget | {d.id for d in changes.put}
        self.documents |= {d.id: d for d in changes.put}
        for id in changes.forget:
            self.documents.pop(id, None)

    def replace(
        self,
        items: Iterable[Any],
        describe: Callable[[Any], Document] = as_it_is,
        *,
        missed: Callable[[set[int]], None] = nothing_missed,
        processes: int = 1,
        stamp: str = "",
    ) -> None:
        self.changed.clear()
        documents = {d.id: d for d in map(describe, items)}
        missed(set(self.changed))
        self.documents = documents

    def search(self, query: Query) -> Hits:
        fit = self._fit(query.labels)
        scores: Counter[int] = Counter()
        matched: Counter[int] = Counter()
        for clause in query.clauses:
            for group in query.groups:
                for id, impact in self._impacts(clause, group, fit).items():
                    scores[id] += clause.weight * impact  # type: ignore[assignment]
            for id in self._impacts(clause, query.groups[0], fit):
                matched[id] += clause.weight  # type: ignore[assignment]
        enough = [i for i in scores if matched[i] >= query.floor]
        best = sorted(enough, key=lambda i: (-scores[i], i))[: query.limit]
        return Hits(tuple(best), tuple(scores[i] for i in best), len(enough))

    def holding(self, query: Query) -> tuple[int, ...]:
        fit = self._fit(query.labels)
        return tuple(len(self._impacts(c, query.groups[0], fit)) for c in query.clauses)

    def matched(self, query: Query, ids: Sequence[int]) -> Mask:
        fit = self._fit(query.labels) & set(ids)
        held = [self._impacts(c, query.groups[0], fit) for c in query.clauses]
        told = [[id in impacts for impacts in held] for id in ids]
        return np.array(told, np.bool_).reshape(len(ids), len(held))

    def alike(self, term: str) -> tuple[str, ...]:
        texts = (words for d in self.documents.values() for words in d.terms.values())
        words = {word for text in texts for word in text if LATIN.fullmatch(word)}
        return slips(term, list(words))

    def count(self, labels: tuple[frozenset[str], ...]) -> int:
        return len(self._fit(labels))

    def digests(self) -> dict[int, str]:
        return {d.id: d.digest for d in self.documents.values()}

    def _fit(self, labels: tuple[frozenset[str], ...]) -> set[int]:
        return {
            id
            for id, document in self.documents.items()
            if all(document.labels & group for group in labels)
        }

    def _impacts(self, clause: Clause, group: Group, fit: set[int]) -> dict[int, float]:
        counts: Counter[int] = Counter()
        for field in group.fields:
            if name := holder(field.text, clause.term, pair=clause.pair):
                texts = {i: d.terms.get(name, ()) for i, d in self.documents.items()}
                average = sum(map(len, texts.values())) / max(len(texts), 1)
                for id in fit:
                    text = texts[id]
                    if count := text.count(clause.term):
                        norm = 1 - field.b + field.b * len(text) / average
                        counts[id] += field.weight * count / norm  # type: ignore[assignment]
        factor = group.weight * idf(len(fit), len(counts)) * (group.k1 + 1)
        return {id: factor * tf / (tf + group.k1) for id, tf in counts.items()}
