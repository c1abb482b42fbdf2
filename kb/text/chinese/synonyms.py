"""Synonyms: find the members of groups in a text, with the other members."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from kb.text.chinese.normalize import (
    HYPHENATED_WORD_PATTERN,
    join_hyphenated,
    normalize_text,
)

# (a synonym in a text, the other members of its groups), in the order of the text
FoundSynonyms = Sequence[tuple[str, Sequence[str]]]


@dataclass(frozen=True, slots=True)
class SynonymGroup:
    """Members that find each other; in a one-way group the first finds the others."""

    members: tuple[str, ...]
    is_two_way: bool = True


class SynonymMatcher:
    """Synonym groups, compiled to be found in texts.

    Of members that overlap in a text the longest counts. Latin members must be
    whole words: COD is not in code.
    """

    def __init__(self, groups: Iterable[SynonymGroup] = ()) -> None:
        self._synonyms_by_member: dict[str, list[str]] = {}
        for group in groups:
            members = list(
                dict.fromkeys(filter(None, map(_normalize_member, group.members)))
            )
            for member in members if group.is_two_way else members[:1]:
                others = self._synonyms_by_member.setdefault(member, [])
                others += [m for m in members if m != member and m not in others]
        self._lengths_by_first_character: dict[str, list[int]] = {}
        for member in self._synonyms_by_member:
            lengths = self._lengths_by_first_character.setdefault(member[0], [])
            if len(member) not in lengths:
                lengths.append(len(member))
                lengths.sort(reverse=True)

    def find_members(self, text: str) -> FoundSynonyms:
        """Return the members that are in `text`, in order, each once.

        A hyphenated word is the word without its hyphen, if that is a member: wi-fi
        is WiFi.
        """
        spelling = HYPHENATED_WORD_PATTERN.sub(
            self._join_known_word, normalize_text(text)
        )
        members: dict[str, None] = {}
        start = 0
        while start < len(spelling):
            member = self._find_longest_member(spelling, start)
            if member:
                members[member] = None
            start += len(member) or 1
        return [(member, self._synonyms_by_member[member]) for member in members]

    def _join_known_word(self, word: re.Match[str]) -> str:
        joined = join_hyphenated(word[0])
        return joined if joined in self._synonyms_by_member else word[0]

    def _find_longest_member(self, spelling: str, start: int) -> str:
        """Return the longest member that begins at `start`, "" if none does."""
        for length in self._lengths_by_first_character.get(spelling[start], ()):
            member = spelling[start : start + length]
            if member in self._synonyms_by_member and _is_whole_word(
                spelling, start, length
            ):
                return member
        return ""


def _normalize_member(member: str) -> str:
    return normalize_text(member).strip()


def _is_whole_word(spelling: str, start: int, length: int) -> bool:
    """Return whether no Latin word goes on at either end."""
    return not any(
        _is_latin(spelling[edge - 1]) and _is_latin(spelling[edge])
        for edge in (start, start + length)
        if 0 < edge < len(spelling)
    )


def _is_latin(character: str) -> bool:
    return character.isascii() and character.isalnum()
