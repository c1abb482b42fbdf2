"""Limits on wrong passwords, counted in the database.

The database is shared by all hosts of a site and is needed for a login anyway.
A cache may lose its counters or be down; then guessing would be free.

Three counters:

- an account with a network address: 5 wrong passwords, then this pair waits;
- a network address: 20 wrong passwords for any accounts, then the address waits;
- an account: after 10 wrong passwords from anywhere, each further one from an
  unknown browser has to wait a little longer, at most 30 seconds. No stranger
  can lock an account for its owner.

A browser in which the account was used before carries a signed cookie. It has a
counter of its own, and the counters that strangers can fill do not stop it.
"""

from __future__ import annotations

import hashlib
import secrets
import time
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta
from math import ceil

from django.core import signing
from django.db import connection, transaction
from django.utils import timezone

from kb.models import LoginCounter
from kb.system.client_address import get_network
from kb.text.chinese import normalize

WINDOW_SECONDS = 15 * 60  # how long a wrong password counts
MAX_PER_PAIR = 5  # an account with a network address, or with a known browser
MAX_PER_ADDRESS = 20  # for any accounts: a whole office may stand behind it
SLOW_ACCOUNT_AFTER = 10  # wrong passwords of an account from anywhere
MAX_DELAY_SECONDS = 30  # between two attempts on a slowed account
PENDING_SECONDS = 60  # how long an attempt without a result counts
CLOCK_TOLERANCE_SECONDS = 60  # by which the clocks of hosts may differ
MAX_KEPT_ATTEMPTS = 60  # of one counter
KNOWN_DEVICE_SECONDS = 180 * 24 * 3600  # how long a browser stays known
MAX_ACCOUNTS_PER_DEVICE = 10  # agents may share a computer
_DEVICE_SALT = "kb.accounts.device"


class TooManyAttemptsError(Exception):
    """Too many wrong passwords: the next attempt may be made in `seconds`."""

    def __init__(self, seconds: int) -> None:
        super().__init__(seconds)
        self.seconds = seconds


@dataclass(frozen=True, slots=True)
class AttemptLimit:
    """The key of a counter, and the limit from which an attempt has to wait."""

    key: str
    max_attempts: int = 0  # in WINDOW_SECONDS; 0: a growing delay instead

    def compute_wait_seconds(self, times: list[float], now: float) -> int:
        """Return the seconds to wait at `now` after attempts at `times`; 0: none.

        Times are seconds since the epoch, in ascending order.
        """
        if self.max_attempts:
            if len(times) < self.max_attempts:
                return 0
            remaining = ceil(times[-self.max_attempts] + WINDOW_SECONDS - now)
            return min(max(1, remaining), WINDOW_SECONDS)
        excess = len(times) - SLOW_ACCOUNT_AFTER
        if excess < 0:
            return 0
        delay = min(2.0 ** min(excess, 10), MAX_DELAY_SECONDS)
        return max(0, ceil(min(times[-1] + delay - now, delay)))


@dataclass(frozen=True, slots=True)
class KnownDevice:
    """A browser, and hashes of the accounts that were used in it."""

    id: str
    accounts: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class LoginAttempt:
    """An attempt that has been counted; its password may be checked now."""

    id: str
    keys: tuple[str, ...]  # of its counters; the last one is of this account and place


def start_attempt(*, username: str, address: str, device: str = "") -> LoginAttempt:
    """Count an attempt before its password is checked.

    Parallel attempts are therefore limited, too. An attempt whose process is killed
    counts for PENDING_SECONDS only. `device` is the cookie of `remember_device`.
    Raises TooManyAttemptsError, or DatabaseError if the attempt cannot be counted.
    """
    limits = _list_limits(username=username, address=address, device=device)
    attempt_id = secrets.token_hex(4)
    now = time.time()
    with transaction.atomic():
        counters = []
        for limit in limits:  # always in this order, which prevents deadlocks
            counter = _lock_counter(limit.key)
            counter.attempts = _keep_counting_attempts(counter.attempts, now)
            times = sorted(float(at) for _, at, _ in counter.attempts)
            if seconds := limit.compute_wait_seconds(times, now):
                raise TooManyAttemptsError(seconds)
            counters.append(counter)
        for counter in counters:
            counter.attempts.append([attempt_id, now, False])
            _save_counter(counter)
    return LoginAttempt(attempt_id, tuple(limit.key for limit in limits))


