"""How alike the wording of a query and the wordings of an entry are."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache

from rapidfuzz import fuzz
from rapidfuzz.distance import LCSseq

from kb.text import regional
from kb.text.normalize import normalize
from kb.text.telling import tells


@dataclass(frozen=True, slots=True)
class Wording:
    """One way to ask, normalized; `bare` without spaces and punctuation.

    `tells` has a 1 for each letter of the spelling that is no particle.
    """

    spelling: str
    bare: str
    tells: bytes

    @classmethod
    def of(cls, spelling: str) -> Wording:
        return cls(spelling, bare(spelling), tells(spelling))


def ways(*texts: str) -> tuple[Wording, ...]:
    """Return the wordings of `texts`, those of 繁體 as 简体 says them, too."""
    return tuple(wording for text in texts for wording in _ways(text))


@lru_cache(maxsize=20_000)  # some 10 MB: questions are compared again and again
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
    query: Sequence[Wording], terms: Sequence[str], face: Iterable[Wording]
) -> Likeness:
    """Compare a query, and the `terms` it asks for, with the wordings of an entry."""
    found = [_compare(way, terms, wording) for wording in face for way in query]
    if not found:
        return Likeness()
    return Likeness(*(max(shares) for shares in zip(*found, strict=True)))


def _compare(
    query: Wording, terms: Sequence[str], wording: Wording
) -> tuple[float, float, float]:
    same = fuzz.ratio(query.bare, wording.bare) / 100
    common = LCSseq.similarity(query.bare, wording.bare)
    return same, common / max(len(wording.bare), 1), _asked(terms, wording)


def _asked(terms: Sequence[str], wording: Wording) -> float:
    """Return the share of the telling letters of a wording that stand in terms."""
    left = bytearray(wording.tells)
    for term in terms:
        at = wording.spelling.find(term)
        while at >= 0:
            left[at : at + len(term)] = bytes(len(term))
            at = wording.spelling.find(term, at + 1)
    told = sum(wording.tells)
    return (told - sum(left)) / max(told, 1)


def bare(spelling: str) -> str:
    """Return a normalized text without spaces and punctuation."""
    return "".join(filter(str.isalnum, spelling))
