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

from kb.text import regional, segment
from kb.text.normalize import HAN_RUN, joined, normalize
from kb.text.telling import tells

PAIR = 2  # letters
_RUN = re.compile("[a-z]{2,}|[0-9]{2,}")
_PRIVATE, _PLACES = "\U000f0000", 0xFFFE  # code points that no text uses; how many


@dataclass(frozen=True, slots=True)
class Wording:
    """One way to ask, normalized; `bare` has its letters alone, as `letters` counts.

    Letters are counted in bits, the n-th letter of the spelling by 1 << n:
    `tells` has those that are no particle, `pairs` both of each pair of letters.
    `foreign` are its words that are no Han. `learned` are words after which people
    picked the entry.
    """

    spelling: str
    bare: str
    tells: int
    pairs: Mapping[str, int]
    foreign: frozenset[str] = frozenset()
    learned: bool = False

    @classmethod
    def of(cls, spelling: str) -> Wording:
        telling = sum(1 << at for at, told in enumerate(tells(spelling)) if told)
        pairs: dict[str, int] = {}
        for at in range(len(spelling) - 1):
            pair = intern(spelling[at : at + PAIR])
            pairs[pair] = pairs.get(pair, 0) | 0b11 << at
        foreign = segment.foreign(spelling)
        return cls(spelling, letters(spelling), telling, pairs, foreign)


@dataclass(frozen=True, slots=True)
class Terms:
    """Terms looked for in wordings: pairs of letters, words that are no Han, the rest.

    A word that is no Han must begin one there: win is in Windows, SSD not in ESSD. Of
    these and the rest, `loose` are those that are not made of pairs which are there.
    """

    pairs: frozenset[str]
    foreign: frozenset[str]
    rest: tuple[str, ...]
    loose: tuple[str, ...]

    @classmethod
    def of(cls, terms: Iterable[str]) -> Terms:
        asked = set(filter(None, terms))
        foreign = frozenset(term for term in asked if not HAN_RUN.search(term))
        pairs = frozenset(t for t in asked - foreign if len(t) == PAIR)
        rest = tuple(asked - pairs - foreign)
        loose = (*foreign, *(t for t in rest if not _in_pairs(t, pairs)))
        return cls(pairs, foreign, rest, loose)

    def plus(self, terms: Iterable[str]) -> Terms:
        return Terms.of([*self.pairs, *self.foreign, *self.rest, *terms])


def ways(*texts: str) -> tuple[Wording, ...]:
    """Return the wordings of `texts`, those of 繁體 as 简体 says them, too."""
    if len(texts) == 1:  # most entries have no phrasings
        return _ways(texts[0])
    return tuple(wording for text in texts for wording in _ways(text))


@lru_cache(maxsize=10_000)  # some 30 MB: questions are compared again and again
def _ways(text: str) -> tuple[Wording, ...]:
    return tuple(map(Wording.of, (normalize(text), *regional.wordings(text))))


@lru_cache(maxsize=2_000)
def learned(text: str) -> tuple[Wording, ...]:
    """Return the wordings of words after which people picked an entry."""
    return tuple(replace(wording, learned=True) for wording in ways(text))


class Likeness(NamedTuple):
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

    same: float
    reached: float
    echoed: float
    asked: float
    standing: Set[str]
    own: Set[str]


def likeness(
    query: Sequence[Wording], terms: Terms, face: Iterable[Wording]
) -> Likeness:
    """Compare a query, and the `terms` it asks for, with the wordings of an entry."""
    same = reached = echoed = asked = 0.0
    standing: set[str] = set()
    own: set[str] = set()
    for wording in face:
        pairs = wording.pairs.keys() & terms.pairs
        held = pairs.union([term for term in terms.rest if term in wording.spelling])
        held.update(term for term in terms.foreign if _begins(term, wording.foreign))
        standing |= held
        if not wording.learned:
            own |= held
        asked = max(asked, _asked(terms, held, wording))
        size = len(wording.bare)
        for way in query:
            common = LCSseq.similarity(way.bare, wording.bare)
            echoed = max(echoed, common / max(size, 1))
            if not wording.learned:
                same = max(same, 2 * common / max(len(way.bare) + size, 1))
                reached = max(reached, common / max(size, 1))
    return Likeness(same, reached, echoed, asked, standing, own)


def _asked(terms: Terms, held: Set[str], wording: Wording) -> float:
    """Return the share of the telling letters of a wording that stand in terms.

    `held` are the terms that stand in it.
    """
    found = 0
    for pair in held & terms.pairs:
        found |= wording.pairs[pair]
    for term in (term for term in terms.loose if term in held):
        for at, end in _places(term, wording.spelling):
            found |= ((1 << (end - at)) - 1) << at
    told = wording.tells.bit_count()
    return (found & wording.tells).bit_count() / max(told, 1)


def _places(term: str, spelling: str) -> Iterator[tuple[int, int]]:
    """Yield (start, end) of a term in a spelling; wifi is in wi-fi."""
    at = spelling.find(term)
    if at < 0:
        spread = "[_-]*".join(map(re.escape, term))
        yield from (match.span() for match in re.finditer(spread, spelling))
    while at >= 0:
        yield at, at + len(term)
        at = spelling.find(term, at + 1)


def _begins(term: str, words: Set[str]) -> bool:
    """Tell whether `term` is one of `words`, or begins one and is no mere letter."""
    if term in words:
        return True
    return len(term) > PAIR and any(word.startswith(term) for word in words)


def _in_pairs(term: str, pairs: Set[str]) -> bool:
    """Tell whether a longer term is made of pairs that are looked for."""
    made = (term[at : at + PAIR] for at in range(len(term) - 1))
    return len(term) > PAIR and all(pair in pairs for pair in made)


def bare(spelling: str) -> str:
    """Return a normalized text without spaces and punctuation."""
    return "".join(filter(str.isalnum, spelling))


def letters(spelling: str) -> str:
    """Return a normalized text's letters, where Latin words and numbers are whole.

    SSD has no letter of ESSD, and 17 none of 18: each stands for its word alone, as
    often as the word has letters.
    """
    text = _RUN.sub(_whole, joined(spelling))
    return "".join(c for c in text if c.isalnum() or c >= _PRIVATE)


def _whole(run: re.Match[str]) -> str:
    place = ord(_PRIVATE) + zlib.crc32(run[0].encode()) % _PLACES
    return chr(place) * len(run[0])
