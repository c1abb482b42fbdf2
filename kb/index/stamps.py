"""The stamps of a stored index, as the database knows them."""

from __future__ import annotations

import secrets
import time

from django.db import DatabaseError

from kb.index.engines import Engine, EngineUnavailableError
from kb.models import IndexStamp

STAMP_CHECK_SECONDS = 2.0  # seconds for which an answer of the database holds
_cached_answers: dict[str, tuple[bool, float]] = {}


def is_known_stamp(stamp: str) -> bool:
    """Return whether the database knows an index in the state `stamp`.

    It asks the database every CHECKED_EVERY seconds. While the database gives no
    answer, the index is trusted.
    """
    now = time.monotonic()
    answer = _cached_answers.get(stamp)
    if answer is None or now - answer[1] > STAMP_CHECK_SECONDS:
        try:
            answer = (_is_stored_stamp(stamp), now)
        except DatabaseError:
            return True
        _cached_answers.clear()  # the others are of the past
        _cached_answers[stamp] = answer
    return answer[0]


def create_index_stamp() -> str:
    """Return the first stamp of an index that is to be built."""
    stamp = _make_stamp(secrets.token_hex(16))
    IndexStamp.objects.create(
        name=_get_index_name(stamp), committed=stamp, pending=stamp
    )
    return stamp


def begin_commit(before: str) -> str:
    """Return the stamp of a commit to the index with stamp `before`.

    An index that is not stored has none.
    """
    if not before:
        return ""
    after = _make_stamp(_get_index_name(before))
    IndexStamp.objects.filter(pk=_get_index_name(before)).update(
        committed=before, pending=after
    )
    return after


def finish_commit(stamp: str) -> None:
    """Know only `stamp`, as its commit has happened."""
    if stamp:
        row = IndexStamp.objects.filter(pk=_get_index_name(stamp))
        row.update(committed=stamp, pending=stamp)


def forget_stamp(stamp: str | None) -> None:
    """Forget the index that carries `stamp`: it was replaced, or never finished."""
    if stamp:
        IndexStamp.objects.filter(pk=_get_index_name(stamp)).delete()


def read_current_stamp(engine: Engine) -> str | None:
    """Return the stamp of the index of `engine`; None where there is none."""
    try:
        return engine.read_stamp()
    except EngineUnavailableError:
        return None


def clear_cached_answers() -> None:
    """Forget what the database said."""
    _cached_answers.clear()


def _is_stored_stamp(stamp: str) -> bool:
    row = IndexStamp.objects.filter(pk=_get_index_name(stamp))
    known = row.values_list("committed", "pending").first()
    return known is not None and stamp in known


def _get_index_name(stamp: str) -> str:
    return stamp.partition(":")[0]


def _make_stamp(name: str) -> str:
    return f"{name}:{secrets.token_hex(8)}"
