"""The scheduler as a child of gunicorn's master: it shares what was loaded.

It is forked again when it dies, and ends with its master, also when that is killed.
"""

from __future__ import annotations

import logging
import os
import signal
import time
from collections.abc import Iterable
from threading import Event, Thread
from typing import Protocol

from kb.operations.jobs import scheduler
from kb.system.database import time_limits

CHILD_CHECK_SECONDS = 1.0  # seconds between two looks whether a process is there
MIN_LIFE_SECONDS = 5.0  # seconds: who died sooner is not started again at once
STOP_GRACE_SECONDS = 5.0  # seconds for a task to stop
# What the master listens to, and a child of it must not.
_MASTER_SIGNALS = "HUP QUIT TTIN TTOU USR1 USR2 WINCH CHLD".split()
logger = logging.getLogger(__name__)


class Closable(Protocol):
    """A socket, whoever made it."""

    def close(self) -> object:
        """Let go of it."""


class SchedulerSupervisor:
    """Keeps one child that runs the scheduler. `sockets` are closed in the child."""

    def __init__(self, sockets: Iterable[Closable] = ()) -> None:
        self._sockets = list(sockets)
        self._stop = Event()
        self._pid = 0
        self._thread = Thread(
            target=self._keep_alive, name="kb.operations.jobs.supervisor", daemon=True
        )

    @property
    def pid(self) -> int:
        """The process of the scheduler, 0 while there is none."""
        return self._pid

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """End the scheduler; returns once it has ended."""
        self._stop.set()
        self._thread.join()

    def _keep_alive(self) -> None:
        while not self._stop.is_set():
            began = time.monotonic()
            self._pid = _fork_scheduler(self._sockets)
            while not self._stop.wait(CHILD_CHECK_SECONDS) and _is_alive(self._pid):
                pass
            if not self._stop.is_set():
                logger.warning(
                    "jobs: the scheduler (pid %d) died, starting it", self._pid
                )
                if time.monotonic() - began < MIN_LIFE_SECONDS:
                    self._stop.wait(MIN_LIFE_SECONDS)
        _end_process(self._pid)
        self._pid = 0


def serve_scheduler(parent: int | None = None) -> None:
    """Run the scheduler in this process until it is told to end.

    With `parent`, it ends when that process is not its parent any more. Its work
    may take longer than that of a request.
    """
    time_limits.stop_serving()
    stop = Event()

    def stop_scheduler(_signal: int, _frame: object) -> None:
        stop.set()
        raise SystemExit(0)  # out of a task; its transaction is rolled back

    signal.signal(signal.SIGTERM, stop_scheduler)
    if parent is not None:
        Thread(target=_end_with_parent, args=(parent,), daemon=True).start()
    try:
        scheduler.run_scheduler(stop)
    finally:
        stop.set()


def _fork_scheduler(sockets: Iterable[Closable]) -> int:
    parent = os.getpid()
    pid = os.fork()
    if pid:
        return pid
    code = 1
    try:
        for name in _MASTER_SIGNALS:
            signal.signal(getattr(signal, f"SIG{name}"), signal.SIG_DFL)
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # the master stops us
        for each in sockets:
            each.close()
        serve_scheduler(parent)
        code = 0
    except SystemExit:
        code = 0
    except BaseException:
        logger.exception("jobs: the scheduler ends")
    finally:
        os._exit(code)


def _end_with_parent(parent: int) -> None:
    """End this process when its parent is gone, however it went."""
    while os.getppid() == parent:
        time.sleep(CHILD_CHECK_SECONDS)
    os.kill(os.getpid(), signal.SIGTERM)
    time.sleep(STOP_GRACE_SECONDS)
    os._exit(1)


def _is_alive(pid: int) -> bool:
    """Return whether our child runs; gunicorn may have reaped it already."""
    try:
        return os.waitpid(pid, os.WNOHANG) == (0, 0)
    except ChildProcessError:
        return False


def _end_process(pid: int) -> None:
    deadline = time.monotonic() + STOP_GRACE_SECONDS
    sent = signal.SIGTERM
    while _is_alive(pid):
        os.kill(pid, sent)
        time.sleep(0.1)
        if time.monotonic() > deadline:
            sent = signal.SIGKILL
