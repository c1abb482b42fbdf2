"""The passage of an answer that holds most of the terms of a query."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from kb.text.chinese.normalize import normalize_text
from kb.text.markup import highlight

MAX_PASSAGE_CHARS = 120  # characters
CONTEXT_TAIL_CHARS = (
    8  # of a cut passage, in which a term counts for nothing: it lacks its context
)
MAX_CUT_SHIFT_CHARS = 32  # characters by which a cut moves so that it splits no word
SENTENCE_START_BONUS, CLAUSE_START_BONUS = (
    0.3,
    0.2,
)  # what beginning at one is worth beside the terms
MAX_TERM_OCCURRENCES = 40  # places of a term that are weighed
LEAD_CHARACTER_PENALTY = 0.002  # what a character before the first term costs
ELLIPSIS = "…"
_START_PATTERN = re.compile(
    "(?P<sentence>[。！？!?\n][”」』）)]?\\s*)|[，；：、,;:]\\s*|\\s+"
)
_SENTENCE_END_PATTERN = re.compile("[。！？；!?;\n]+")
_FLAG_EMOJI_PATTERN = re.compile("[\U0001f1e6-\U0001f1ff]{2}")
_LATIN_CHARACTER_PATTERN = re.compile("[a-z0-9]", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Passage:
    """A part of a text on one line, which begins at character `start` of the whole.

    `marks` are (start, end) in `text`, which has an ellipsis wherever it was cut.
    """

    text: str = ""
    start: int = 0
    marks: tuple[tuple[int, int], ...] = ()


TermMatch = tuple[int, int, str]


def find_best_passage(
    text: str,
    terms: Iterable[str] | Mapping[str, float],
    length: int = MAX_PASSAGE_CHARS,
) -> Passage:
    """Return the passage of at most `length` characters with most of `terms`.

    `terms` are normalized, with weights or else weighted by length. Each repetition
    of a term counts half of the time before. Without a match, the beginning.
    """
    weights = dict(terms) if isinstance(terms, Mapping) else {t: len(t) for t in terms}
    start = _find_best_start(
        text,
        highlight.find_term_matches(text, weights, MAX_TERM_OCCURRENCES),
        weights,
        length,
    )
    end = _find_cut(text, min(start + length, len(text)), -1)
    end = end if end > start else min(start + length, len(text))
    return _build_passage(
        text, start, end, highlight.find_highlight_spans(text[start:end], weights)
    )


def find_first_passage(
    texts: Iterable[str], terms: Iterable[str], length: int = MAX_PASSAGE_CHARS
) -> Passage:
    """Return the best passage of the first text that holds one of `terms`.

    Where there is no such text, the beginning of the first that says anything.
    """
    terms, opening = list(terms), Passage()
    for text in filter(None, texts):
        found = find_best_passage(text, terms, length)
        if found.marks:
            return found
        opening = opening if opening.text else found
    return opening


def score_best_sentence(text: str, weights: Mapping[str, float]) -> float:
    """Return the most that one sentence of `text` holds of the terms, by weight.

    `weights` are those of normalized terms.
    """
    return max(
        sum(weight for term, weight in weights.items() if term in sentence)
        for sentence in _SENTENCE_END_PATTERN.split(normalize_text(text))
    )


def _build_passage(
    text: str, start: int, end: int, stretches: Iterable[tuple[int, int]]
) -> Passage:
    before, after = ELLIPSIS * (start > 0), ELLIPSIS * (end < len(text.rstrip()))
    shift = len(before)
    marks = tuple((a + shift, b + shift) for a, b in stretches)
    shown = re.sub(r"\s", " ", text[start:end])
    return Passage(f"{before}{shown}{after}", start, marks)


def _find_best_start(
    text: str, hits: list[TermMatch], weights: Mapping[str, float], length: int
) -> int:
    """Return where the best passage begins: the first of the best beginnings."""
    if not hits or len(text) <= length:
        return 0
    chosen, most = 0, 0.0
    window = _TermWindow(hits, weights)
    for start, bonus in _list_candidate_starts(text, hits, length):
        cut = start + length < len(text)
        window.move_to(start, start + length - CONTEXT_TAIL_CHARS * cut)
        worth = (
            window.value + bonus - LEAD_CHARACTER_PENALTY * (window.first_start - start)
        )
        if window.value > 0 and worth > most + 1e-9:
            chosen, most = start, worth
    return chosen


class _TermWindow:
    """The hits between two places that only move on, and what they are worth."""

    def __init__(self, hits: list[TermMatch], weights: Mapping[str, float]) -> None:
        self._matches, self._weights = hits, weights
        self._term_counts: Counter[str] = Counter()
        self._first_index = self._end_index = 0
        self.value = 0.0

    @property
    def first_start(self) -> int:
        return (
            self._matches[self._first_index][0]
            if self._first_index < self._end_index
            else 0
        )

    def move_to(self, start: int, end: int) -> None:
        hits = self._matches
        while self._end_index < len(hits) and hits[self._end_index][1] <= end:
            self._count_term(hits[self._end_index][2], 1)
            self._end_index += 1
        while (
            self._first_index < self._end_index and hits[self._first_index][0] < start
        ):
            self._count_term(hits[self._first_index][2], -1)
            self._first_index += 1
        if self._first_index == self._end_index:
            self.value = 0.0  # what was added and taken away is not quite equal

    def _count_term(self, term: str, step: int) -> None:
        """Have a term once more or less: the first time in full, then half of it."""
        self._term_counts[term] += min(step, 0)
        self.value += step * self._weights[term] / 2.0 ** self._term_counts[term]
        self._term_counts[term] += max(step, 0)


def _list_candidate_starts(
    text: str, hits: list[TermMatch], length: int
) -> list[tuple[int, float]]:
    """Return (place, what beginning there is worth) of those before a hit, in order.

    The clause and the sentence that hold it; far from these, the match itself.
    """
    gaps = [(gap.end(), gap["sentence"]) for gap in _START_PATTERN.finditer(text)]
    found, sentence, clause, passed = {0: SENTENCE_START_BONUS}, 0, 0, 0
    for hit, _, _ in hits:
        while passed < len(gaps) and gaps[passed][0] <= hit:
            clause, ends = gaps[passed]
            sentence = clause if ends else sentence
            passed += 1
        found |= {clause: CLAUSE_START_BONUS, sentence: SENTENCE_START_BONUS}
        if hit - clause > length // 2:
            found[_find_cut(text, hit, -1)] = 0.0
    return sorted(found.items())


def _find_cut(text: str, place: int, step: int) -> int:
    """Return the next place, at most MAX_CUT_SHIFT_CHARS on, that splits nothing."""
    for at in range(place, place + step * MAX_CUT_SHIFT_CHARS, step):
        if not 0 < at < len(text) or not _is_inseparable(text[at - 1], text[at]):
            return at
    return place


def _is_inseparable(left: str, right: str) -> bool:
    """Return whether two neighbours belong together: a Latin word, an emoji, an accent."""
    if _LATIN_CHARACTER_PATTERN.match(left) and _LATIN_CHARACTER_PATTERN.match(right):
        return True
    return (
        unicodedata.category(right)[0] == "M"
        or "\u200d" in (left, right)
        or "\U0001f3fb" <= right <= "\U0001f3ff"  # the colour of a skin
        or bool(_FLAG_EMOJI_PATTERN.fullmatch(left + right))
    )
