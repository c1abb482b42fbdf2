"""Keys of autocomplete: what may be typed of a text: letters, sounds, initials.

A text is a row of units: a Han character with its syllable, or a letter or digit
that is its own sound. Case, width, script, spaces and punctuation do not count.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import groupby
from typing import NamedTuple

from kb.text.chinese import pinyin, tokenizer
from kb.text.chinese.normalize import (
    HAN_CHARACTER_CLASS,
    normalize_text,
    normalize_with_offsets,
)
from kb.text.chinese.term_weights import PARTICLE_CHARACTERS

MAX_KEY_UNITS = 16  # units of a key; more must be compared unit by unit
MAX_KEYS_PER_TEXT = 8  # keys of a text
MAX_TYPED_CHARS = 64  # characters
MAX_TYPED_READINGS = 6  # in which typed letters are read
_SCRIPT_RUN_PATTERN = re.compile(f"[{HAN_CHARACTER_CLASS}]+|[^{HAN_CHARACTER_CLASS}]+")
_WORD_PATTERN = re.compile(r"[^\W_]+")
_DOUBLE_INITIALS = ("zh", "ch", "sh")
KeyUnit = tuple[str, str]  # a character and how it sounds


class AutocompleteKey(NamedTuple):
    """A text from the unit `place` on, at most MAX_KEY_UNITS units.

    `lengths` has a digit a unit: how many letters of `sound` are its own.
    """

    place: int
    letters: str
    sound: str
    initials: str
    lengths: str


@dataclass(frozen=True, slots=True)
class TypedReading:
    """A reading of what was typed: one Han character or initial a unit.

    `longest_syllable` is the longest that is typed out. `has_bare_initial`: a unit
    before the last one is an initial alone.
    """

    units: str = ""
    longest_syllable: str = ""
    has_bare_initial: bool = False

    def append_unit(
        self, unit: str, spelled: str = "", *, short: bool = False
    ) -> TypedReading:
        longest = max(self.longest_syllable, spelled, key=len)
        return TypedReading(self.units + unit, longest, self.has_bare_initial or short)

    def iterate_runs(self) -> Iterator[tuple[int, bool, str]]:
        """Yield (place, whether these are initials, units) of runs of one kind."""
        place = 0
        for latin, run in groupby(self.units, key=str.isascii):
            units = "".join(run)
            yield place, latin, units
            place += len(units)


def extract_letters(text: str) -> str:
    """Return the letters and digits of `text`, normalized; ü is v, as people type it."""
    return _keep_letters(normalize_text(text))


def generate_autocomplete_keys(text: str) -> Iterator[AutocompleteKey]:
    """Yield the key of all of `text`, then those from words inside it."""
    units, places = _split_text_units(text)
    for place in [p for p in places if p < len(units)][:MAX_KEYS_PER_TEXT]:
        part = units[place : place + MAX_KEY_UNITS]
        yield AutocompleteKey(
            place,
            "".join(letter for letter, _ in part),
            "".join(sound for _, sound in part),
            "".join(sound[0] for _, sound in part),
            "".join(str(len(sound)) for _, sound in part),
        )


def split_key_units(key: AutocompleteKey) -> list[KeyUnit]:
    """Return the units of a key."""
    units: list[KeyUnit] = []
    start = 0
    for letter, length in zip(key.letters, map(int, key.lengths), strict=True):
        units.append((letter, key.sound[start : start + length]))
        start += length
    return units


def count_matched_units(typed: str, units: Iterable[KeyUnit]) -> int:
    """Return how many units stand for `typed`, the last maybe in part; 0: it differs.

    A unit is typed as the character, its syllable or its initial. What is typed
    beyond MAX_KEY_UNITS units is not compared.
    """
    reached, number = {0}, 0
    for number, unit in enumerate(units, 1):
        if any(unit[1].startswith(typed[at:]) for at in reached):
            return number
        reached = {end for at in reached for end in _find_unit_ends(typed, at, unit)}
        if len(typed) in reached or not reached:
            return number if reached else 0
    return number if number == MAX_KEY_UNITS else 0


def list_typed_readings(typed: str) -> list[TypedReading]:
    """Return how `typed`, of counting letters, may be read, in fewest units first.

    No syllable begins with i, u or v. They stand for themselves, as in wifi, only
    where nothing else can be read.
    """
    typed = typed[:MAX_KEY_UNITS]
    return _list_readings(typed, "iuv") or _list_readings(typed, "")


def _list_readings(typed: str, never: str) -> list[TypedReading]:
    read: list[dict[str, TypedReading]] = [{} for _ in range(len(typed) + 1)]
    read[0][""] = TypedReading()
    for at in range(len(typed)):
        best = sorted(
            read[at].values(), key=lambda way: (len(way.units), way.has_bare_initial)
        )
        for way in best[:MAX_TYPED_READINGS]:
            for end, after in _extend_reading(typed, at, way):
                if after.units[-1] not in never:
                    read[end].setdefault(after.units, after)
    return sorted(read[-1].values(), key=lambda way: len(way.units))[
        :MAX_TYPED_READINGS
    ]


def locate_typed_span(text: str, place: int, count: int) -> tuple[int, int]:
    """Return (start, end) in `text` of `count` units from `place`; (0, 0): none."""
    spelling, at = normalize_with_offsets(text)
    counting = [n for n, letter in enumerate(spelling) if letter.isalnum()]
    chosen = counting[place : place + count]
    if not chosen:
        return 0, 0
    end = next(e for e in at[chosen[-1] + 1 :] if e > at[chosen[-1]])
    return at[chosen[0]], end


def _keep_letters(spelling: str) -> str:
    return "".join(filter(str.isalnum, spelling)).replace("ü", "v")


def _split_text_units(text: str) -> tuple[list[KeyUnit], list[int]]:
    """Return the units of `text` and where words begin, 0 first."""
    units: list[KeyUnit] = []
    places = {0}
    for run in _SCRIPT_RUN_PATTERN.findall(normalize_text(text)):
        if re.match(f"[{HAN_CHARACTER_CLASS}]", run):
            run = _keep_letters(run)  # noqa: PLW2901 - HAN has places for future characters
            places.update(
                len(units) + p
                for p in tokenizer.find_word_starts(run, PARTICLE_CHARACTERS)
            )
            units += zip(run, pinyin.list_syllables(run), strict=True)
            continue
        for word in map(_keep_letters, _WORD_PATTERN.findall(run)):
            places.add(len(units))
            units += [(letter, letter) for letter in word]
    return units, sorted(places)


def _find_unit_ends(typed: str, at: int, unit: KeyUnit) -> Iterator[int]:
    """Yield where `typed` may go on after `unit` was typed from `at`."""
    letter, sound = unit
    pieces = {letter, sound, sound[0]} | ({sound[:2]} & set(_DOUBLE_INITIALS))
    return (at + len(p) for p in pieces if typed.startswith(p, at))


def _extend_reading(
    typed: str, at: int, way: TypedReading
) -> Iterator[tuple[int, TypedReading]]:
    """Yield (end, way) for what may be typed next, longest first."""
    first, rest = typed[at], typed[at:]
    if not (first.isascii() and first.isalpha()):
        yield at + 1, way.append_unit(first)
        return
    if pinyin.is_syllable_prefix(rest):
        yield len(typed), way.append_unit(first, rest)
    for size in range(min(6, len(rest)), 0, -1):
        if pinyin.is_syllable(rest[:size]):
            yield at + size, way.append_unit(first, rest[:size])
    if rest[:2] in _DOUBLE_INITIALS:
        yield at + 2, way.append_unit(first, short=True)
    yield at + 1, way.append_unit(first, short=len(rest) > 1)
