"""How alike the wording of a query and the wordings of an entry are."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence, Set
from dataclasses import dataclass
from functools import lru_cache
from sys import intern

from rapidfuzz import fuzz
from rapidfuzz.distance import LCSseq

from kb.text import regional
from kb.text.normalize import normalize
from kb.text.telling import tells

PAIR = 2  # letters


@dataclass(frozen=True, slots=True)
class Wording:
    """One way to ask, normalized; `bare` without spaces and punctuation.

    Letters are counted in bits, the n-th letter of the spelling by 1 << n:
    `tells` has those that are no particle, `pairs` both of each pair of letters.
    """

    spelling: str
    bare: str
    tells: int
    pairs: Mapping[str, int]

    @classmethod
    def of(cls, spelling: str) -> Wording:
        telling = sum(1 << at for at, told in enumerate(tells(spelling)) if told)
        pairs: dict[str, int] = {}
        for at in range(len(spelling) - 1):
            pair = intern(spelling[at : at + PAIR])
            pairs[pair] = pairs.get(pair, 0) | 0b11 << at
        return cls(spelling, bare(spelling), telling, pairs)


@dataclass(frozen=True, slots=True)
class Terms:
    """Terms that are looked for in wordings: pairs of letters, and the rest.

    Of the rest, `loose` are those that are not made of pairs which are there, too.
    """

    pairs: frozenset[str]
    rest: tuple[str, ...]
    loose: tuple[str, ...]

    @classmethod
    def of(cls, terms: Iterable[str]) -> Terms:
        asked = set(filter(None, terms))
        pairs = frozenset(term for term in asked if len(term) == PAIR)
        rest = tuple(asked - pairs)
        return cls(pairs, rest, tuple(t for t in rest if not _in_pairs(t, pairs)))

    def standing(self, face: Iterable[Wording]) -> set[str]:
        """Return the terms that stand in any of the wordings."""
        there: set[str] = set()
        for wording in face:
            there |= wording.pairs.keys() & self.pairs
            there.update([term for term in self.rest if term in wording.spelling])
        return there


def ways(*texts: str) -> tuple[Wording, ...]:
    """Return the wordings of `texts`, those of 繁體 as 简体 says them, too."""
    return tuple(wording for text in texts for wording in _ways(text))


@lru_cache(maxsize=10_000)  # some 30 MB: questions are compared again and again
def _ways(text: str) -> tuple[Wording, ...]:
    return tuple(map(Wording.of, (normalize(text), *regional.wordings(text))))


@dataclass(frozen=True, slots=True)
class Likeness:
    """Shares from 0 to 1, of the best wording each.

    same      letters in common, in order, of both: 2 · common / (a + b) (Indel ratio)
    reached   letters of the wording that stand in the query, in order
    asked     what the wording tells that is among the terms asked for
    """

    same: float = 0.0
    reached: float = 0.0
    asked: float = 0.0


def likeness(
    query: Sequence[Wording], terms: Terms, face: Iterable[Wording]
) -> Likeness:
    """Compare a query, and the `terms` it asks for, with the wordings of an entry."""
    same = reached = asked = 0.0
    for wording in face:
        asked = max(asked, _asked(terms, wording))
        for way in query:
            same = max(same, fuzz.ratio(way.bare, wording.bare))
            common = LCSseq.similarity(way.bare, wording.bare)
            reached = max(reached, common / max(len(wording.bare), 1))
    return Likeness(same / 100, reached, asked)


def _asked(terms: Terms, wording: Wording) -> float:
    """Return the share of the telling letters of a wording that stand in terms."""
    found = 0
    for pair in wording.pairs.keys() & terms.pairs:
        found |= wording.pairs[pair]
    for term in terms.loose:
        at = wording.spelling.find(term)
        while at >= 0:
            found |= ((1 << len(term)) - 1) << at
            at = wording.spelling.find(term, at + 1)
    told = wording.tells.bit_count()
    return (found & wording.tells).bit_count() / max(told, 1)


def _in_pairs(term: str, pairs: Set[str]) -> bool:
    """Tell whether a longer term is made of pairs that are looked for."""
    made = (term[at : at + PAIR] for at in range(len(term) - 1))
    return len(term) > PAIR and all(pair in pairs for pair in made)


def bare(spelling: str) -> str:
    """Return a normalized text without spaces and punctuation."""
    return "".join(filter(str.isalnum, spelling))
