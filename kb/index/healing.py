"""Rebuild an index that is missing, damaged, or older or newer than the database."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable

from kb.index import sync
from kb.index.engines import (
    EngineBusyError,
    EngineUnavailableError,
    RebuildRunningError,
    get_engine,
)

logger = logging.getLogger(__name__)


def find_index_problem() -> str:
    """Return why the index must be rebuilt, "" when it is sound or a writer is at work."""
    try:
        get_engine().verify_index()
    except EngineBusyError:
        return ""
    except EngineUnavailableError as error:
        return str(error)
    return ""


def rebuild_if_needed(rebuild: Callable[[], int] | None = None) -> bool:
    """Rebuild the index if it has a problem; return whether that was done here.

    Search is degraded meanwhile and says so. One process of a host rebuilds at a time.
    Raises EngineUnavailableError when the rebuild fails.
    """
    reason = find_index_problem()
    if not reason:
        return False
    began = time.monotonic()
    try:
        count = (rebuild or sync.rebuild_index)()
    except RebuildRunningError:
        return False
    seconds = time.monotonic() - began
    logger.warning("index: rebuilt %d entries in %.1f s: %s", count, seconds, reason)
    return True
