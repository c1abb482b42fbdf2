"""How alike the wording of a query and the wordings of an entry are."""

from __future__ import annotations

import re
import zlib
from collections.abc import Iterable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass, replace
from functools import lru_cache
from sys import intern
from typing import NamedTuple

from rapidfuzz.distance import LCSseq

from kb.text.chinese import regional, tokenizer
from kb.text.chinese.normalize import HAN_RUN_PATTERN, join_hyphenated, normalize_text
from kb.text.chinese.term_weights import flag_content_letters

BIGRAM_CHARS = 2  # letters
_LATIN_OR_DIGITS_PATTERN = re.compile("[a-z]{2,}|[0-9]{2,}")
_PRIVATE_USE_START, _PRIVATE_USE_SIZE = (
    "\U000f0000",
    0xFFFE,
)  # code points that no text uses; how many


@dataclass(frozen=True, slots=True)
class Wording:
    """One way to ask, normalized; `bare` has its letters alone, as `letters` counts.

    Letters are counted in bits, the n-th letter of the spelling by 1 << n:
    `tells` has those that are no particle, `pairs` both of each pair of letters.
    `foreign` are its words that are no Han. `learned` are words after which people
    picked the entry.
    """

    spelling: str
    letters: str
    content_bits: int
    bigram_bits: Mapping[str, int]
    non_han_words: frozenset[str] = frozenset()
    is_learned: bool = False

    @classmethod
    def from_spelling(cls, spelling: str) -> Wording:
        telling = sum(
            1 << at for at, told in enumerate(flag_content_letters(spelling)) if told
        )
        pairs: dict[str, int] = {}
        for at in range(len(spelling) - 1):
            pair = intern(spelling[at : at + BIGRAM_CHARS])
            pairs[pair] = pairs.get(pair, 0) | 0b11 << at
        foreign = tokenizer.extract_non_han_tokens(spelling)
        return cls(spelling, encode_letters(spelling), telling, pairs, foreign)


@dataclass(frozen=True, slots=True)
class SimilarityTerms:
    """Terms looked for in wordings: pairs of letters, words that are no Han, the rest.

    A word that is no Han must begin one there: win is in Windows, SSD not in ESSD. Of
    these and the rest, `loose` are those that are not made of pairs which are there.
    """

    bigrams: frozenset[str]
    non_han_words: frozenset[str]
    other_terms: tuple[str, ...]
    uncovered_terms: tuple[str, ...]

    @classmethod
    def from_terms(cls, terms: Iterable[str]) -> SimilarityTerms:
        asked = set(filter(None, terms))
        foreign = frozenset(term for term in asked if not HAN_RUN_PATTERN.search(term))
        pairs = frozenset(t for t in asked - foreign if len(t) == BIGRAM_CHARS)
        rest = tuple(asked - pairs - foreign)
        loose = (*foreign, *(t for t in rest if not _is_made_of_bigrams(t, pairs)))
        return cls(pairs, foreign, rest, loose)

    def with_terms(self, terms: Iterable[str]) -> SimilarityTerms:
        return SimilarityTerms.from_terms(
            [*self.bigrams, *self.non_han_words, *self.other_terms, *terms]
        )


def analyze_wordings(*texts: str) -> tuple[Wording, ...]:
    """Return the wordings of `texts`, those of 繁體 as 简体 says them, too."""
    if len(texts) == 1:  # most entries have no phrasings
        return _analyze_wording(texts[0])
    return tuple(wording for text in texts for wording in _analyze_wording(text))


@lru_cache(maxsize=10_000)  # some 30 MB: questions are compared again and again
def _analyze_wording(text: str) -> tuple[Wording, ...]:
    return tuple(
        map(
            Wording.from_spelling,
            (normalize_text(text), *regional.list_simplified_wordings(text)),
        )
    )


@lru_cache(maxsize=2_000)
def analyze_learned_wordings(text: str) -> tuple[Wording, ...]:
    """Return the wordings of words after which people picked an entry."""
    return tuple(
        replace(wording, is_learned=True) for wording in analyze_wordings(text)
    )


