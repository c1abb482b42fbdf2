"""How often one client may do something: counted in the cache, by fixed windows."""

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
LOG_INTERVAL_SECONDS = 60  # seconds between two lines about a cache that is down
logger = logging.getLogger(__name__)


class LogLimiter:
    """Lets a line of a log through once an interval."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._next = 0.0
        self._lock = Lock()

    def is_due(self) -> bool:
        """Return whether to write the line now; then the interval begins anew."""
        with self._lock:
            now = time.monotonic()
            if now < self._next:
                return False
            self._next = now + self._seconds
            return True


_cache_down_limiter = LogLimiter(LOG_INTERVAL_SECONDS)


def throttle_request(scope: str, request: HttpRequest) -> int:
    """Count a request; return 0 to go ahead, or the seconds until the next may come.

    KB_RATES holds two rates of a scope: of one client, told apart by address and
    browser, and of the whole address, behind which many may sit. Who is logged
    in counts by account, under the rate "agent". While the cache is down nobody
    is counted, and nobody waits.
    """
    try:
        for ident, rate in _list_counted_identities(scope, request):
            if rate and (seconds := _count_request(scope, ident, rate)):
                return seconds
    except OSError as error:  # as CacheUnavailable is
        if _cache_down_limiter.is_due():
            logger.warning("requests are not limited, the cache is down: %s", error)
    return 0


def parse_rate(rate: str) -> tuple[int, int]:
    """Return (requests, seconds) of a rate such as "120/min"."""
    number, _, period = rate.partition("/")
    return int(number), SECONDS_BY_PERIOD[period[0]]


def _list_counted_identities(scope: str, request: HttpRequest) -> list[tuple[str, str]]:
    """Return (who, rate) of all that `request` counts for."""
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
    """Count one more in the window of now; return how long it lasts if that is too many.

    The number of the window is part of the key, so a clock that is set back
    leaves no counter that would last longer than one window.
    """
    most, seconds = parse_rate(rate)
    now = time.time()
    window, passed = divmod(now, seconds)
    scope = "agent" if ident.startswith("agent:") else scope
    key = f"rate:{scope}:{ident}:{int(window)}"
    if cache.add(key, 1, seconds + 1):
        return 0
    try:
        count = cache.incr(key)
    except ValueError:  # it ended between the two calls
        return 0
    return max(1, ceil(seconds - passed)) if count > most else 0


def _hash_identity(value: str) -> str:
    """Return a short keyed hash: a cache need not know who came."""
    made = salted_hmac("kb.system.throttling", value, algorithm="sha256")
    return made.hexdigest()[:16]
