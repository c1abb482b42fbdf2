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

from kb.index.engines.base import Document, EngineUnavailableError
from kb.index.engines.pack_builder import PackBuilder

POOL_BATCH_ITEMS = 1000  # items that a process is given at a time

DescribeItem = Callable[[Any], Document]


class CallerError(Exception):
    """Carries an error of the caller's own, its one argument, past ours."""


@contextmanager
def wrap_caller_errors() -> Iterator[None]:
    try:
        yield
    except Exception as error:
        raise CallerError(error) from error


def pack_documents(
    folder: Path, items: Iterable[Any], describe: DescribeItem, processes: int
) -> list[Path]:
    """Write the documents of `items`, in order, as packs in `folder`.

    More than one process are forked before the first item is read, so that no
    connection is shared, and hold no more than BATCH items each. `describe`
    must be a function of a module then, and its errors such as can be pickled.
    Raises CallersError, OSError, and EngineUnavailable when a process dies.
    """
    if processes < 2:  # noqa: PLR2004 - one is no company
        return _pack_items(folder, 0, items, describe)
    pool = ProcessPoolExecutor(
        processes, multiprocessing.get_context("fork"), initializer=_exit_with_parent
    )
    try:
        pool.submit(int).result()  # forks them all
        return list(_pack_in_processes(pool, processes, folder, items, describe))
    except BrokenProcessPool as error:
        raise EngineUnavailableError(
            "a process died at work, nothing changed"
        ) from error
    finally:
        pool.shutdown(cancel_futures=True)


def _pack_in_processes(
    pool: ProcessPoolExecutor,
    processes: int,
    folder: Path,
    items: Iterable[Any],
    describe: DescribeItem,
) -> Iterator[Path]:
    waiting: deque[Future[list[Path]]] = deque()
    for number, batch in enumerate(_split_into_batches(items)):
        waiting.append(pool.submit(_pack_items, folder, number, batch, describe))
        if len(waiting) > processes:
            yield from waiting.popleft().result()
    for future in waiting:
        yield from future.result()


def _split_into_batches(items: Iterable[Any]) -> Iterator[list[Any]]:
    rest = iter(items)
    while batch := list(islice(rest, POOL_BATCH_ITEMS)):
        yield batch


def _pack_items(
    folder: Path, number: int, items: Iterable[Any], describe: DescribeItem
) -> list[Path]:
    """Write as many packs as memory asks for; return their paths."""
    paths: list[Path] = []
    builder = PackBuilder()

    def write_pack() -> None:
        nonlocal builder
        paths.append(folder / f"piece-{number}-{len(paths)}")
        builder.write_pack(paths[-1])
        builder = PackBuilder()

    for item in items:
        with wrap_caller_errors():
            document = describe(item)
        builder.add_document(document)
        if builder.is_full:
            write_pack()
    if builder.document_count:
        write_pack()
    return paths


def _exit_with_parent() -> None:
    """Leave Ctrl-C to the parent; a parent that is killed leaves no orphans."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)

    def watch_parent() -> None:
        if parent := multiprocessing.parent_process():
            parent.join()
            os._exit(1)

    Thread(target=watch_parent, daemon=True).start()
