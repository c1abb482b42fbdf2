"""Entries of the library whose question is nearly that of a new row."""

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

PAIR_LETTERS = 2
# Shorter questions may share no pair of letters, and are looked up by letter.
SHORT_FORM_LETTERS = 6
MAX_NEAR_SIMILARITY = 0.99  # of a question with another wording
MAX_COMPARED_FORMS = 1_000  # forms that one row is compared with


@dataclass(frozen=True, slots=True)
class NearDuplicate:
    """An entry with the same question as a row (`similarity` is 1), or nearly."""

    pk: int
    version: int
    question: str
    status: str
    similarity: float


class DuplicateIndex:
    """An inverted index of the questions and phrasings, by pairs of letters.

    Two texts with three quarters of their letters in common share a pair, unless they
    are short. Only texts that share one are compared, at most MAX_COMPARED_FORMS for a
    row, so the time for a file is bounded. Retired entries are left out.
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
        self, question: str, excluded: Iterable[int] = ()
    ) -> NearDuplicate | None:
        """Return the entry most similar to `question`, None when none is near.

        The ids in `excluded` are left out: other rows of the file mean these entries.
        """
        excluded = frozenset(excluded)
        exact = self._ids_by_question_key.get(normalize.compute_spelling_key(question))
        if exact is not None and exact not in excluded:
            return self._make_duplicate(exact, 1.0)
        best, best_similarity = None, 0.0
        for form in list_compared_forms(question):
            numbers = [
                number
                for number in self._find_candidates(form)
                if self._form_owners[number] not in excluded
            ]
            match = process.extractOne(
                form,
                [self._forms[number] for number in numbers],
                scorer=Indel.normalized_similarity,
                processor=None,
                score_cutoff=max(NEAR_DUPLICATE_SIMILARITY, best_similarity),
            )
            if match and match[1] > best_similarity:
                best, best_similarity = self._form_owners[numbers[match[2]]], match[1]
        if best is None:
            return None
        return self._make_duplicate(best, min(best_similarity, MAX_NEAR_SIMILARITY))

    def _make_duplicate(self, pk: int, similarity: float) -> NearDuplicate:
        version, question, status = self._entries_by_id[pk]
        return NearDuplicate(pk, version, question, status, similarity)

    def _add_text(self, pk: int, text: str) -> None:
        for form in list_compared_forms(text):
            number = len(self._forms)
            self._forms.append(form)
            self._form_owners.append(pk)
            for term in _extract_terms(form):
                self._postings[term].append(number)

    def _find_candidates(self, form: str) -> Sequence[int]:
        """Return the numbers of the forms to compare with, those with rare pairs first."""
        terms = [term for term in _extract_terms(form) if term in self._postings]
        # A near duplicate has at least one of so many pairs.
        needed = len(terms)
        if len(form) > SHORT_FORM_LETTERS:
            needed = 3 * len(form) // 4 + 1
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
    """Return the pairs of letters of a form, and the letters of a short one."""
    pairs = {form[i : i + PAIR_LETTERS] for i in range(len(form) - 1)}
    return (
        pairs | set(form) if len(form) <= SHORT_FORM_LETTERS + PAIR_LETTERS else pairs
    )
