"""When two searches mean the same: by what they tell, by its sound, or nearly so."""

from __future__ import annotations

import hashlib
import re
from collections import defaultdict
from collections.abc import Iterable
from typing import NamedTuple

from rapidfuzz import fuzz

from kb.text import pinyin, segment
from kb.text.lexicon import Lexicon
from kb.text.likeness import bare
from kb.text.normalize import HAN_RUN, normalize
from kb.text.telling import ASKING, LIGHT, PARTICLES, wanted

ALIKE = 86  # per cent of letters in common, in order, of what two searches tell
LONG = 7  # letters below which one other letter is another question
RAREST = 3  # pairs of letters by which candidates are looked for
_ASKING = re.compile("|".join(sorted(ASKING, key=len, reverse=True)))
_SAY_NOTHING = PARTICLES | {"么"}


class Meaning(NamedTuple):
    """What a search tells: its words whatever their order, its sound, its letters."""

    words: str
    sound: str
    told: str

    @classmethod
    def of(cls, text: str, lexicon: Lexicon) -> Meaning:
        """Synonyms count as one word; what only asks, and particles, as nothing."""
        spelling = _canonical(normalize(text), lexicon)
        weights = wanted(spelling, lexicon).words
        terms = [term for term, weight in weights.items() if weight > LIGHT]
        whole = [t for t in terms if not any(t != o and t in o for o in terms)]
        asked = bare(_ASKING.sub(" ", spelling))
        told = "".join(c for c in asked if c not in _SAY_NOTHING) or bare(spelling)
        return cls(_digest(sorted(set(whole)) or [told]), _digest([_sound(told)]), told)


class Known:
    """Meanings that there are already, to find the one that a new search has."""

    def __init__(self) -> None:
        self._exact: dict[str, int] = {}
        self._told: dict[int, str] = {}
        self._pairs: defaultdict[str, list[int]] = defaultdict(list)

    def add(self, id: int, meaning: Meaning) -> None:
        self._exact.setdefault(meaning.words, id)
        self._exact.setdefault(meaning.sound, id)
        if len(meaning.told) >= LONG:
            self._told[id] = meaning.told
            for pair in set(segment.pairs(meaning.told)):
                self._pairs[pair].append(id)

    def find(self, meaning: Meaning) -> int | None:
        for key in (meaning.words, meaning.sound):
            if (id := self._exact.get(key)) is not None:
                return id
        return self._alike(meaning.told) if len(meaning.told) >= LONG else None

    def _alike(self, told: str) -> int | None:
        """Return the most alike of those that share a rare pair of letters."""
        held = [self._pairs[p] for p in set(segment.pairs(told)) if p in self._pairs]
        near = {id for ids in sorted(held, key=len)[:RAREST] for id in ids}
        best = max(
            near, key=lambda id: (fuzz.ratio(told, self._told[id]), -id), default=None
        )
        if best is None or fuzz.ratio(told, self._told[best]) < ALIKE:
            return None
        return best


def _canonical(spelling: str, lexicon: Lexicon) -> str:
    """Put the first of its set in the place of every synonym."""
    for member, others in lexicon.synonyms.of(spelling):
        spelling = spelling.replace(member, min((member, *others)))
    return spelling


def _sound(told: str) -> str:
    def read(run: re.Match[str]) -> str:
        return " ".join(map(pinyin.blurred, pinyin.syllables(run[0])))

    return HAN_RUN.sub(read, told)


def _digest(parts: Iterable[str]) -> str:
    return hashlib.blake2b("\n".join(parts).encode(), digest_size=16).hexdigest()
