"""The stamps of a stored index, as the database knows them."""

from __future__ import annotations

import secrets
import time

from django.db import DatabaseError

from kb.engines import Engine, EngineUnavailable
from kb.models import IndexStamp

CHECKED_EVERY = 2.0  # seconds for which an answer of the database holds
_answers: dict[str, tuple[bool, float]] = {}


def is_known(stamp: str) -> bool:
    """Return whether the database knows an index in the state `stamp`.

    It asks the database every CHECKED_EVERY seconds. While the database gives no
    answer, the index is trusted.
    """
    now = time.monotonic()
    answer = _answers.get(stamp)
    if answer is None or now - answer[1] > CHECKED_EVERY:
        try:
            answer = (_is_stored(stamp), now)
        except DatabaseError:
            return True
        _answers.clear()  # the others are of the past
        _answers[stamp] = answer
    return answer[0]


def new_index() -> str:
    """Return the first stamp of an index that is to be built."""
    stamp = _next(secrets.token_hex(16))
    IndexStamp.objects.create(name=_name(stamp), committed=stamp, pending=stamp)
    return stamp


def begin(before: str) -> str:
    """Return the stamp of a commit to the index with stamp `before`.

    An index that is not stored has none.
    """
    if not before:
        return ""
    after = _next(_name(before))
    IndexStamp.objects.filter(pk=_name(before)).update(committed=before, pending=after)
    return after


def finish(stamp: str) -> None:
    """Know only `stamp`, as its commit has happened."""
    if stamp:
        row = IndexStamp.objects.filter(pk=_name(stamp))
        row.update(committed=stamp, pending=stamp)


def forget(stamp: str | None) -> None:
    """Forget the index that carries `stamp`: it was replaced, or never finished."""
    if stamp:
        IndexStamp.objects.filter(pk=_name(stamp)).delete()


def current(engine: Engine) -> str | None:
    """Return the stamp of the index of `engine`; None where there is none."""
    try:
        return engine.stamp()
    except EngineUnavailable:
        return None


def clear() -> None:
    """Forget what the database said."""
    _answers.clear()


def _is_stored(stamp: str) -> bool:
    row = IndexStamp.objects.filter(pk=_name(stamp))
    known = row.values_list("committed", "pending").first()
    return known is not None and stamp in known


def _name(stamp: str) -> str:
    return stamp.partition(":")[0]


def _next(name: str) -> str:
    return f"{name}:{secrets.token_hex(8)}"
