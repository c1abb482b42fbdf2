"""How texts sound: pairs of syllables and initials, for those who type pinyin.

A term of sound is two syllables joined by an apostrophe (tui'huo), or a tilde
and two or three initials (~thy), so that it is never taken for a word. Sounds
that many speakers do not tell apart (zh and z, n and l, ang and an) are one. How
much a term of sound counts in a search is said in kb/search/weights.toml.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache, lru_cache
from itertools import pairwise

from kb.text.chinese.normalize import (
    HAN_CHARACTER_CLASS,
    HAN_RUN_PATTERN,
    normalize_text,
)

MAX_PINYIN_RUN_LETTERS = 64  # letters of a Latin run that are read as pinyin
_INITIAL_PATTERN = re.compile("^(?:zh|ch|sh|n(?=[aeiou]))")
_FINAL_PATTERN = re.compile("([aei])ng$")
_UNITS_PATTERN = re.compile(
    f"(?P<han>[{HAN_CHARACTER_CLASS}]+)|(?P<latin>[a-z]+)|(?P<space>[\\s']+)|.",
    re.DOTALL,
)


def list_phonetic_terms(text: str) -> list[str]:
    """Return the terms of sound of the Han in `text`, for the index."""
    found: list[str] = []
    for match in HAN_RUN_PATTERN.finditer(normalize_text(text)):
        read = list_syllables(match[0])
        found += map("'".join, pairwise(map(fold_similar_sounds, read)))
        found += _list_initials("".join(s[0] for s in read), (2, 3))
    return found


def list_typed_phonetic_terms(text: str) -> list[str]:
    """Return the terms of sound that somebody typed in pinyin, wholly or partly.

    Pairs of syllables where at least one is typed in Latin letters (退huo), and
    initials where the letters are no syllables (thyf).
    """
    found: list[str] = []
    for stretch in _iterate_syllable_runs(normalize_text(text)):
        pairs = pairwise(stretch)
        found += [
            f"{fold_similar_sounds(a)}'{fold_similar_sounds(b)}"
            for (a, x), (b, y) in pairs
            if x or y
        ]
    for run in re.findall("[a-z]+", normalize_text(text)):
        if split_pinyin(run) is None:
            found += _list_initials(run[:MAX_PINYIN_RUN_LETTERS], (min(len(run), 3),))
    return found


@lru_cache(maxsize=8_192)  # what is indexed for search is then indexed as typed
def list_syllables(han: str) -> tuple[str, ...]:
    """Return a syllable a character of a run of Han; unread ones stay as they are."""
    return tuple(_read_syllables(han))


def is_syllable(letters: str) -> bool:
    """Return whether `letters` are one syllable, typed out."""
    return letters in _load_syllables()


def is_syllable_prefix(letters: str) -> bool:
    """Return whether a syllable begins with `letters`."""
    return letters in _load_syllable_prefixes()


@lru_cache(maxsize=20_000)
def make_phonetic_term(pair: str) -> str:
    """Return the term of sound of two Han characters."""
    return "'".join(map(fold_similar_sounds, _read_syllables(pair)))


def list_sounds(term: str) -> list[str]:
    """Return the terms of sound of a word in pinyin or a bigram, pair after pair.

    Empty for a single character, and for letters that are no syllables.
    """
    if re.fullmatch("[a-z]+", term):
        syllables = map(fold_similar_sounds, split_pinyin(term) or ())
        return list(map("'".join, pairwise(syllables)))
    return [make_phonetic_term(term)] if len(term) == 2 else []  # noqa: PLR2004


@lru_cache(maxsize=2_000)  # there are some four hundred syllables
def fold_similar_sounds(syllable: str) -> str:
    """Return `syllable` as those hear it who do not tell some sounds apart."""
    return _FINAL_PATTERN.sub(r"\1n", _INITIAL_PATTERN.sub(_fold_initial, syllable))


def _fold_initial(initial: re.Match[str]) -> str:
    return "l" if initial[0] == "n" else initial[0][0]


def split_pinyin(letters: str) -> list[str] | None:
    """Cut `letters` into the fewest pinyin syllables, None when that fails."""
    letters = letters[:MAX_PINYIN_RUN_LETTERS]
    best: list[list[str] | None] = [[]]
    for end in range(1, len(letters) + 1):
        found: list[str] | None = None
        for start in range(max(0, end - 6), end):
            before, syllable = best[start], letters[start:end]
            if before is None or syllable not in _load_syllables():
                continue
            if found is None or len(before) + 1 < len(found):
                found = [*before, syllable]
        best.append(found)
    return best[-1] or None


def load_pinyin_dictionaries() -> None:
    """Load the dictionaries."""
    list_phonetic_terms("银行")
    split_pinyin("yinhang")


def _iterate_syllable_runs(text: str) -> Iterator[list[tuple[str, bool]]]:
    """Yield runs of (syllable, whether typed in Latin), broken by anything else."""
    run: list[tuple[str, bool]] = []
    for match in _UNITS_PATTERN.finditer(text):
        if match["han"]:
            run += [(syllable, False) for syllable in _read_syllables(match["han"])]
        elif match["latin"] and (cut := split_pinyin(match["latin"])):
            run += [(syllable, True) for syllable in cut]
        elif not match["space"]:
            yield run
            run = []
    yield run


def _list_initials(letters: str, sizes: tuple[int, ...]) -> list[str]:
    """Return the initials in a row; no syllable begins with i, u or v."""
    return [
        f"~{letters[start : start + size]}"
        for size in sizes
        for start in range(len(letters) - size + 1)
        if not re.search("[iuv]", letters[start : start + size])
    ]


def _read_syllables(han: str) -> list[str]:
    """Return a syllable a character; a character without one stays as it is."""
    from pypinyin import lazy_pinyin  # noqa: PLC0415 - 57 MB, where sounds matter

    read = lazy_pinyin(han, errors=list)  # type: ignore[arg-type]
    return [_strip_tone(syllable) for syllable in read]


@lru_cache(maxsize=2_000)
def _strip_tone(syllable: str) -> str:
    return re.sub("[^a-z]", "", syllable) or syllable


@cache
def _load_syllables() -> frozenset[str]:
    """Return all syllables of common characters, without tones."""
    from pypinyin import Style, pinyin  # noqa: PLC0415

    common = [chr(code) for code in range(0x4E00, 0x9FA6)]
    rows = pinyin(common, style=Style.NORMAL, heteronym=False)
    found = {syllable for row in rows for syllable in row if syllable.isascii()}
    return frozenset(found - {"m", "n", "ng", "hm", "hng"})


@cache
def _load_syllable_prefixes() -> frozenset[str]:
    return frozenset(s[:n] for s in _load_syllables() for n in range(1, len(s) + 1))
