"""A compiled vocabulary: synonyms, stop words and custom words."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from kb.text.chinese.normalize import normalize_text
from kb.text.chinese.synonyms import SynonymGroup, SynonymMatcher


class StopWordMatcher:
    """Stop words, compiled to be found in texts.

    One character counts only where it is a word by itself (亲, not 亲属), Latin
    only as a whole word.
    """

    def __init__(self, words: Iterable[str] = ()) -> None:
        spelled = {spelling for w in words if (spelling := normalize_text(w).strip())}
        self.characters = frozenset(w for w in spelled if len(w) == 1)
        longest_first = sorted(spelled - self.characters, key=len, reverse=True)
        self._pattern = re.compile(
            "|".join(map(_compile_whole_word, longest_first)) or "(?!)"
        )

    def find_spans(self, spelling: str) -> Iterator[tuple[int, int]]:
        """Yield where stop words of several characters stand in a normalized text."""
        return (match.span() for match in self._pattern.finditer(spelling))


@dataclass(frozen=True, slots=True, eq=False)  # a key of caches: one is itself
class Lexicon:
    """Synonyms, stop words, and the words that jieba knows beside its own."""

    synonyms: SynonymMatcher = field(default_factory=SynonymMatcher)
    stop_words: StopWordMatcher = field(default_factory=StopWordMatcher)
    custom_words: frozenset[str] = frozenset()

    @classmethod
    def from_vocabulary(
        cls, sets: Iterable[SynonymGroup], stops: Iterable[str], words: Iterable[str]
    ) -> Lexicon:
        return cls(
            SynonymMatcher(sets),
            StopWordMatcher(stops),
            frozenset(map(normalize_text, words)),
        )


def _compile_whole_word(word: str) -> str:
    """Return a pattern of `word` that does not cut a Latin word in two."""
    before = r"(?<![a-z0-9])" if re.match("[a-z0-9]", word) else ""
    after = r"(?![a-z0-9])" if re.match("[a-z0-9]", word[-1]) else ""
    return before + re.escape(word) + after


EMPTY_LEXICON = Lexicon()
