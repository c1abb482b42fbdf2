"""Similarity of the wordings of a query and of an entry."""

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

BIGRAM_CHARS = 2
_LATIN_OR_DIGITS_PATTERN = re.compile("[a-z]{2,}|[0-9]{2,}")
# Code points that no text uses, and how many there are.
_PRIVATE_USE_START, _PRIVATE_USE_SIZE = "\U000f0000", 0xFFFE


@dataclass(frozen=True, slots=True)
class Wording:
    """One way to ask, normalized, as it is compared.

    `letters` has its letters alone, as `encode_letters` writes them. Bit sets have
    bit n (1 << n) for the n-th letter of the spelling: `content_bits` those that are
    no particle, `bigram_bits` both letters of each bigram. `non_han_words` are
    its words of other scripts. `is_learned`: people picked the entry after a search
    for these words.
    """

    spelling: str
    letters: str
    content_bits: int
    bigram_bits: Mapping[str, int]
    non_han_words: frozenset[str] = frozenset()
    is_learned: bool = False

    @classmethod
    def from_spelling(cls, spelling: str) -> Wording:
        content = sum(
            flag << n for n, flag in enumerate(flag_content_letters(spelling))
        )
        pairs: dict[str, int] = {}
        for at in range(len(spelling) - 1):
            pair = intern(spelling[at : at + BIGRAM_CHARS])
            pairs[pair] = pairs.get(pair, 0) | 0b11 << at
        foreign = tokenizer.extract_non_han_tokens(spelling)
        return cls(spelling, encode_letters(spelling), content, pairs, foreign)


@dataclass(frozen=True, slots=True)
class SimilarityTerms:
    """Terms looked for in wordings: bigrams, words that are no Han, and the rest.

    A word that is no Han must begin one there: win is in Windows, SSD not in ESSD.
    `uncovered_terms` are those of the last two kinds that are not made of `bigrams`.
    """

    bigrams: frozenset[str]
    non_han_words: frozenset[str]
    other_terms: tuple[str, ...]
    uncovered_terms: tuple[str, ...]

    @classmethod
    def from_terms(cls, terms: Iterable[str]) -> SimilarityTerms:
        unique = set(filter(None, terms))
        foreign = frozenset(term for term in unique if not HAN_RUN_PATTERN.search(term))
        pairs = frozenset(t for t in unique - foreign if len(t) == BIGRAM_CHARS)
        rest = tuple(unique - pairs - foreign)
        loose = (*foreign, *(t for t in rest if not _is_made_of_bigrams(t, pairs)))
        return cls(pairs, foreign, rest, loose)

    def with_terms(self, terms: Iterable[str]) -> SimilarityTerms:
        return SimilarityTerms.from_terms(
            [*self.bigrams, *self.non_han_words, *self.other_terms, *terms]
        )


def analyze_wordings(*texts: str) -> tuple[Wording, ...]:
    """Return the wordings of `texts`; of 繁體 those in the words of 简体, too."""
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
    """Return the wordings of a search after which people picked an entry."""
    return tuple(
        replace(wording, is_learned=True) for wording in analyze_wordings(text)
    )


class Similarity(NamedTuple):
    """How similar a query is to an entry: shares from 0 to 1, of its best wording.

    Learned wordings count in confidence alone. In what puts entries in order they do
    not: an entry picked after some words would match every query that is phrased
    like them, whatever it asks.

    indel_ratio              letters in common, in order: 2 · common / (a + b)
    letter_coverage          letters of the wording that are in the query, in order
    learned_letter_coverage  as this, of learned wordings, too
    asked_content_share      content letters of the wording that query terms hold
    matched_terms            the query terms in any of the wordings
    own_matched_terms        those in one that is not learned
    """

    indel_ratio: float
    letter_coverage: float
    learned_letter_coverage: float
    asked_content_share: float
    matched_terms: Set[str]
    own_matched_terms: Set[str]


def compare_wordings(
    query: Sequence[Wording], terms: SimilarityTerms, wordings: Iterable[Wording]
) -> Similarity:
    """Compare a query, and the `terms` it asks for, with the wordings of an entry."""
    indel_ratio = coverage = learned_coverage = content_share = 0.0
    matched: set[str] = set()
    own_matched: set[str] = set()
    for wording in wordings:
        bigrams = wording.bigram_bits.keys() & terms.bigrams
        held = bigrams.union(
            [term for term in terms.other_terms if term in wording.spelling]
        )
        held.update(
            term
            for term in terms.non_han_words
            if _is_word_or_prefix(term, wording.non_han_words)
        )
        matched |= held
        if not wording.is_learned:
            own_matched |= held
        content_share = max(content_share, _measure_asked_content(terms, held, wording))
        size = len(wording.letters)
        for query_wording in query:
            common = LCSseq.similarity(query_wording.letters, wording.letters)
            learned_coverage = max(learned_coverage, common / max(size, 1))
            if not wording.is_learned:
                both = max(len(query_wording.letters) + size, 1)
                indel_ratio = max(indel_ratio, 2 * common / both)
                coverage = max(coverage, common / max(size, 1))
    return Similarity(
        indel_ratio, coverage, learned_coverage, content_share, matched, own_matched
    )


def _measure_asked_content(
    terms: SimilarityTerms, held: Set[str], wording: Wording
) -> float:
    """Return the share of the content letters of `wording` that terms hold.

    `held` are the terms that are in it.
    """
    bits = 0
    for bigram in held & terms.bigrams:
        bits |= wording.bigram_bits[bigram]
    for term in (term for term in terms.uncovered_terms if term in held):
        for start, end in _find_occurrences(term, wording.spelling):
            bits |= ((1 << (end - start)) - 1) << start
    total = wording.content_bits.bit_count()
    return (bits & wording.content_bits).bit_count() / max(total, 1)


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
    """Return whether `term` is one of `words`, or begins one and is long enough."""
    if term in words:
        return True
    return len(term) > BIGRAM_CHARS and any(word.startswith(term) for word in words)


def _is_made_of_bigrams(term: str, pairs: Set[str]) -> bool:
    """Return whether a longer term is made of `pairs`."""
    made = (term[at : at + BIGRAM_CHARS] for at in range(len(term) - 1))
    return len(term) > BIGRAM_CHARS and all(pair in pairs for pair in made)


def strip_punctuation(spelling: str) -> str:
    """Return a normalized text without spaces and punctuation."""
    return "".join(filter(str.isalnum, spelling))


def encode_letters(spelling: str) -> str:
    """Return a normalized text's letters, where Latin words and numbers are whole.

    SSD has no letter of ESSD, and 17 none of 18: a letter is that of its word alone, as
    often as the word has letters.
    """
    text = _LATIN_OR_DIGITS_PATTERN.sub(_encode_whole_run, join_hyphenated(spelling))
    return "".join(c for c in text if c.isalnum() or c >= _PRIVATE_USE_START)


def _encode_whole_run(run: re.Match[str]) -> str:
    place = ord(_PRIVATE_USE_START) + zlib.crc32(run[0].encode()) % _PRIVATE_USE_SIZE
    return chr(place) * len(run[0])
