"""Labelled libraries in engines of their own, asked with whatever vocabulary is tried."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import django

from tests.relevance.labelled import Case, Labelled, libraries

if TYPE_CHECKING:
    from kb.index.engines import Document
    from kb.search.ranking import RankedCandidate
    from kb.text.chinese.lexicon import Lexicon

PUBLIC, PUBLISHED = "audience=public", "status=published"
DEPTH = 10  # results that count


@contextmanager
def site() -> Iterator[Path]:
    """Give a folder, and Django without a database: nothing here reads one."""
    with TemporaryDirectory(prefix="kb-bench-") as folder:
        for name, value in {
            "DJANGO_SETTINGS_MODULE": "config.settings",
            "DATA_DIR": folder,
            "SECRET_KEY": "bench",
            "HTTPS": "off",
            "LOG_LEVEL": "ERROR",
        }.items():
            os.environ.setdefault(name, value)
        django.setup()
        yield Path(folder)


def asked(folder: Path) -> list[Asked]:
    """Return every library that is here, indexed as text is cut now."""
    return [Asked(library, folder / library.name) for library in libraries()]


class Asked:
    """One library in an index in `folder`; what is there already is kept."""

    def __init__(self, library: Labelled, folder: Path) -> None:
        from django.conf import settings

        from kb.index.engines import make_engine

        self.library = library
        kept = folder.exists()
        place = {"PATH": folder} if "PATH" in settings.KB_ENGINE else {}
        if place:
            folder.mkdir(parents=True, exist_ok=True)
        self.engine = make_engine({**settings.KB_ENGINE, **place})
        if not kept:
            self.engine.replace_index(self._documents(range(len(library.rows))))

    def cut_anew(self, places: Iterable[int]) -> None:
        """Index the rows at `places` again, as text is cut now."""
        with self.engine.open_writer() as changes:
            changes.documents += self._documents(places)

    def found(self, query: str, lexicon: Lexicon) -> dict[str, float]:
        """Return {id: score} of what the public is shown, best first."""
        found = self._ranked(query, lexicon)
        return {self.library.rows[one.id]["id"]: one.confidence for one in found}

    def sure(self, query: str, lexicon: Lexicon) -> bool:
        """Tell whether the public is shown results at all."""
        from kb import search

        return search.is_confident(self._ranked(query, lexicon))

    def _ranked(self, query: str, lexicon: Lexicon) -> list[RankedCandidate]:
        from kb import search

        labels = (frozenset({PUBLIC}), frozenset({PUBLISHED}))
        scope = search.SearchScope(search.PUBLIC_FIELD_GROUPS, labels)
        candidates = search.find_candidates(
            self.engine,
            search.analyze_query(query, lexicon),
            scope,
            search.MAX_RESULTS,
        )
        if candidates is None:
            return []
        return search.rank_candidates(
            self.engine, candidates, self._faces, load_answers=self._answers
        )

    def worth(self, case: Case, lexicon: Lexicon) -> float:
        """Return one over the rank of the first right entry, 0 below DEPTH."""
        ids = list(self.found(case.query, lexicon))[:DEPTH]
        ranks = (rank for rank, id in enumerate(ids, 1) if id in case.relevant)
        return 1 / next(ranks, float("inf"))

    def _faces(self, places: Sequence[int], deep: int) -> dict[int, Any]:
        from kb.text.chinese.similarity import analyze_wordings

        rows = ((place, self.library.rows[place]) for place in places[:deep])
        return dict.fromkeys(places, ()) | {
            at: analyze_wordings(row["question"], *(row.get("similar") or []))
            for at, row in rows
        }

    def _answers(self, places: Sequence[int]) -> dict[int, str]:
        return {place: self.library.rows[place]["answer"] or "" for place in places}

    def _documents(self, places: Iterable[int]) -> Iterator[Document]:
        from kb.index import documents

        for place in places:
            row = self.library.rows[place]
            texts = {
                "question": [row["question"]],
                "phrasings": row["similar"],
                "answer": [row["answer"]],
            }
            yield documents.make_document(place, texts, [PUBLIC, PUBLISHED])
