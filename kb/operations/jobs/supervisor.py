"""Runs the scheduler as a child of gunicorn's master, whose memory it shares.

It is forked again when it dies, and ends with its master, even a killed one.
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

CHILD_CHECK_SECONDS = 1.0  # between two checks whether a process is alive
MIN_LIFE_SECONDS = 5.0  # a child that died sooner is started again after a pause
STOP_GRACE_SECONDS = 5.0  # before a task that does not stop is killed
# Signals that the master handles, and its child must not.
_MASTER_SIGNALS = "HUP QUIT TTIN TTOU USR1 USR2 WINCH CHLD".split()
logger = logging.getLogger(__name__)


class Closable(Protocol):
    """A socket, from gunicorn or the standard library."""

    def close(self) -> object:
        """Close it in this process."""


class SchedulerSupervisor:
    """Keeps one child process running the scheduler; it closes `sockets`."""

    def __init__(self, sockets: Iterable[Closable] = ()) -> None:
        self._sockets = list(sockets)
        self._stop = Event()
        self._pid = 0
        self._thread = Thread(
            target=self._keep_alive, name="kb.operations.jobs.supervisor", daemon=True
        )

    @property
    def pid(self) -> int:
        """Return the process id of the scheduler, 0 while there is none."""
        return self._pid

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """Stop the scheduler and wait until it has ended."""
        self._stop.set()
        self._thread.join()

    def _keep_alive(self) -> None:
        while not self._stop.is_set():
            started = time.monotonic()
            self._pid = _fork_scheduler(self._sockets)
            while not self._stop.wait(CHILD_CHECK_SECONDS) and _is_alive(self._pid):
                pass
            if not self._stop.is_set():
                logger.warning(
                    "jobs: the scheduler (pid %d) died, starting it", self._pid
                )
                if time.monotonic() - started < MIN_LIFE_SECONDS:
                    self._stop.wait(MIN_LIFE_SECONDS)
        _end_process(self._pid)
        self._pid = 0


def serve_scheduler(parent: int | None = None) -> None:
    """Run the scheduler in this process until SIGTERM.

    With `parent`, a process id, it also ends when that process ends. The time limits of
    requests do not apply to it.
    """
    time_limits.stop_serving()
    stop = Event()

    def stop_scheduler(_signal: int, _frame: object) -> None:
        stop.set()
        raise SystemExit(0)  # interrupts a task; its transaction is rolled back

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
        for open_socket in sockets:
            open_socket.close()
        serve_scheduler(parent)
        code = 0
    except SystemExit:
        code = 0
    except BaseException:
        logger.exception("jobs: the scheduler ends")
    finally:
        os._exit(code)


def _end_with_parent(parent: int) -> None:
    """End this process when its parent has ended for whatever reason."""
    while os.getppid() == parent:
        time.sleep(CHILD_CHECK_SECONDS)
    os.kill(os.getpid(), signal.SIGTERM)
    time.sleep(STOP_GRACE_SECONDS)
    os._exit(1)


def _is_alive(pid: int) -> bool:
    """Return whether the child runs; gunicorn may have reaped it already."""
    try:
        return os.waitpid(pid, os.WNOHANG) == (0, 0)
    except ChildProcessError:
        return False


def _end_process(pid: int) -> None:
    deadline = time.monotonic() + STOP_GRACE_SECONDS
    stop_signal = signal.SIGTERM
    while _is_alive(pid):
        os.kill(pid, stop_signal)
        time.sleep(0.1)
        if time.monotonic() > deadline:
            stop_signal = signal.SIGKILL
