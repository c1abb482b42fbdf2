"""Words to index and to search by: jieba's search mode and Han bigrams."""

from __future__ import annotations

import logging
import os
import re
import stat
from collections.abc import Iterator
from functools import cache
from itertools import pairwise
from pathlib import Path

import jieba
import opencc

from kb.text.normalize import HAN, is_traditional, normalize

jieba.setLogLevel(logging.WARNING)

WINDOW = 256  # characters: jieba is quadratic on runs of unknown Han
LONGEST_WORD = 32  # characters: longer ones are cut, so that terms stay small
_RUN = re.compile(f"[{HAN}]+|[^\\W_{HAN}]+(?:[.+#&_-]*[^\\W_{HAN}]+)*[+#]*")
_HAN_RUN = re.compile(f"[{HAN}]+")
_PIECE = re.compile("[0-9]+|[^0-9.+#&_-]+")


def words(text: str) -> list[str]:
    """Return the words of `text` in order, duplicates kept.

    Han by jieba's search mode (long words and the words inside them); other
    scripts as written, joined (wi-fi → wifi) and in parts (iphone15 → iphone, 15).
    Where `text` is 繁體, words of its 简体 wording (網路 → 网络) are added.
    """
    spelling = normalize(text)
    found = [word for run in _RUN.findall(spelling) for word in _cut(run)]
    if is_traditional(text):
        known = set(found)
        found += [w for w in _wording(text) if w not in known]
    return found


def pairs(text: str) -> list[str]:
    """Return the overlapping pairs of Han characters of `text`, in order.

    A character that stands alone is returned as it is.
    """
    found: list[str] = []
    for run in _HAN_RUN.findall(normalize(text)):
        found += [run] if len(run) == 1 else map("".join, pairwise(run))
    return found


def warm() -> None:
    """Load the dictionaries, so that no reader waits for them."""
    words("網路斷線，无法登录 wifi")


def use_cache_folder(folder: Path) -> None:
    """Keep jieba's cache in `folder`, which must be ours alone.

    The cache is read with `marshal`: who can write it can change how every
    text is cut, or worse. By default jieba shares one with the whole machine.
    """
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    for path in (folder, folder / "jieba.cache"):
        _insist_on_ours(path)
    jieba.dt.tmp_dir = str(folder)
    jieba.dt.cache_file = "jieba.cache"


def _insist_on_ours(path: Path) -> None:
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


def _cut(run: str) -> Iterator[str]:
    if _HAN_RUN.match(run):
        for start in range(0, len(run), WINDOW):
            yield from jieba.cut_for_search(run[start : start + WINDOW])
        return
    joined = re.sub("[_-]", "", run)
    yield joined[:LONGEST_WORD]
    parts = [p for p in _PIECE.findall(run) if p != joined]
    yield from (part[:LONGEST_WORD] for part in parts[:8])


def _wording(text: str) -> Iterator[str]:
    """Yield the words of `text` after Taiwan and Hong Kong terms became 简体 ones."""
    for wording in {convert.convert(text) for convert in _wordings()}:
        for run in _RUN.findall(normalize(wording)):
            yield from _cut(run)


@cache
def _wordings() -> tuple[opencc.OpenCC, ...]:
    return (opencc.OpenCC("tw2sp"), opencc.OpenCC("hk2s"))
