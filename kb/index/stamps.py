"""Stamps of a stored index in the database, to notice a restored copy of either.

A stamp is "name:number", of the index and of its last commit. The database knows the
stamp of the last commit, and during a commit the next one too.
"""

from __future__ import annotations

import secrets
import time

from django.db import DatabaseError

from kb.index.engines import Engine, EngineUnavailableError
from kb.models import IndexStamp

STAMP_CHECK_SECONDS = 2.0  # for which an answer of the database is cached
_cached_answers: dict[str, tuple[bool, float]] = {}


def is_known_stamp(stamp: str) -> bool:
    """Return whether the database knows an index with `stamp`.

    An answer is cached for STAMP_CHECK_SECONDS. While the database is down, an index
    counts as known.
    """
    now = time.monotonic()
    answer = _cached_answers.get(stamp)
    if answer is None or now - answer[1] > STAMP_CHECK_SECONDS:
        try:
            answer = (_is_stored_stamp(stamp), now)
        except DatabaseError:
            return True
        _cached_answers.clear()  # answers about older stamps
        _cached_answers[stamp] = answer
    return answer[0]


def create_index_stamp() -> str:
    """Store and return the first stamp of an index that is about to be built."""
    stamp = _make_stamp(secrets.token_hex(16))
    IndexStamp.objects.create(
        name=_get_index_name(stamp), committed=stamp, pending=stamp
    )
    return stamp


def begin_commit(before: str) -> str:
    """Store and return the stamp of the next commit to the index with stamp `before`.

    That of an index that is not stored is "".
    """
    if not before:
        return ""
    after = _make_stamp(_get_index_name(before))
    IndexStamp.objects.filter(pk=_get_index_name(before)).update(
        committed=before, pending=after
    )
    return after


def finish_commit(stamp: str) -> None:
    """Forget the stamp before `stamp`, whose commit is done."""
    if stamp:
        row = IndexStamp.objects.filter(pk=_get_index_name(stamp))
        row.update(committed=stamp, pending=stamp)


def forget_stamp(stamp: str | None) -> None:
    """Delete the stamps of an index that was replaced, or whose build failed."""
    if stamp:
        IndexStamp.objects.filter(pk=_get_index_name(stamp)).delete()


def read_current_stamp(engine: Engine) -> str | None:
    """Return the stamp of the index of `engine`; None where there is none."""
    try:
        return engine.read_stamp()
    except EngineUnavailableError:
        return None


def clear_cached_answers() -> None:
    """Drop the cached answers of the database."""
    _cached_answers.clear()


def _is_stored_stamp(stamp: str) -> bool:
    rows = IndexStamp.objects.filter(pk=_get_index_name(stamp))
    stored = rows.values_list("committed", "pending").first()
    return stored is not None and stamp in stored


def _get_index_name(stamp: str) -> str:
    return stamp.partition(":")[0]


def _make_stamp(name: str) -> str:
    return f"{name}:{secrets.token_hex(8)}"
