"""Items become documents and packs, in this process or in several."""

from __future__ import annotations

import multiprocessing
import os
import signal
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from threading import Thread
from typing import Any

from kb.engines.base import Document, EngineUnavailable
from kb.engines.packing import Builder

BATCH = 1000  # items that a process is given at a time

Describe = Callable[[Any], Document]


class CallersError(Exception):
    """Carries an error of the caller's own, its one argument, past ours."""


@contextmanager
def callers() -> Iterator[None]:
    try:
        yield
    except Exception as error:
        raise CallersError(error) from error


def pack_all(
    folder: Path, items: Iterable[Any], describe: Describe, processes: int
) -> list[Path]:
    """Write the documents of `items`, in order, as packs in `folder`.

    More than one process are forked before the first item is read, so that no
    connection is shared, and hold no more than BATCH items each. `describe`
    must be a function of a module then, and its errors such as can be pickled.
    Raises CallersError, OSError, and EngineUnavailable when a process dies.
    """
    if processes < 2:  # noqa: PLR2004 - one is no company
        return _pack(folder, 0, items, describe)
    pool = ProcessPoolExecutor(
        processes, multiprocessing.get_context("fork"), initializer=_end_with_parent
    )
    try:
        pool.submit(int).result()  # forks them all
        return list(_packed(pool, processes, folder, items, describe))
    except BrokenProcessPool as error:
        raise EngineUnavailable("a process died at work, nothing changed") from error
    finally:
        pool.shutdown(cancel_futures=True)


def _packed(
    pool: ProcessPoolExecutor,
    processes: int,
    folder: Path,
    items: Iterable[Any],
    describe: Describe,
) -> Iterator[Path]:
    waiting: deque[Future[list[Path]]] = deque()
    for number, batch in enumerate(_batches(items)):
        waiting.append(pool.submit(_pack, folder, number, batch, describe))
        if len(waiting) > processes:
            yield from waiting.popleft().result()
    for future in waiting:
        yield from future.result()


def _batches(items: Iterable[Any]) -> Iterator[list[Any]]:
    rest = iter(items)
    while batch := list(islice(rest, BATCH)):
        yield batch


def _pack(
    folder: Path, number: int, items: Iterable[Any], describe: Describe
) -> list[Path]:
    """Write as many packs as memory asks for; return their paths."""
    paths: list[Path] = []
    builder = Builder()

    def write() -> None:
        nonlocal builder
        paths.append(folder / f"piece-{number}-{len(paths)}")
        builder.write(paths[-1])
        builder = Builder()

    for item in items:
        with callers():
            document = describe(item)
        builder.add(document)
        if builder.full:
            write()
    if builder.documents:
        write()
    return paths


def _end_with_parent() -> None:
    """Leave Ctrl-C to the parent; a parent that is killed leaves no orphans."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)

    def watch() -> None:
        if parent := multiprocessing.parent_process():
            parent.join()
            os._exit(1)

    Thread(target=watch, daemon=True).start()
