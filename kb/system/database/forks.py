"""Closing connections before a fork, so that two processes never share a socket."""

from __future__ import annotations

import logging
import os

from django.core.cache import caches
from django.db import connections

logger = logging.getLogger(__name__)


def close_before_forks() -> None:
    """Close the connections of the forking thread before every fork of this process."""
    os.register_at_fork(before=close_connections)


def close_connections() -> None:
    """Close this thread's connections to databases and caches, pools included.

    A connection inside a transaction stays open; the child must not use it.
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
