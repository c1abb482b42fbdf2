"""No connection crosses a fork: two processes on one socket read each other's answers."""

from __future__ import annotations

import logging
import os

from django.core.cache import caches
from django.db import connections

logger = logging.getLogger(__name__)


def close_before_forks() -> None:
    """Let every fork of this process close the connections of the forking thread."""
    os.register_at_fork(before=close_connections)


def close_connections() -> None:
    """Close this thread's connections to databases and caches, pools included.

    One inside a transaction stays open: who forks there must not use it in the child.
    """
    for connection in connections.all(initialized_only=True):
        if connection.in_atomic_block:
            logger.debug("fork inside a transaction of %s", connection.alias)
            continue
        connection.close()
        if close_pool := getattr(connection, "close_pool", None):
            close_pool()
    for cache in caches.all(initialized_only=True):
        cache.close()
