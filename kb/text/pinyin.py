"""How texts sound: pairs of syllables and initials, for those who type pinyin.

A term of sound is two syllables joined by an apostrophe (tui'huo), or a tilde
and two or three initials (~thy), so that it is never taken for a word. Sounds
that many speakers do not tell apart (zh and z, n and l, ang and an) are one.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache, lru_cache
from itertools import pairwise

from kb.text.normalize import HAN, HAN_RUN, normalize

LONGEST_RUN = 64  # letters of a Latin run that are read as pinyin
_INITIAL = re.compile("^(?:zh|ch|sh|n(?=[aeiou]))")
_FINAL = re.compile("([aei])ng$")
_UNITS = re.compile(
    f"(?P<han>[{HAN}]+)|(?P<latin>[a-z]+)|(?P<space>[\\s']+)|.", re.DOTALL
)


def sounds(text: str) -> list[str]:
    """Return the terms of sound of the Han in `text`, for the index."""
    found: list[str] = []
    for match in HAN_RUN.finditer(normalize(text)):
        read = syllables(match[0])
        found += map("'".join, pairwise(map(blurred, read)))
        found += _initials("".join(s[0] for s in read), (2, 3))
    return found


def typed(text: str) -> list[str]:
    """Return the terms of sound that somebody typed in pinyin, wholly or partly.

    Pairs of syllables where at least one is typed in Latin letters (退huo), and
    initials where the letters are no syllables (thyf).
    """
    found: list[str] = []
    for stretch in _stretches(normalize(text)):
        pairs = pairwise(stretch)
        found += [f"{blurred(a)}'{blurred(b)}" for (a, x), (b, y) in pairs if x or y]
    for run in re.findall("[a-z]+", normalize(text)):
        if spell(run) is None:
            found += _initials(run[:LONGEST_RUN], (min(len(run), 3),))
    return found


@lru_cache(maxsize=8_192)  # what is indexed for search is then indexed as typed
def syllables(han: str) -> tuple[str, ...]:
    """Return a syllable a character of a run of Han; unread ones stay as they are."""
    return tuple(_read(han))


def is_syllable(letters: str) -> bool:
    """Tell whether `letters` are one syllable, typed out."""
    return letters in _syllables()


def begins(letters: str) -> bool:
    """Tell whether a syllable begins with `letters`."""
    return letters in _beginnings()


@lru_cache(maxsize=20_000)
def heard(pair: str) -> str:
    """Return the term of sound of two Han characters."""
    return "'".join(map(blurred, _read(pair)))


@lru_cache(maxsize=2_000)  # there are some four hundred syllables
def blurred(syllable: str) -> str:
    """Return `syllable` as those hear it who do not tell some sounds apart."""
    return _FINAL.sub(r"\1n", _INITIAL.sub(_plain, syllable))


def _plain(initial: re.Match[str]) -> str:
    return "l" if initial[0] == "n" else initial[0][0]


def spell(letters: str) -> list[str] | None:
    """Cut `letters` into the fewest pinyin syllables, None when that fails."""
    letters = letters[:LONGEST_RUN]
    best: list[list[str] | None] = [[]]
    for end in range(1, len(letters) + 1):
        found: list[str] | None = None
        for start in range(max(0, end - 6), end):
            before, syllable = best[start], letters[start:end]
            if before is None or syllable not in _syllables():
                continue
            if found is None or len(before) + 1 < len(found):
                found = [*before, syllable]
        best.append(found)
    return best[-1] or None


def warm() -> None:
    """Load the dictionaries."""
    sounds("银行")
    spell("yinhang")


def _stretches(text: str) -> Iterator[list[tuple[str, bool]]]:
    """Yield runs of (syllable, whether typed in Latin), broken by anything else."""
    run: list[tuple[str, bool]] = []
    for match in _UNITS.finditer(text):
        if match["han"]:
            run += [(syllable, False) for syllable in _read(match["han"])]
        elif match["latin"] and (cut := spell(match["latin"])):
            run += [(syllable, True) for syllable in cut]
        elif not match["space"]:
            yield run
            run = []
    yield run


def _initials(letters: str, sizes: tuple[int, ...]) -> list[str]:
    """Return the initials in a row; no syllable begins with i, u or v."""
    return [
        f"~{letters[start : start + size]}"
        for size in sizes
        for start in range(len(letters) - size + 1)
        if not re.search("[iuv]", letters[start : start + size])
    ]


def _read(han: str) -> list[str]:
    """Return a syllable a character; a character without one stays as it is."""
    from pypinyin import lazy_pinyin  # noqa: PLC0415 - 57 MB, where sounds matter

    read = lazy_pinyin(han, errors=list)  # type: ignore[arg-type]
    return [_toneless(syllable) for syllable in read]


@lru_cache(maxsize=2_000)
def _toneless(syllable: str) -> str:
    return re.sub("[^a-z]", "", syllable) or syllable


@cache
def _syllables() -> frozenset[str]:
    """Return all syllables of common characters, without tones."""
    from pypinyin import Style, pinyin  # noqa: PLC0415

    common = [chr(code) for code in range(0x4E00, 0x9FA6)]
    rows = pinyin(common, style=Style.NORMAL, heteronym=False)
    found = {syllable for row in rows for syllable in row if syllable.isascii()}
    return frozenset(found - {"m", "n", "ng", "hm", "hng"})


@cache
def _beginnings() -> frozenset[str]:
    return frozenset(s[:n] for s in _syllables() for n in range(1, len(s) + 1))
