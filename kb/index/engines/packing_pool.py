"""Turn items into documents and packs, in this process or in several."""

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

POOL_BATCH_ITEMS = 1000  # per task of a process

DescribeItem = Callable[[Any], Document]


class CallerError(Exception):
    """Wraps an error of the caller's code, its only argument, so that it is passed on."""


@contextmanager
def wrap_caller_errors() -> Iterator[None]:
    """Raise CallerError for any exception in a block of the caller's code."""
    try:
        yield
    except Exception as error:
        raise CallerError(error) from error


def pack_documents(
    folder: Path, items: Iterable[Any], describe: DescribeItem, processes: int
) -> list[Path]:
    """Write the documents of `items`, in order, as packs in `folder`; return their paths.

    Several processes are forked before the first item is read, so that they share no
    connection, and each has POOL_BATCH_ITEMS items at most. `describe` must be a
    function of a module then, and its errors picklable. Raises CallerError, OSError,
    and EngineUnavailableError when a process dies.
    """
    if processes <= 1:
        return _pack_items(folder, 0, items, describe)
    pool = ProcessPoolExecutor(
        processes, multiprocessing.get_context("fork"), initializer=_exit_with_parent
    )
    try:
        pool.submit(int).result()  # forks all processes
        return list(_pack_in_processes(pool, processes, folder, items, describe))
    except BrokenProcessPool as error:
        raise EngineUnavailableError(
            "a process died while packing; nothing changed"
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
    """Yield paths in order of items; at most `processes` + 1 batches are under way."""
    pending: deque[Future[list[Path]]] = deque()
    for number, batch in enumerate(_split_into_batches(items)):
        pending.append(pool.submit(_pack_items, folder, number, batch, describe))
        if len(pending) > processes:
            yield from pending.popleft().result()
    for future in pending:
        yield from future.result()


def _split_into_batches(items: Iterable[Any]) -> Iterator[list[Any]]:
    rest = iter(items)
    while batch := list(islice(rest, POOL_BATCH_ITEMS)):
        yield batch


def _pack_items(
    folder: Path, number: int, items: Iterable[Any], describe: DescribeItem
) -> list[Path]:
    """Write packs, a new one whenever the builder is full; return their paths."""
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
    """Ignore Ctrl-C, which the parent handles, and exit when the parent is killed."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)

    def watch_parent() -> None:
        if parent := multiprocessing.parent_process():
            parent.join()
            os._exit(1)

    Thread(target=watch_parent, daemon=True).start()