def record_failure(attempt: LoginAttempt) -> None:
    """Record that the password was wrong."""
    with transaction.atomic():
        for key in attempt.keys:
            counter = _lock_counter(key)
            for row in counter.attempts:
                row[2] = row[2] or row[0] == attempt.id
            _save_counter(counter)


def record_success(attempt: LoginAttempt) -> None:
    """Delete the attempts on this account from this address, or with this browser."""
    with transaction.atomic():
        counters = [_lock_counter(key) for key in attempt.keys]
        own_ids = {row[0] for row in counters[-1].attempts} | {attempt.id}
        for counter in counters:
            counter.attempts = [
                row for row in counter.attempts if row[0] not in own_ids
            ]
            _save_counter(counter)
    _delete_old_counters()


# Known browsers ------------------------------------------------------------------


def remember_device(device: str, *, username: str) -> str:
    """Return the cookie for a browser in which `username` has just logged in.

    `device` is its cookie so far, or "".
    """
    known = _read_device(device)
    account = _hash_account(username)
    others = [
        digest for digest in (known.accounts if known else ()) if digest != account
    ]
    data = {
        "id": known.id if known else secrets.token_hex(16),
        "accounts": [*others, account][-MAX_ACCOUNTS_PER_DEVICE:],
    }
    return signing.dumps(data, salt=_DEVICE_SALT)


def _read_device(device: str) -> KnownDevice | None:
    """Return the browser of a signed cookie; None if it is invalid or expired."""
    try:
        data = signing.loads(
            device[:4000], salt=_DEVICE_SALT, max_age=KNOWN_DEVICE_SECONDS
        )
    except signing.BadSignature:
        return None
    return KnownDevice(data["id"], tuple(data["accounts"]))


# Counters ------------------------------------------------------------------------


def _list_limits(*, username: str, address: str, device: str) -> list[AttemptLimit]:
    """Return the limits of an attempt; a known browser has only its own."""
    account = _hash_account(username)
    known = _read_device(device)
    if known and account in known.accounts:
        return [
            AttemptLimit(
                _make_counter_key("device", f"{known.id} {account}"), MAX_PER_PAIR
            )
        ]
    network = get_network(address)
    return [
        AttemptLimit(_make_counter_key("address", network), MAX_PER_ADDRESS),
        AttemptLimit(_make_counter_key("account", account)),
        AttemptLimit(_make_counter_key("pair", f"{account} {network}"), MAX_PER_PAIR),
    ]


def _hash_account(username: str) -> str:
    """Return a hash of the name, whether the account exists or not."""
    return _hash_value(normalize.normalize_text(username))


def _make_counter_key(kind: str, value: str) -> str:
    return f"{kind}:{_hash_value(value)}"


def _hash_value(value: str) -> str:
    encoded = value.encode(errors="replace")
    return hashlib.blake2b(encoded, digest_size=16).hexdigest()


def _lock_counter(key: str) -> LoginCounter:
    """Return the counter, locked until the transaction ends."""
    LoginCounter.objects.bulk_create([LoginCounter(key=key)], ignore_conflicts=True)
    return LoginCounter.objects.select_for_update().get(key=key)


def _save_counter(counter: LoginCounter) -> None:
    counter.attempts = counter.attempts[-MAX_KEPT_ATTEMPTS:]
    counter.updated_at = timezone.now()
    counter.save(update_fields=["attempts", "updated_at"])


def _keep_counting_attempts(
    attempts: Iterable[list[object]], now: float
) -> list[list[object]]:
    """Return the attempts that count: wrong ones in the window, and pending ones.

    Attempts in the future were written before the clock was set back; they are
    dropped.
    """
    return [
        row
        for row in attempts
        if -CLOCK_TOLERANCE_SECONDS
        <= now - float(row[1])  # type: ignore[arg-type]
        < (WINDOW_SECONDS if row[2] else PENDING_SECONDS)
    ]


def _delete_old_counters() -> None:
    """Delete counters without attempts that count, at most 500."""
    before = timezone.now() - 2 * timedelta(seconds=WINDOW_SECONDS)
    old = LoginCounter.objects.filter(updated_at__lt=before)
    with transaction.atomic():
        if connection.features.has_select_for_update_skip_locked:
            old = old.select_for_update(skip_locked=True)
        keys = list(old.values_list("key", flat=True)[:500])
        LoginCounter.objects.filter(key__in=keys).delete()
