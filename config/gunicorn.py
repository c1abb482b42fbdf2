"""How gunicorn serves the site: load once, fork, and stop without cutting anyone off."""

from __future__ import annotations

import gc
import logging
import os
import signal
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING

from django.db import DatabaseError
from gunicorn.arbiter import Arbiter
from gunicorn.workers.base import Worker

from config.given import bind_address

bind = bind_address()
# Whether a request came by HTTPS, and from whom, is for the settings to judge, by
# BEHIND_PROXY and TRUSTED_PROXY_COUNT: gunicorn believes no header by itself.
forwarded_allow_ips = ""
secure_scheme_headers: dict[str, str] = {}
if TYPE_CHECKING:
    from kb.jobs.supervisor import Supervisor

supervisors: list[Supervisor] = []  # one, in the master
worker_class = "gthread"
workers = int(os.environ.get("WEB_CONCURRENCY") or 2)
threads = 4
preload_app = True
timeout = 60  # seconds without a sign of life
graceful_timeout = 10  # seconds for requests under way
max_requests = 50_000  # a worker is then replaced, so that no leak can grow
max_requests_jitter = 5_000
control_socket_disable = True
if Path("/dev/shm").is_dir():  # noqa: S108 - the heartbeat must not wait for a disk
    worker_tmp_dir = "/dev/shm"  # noqa: S108


def on_starting(server: Arbiter) -> None:
    """Put limits on requests before the first query."""
    from kb.database import limits  # noqa: PLC0415 - settings are there only now

    limits.start_serving()


def when_ready(server: Arbiter) -> None:
    """Make what is loaded shareable: no open connection, no garbage collection."""
    from kb import search  # noqa: PLC0415 - settings are there only now
    from kb.jobs import supervisor  # noqa: PLC0415 - settings are there only now
    from kb.database import forks  # noqa: PLC0415

    try:
        search.warm()
    except DatabaseError as error:  # the pages will say so; a start need not fail
        logging.getLogger("gunicorn.error").warning("not warmed up: %s", error)
    forks.close_connections()
    gc.collect()
    gc.freeze()
    supervisors.append(supervisor.Supervisor(server.LISTENERS))
    supervisors[0].start()
    _stop_gracefully_on_ctrl_c(server)


def post_worker_init(worker: Worker) -> None:
    """Leave Ctrl-C to the master, which passes it on.

    No worker watches the index or tries golden queries: the scheduler does.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)


def worker_exit(server: Arbiter, worker: Worker) -> None:
    """Write the facts of reading that wait in a worker which ends."""
    from kb import write_queue  # noqa: PLC0415 - settings are there only now

    write_queue.close()


def on_exit(server: Arbiter) -> None:
    """End the scheduler with its master."""
    for each in supervisors:
        each.stop()


def _stop_gracefully_on_ctrl_c(server: Arbiter) -> None:
    """Treat the first Ctrl-C as SIGTERM; a second one stops at once."""

    def stop(_signal: int, frame: FrameType | None) -> None:
        signal.signal(signal.SIGINT, server.signal)
        server.signal(signal.SIGTERM, frame)

    signal.signal(signal.SIGINT, stop)
