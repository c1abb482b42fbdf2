"""Entries of the library that ask nearly what a new row asks."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from heapq import nsmallest
from itertools import islice

from rapidfuzz import process
from rapidfuzz.distance import Indel

from kb.import_export.plan.question_similarity import (
    NEAR_DUPLICATE_SIMILARITY,
    list_compared_forms,
)
from kb.models import Entry, Phrasing
from kb.text.chinese import normalize

PAIR_LETTERS = 2  # letters
SHORT_FORM_LETTERS = (
    6  # letters; shorter questions may share no pair, and are looked up by letter
)
MAX_NEAR_SCORE = 0.99  # the highest score of a question that is put otherwise
MAX_COMPARED_FORMS = (
    1_000  # questions that one row is compared with, rarest pairs first
)


@dataclass(frozen=True, slots=True)
class NearDuplicate:
    """An entry that asks the same as a row (`score` is 1), or nearly (below 1)."""

    pk: int
    version: int
    question: str
    status: str
    similarity: float


class DuplicateIndex:
    """The questions and phrasings of the library, looked up by pairs of letters.

    Two texts of which three quarters are common share a pair, unless they are short.
    So only those that share one are compared, at most MAX_CANDIDATES for a row: the
    time for a file is bounded. Retired entries are nobody's duplicates.
    """

    def __init__(self) -> None:
        rows = Entry.objects.searchable().order_by("pk")
        names = ("pk", "version", "question", "status", "question_key")
        self._entries_by_id: dict[int, tuple[int, str, str]] = {}
        self._ids_by_question_key: dict[str, int] = {}
        self._forms: list[str] = []
        self._form_owners: list[int] = []
        self._postings: defaultdict[str, list[int]] = defaultdict(list)
        for pk, version, question, status, key in rows.values_list(*names).iterator():
            self._entries_by_id[pk] = (version, question, status)
            self._ids_by_question_key.setdefault(key, pk)
            self._add_text(pk, question)
        phrasings = Phrasing.objects.order_by("pk").values_list(
            "entry_id", "text", "text_key"
        )
        for pk, text, key in phrasings.iterator():
            if pk in self._entries_by_id:
                self._ids_by_question_key.setdefault(key, pk)
                self._add_text(pk, text)

    def find_duplicate(
        self, question: str, apart: Iterable[int] = ()
    ) -> NearDuplicate | None:
        """Return the entry most like `question`, None where none is near.

        Entries in `apart` are left out: other rows of the file are about them.
        """
        apart = frozenset(apart)
        exact = self._ids_by_question_key.get(normalize.compute_spelling_key(question))
        if exact is not None and exact not in apart:
            return self._make_duplicate(exact, 1.0)
        best, best_score = None, 0.0
        for form in list_compared_forms(question):
            numbers = [
                n
                for n in self._find_candidates(form)
                if self._form_owners[n] not in apart
            ]
            hit = process.extractOne(
                form,
                [self._forms[number] for number in numbers],
                scorer=Indel.normalized_similarity,
                processor=None,
                score_cutoff=max(NEAR_DUPLICATE_SIMILARITY, best_score),
            )
            if hit and hit[1] > best_score:
                best, best_score = self._form_owners[numbers[hit[2]]], hit[1]
        return (
            None
            if best is None
            else self._make_duplicate(best, min(best_score, MAX_NEAR_SCORE))
        )

    def _make_duplicate(self, pk: int, score: float) -> NearDuplicate:
        version, question, status = self._entries_by_id[pk]
        return NearDuplicate(pk, version, question, status, score)

    def _add_text(self, pk: int, text: str) -> None:
        for form in list_compared_forms(text):
            number = len(self._forms)
            self._forms.append(form)
            self._form_owners.append(pk)
            for term in _extract_terms(form):
                self._postings[term].append(number)

    def _find_candidates(self, form: str) -> Sequence[int]:
        """Return the numbers of forms to compare with, those of rare terms first."""
        terms = [term for term in _extract_terms(form) if term in self._postings]
        # More terms than these may all be missing from a near duplicate.
        needed = (
            max(3 * len(form) // 4 + 1, 1)
            if len(form) > SHORT_FORM_LETTERS
            else len(terms)
        )
        rarest = nsmallest(needed, terms, key=lambda term: len(self._postings[term]))
        shortest, longest = 0.6 * len(form), len(form) / 0.6
        near = (
            number
            for term in rarest
            for number in self._postings[term]
            if shortest <= len(self._forms[number]) <= longest
        )
        numbers = dict.fromkeys(islice(near, MAX_COMPARED_FORMS))
        return list(numbers)


def _extract_terms(form: str) -> set[str]:
    """Return the pairs of a form; of a short one, its letters as well."""
    pairs = {form[at : at + PAIR_LETTERS] for at in range(len(form) - 1)}
    return (
        pairs | set(form) if len(form) <= SHORT_FORM_LETTERS + PAIR_LETTERS else pairs
    )
