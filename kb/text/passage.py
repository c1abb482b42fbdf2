"""The stretch of an answer that says most about what was asked."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from kb.text import highlight
from kb.text.normalize import normalize

LENGTH = 120  # characters
TAIL = 8  # of a cut passage, in which a term counts for nothing: it lacks its context
FURTHEST = 32  # characters by which a cut moves so that it splits no word
SENTENCE, CLAUSE = 0.3, 0.2  # what beginning at one is worth beside the terms
MOST = 40  # places of a term that are weighed
LEAD = 0.002  # what a character before the first term costs
MORE = "…"
_BEGINNING = re.compile(
    "(?P<sentence>[。！？!?\n][”」』）)]?\\s*)|[，；：、,;:]\\s*|\\s+"
)
_SENTENCE = re.compile("[。！？；!?;\n]+")
_FLAG = re.compile("[\U0001f1e6-\U0001f1ff]{2}")
_WORD = re.compile("[a-z0-9]", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Passage:
    """`text` is on one line; `start` is where it stands in the whole, in characters.

    `marks` are (start, end) in `text`, which has an ellipsis wherever it was cut.
    """

    text: str = ""
    start: int = 0
    marks: tuple[tuple[int, int], ...] = ()


Hit = tuple[int, int, str]


def best(
    text: str, terms: Iterable[str] | Mapping[str, float], length: int = LENGTH
) -> Passage:
    """Return the passage of at most `length` characters that tells most of `terms`.

    `terms` are normalized, with weights or else weighing what they are long. A
    term said again counts half of the time before. Without any, the beginning.
    """
    weights = dict(terms) if isinstance(terms, Mapping) else {t: len(t) for t in terms}
    start = _start(text, highlight.found(text, weights, MOST), weights, length)
    end = _cut(text, min(start + length, len(text)), -1)
    end = end if end > start else min(start + length, len(text))
    return _shown(text, start, end, highlight.spans(text[start:end], weights))


def first(texts: Iterable[str], terms: Iterable[str], length: int = LENGTH) -> Passage:
    """Return the best passage of the first text in which one of `terms` stands.

    Where there is no such text, the beginning of the first that says anything.
    """
    terms, opening = list(terms), Passage()
    for text in filter(None, texts):
        found = best(text, terms, length)
        if found.marks:
            return found
        opening = opening if opening.text else found
    return opening


def told(text: str, weights: Mapping[str, float]) -> float:
    """Return the most that one sentence of `text` holds of the terms, by weight.

    `weights` are those of normalized terms.
    """
    return max(
        sum(weight for term, weight in weights.items() if term in sentence)
        for sentence in _SENTENCE.split(normalize(text))
    )


def _shown(
    text: str, start: int, end: int, stretches: Iterable[tuple[int, int]]
) -> Passage:
    before, after = MORE * (start > 0), MORE * (end < len(text.rstrip()))
    shift = len(before)
    marks = tuple((a + shift, b + shift) for a, b in stretches)
    shown = re.sub(r"\s", " ", text[start:end])
    return Passage(f"{before}{shown}{after}", start, marks)


def _start(
    text: str, hits: list[Hit], weights: Mapping[str, float], length: int
) -> int:
    """Return where the best passage begins: the first of the best beginnings."""
    if not hits or len(text) <= length:
        return 0
    chosen, most = 0, 0.0
    window = _Window(hits, weights)
    for start, bonus in _beginnings(text, hits, length):
        cut = start + length < len(text)
        window.move(start, start + length - TAIL * cut)
        worth = window.value + bonus - LEAD * (window.first - start)
        if window.value > 0 and worth > most + 1e-9:
            chosen, most = start, worth
    return chosen


class _Window:
    """The hits between two places that only move on, and what they are worth."""

    def __init__(self, hits: list[Hit], weights: Mapping[str, float]) -> None:
        self._hits, self._weights = hits, weights
        self._held: Counter[str] = Counter()
        self._from = self._to = 0
        self.value = 0.0

    @property
    def first(self) -> int:
        return self._hits[self._from][0] if self._from < self._to else 0

    def move(self, start: int, end: int) -> None:
        hits = self._hits
        while self._to < len(hits) and hits[self._to][1] <= end:
            self._count(hits[self._to][2], 1)
            self._to += 1
        while self._from < self._to and hits[self._from][0] < start:
            self._count(hits[self._from][2], -1)
            self._from += 1
        if self._from == self._to:
            self.value = 0.0  # what was added and taken away is not quite equal

    def _count(self, term: str, step: int) -> None:
        """Have a term once more or less: the first time in full, then half of it."""
        self._held[term] += min(step, 0)
        self.value += step * self._weights[term] / 2.0 ** self._held[term]
        self._held[term] += max(step, 0)


def _beginnings(text: str, hits: list[Hit], length: int) -> list[tuple[int, float]]:
    """Return (place, what beginning there is worth) of those before a hit, in order.

    The clause and the sentence that it stands in; far from these, the hit itself.
    """
    gaps = [(gap.end(), gap["sentence"]) for gap in _BEGINNING.finditer(text)]
    found, sentence, clause, passed = {0: SENTENCE}, 0, 0, 0
    for hit, _, _ in hits:
        while passed < len(gaps) and gaps[passed][0] <= hit:
            clause, ends = gaps[passed]
            sentence = clause if ends else sentence
            passed += 1
        found |= {clause: CLAUSE, sentence: SENTENCE}
        if hit - clause > length // 2:
            found[_cut(text, hit, -1)] = 0.0
    return sorted(found.items())


def _cut(text: str, place: int, step: int) -> int:
    """Return the next place, at most FURTHEST characters on, that splits nothing."""
    for at in range(place, place + step * FURTHEST, step):
        if not 0 < at < len(text) or not _one(text[at - 1], text[at]):
            return at
    return place


def _one(left: str, right: str) -> bool:
    """Tell whether two neighbours belong together: a Latin word, an emoji, an accent."""
    if _WORD.match(left) and _WORD.match(right):
        return True
    return (
        unicodedata.category(right)[0] == "M"
        or "\u200d" in (left, right)
        or "\U0001f3fb" <= right <= "\U0001f3ff"  # the colour of a skin
        or bool(_FLAG.fullmatch(left + right))
    )
