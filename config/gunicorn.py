"""Gunicorn's configuration: load once, fork workers, finish requests before a stop."""

from __future__ import annotations

import gc
import logging
import os
import signal
import sys
from pathlib import Path
from threading import Event
from types import FrameType
from typing import TYPE_CHECKING

from django.db import DatabaseError
from gunicorn.arbiter import Arbiter
from gunicorn.workers.base import Worker

# Must come before any file is read that other users could have written.
sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
from config.environment import read_bind_address
from kb.operations.installation import private_files

private_files.set_private_umask()
private_files.require_private_files()

bind = read_bind_address()
# Gunicorn trusts no header: the settings BEHIND_PROXY and TRUSTED_PROXY_COUNT decide
# whether a request came by HTTPS, and from which address.
forwarded_allow_ips = ""
secure_scheme_headers: dict[str, str] = {}
if TYPE_CHECKING:
    from kb.operations.jobs.supervisor import SchedulerSupervisor

supervisors: list[SchedulerSupervisor] = []  # one, in the master
worker_class = "gthread"
workers = int(os.environ.get("WEB_CONCURRENCY") or 2)
threads = 4
preload_app = True
timeout = 60  # seconds without a heartbeat
graceful_timeout = 10  # seconds for running requests
max_requests = 50_000  # a worker is replaced then, which limits memory leaks
max_requests_jitter = 5_000
control_socket_disable = True
if Path("/dev/shm").is_dir():  # noqa: S108 - the heartbeat must not wait for a disk
    worker_tmp_dir = "/dev/shm"  # noqa: S108


def on_starting(server: Arbiter) -> None:
    """Set time limits for requests, and stop if no page would work."""
    from kb.system.database import sqlite_file, time_limits  # noqa: PLC0415 - settings are there only now

    time_limits.start_serving()
    sqlite_file.file_guard.is_on = True
    _report_problems()


def _report_problems() -> None:
    """Print set-up problems with their commands; raise SystemExit for fatal ones."""
    from kb.operations.installation import problems  # noqa: PLC0415

    setup_problems = problems.find_setup_problems()
    if fatal := [problem for problem in setup_problems if problem.is_fatal]:
        raise SystemExit("网站没有启动：\n" + "\n".join(map(str, fatal)))
    for problem in setup_problems:
        sys.stderr.write(f"注意：{problem}\n")


def when_ready(server: Arbiter) -> None:
    """Prepare the memory for forking: no open connections, no garbage collection."""
    from kb import search  # noqa: PLC0415 - settings are there only now
    from kb.operations.jobs import supervisor  # noqa: PLC0415 - settings are there only now
    from kb.system.database import forks  # noqa: PLC0415

    try:
        search.warm_up_search()
    except DatabaseError as error:  # pages report it; the start goes on
        logging.getLogger("gunicorn.error").warning("not warmed up: %s", error)
    _watch_database_file()
    forks.close_connections()
    gc.collect()
    gc.freeze()
    supervisors.append(supervisor.SchedulerSupervisor(server.LISTENERS))
    supervisors[0].start()
    _stop_gracefully_on_ctrl_c(server)


def _watch_database_file() -> None:
    """Record which database file is in use, for all workers."""
    from django.conf import settings  # noqa: PLC0415

    from kb.system.database import sqlite_file  # noqa: PLC0415

    if path := private_files.get_sqlite_path():
        sqlite_file.file_guard.remember_file(path)
        sqlite_file.write_progress_record(path, Path(settings.DATA_DIR))


def post_worker_init(worker: Worker) -> None:
    """Ignore Ctrl-C, which the master handles, and watch the database file.

    Index and relevance tests are the work of the scheduler.
    """
    from django.conf import settings  # noqa: PLC0415

    from kb.system.database import sqlite_file  # noqa: PLC0415

    signal.signal(signal.SIGINT, signal.SIG_IGN)
    if path := private_files.get_sqlite_path():
        sqlite_file.start_file_watch(path, Path(settings.DATA_DIR), Event())
    if worker.age == 1:
        _print_addresses()


def worker_exit(server: Arbiter, worker: Worker) -> None:
    """Write the queued usage facts of a worker that ends."""
    from kb.system import write_queue  # noqa: PLC0415 - settings are there only now

    write_queue.close_write_queue()


def on_exit(server: Arbiter) -> None:
    """Stop the scheduler with its master."""
    for supervisor in supervisors:
        supervisor.stop()


def _print_addresses() -> None:
    """Print the addresses of the site when the first worker is ready."""
    if bind.startswith("unix:"):
        return
    host = bind.replace("0.0.0.0", "127.0.0.1").replace("[::]", "127.0.0.1")  # noqa: S104
    site = f"http://{host}"
    sys.stdout.write(
        f"\n  自助 FAQ    {site}/\n"
        f"  客服话术台  {site}/console/\n"
        f"  管理后台    {site}/admin/\n\n"
    )
    sys.stdout.flush()


def _stop_gracefully_on_ctrl_c(server: Arbiter) -> None:
    """Treat the first Ctrl-C as SIGTERM; a second one stops at once."""

    def stop_gracefully(_signal: int, frame: FrameType | None) -> None:
        signal.signal(signal.SIGINT, server.signal)
        server.signal(signal.SIGTERM, frame)

    signal.signal(signal.SIGINT, stop_gracefully)
