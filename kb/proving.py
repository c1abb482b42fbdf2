"""After a change has settled, golden queries and gaps are tried again, in one process."""

from __future__ import annotations

import logging
from datetime import timedelta
from threading import Event, Thread

from django.db import DatabaseError, connection

from kb import gaps, golden
from kb.engines import EngineUnavailable
from kb.models import Stale

SOON = timedelta(seconds=10)  # after which searches are gathered again
logger = logging.getLogger(__name__)


def after(change: str) -> bool:
    """Prove all that `change` may have moved; tell whether this process did it."""
    trial = golden.run_after(change)
    if trial is None:
        return False
    logger.info(
        "golden: %d of %d fail, %d moved, %.1f s",
        trial.failing,
        trial.total,
        len(trial.moved),
        trial.seconds or 0,
    )
    closed, fallen = gaps.prove_all()
    if closed or fallen:
        logger.info("gaps: %d proved closed, %d open again", closed, fallen)
    return True


def keep_up(stop: Event, interval: float = 15.0) -> Thread:
    """Start a thread that tries them once nothing has changed for `interval` seconds.

    An editor saves several times in a row; each would be a trial for itself. What
    was searched meanwhile is gathered into gaps.
    """

    def watch() -> None:
        seen = ""
        while not stop.wait(interval):
            try:
                seen = _look(seen)
            except (DatabaseError, EngineUnavailable) as error:
                logger.warning("golden: not tried: %s", error)
            finally:
                connection.close()

    thread = Thread(target=watch, name="kb.proving.keep_up", daemon=True)
    thread.start()
    return thread


def _look(seen: str) -> str:
    """Return the stamp of now; prove it when it is the one `seen` before, untried."""
    if gaps.late(SOON):  # another process may just have done it
        gaps.gather()
    now = golden.stamp()
    if now == seen and golden.due(now) and not Stale.objects.due().exists():
        after(now)
    return now
