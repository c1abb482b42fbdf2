"""A dict with a score: the reference engine, for tests."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import contextmanager

from kb.engines.base import FIELDS, K1, Changes, Document, Engine, Hits, Query, idf


class MemoryEngine(Engine):
    """BM25 as the books write it: what every other engine must agree with."""

    def __init__(self) -> None:
        self.documents: dict[int, Document] = {}

    @contextmanager
    def writing(self) -> Iterator[Changes]:
        changes = Changes()
        yield changes
        self.documents |= {d.id: d for d in changes.put}
        for id in changes.forget:
            self.documents.pop(id, None)

    def replace(self, documents: Iterable[Document]) -> None:
        self.documents = {d.id: d for d in documents}

    def search(self, query: Query) -> Hits:
        scores: Counter[int] = Counter()
        for clause in query.clauses:
            for id, impact in self._impacts(clause.field, clause.term).items():
                scores[id] += clause.weight * impact  # type: ignore[assignment]
        allowed = [i for i in scores if self._carries(i, query.labels)]
        best = sorted(allowed, key=lambda i: (-scores[i], i))[: query.limit]
        return Hits(tuple(best), tuple(scores[i] for i in best), len(allowed))

    def digests(self) -> dict[int, str]:
        return {d.id: d.digest for d in self.documents.values()}

    def _carries(self, id: int, groups: tuple[frozenset[str], ...]) -> bool:
        return all(self.documents[id].labels & group for group in groups)

    def _impacts(self, field: str, term: str) -> dict[int, float]:
        texts = {i: d.terms.get(field, ()) for i, d in self.documents.items()}
        counts = {i: n for i, text in texts.items() if (n := text.count(term))}
        average = sum(map(len, texts.values())) / max(len(texts), 1)
        rarity = idf(len(texts), len(counts))
        b = FIELDS[field]
        return {
            i: rarity * n * (K1 + 1) / (n + K1 * (1 - b + b * len(texts[i]) / average))
            for i, n in counts.items()
        }
