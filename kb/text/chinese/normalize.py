"""One spelling of a text: NFKC, case and 繁→简, so that both sides agree."""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections.abc import Callable, Iterator
from functools import cache, lru_cache

import opencc

HAN_CHARACTER_CLASS = (
    "〇㐀-䶿一-鿿\uf900-\ufaff\U00020000-\U0003ffff"  # for a regex class
)
HAN_RUN_PATTERN = re.compile(f"[{HAN_CHARACTER_CLASS}]+")
HYPHENATED_WORD_PATTERN = re.compile("(?<![a-z0-9])[a-z0-9]++(?:[-_]++[a-z0-9]++)++")
_HAN_BLOCKS = ((0x3400, 0x4DC0), (0x4E00, 0xA000), (0xF900, 0xFB00), (0x20000, 0x2EBF0))
# 帳 is 帐 to OpenCC and 账 to the banks: 账户, 账号, 账单.
_ACCOUNT_CHARACTERS = {"帳": "账", "帐": "账", "賬": "账"}
MAX_CACHED_CHARS = 200  # characters of what people type
# Characters that are one character in every spelling, before one of their kind.
_STABLE_CHARACTER_CLASS = "\t\n\r -~·–—“”‘’\u3000-\u3029㐀-䶿一-鿿！-～"
_STABLE_RUN_PATTERN = re.compile(
    f"[{_STABLE_CHARACTER_CLASS}]+(?=[{_STABLE_CHARACTER_CLASS}]|\\Z)"
)
_SPACED_HAN_PATTERN = re.compile(
    f"(?<![{HAN_CHARACTER_CLASS}])[{HAN_CHARACTER_CLASS}](?: [{HAN_CHARACTER_CLASS}])+(?![{HAN_CHARACTER_CLASS}])"
)
_INNER_HYPHEN_PATTERN = re.compile("(?<=[a-z0-9])[_-]+(?=[a-z0-9])")
# Characters that join the one before them into one under NFKC.
_JOINING_CHARACTER_PATTERN = re.compile("[\u1160-\u11ff\uff9e\uff9f\uffa0-\uffdc]")


def clean_text(text: str) -> str:
    """Return `text` without characters that are invisible or not storable, lines ended by LF.

    NUL, other controls, lone surrogates, zero-width and bidirectional
    characters go; tab, line feed and the joiner inside an emoji stay.
    """
    return unify_line_ends(text).translate(_VISIBLE_TABLE)


def unify_line_ends(text: str) -> str:
    """Return `text` with LF for every CR LF, which browsers send, and lone CR."""
    if "\r" not in text:
        return text
    return text.replace("\r\n", "\n").replace("\r", "\n")


def clean_single_line(text: str) -> str:
    """Return `text` cleaned, on one line, with single spaces."""
    return " ".join(clean_text(text).split())


def normalize_text(text: str) -> str:
    """Return the spelling that texts are compared and indexed in."""
    return (
        _normalize_cached(text)
        if len(text) <= MAX_CACHED_CHARS
        else _normalize_uncached(text)
    )


@lru_cache(maxsize=1000)  # a search asks many times for what was typed
def _normalize_cached(text: str) -> str:
    return _normalize_uncached(text)


def _normalize_uncached(text: str) -> str:
    composed = unicodedata.normalize("NFKC", text.translate(_SIGNIFICANT_TABLE))
    return composed.casefold().translate(_load_simplified_table())


def compute_spelling_key(text: str) -> str:
    """Return 32 hex digits, equal for questions that differ only in spelling.

    Case, width, script, spaces and punctuation do not count, unless nothing
    else is there.
    """
    spelling = normalize_text(text)
    letters = "".join(c for c in spelling if c.isalnum()) or spelling.strip()
    return hashlib.blake2b(letters.encode(), digest_size=16).hexdigest()


def normalize_with_offsets(text: str) -> tuple[str, list[int]]:
    """Return normalize(text) and, for each of its characters, its place in `text`.

    The list has one more item, len(text), so that a slice of the normalized
    text can be taken back: text[at[start]:at[end]].
    """
    letters: list[str] = []
    at: list[int] = []
    end = 0
    for plain in _STABLE_RUN_PATTERN.finditer(text):
        _append_aligned(text, end, plain.start(), letters, at)
        end = plain.end()
        letters.append(_normalize_stable_run(plain[0]))
        at += range(plain.start(), end)
    _append_aligned(text, end, len(text), letters, at)
    at.append(len(text))
    return "".join(letters), at