class Similarity(NamedTuple):
    """Shares from 0 to 1, of the best wording each; and what stands in any of them.

    Words learned tell how sure an entry is. In `same`, `reached` and `own`, which
    put entries in order, they count for nothing: an entry picked after some words would
    draw every query that is put like them, whatever it asks.

    same      letters in common, in order, of both: 2 · common / (a + b) (Indel ratio)
    reached   letters of the wording that stand in the query, in order
    echoed    as much, of words learned, too
    asked     what the wording tells that is among the terms asked for
    standing  the terms asked for that stand in one of the wordings
    own       those that stand in one that is not learned
    """

    indel_ratio: float
    letter_coverage: float
    learned_letter_coverage: float
    asked_content_share: float
    matched_terms: Set[str]
    own_matched_terms: Set[str]


def compare_wordings(
    query: Sequence[Wording], terms: SimilarityTerms, face: Iterable[Wording]
) -> Similarity:
    """Compare a query, and the `terms` it asks for, with the wordings of an entry."""
    same = reached = echoed = asked = 0.0
    standing: set[str] = set()
    own: set[str] = set()
    for wording in face:
        pairs = wording.bigram_bits.keys() & terms.bigrams
        held = pairs.union(
            [term for term in terms.other_terms if term in wording.spelling]
        )
        held.update(
            term
            for term in terms.non_han_words
            if _is_word_or_prefix(term, wording.non_han_words)
        )
        standing |= held
        if not wording.is_learned:
            own |= held
        asked = max(asked, _measure_asked_content(terms, held, wording))
        size = len(wording.letters)
        for way in query:
            common = LCSseq.similarity(way.letters, wording.letters)
            echoed = max(echoed, common / max(size, 1))
            if not wording.is_learned:
                same = max(same, 2 * common / max(len(way.letters) + size, 1))
                reached = max(reached, common / max(size, 1))
    return Similarity(same, reached, echoed, asked, standing, own)


def _measure_asked_content(
    terms: SimilarityTerms, held: Set[str], wording: Wording
) -> float:
    """Return the share of the telling letters of a wording that stand in terms.

    `held` are the terms that stand in it.
    """
    found = 0
    for pair in held & terms.bigrams:
        found |= wording.bigram_bits[pair]
    for term in (term for term in terms.uncovered_terms if term in held):
        for at, end in _find_occurrences(term, wording.spelling):
            found |= ((1 << (end - at)) - 1) << at
    told = wording.content_bits.bit_count()
    return (found & wording.content_bits).bit_count() / max(told, 1)


def _find_occurrences(term: str, spelling: str) -> Iterator[tuple[int, int]]:
    """Yield (start, end) of a term in a spelling; wifi is in wi-fi."""
    at = spelling.find(term)
    if at < 0:
        spread = "[_-]*".join(map(re.escape, term))
        yield from (match.span() for match in re.finditer(spread, spelling))
    while at >= 0:
        yield at, at + len(term)
        at = spelling.find(term, at + 1)


def _is_word_or_prefix(term: str, words: Set[str]) -> bool:
    """Tell whether `term` is one of `words`, or begins one and is no mere letter."""
    if term in words:
        return True
    return len(term) > BIGRAM_CHARS and any(word.startswith(term) for word in words)


def _is_made_of_bigrams(term: str, pairs: Set[str]) -> bool:
    """Tell whether a longer term is made of pairs that are looked for."""
    made = (term[at : at + BIGRAM_CHARS] for at in range(len(term) - 1))
    return len(term) > BIGRAM_CHARS and all(pair in pairs for pair in made)


def strip_punctuation(spelling: str) -> str:
    """Return a normalized text without spaces and punctuation."""
    return "".join(filter(str.isalnum, spelling))


def encode_letters(spelling: str) -> str:
    """Return a normalized text's letters, where Latin words and numbers are whole.

    SSD has no letter of ESSD, and 17 none of 18: each stands for its word alone, as
    often as the word has letters.
    """
    text = _LATIN_OR_DIGITS_PATTERN.sub(_encode_whole_run, join_hyphenated(spelling))
    return "".join(c for c in text if c.isalnum() or c >= _PRIVATE_USE_START)


def _encode_whole_run(run: re.Match[str]) -> str:
    place = ord(_PRIVATE_USE_START) + zlib.crc32(run[0].encode()) % _PRIVATE_USE_SIZE
    return chr(place) * len(run[0])
