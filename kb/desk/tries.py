"""A try is counted before it is checked, so that a parallel burst gains nothing."""

from __future__ import annotations

import fcntl
import hashlib
import logging
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from math import ceil

from django.conf import settings
from django.core.cache import BaseCache, cache
from django.core.cache.backends.locmem import LocMemCache

from kb.text import normalize

WINDOW = 15 * 60  # seconds from the first try
ACCOUNT = 5  # wrong tries of one account
ADDRESS = 20  # of one address: a whole office may stand behind it

_here = LocMemCache("tries", {})  # this process alone, while the cache is down
log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Counter:
    """The wrong tries of one account or one address within the window."""

    key: str
    most: int

    @property
    def end(self) -> str:
        return f"{self.key}:end"


def counters(*, username: str, address: str) -> tuple[Counter, ...]:
    """Return what a try counts for, the strictest first."""
    account = normalize.normalize(username)
    return (
        Counter(_key("account", account), ACCOUNT),
        Counter(_key("address", address), ADDRESS),
    )


def take(counted: tuple[Counter, ...]) -> int:
    """Count one try; return how many seconds to wait, 0 to go ahead."""
    with _alone():
        try:
            return _take(cache, counted)
        except Exception:
            log.warning("login: the cache does not answer", exc_info=True)
            return _take(_here, counted)


def forgive(counted: tuple[Counter, ...]) -> None:
    """Take back a try that was right: the account starts anew."""
    account, address = counted
    with _alone():
        try:
            cache.delete_many([account.key, account.end])
            _add(cache, address, -1)
        except Exception:
            log.warning("login: the cache does not answer", exc_info=True)
        _here.delete_many([account.key, account.end])


def _take(store: BaseCache, counted: tuple[Counter, ...]) -> int:
    for counter in counted:
        seen, left = _add(store, counter, 1)
        if seen > counter.most:
            return left
    return 0


def _add(store: BaseCache, counter: Counter, by: int) -> tuple[int, int]:
    """Return the tries so far with this one, and how many seconds they count."""
    now = time.time()
    end = store.get_or_set(counter.end, now + WINDOW, WINDOW)
    left = max(1, min(ceil((end or now) - now), WINDOW))
    store.add(counter.key, 0, left)
    seen = store.incr(counter.key, by)
    store.touch(counter.key, left)  # the incr of some stores starts the clock anew
    return seen, left


@contextmanager
def _alone() -> Iterator[None]:
    """Keep out the other threads and processes of this machine.

    Redis counts atomically by itself; the default store, files, does not.
    """
    with open(settings.DATA_DIR / "login.lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # closing the file gives it back
        yield


def _key(kind: str, value: str) -> str:
    digest = hashlib.blake2b(value.encode(errors="replace"), digest_size=16)
    return f"login:{kind}:{digest.hexdigest()}"
