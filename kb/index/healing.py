"""An index that is missing, damaged or of another time is built anew by itself."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable

from kb import index
from kb.engines import EngineBusy, EngineUnavailable, RebuildRunning, get_engine

logger = logging.getLogger(__name__)


def problem() -> str:
    """Return why the index must be rebuilt, empty when it need not."""
    try:
        get_engine().check()
    except EngineBusy:
        return ""
    except EngineUnavailable as error:
        return str(error)
    return ""


def heal(rebuild: Callable[[], int] | None = None) -> bool:
    """Rebuild the index if it needs that; return whether it did.

    Search is degraded meanwhile, and says so. One process of a host rebuilds at
    a time. Raises EngineUnavailable when the rebuild fails.
    """
    reason = problem()
    if not reason:
        return False
    began = time.monotonic()
    try:
        count = (rebuild or index.rebuild)()
    except RebuildRunning:
        return False
    seconds = time.monotonic() - began
    logger.warning("index: rebuilt %d entries in %.1f s: %s", count, seconds, reason)
    return True
