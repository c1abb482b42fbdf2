"""Decide when two searches mean the same, to group spellings into gaps.

They do if they have the same content words in any order, the same pronunciation, or
almost the same letters.
"""

from __future__ import annotations

import hashlib
import re
from collections import defaultdict
from collections.abc import Iterable
from typing import NamedTuple

from rapidfuzz import fuzz

from kb.search.weights import WEIGHTS
from kb.text.chinese import pinyin, tokenizer
from kb.text.chinese.lexicon import Lexicon
from kb.text.chinese.normalize import HAN_RUN_PATTERN, normalize_text
from kb.text.chinese.similarity import strip_punctuation
from kb.text.chinese.term_weights import (
    PARTICLE_CHARACTERS,
    QUESTION_PHRASES,
    weigh_terms,
)

# `rapidfuzz.fuzz.ratio`: normalized indel similarity, 100 · (1 - distance / lengths).
MIN_SIMILARITY_PERCENT = 86
MIN_FUZZY_MATCH_CHARS = 7  # in shorter texts one other character is another question
MAX_RARE_BIGRAMS = 3  # the rarest bigrams of a search, which select candidates
_QUESTION_WORD_PATTERN = re.compile(
    "|".join(sorted(QUESTION_PHRASES, key=len, reverse=True))
)
_PARTICLE_CHARS = PARTICLE_CHARACTERS | {"么"}


class SearchMeaning(NamedTuple):
    """The meaning of a search: digests of words and pronunciation, content letters."""

    words_digest: str
    sound_digest: str
    content_chars: str

    @classmethod
    def from_text(cls, text: str, lexicon: Lexicon) -> SearchMeaning:
        """Return the meaning of `text`; question phrases and particles are left out.

        All synonyms of a set count as one word.
        """
        spelling = _replace_synonyms(normalize_text(text), lexicon)
        weights = weigh_terms(spelling, lexicon, WEIGHTS.term_weights).words
        terms = [
            term
            for term, weight in weights.items()
            if weight > WEIGHTS.term_weights.question_word
        ]
        maximal_terms = [t for t in terms if not any(t != o and t in o for o in terms)]
        content = strip_punctuation(_QUESTION_WORD_PATTERN.sub(" ", spelling))
        letters = "".join(
            c for c in content if c not in _PARTICLE_CHARS
        ) or strip_punctuation(spelling)
        return cls(
            _digest_parts(sorted(set(maximal_terms)) or [letters]),
            _digest_parts([_transcribe(letters)]),
            letters,
        )


class MeaningIndex:
    """An index of known meanings, to find the one that equals a new search."""

    def __init__(self) -> None:
        self._ids_by_digest: dict[str, int] = {}
        self._content_by_id: dict[int, str] = {}
        self._ids_by_bigram: defaultdict[str, list[int]] = defaultdict(list)

    def add_meaning(self, id: int, meaning: SearchMeaning) -> None:
        self._ids_by_digest.setdefault(meaning.words_digest, id)
        self._ids_by_digest.setdefault(meaning.sound_digest, id)
        if len(meaning.content_chars) >= MIN_FUZZY_MATCH_CHARS:
            self._content_by_id[id] = meaning.content_chars
            for pair in set(tokenizer.extract_bigrams(meaning.content_chars)):
                self._ids_by_bigram[pair].append(id)

    def find_same(self, meaning: SearchMeaning) -> int | None:
        """Return the id of an equal or very similar meaning, else None."""
        for key in (meaning.words_digest, meaning.sound_digest):
            if (id := self._ids_by_digest.get(key)) is not None:
                return id
        return (
            self._find_similar(meaning.content_chars)
            if len(meaning.content_chars) >= MIN_FUZZY_MATCH_CHARS
            else None
        )

    def _find_similar(self, letters: str) -> int | None:
        """Return the most similar of the meanings that share a rare bigram."""
        postings = [
            self._ids_by_bigram[p]
            for p in set(tokenizer.extract_bigrams(letters))
            if p in self._ids_by_bigram
        ]
        candidates = {
            id for ids in sorted(postings, key=len)[:MAX_RARE_BIGRAMS] for id in ids
        }
        best = max(
            candidates,
            key=lambda id: (fuzz.ratio(letters, self._content_by_id[id]), -id),
            default=None,
        )
        if (
            best is None
            or fuzz.ratio(letters, self._content_by_id[best]) < MIN_SIMILARITY_PERCENT
        ):
            return None
        return best


def _replace_synonyms(spelling: str, lexicon: Lexicon) -> str:
    """Replace every synonym by the first of its set in sort order."""
    for member, others in lexicon.synonyms.find_members(spelling):
        spelling = spelling.replace(member, min((member, *others)))
    return spelling


def _transcribe(letters: str) -> str:
    """Return `letters` in pinyin, similar sounds folded together."""

    def transcribe_run(run: re.Match[str]) -> str:
        return " ".join(map(pinyin.fold_similar_sounds, pinyin.list_syllables(run[0])))

    return HAN_RUN_PATTERN.sub(transcribe_run, letters)


def _digest_parts(parts: Iterable[str]) -> str:
    return hashlib.blake2b("\n".join(parts).encode(), digest_size=16).hexdigest()
