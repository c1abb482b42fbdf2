"""Rate limits of requests, counted in the cache by fixed windows."""

from __future__ import annotations

import logging
import time
from math import ceil
from threading import Lock

from django.conf import settings
from django.core.cache import cache
from django.http import HttpRequest
from django.utils.crypto import salted_hmac

from kb.system.client_address import get_client_network

SECONDS_BY_PERIOD = {"s": 1, "m": 60, "h": 3600, "d": 86_400}
LOG_INTERVAL_SECONDS = 60  # between two log lines about a cache that is down
logger = logging.getLogger(__name__)


class LogLimiter:
    """Allows one log line in each interval."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._next = 0.0
        self._lock = Lock()

    def is_due(self) -> bool:
        """Return whether to write the line now, and start a new interval if so."""
        with self._lock:
            now = time.monotonic()
            if now < self._next:
                return False
            self._next = now + self._seconds
            return True


_cache_down_limiter = LogLimiter(LOG_INTERVAL_SECONDS)


def throttle_request(scope: str, request: HttpRequest) -> int:
    """Count a request; return 0 if it is allowed, else the seconds until the next one.

    KB_RATES holds two rates for each scope: of one client, identified by address and
    browser, and of the whole address, which many clients may share. Logged-in users
    are counted by account, with the rate "agent". While the cache is down all
    requests are allowed.
    """
    try:
        for ident, rate in _list_counted_identities(scope, request):
            if rate and (seconds := _count_request(scope, ident, rate)):
                return seconds
    except OSError as error:  # CacheUnavailable is one
        if _cache_down_limiter.is_due():
            logger.warning("requests are not limited, the cache is down: %s", error)
    return 0


def parse_rate(rate: str) -> tuple[int, int]:
    """Return (requests, seconds) of a rate such as "120/min"."""
    number, _, period = rate.partition("/")
    return int(number), SECONDS_BY_PERIOD[period[0]]


def _list_counted_identities(scope: str, request: HttpRequest) -> list[tuple[str, str]]:
    """Return (identity, rate) of each counter of `request`."""
    user = getattr(request, "user", None)
    if user is not None and user.is_authenticated:
        return [(f"agent:{user.pk}", settings.KB_RATES.get("agent", ("", ""))[0])]
    one_rate, all_rate = settings.KB_RATES.get(scope, ("", ""))
    network = get_client_network(request)
    browser = request.headers.get("User-Agent", "")[:500]
    return [
        (_hash_identity(f"{network} {browser}"), one_rate),
        (_hash_identity(network), all_rate),
    ]


def _count_request(scope: str, ident: str, rate: str) -> int:
    """Count a request in the current window.

    Returns 0, or the seconds until the window ends if there were too many. The
    number of the window is part of the key, so that no counter lasts longer than
    one window, even if the clock is set back.
    """
    max_requests, seconds = parse_rate(rate)
    now = time.time()
    window, elapsed = divmod(now, seconds)
    scope = "agent" if ident.startswith("agent:") else scope
    key = f"rate:{scope}:{ident}:{int(window)}"
    if cache.add(key, 1, seconds + 1):
        return 0
    try:
        count = cache.incr(key)
    except ValueError:  # it expired between the two calls
        return 0
    return max(1, ceil(seconds - elapsed)) if count > max_requests else 0


def _hash_identity(value: str) -> str:
    """Return a short keyed hash, so that the cache holds no addresses."""
    digest = salted_hmac("kb.system.throttling", value, algorithm="sha256")
    return digest.hexdigest()[:16]
