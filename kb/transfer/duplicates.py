"""Entries of the library that ask nearly what a new row asks."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from heapq import nsmallest
from itertools import islice

from rapidfuzz import process
from rapidfuzz.distance import Indel

from kb.models import Entry, Phrasing
from kb.text import normalize
from kb.transfer.similarity import NEAR_DUPLICATE, compared_forms

PAIR = 2  # letters
SHORT = 6  # letters; shorter questions may share no pair, and are looked up by letter
NEARLY = 0.99  # the highest score of a question that is put otherwise
MAX_CANDIDATES = 1_000  # questions that one row is compared with, rarest pairs first


@dataclass(frozen=True, slots=True)
class Duplicate:
    """An entry that asks the same as a row (`score` is 1), or nearly (below 1)."""

    pk: int
    version: int
    question: str
    status: str
    score: float


class DuplicateIndex:
    """The questions and phrasings of the library, looked up by pairs of letters.

    Two texts of which three quarters are common share a pair, unless they are short.
    So only those that share one are compared, at most MAX_CANDIDATES for a row: the
    time for a file is bounded. Retired entries are nobody's duplicates.
    """

    def __init__(self) -> None:
        rows = Entry.objects.searchable().order_by("pk")
        names = ("pk", "version", "question", "status", "question_key")
        self._entries: dict[int, tuple[int, str, str]] = {}
        self._exact: dict[str, int] = {}
        self._forms: list[str] = []
        self._owners: list[int] = []
        self._postings: defaultdict[str, list[int]] = defaultdict(list)
        for pk, version, question, status, key in rows.values_list(*names).iterator():
            self._entries[pk] = (version, question, status)
            self._exact.setdefault(key, pk)
            self._add(pk, question)
        phrasings = Phrasing.objects.order_by("pk").values_list(
            "entry_id", "text", "text_key"
        )
        for pk, text, key in phrasings.iterator():
            if pk in self._entries:
                self._exact.setdefault(key, pk)
                self._add(pk, text)

    def find(self, question: str, apart: Iterable[int] = ()) -> Duplicate | None:
        """Return the entry most like `question`, None where none is near.

        Entries in `apart` are left out: other rows of the file are about them.
        """
        apart = frozenset(apart)
        exact = self._exact.get(normalize.key(question))
        if exact is not None and exact not in apart:
            return self._duplicate(exact, 1.0)
        best, best_score = None, 0.0
        for form in compared_forms(question):
            numbers = [
                n for n in self._candidates(form) if self._owners[n] not in apart
            ]
            hit = process.extractOne(
                form,
                [self._forms[number] for number in numbers],
                scorer=Indel.normalized_similarity,
                processor=None,
                score_cutoff=max(NEAR_DUPLICATE, best_score),
            )
            if hit and hit[1] > best_score:
                best, best_score = self._owners[numbers[hit[2]]], hit[1]
        return None if best is None else self._duplicate(best, min(best_score, NEARLY))

    def _duplicate(self, pk: int, score: float) -> Duplicate:
        version, question, status = self._entries[pk]
        return Duplicate(pk, version, question, status, score)

    def _add(self, pk: int, text: str) -> None:
        for form in compared_forms(text):
            number = len(self._forms)
            self._forms.append(form)
            self._owners.append(pk)
            for term in _terms(form):
                self._postings[term].append(number)

    def _candidates(self, form: str) -> Sequence[int]:
        """Return the numbers of forms to compare with, those of rare terms first."""
        terms = [term for term in _terms(form) if term in self._postings]
        # More terms than these may all be missing from a near duplicate.
        needed = max(3 * len(form) // 4 + 1, 1) if len(form) > SHORT else len(terms)
        rarest = nsmallest(needed, terms, key=lambda term: len(self._postings[term]))
        shortest, longest = 0.6 * len(form), len(form) / 0.6
        near = (
            number
            for term in rarest
            for number in self._postings[term]
            if shortest <= len(self._forms[number]) <= longest
        )
        numbers = dict.fromkeys(islice(near, MAX_CANDIDATES))
        return list(numbers)


def _terms(form: str) -> set[str]:
    """Return the pairs of a form; of a short one, its letters as well."""
    pairs = {form[at : at + PAIR] for at in range(len(form) - 1)}
    return pairs | set(form) if len(form) <= SHORT + PAIR else pairs
