"""Words to index and to search by: jieba's search mode and Han bigrams."""

from __future__ import annotations

import logging
import os
import re
import stat
from collections import ChainMap
from collections.abc import Container, Iterable, Iterator, Mapping
from itertools import pairwise
from math import prod
from pathlib import Path
from threading import Lock

import jieba

from kb.text.chinese import fast_jieba, regional
from kb.text.chinese.normalize import (
    HAN_CHARACTER_CLASS,
    HAN_RUN_PATTERN,
    normalize_text,
)

jieba.setLogLevel(logging.WARNING)

MAX_JIEBA_RUN_CHARS = 256  # characters: jieba is quadratic on runs of unknown Han
MAX_TOKEN_CHARS = 32  # characters: longer ones are cut, so that terms stay small
_teaching_lock = Lock()
_taught_words: frozenset[str] = frozenset()
# jieba's own frequencies of the words that teaching changed.
_original_frequencies: dict[str, int] = {}
_RUN_PATTERN = re.compile(
    f"[{HAN_CHARACTER_CLASS}]+|[^\\W_{HAN_CHARACTER_CLASS}]+(?:[.+#&_-]*[^\\W_{HAN_CHARACTER_CLASS}]+)*[+#]*"
)
_PIECE_PATTERN = re.compile("[0-9]+|[^0-9.+#&_-]+")


def tokenize_text(text: str) -> list[str]:
    """Return the words of `text` in order, duplicates kept.

    Han by jieba's search mode (long words and the words inside them); other
    scripts as written, joined (wi-fi → wifi) and in parts (iphone15 → iphone, 15).
    Where `text` is 繁體, words of its 简体 wording (網路 → 网络) are added.
    """
    spelling = normalize_text(text)
    found = [
        word for run in _RUN_PATTERN.findall(spelling) for word in _tokenize_run(run)
    ]
    if said := regional.list_simplified_wordings(text):
        known = set(found)
        found += [w for w in _tokenize_spellings(said) if w not in known]
    return found


def find_word_starts(run: str, particles: Container[str] = ()) -> set[int]:
    """Return where words begin in a run of Han, words inside of words included.

    Words among `particles` do not count. Only the first MAX_JIEBA_RUN_CHARS are read.
    """
    begun, at = set[int](), 0
    for word in fast_jieba.segment_han(run[:MAX_JIEBA_RUN_CHARS]):
        inside = fast_jieba.locate_subwords(word)
        begun.update(at + n for n, part in inside if part not in particles)
        at += len(word)
    return begun


def extract_bigrams(text: str) -> list[str]:
    """Return the overlapping pairs of Han characters of `text`, in order.

    A run of a single character is returned as it is.
    """
    found: list[str] = []
    for run in HAN_RUN_PATTERN.findall(normalize_text(text)):
        found += [run] if len(run) == 1 else map("".join, pairwise(run))
    return found


def extract_non_han_tokens(spelling: str) -> frozenset[str]:
    """Return the words of a normalized text that are no Han: Latin, digits."""
    runs = (
        run for run in _RUN_PATTERN.findall(spelling) if not HAN_RUN_PATTERN.match(run)
    )
    return frozenset(word for run in runs for word in _tokenize_run(run))


def split_hyphenated_words(text: str) -> dict[str, list[str]]:
    """Return {word: its parts} of the words of `text` written with a hyphen."""
    runs = _RUN_PATTERN.findall(normalize_text(text))
    cuts = (list(_tokenize_run(run)) for run in runs if re.search("[_-]", run))
    return {joined: apart for joined, *apart in cuts}


def load_tokenizer_dictionaries() -> None:
    """Load the dictionaries, so that no reader waits for them."""
    tokenize_text("網路斷線，无法登录 wifi")