def _normalize_stable_run(text: str) -> str:
    """Return normalize(text) of plain characters, touching only those that change."""
    changing, spelled = _load_changing_characters()
    return changing.sub(lambda run: run[0].translate(spelled), text)


@cache
def _load_changing_characters() -> tuple[re.Pattern[str], dict[int, str]]:
    plain = "".join(
        c for c in map(chr, range(0x10000)) if _STABLE_RUN_PATTERN.fullmatch(c)
    )
    spelled = {ord(c): s for c in plain if (s := normalize_text(c)) != c}
    return re.compile(f"[{re.escape(''.join(map(chr, spelled)))}]+"), spelled


def _append_aligned(
    text: str, start: int, end: int, letters: list[str], at: list[int]
) -> None:
    """Add the letters of a stretch of `text` and their places."""
    for place, cluster in _iterate_clusters(text[start:end]):
        spelling = normalize_text(cluster)
        letters.append(spelling)
        at += [start + place] * len(spelling)


def join_spaced_han(line: str) -> str:
    """Return `line` with spaces taken out that stand between single Han characters.

    So are words written that come out of a picture or a table: 退 货.
    """
    return _SPACED_HAN_PATTERN.sub(lambda spread: spread[0].replace(" ", ""), line)


def join_hyphenated(spelling: str) -> str:
    """Return a normalized text with Latin words in one that have a hyphen: wifi."""
    return _INNER_HYPHEN_PATTERN.sub("", spelling)


def is_traditional(text: str) -> bool:
    """Return whether folding 繁→简 changes a character of `text`."""
    text = text.replace("帐", "账")  # a spelling of 简体 as well
    return text.translate(_load_simplified_table()) != text


def simplify_characters(text: str) -> str:
    """Return `text` in 简体, character by character: its length stays the same."""
    return text.translate(_load_simplified_table())


def list_script_variants(word: str) -> set[str]:
    """Return `word`, normalized, as 简体 and the ways of 繁體 would write it."""
    return {word, *(convert(word) for convert in _load_traditional_converters())}


def _iterate_clusters(text: str) -> Iterator[tuple[int, str]]:
    """Yield (place, characters that must be normalized together)."""
    start = 0
    for place in range(1, len(text)):
        if _is_joining(text[place]):
            continue
        yield start, text[start:place]
        start = place
    if text:
        yield start, text[start:]


def _is_joining(character: str) -> bool:
    """Return whether NFKC may merge `character` into the one before it."""
    return (
        unicodedata.category(character)[0] == "M"
        or bool(_JOINING_CHARACTER_PATTERN.match(character))
        or not character.translate(_SIGNIFICANT_TABLE)
    )


@cache
def _load_simplified_table() -> dict[int, str]:
    """Return the 繁→简 table, strictly one character to one.

    Made from OpenCC's t2s, character by character: phrase rules would change
    lengths, and a text and a part of it would no longer agree.
    """
    convert = opencc.OpenCC("t2s").convert
    han = [chr(c) for block in _HAN_BLOCKS for c in range(*block)]
    simple = convert("\n".join(han)).split("\n")
    table = {
        ord(a): b for a, b in zip(han, simple, strict=True) if a != b and len(b) == 1
    }
    return table | {ord(a): b for a, b in _ACCOUNT_CHARACTERS.items()}


@cache
def _load_traditional_converters() -> tuple[Callable[[str], str], ...]:
    ways = ("s2t", "s2tw", "s2twp", "s2hk")
    return tuple(opencc.OpenCC(way).convert for way in ways)


class _CategoryFilter(dict[int, int | None]):
    """A translation table that drops whole Unicode categories, filled by use."""

    def __init__(self, *categories: str, keep: str = "", drop: str = "") -> None:
        self.categories = frozenset(categories)
        super().__init__({ord(c): ord(c) for c in keep} | {ord(c): None for c in drop})

    def __missing__(self, code: int) -> int | None:
        gone = unicodedata.category(chr(code)) in self.categories
        return self.setdefault(code, None if gone else code)


_VARIATION_SELECTORS = "".join(
    map(chr, (*range(0xFE00, 0xFE10), *range(0xE0100, 0xE01F0)))
)
_VISIBLE_TABLE = _CategoryFilter("Cc", "Cf", "Cs", keep="\t\n\r\u200d")
_SIGNIFICANT_TABLE = _CategoryFilter(
    "Cc", "Cf", "Cs", keep="\t\n\r", drop=_VARIATION_SELECTORS
)
