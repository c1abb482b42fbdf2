"""What somebody may have typed of a text so far: its letters, sounds, initials.

A text is a row of units: a Han character with its syllable, or a letter or digit
that stands for itself. Case, width, script, spaces and punctuation do not count.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import groupby
from typing import NamedTuple

from kb.text import pinyin, segment
from kb.text.normalize import HAN, aligned, normalize
from kb.text.telling import PARTICLES

LONGEST = 16  # units of a key; more must be compared unit by unit
MOST_PLACES = 8  # keys of a text
MOST_TYPED = 64  # characters
MOST_WAYS = 6  # in which typed letters are read
_RUN = re.compile(f"[{HAN}]+|[^{HAN}]+")
_WORD = re.compile(r"[^\W_]+")
_DOUBLE = ("zh", "ch", "sh")
Unit = tuple[str, str]  # a character and how it sounds


class Key(NamedTuple):
    """What a text says from `place`, a number of units, at most LONGEST units.

    `lengths` has a digit a unit: how many letters of `sound` are its own.
    """

    place: int
    letters: str
    sound: str
    initials: str
    lengths: str


@dataclass(frozen=True, slots=True)
class Way:
    """A reading of what was typed: one Han character or initial a unit.

    `spelt` is the longest syllable in it that is typed out, `short` tells
    whether a unit before the last one is an initial alone.
    """

    units: str = ""
    spelt: str = ""
    short: bool = False

    def then(self, unit: str, spelt: str = "", *, short: bool = False) -> Way:
        longest = max(self.spelt, spelt, key=len)
        return Way(self.units + unit, longest, self.short or short)

    def runs(self) -> Iterator[tuple[int, bool, str]]:
        """Yield (place, whether these are initials, units) of runs of one kind."""
        place = 0
        for latin, run in groupby(self.units, key=str.isascii):
            units = "".join(run)
            yield place, latin, units
            place += len(units)


def letters(text: str) -> str:
    """Return what counts of `text`; somebody without a ü types v."""
    return _counting(normalize(text))


def keys(text: str) -> Iterator[Key]:
    """Yield the key of all of `text`, then those from words inside it."""
    units, places = _units(text)
    for place in [p for p in places if p < len(units)][:MOST_PLACES]:
        part = units[place : place + LONGEST]
        yield Key(
            place,
            "".join(letter for letter, _ in part),
            "".join(sound for _, sound in part),
            "".join(sound[0] for _, sound in part),
            "".join(str(len(sound)) for _, sound in part),
        )


def units(key: Key) -> list[Unit]:
    """Return the units of a key."""
    found: list[Unit] = []
    start = 0
    for letter, length in zip(key.letters, map(int, key.lengths), strict=True):
        found.append((letter, key.sound[start : start + length]))
        start += length
    return found


def matched(typed: str, units: Iterable[Unit]) -> int:
    """Return how many units stand for `typed`, the last maybe in part; 0: it differs.

    A unit is typed as the character, its syllable or its initial. What is typed
    beyond LONGEST units is taken as it is.
    """
    reached, number = {0}, 0
    for number, unit in enumerate(units, 1):
        if any(unit[1].startswith(typed[at:]) for at in reached):
            return number
        reached = {end for at in reached for end in _ends(typed, at, unit)}
        if len(typed) in reached or not reached:
            return number if reached else 0
    return number if number == LONGEST else 0


def ways(typed: str) -> list[Way]:
    """Return how `typed`, of counting letters, may be read, in fewest units first.

    No syllable begins with i, u or v. They stand for themselves, as in wifi, only
    where nothing else can be read.
    """
    typed = typed[:LONGEST]
    return _ways(typed, "iuv") or _ways(typed, "")


def _ways(typed: str, never: str) -> list[Way]:
    read: list[dict[str, Way]] = [{} for _ in range(len(typed) + 1)]
    read[0][""] = Way()
    for at in range(len(typed)):
        best = sorted(read[at].values(), key=lambda way: (len(way.units), way.short))
        for way in best[:MOST_WAYS]:
            for end, after in _readings(typed, at, way):
                if after.units[-1] not in never:
                    read[end].setdefault(after.units, after)
    return sorted(read[-1].values(), key=lambda way: len(way.units))[:MOST_WAYS]


def stretch(text: str, place: int, count: int) -> tuple[int, int]:
    """Return (start, end) in `text` of `count` units from `place`; (0, 0): none."""
    spelling, at = aligned(text)
    counting = [n for n, letter in enumerate(spelling) if letter.isalnum()]
    chosen = counting[place : place + count]
    if not chosen:
        return 0, 0
    end = next(e for e in at[chosen[-1] + 1 :] if e > at[chosen[-1]])
    return at[chosen[0]], end


def _counting(spelling: str) -> str:
    return "".join(filter(str.isalnum, spelling)).replace("ü", "v")


def _units(text: str) -> tuple[list[Unit], list[int]]:
    """Return the units of `text` and where words begin, 0 first."""
    found: list[Unit] = []
    places = {0}
    for run in _RUN.findall(normalize(text)):
        if re.match(f"[{HAN}]", run):
            run = _counting(run)  # noqa: PLW2901 - HAN has places for future characters
            places.update(len(found) + p for p in segment.starts(run, PARTICLES))
            found += zip(run, pinyin.syllables(run), strict=True)
            continue
        for word in map(_counting, _WORD.findall(run)):
            places.add(len(found))
            found += [(letter, letter) for letter in word]
    return found, sorted(places)


def _ends(typed: str, at: int, unit: Unit) -> Iterator[int]:
    """Yield where `typed` may go on after `unit` was typed from `at`."""
    letter, sound = unit
    pieces = {letter, sound, sound[0]} | ({sound[:2]} & set(_DOUBLE))
    return (at + len(p) for p in pieces if typed.startswith(p, at))


def _readings(typed: str, at: int, way: Way) -> Iterator[tuple[int, Way]]:
    """Yield (end, way) for what may be typed next, longest first."""
    first, rest = typed[at], typed[at:]
    if not (first.isascii() and first.isalpha()):
        yield at + 1, way.then(first)
        return
    if pinyin.begins(rest):
        yield len(typed), way.then(first, rest)
    for size in range(min(6, len(rest)), 0, -1):
        if pinyin.is_syllable(rest[:size]):
            yield at + size, way.then(first, rest[:size])
    if rest[:2] in _DOUBLE:
        yield at + 2, way.then(first, short=True)
    yield at + 1, way.then(first, short=len(rest) > 1)
