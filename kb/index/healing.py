"""An index that is missing, damaged or of another time is built anew by itself."""

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
    """Return why the index must be rebuilt, empty when it need not."""
    try:
        get_engine().verify_index()
    except EngineBusyError:
        return ""
    except EngineUnavailableError as error:
        return str(error)
    return ""


def rebuild_if_needed(rebuild: Callable[[], int] | None = None) -> bool:
    """Rebuild the index if it needs that; return whether it did.

    Search is degraded meanwhile, and says so. One process of a host rebuilds at
    a time. Raises EngineUnavailable when the rebuild fails.
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
