"""Labelled libraries, each in an engine of its own, searched by the site's own code."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

import django

from tests.relevance.labelled import Case, Labelled, libraries

if TYPE_CHECKING:
    from kb.index.engines import Document
    from kb.search.candidates import CandidateSet
    from kb.search.ranking import RankedCandidate
    from kb.text.chinese.lexicon import Lexicon
    from kb.text.chinese.similarity import Wording

PUBLIC_LABEL, PUBLISHED_LABEL = "audience=public", "status=published"
MAX_RANK = 10  # ranks below count as not found


@contextmanager
def open_site() -> Iterator[Path]:
    """Set up Django without a database, as nothing here reads one; give a folder."""
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


def load_dictionaries() -> Lexicon:
    """Load the dictionaries of words and pinyin; return the starter vocabulary."""
    from kb.language import vocabulary
    from kb.text.chinese import pinyin, tokenizer

    tokenizer.load_tokenizer_dictionaries()
    pinyin.load_pinyin_dictionaries()
    return vocabulary.load_starter_lexicon()


def index_libraries(folder: Path) -> list[IndexedLibrary]:
    """Return every labelled library, indexed with the tokenizer's words of now."""
    return [IndexedLibrary(library, folder / library.name) for library in libraries()]


class IndexedLibrary:
    """One library and its index in `folder`; an index that is there is used again.

    The id of a document is the place of its row in `library.rows`.
    """

    def __init__(self, library: Labelled, folder: Path) -> None:
        from django.conf import settings

        from kb.index.engines import make_engine

        self.library = library
        is_indexed = folder.exists()
        options = {"PATH": folder} if "PATH" in settings.KB_ENGINE else {}
        if options:
            folder.mkdir(parents=True, exist_ok=True)
        self.engine = make_engine({**settings.KB_ENGINE, **options})
        if not is_indexed:
            self.engine.replace_index(self._make_documents(range(len(library.rows))))

    def reindex_rows(self, places: Iterable[int]) -> None:
        """Index the rows at `places` again, with the tokenizer's words of now."""
        with self.engine.open_writer() as changes:
            changes.documents += self._make_documents(places)

    def search(self, query: str, lexicon: Lexicon) -> dict[str, float]:
        """Return {id of a row: confidence} of what customers are shown, best first."""
        return {
            self.library.rows[candidate.id]["id"]: candidate.confidence
            for candidate in self.rank(query, lexicon)
        }

    def is_confident(self, query: str, lexicon: Lexicon) -> bool:
        """Tell whether customers are shown results at all."""
        from kb import search

        return search.is_confident(self.rank(query, lexicon))

    def compute_reciprocal_rank(self, case: Case, lexicon: Lexicon) -> float:
        """Return 1 / rank of the first right entry, 0 below MAX_RANK."""
        ids = list(self.search(case.query, lexicon))[:MAX_RANK]
        ranks = (rank for rank, id in enumerate(ids, 1) if id in case.relevant)
        return 1 / next(ranks, float("inf"))

    def rank(self, query: str, lexicon: Lexicon) -> list[RankedCandidate]:
        """Return the ranked candidates of `query`, as customers are shown them."""
        from kb import search

        candidates = self.find_candidates(query, lexicon)
        if candidates is None:
            return []
        return search.rank_candidates(
            self.engine, candidates, self.load_wordings, load_answers=self.load_answers
        )

    def find_candidates(self, query: str, lexicon: Lexicon) -> CandidateSet | None:
        """Return the candidates of `query`; None where it has no terms."""
        from kb import search

        labels = (frozenset({PUBLIC_LABEL}), frozenset({PUBLISHED_LABEL}))
        scope = search.SearchScope(search.PUBLIC_FIELD_GROUPS, labels)
        analysis = search.analyze_query(query, lexicon)
        return search.find_candidates(self.engine, analysis, scope, search.MAX_RESULTS)

    def load_wordings(
        self, places: Sequence[int], depth: int
    ) -> dict[int, Sequence[Wording]]:
        """Return the wordings of the first `depth` of `places`, none of the others."""
        from kb.text.chinese.similarity import analyze_wordings

        wordings: dict[int, Sequence[Wording]] = dict.fromkeys(places, ())
        for place in places[:depth]:
            row = self.library.rows[place]
            wordings[place] = analyze_wordings(row["question"], *(row["similar"] or []))
        return wordings

    def load_answers(self, places: Sequence[int]) -> Mapping[int, str]:
        return {place: self.library.rows[place]["answer"] or "" for place in places}

    def _make_documents(self, places: Iterable[int]) -> Iterator[Document]:
        from kb.index import documents

        for place in places:
            row = self.library.rows[place]
            texts = {
                "question": [row["question"]],
                "phrasings": row["similar"],
                "answer": [row["answer"]],
            }
            yield documents.make_document(place, texts, [PUBLIC_LABEL, PUBLISHED_LABEL])