def teach_words(words: frozenset[str]) -> None:
    """Make jieba know exactly `words`, normalized, beside its own dictionary.

    A word changes how texts are cut that hold it, and no others: whatever else
    is learned, it gets the frequency at which it just wins against its parts,
    as jieba suggests it, and the sum of all frequencies stays as it was.
    """
    global _taught_words  # noqa: PLW0603 - jieba's table is one a process, too
    if words == _taught_words:
        return
    with _teaching_lock:
        jieba.dt.check_initialized()
        table = jieba.dt.FREQ
        own = ChainMap(_original_frequencies, table)
        taught = {word: _suggest_frequency(word, own) for word in words}
        for beginning in {word[:n] for word in words for n in range(1, len(word))}:
            taught.setdefault(beginning, own.get(beginning) or 0)
        for entry in taught.keys() - _original_frequencies.keys():
            _original_frequencies[entry] = table.get(entry, 0)
        table.update(taught)
        for entry in _original_frequencies.keys() - taught.keys():
            table[entry] = _original_frequencies.pop(entry)
        _taught_words = words


def get_word_frequency(word: str) -> int:
    """Return how often jieba's dictionary has met `word`; 0 is no word of it."""
    jieba.dt.check_initialized()
    return jieba.dt.FREQ.get(word) or 0


def tokenize_with_words(text: str, known: frozenset[str]) -> list[str]:
    """Return the words of `text` as if `known` were taught; nothing is taught."""
    own = ChainMap(_original_frequencies, jieba.dt.FREQ)
    cutter = jieba.Tokenizer()
    taught = {word: _suggest_frequency(word, own) for word in known}
    for beginning in {word[:n] for word in known for n in range(1, len(word))}:
        taught.setdefault(beginning, own.get(beginning) or 0)
    cutter.FREQ = ChainMap(taught, own)
    cutter.total, cutter.initialized = jieba.dt.total, True
    return [
        word
        for run in _RUN_PATTERN.findall(normalize_text(text))
        for word in (
            cutter.cut_for_search(run)
            if HAN_RUN_PATTERN.match(run)
            else _tokenize_run(run)
        )
    ]


def _suggest_frequency(word: str, own: Mapping[str, int]) -> int:
    """Return jieba's suggest_freq of `word`, asked of the dictionary `own`."""
    cutter = jieba.Tokenizer()
    cutter.FREQ, cutter.total, cutter.initialized = own, jieba.dt.total, True
    shares = (
        (own.get(piece) or 1) / cutter.total for piece in cutter.cut(word, HMM=False)
    )
    return max(int(prod(shares) * cutter.total) + 1, own.get(word) or 1)


def use_cache_folder(folder: Path) -> None:
    """Keep jieba's cache in `folder`, which must be ours alone.

    The cache is read with `marshal`: who can write it can change how every
    text is cut, or worse. By default jieba shares one with the whole machine.
    """
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    for path in (folder, folder / "jieba.cache"):
        _secure_cache_path(path)
    jieba.dt.tmp_dir = str(folder)
    jieba.dt.cache_file = "jieba.cache"


def _secure_cache_path(path: Path) -> None:
    """Tighten `path`, or delete it when somebody else could have written it."""
    try:
        status = path.lstat()
    except FileNotFoundError:
        return
    if path.is_symlink() or status.st_uid != os.geteuid():
        raise PermissionError(f"{path} must be a plain path that belongs to this user")
    if stat.S_IMODE(status.st_mode) & 0o077:
        if path.is_dir():
            path.chmod(0o700)
        else:
            path.unlink()  # it may hold anything; jieba makes it again


def _tokenize_run(run: str) -> Iterator[str]:
    if HAN_RUN_PATTERN.match(run):
        for start in range(0, len(run), MAX_JIEBA_RUN_CHARS):
            for word in fast_jieba.segment_han(
                run[start : start + MAX_JIEBA_RUN_CHARS]
            ):
                yield from fast_jieba.list_subwords(word)
        return
    joined = re.sub("[_-]", "", run)
    yield joined[:MAX_TOKEN_CHARS]
    parts = [p for p in _PIECE_PATTERN.findall(run) if p != joined]
    yield from (part[:MAX_TOKEN_CHARS] for part in parts[:8])


def _tokenize_spellings(spellings: Iterable[str]) -> Iterator[str]:
    for spelling in spellings:
        for run in _RUN_PATTERN.findall(spelling):
            yield from _tokenize_run(run)
