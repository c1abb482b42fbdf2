"""PostgreSQL and Redis for a test run: on free ports, in a folder that goes afterwards.

`python -m tests.servers` runs the tests whose rules a database or a cache could break
by doing something in its own way. Options go on to pytest, and so do paths: they are
run instead.
"""

from __future__ import annotations

import os
import pwd
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

# Where SQLite and PostgreSQL, or a file and Redis, might not agree: constraints and
# their messages, upserts, raw SQL, JSON, case and order, locks, counters that expire.
TESTS = (
    "test_accounts test_asking test_audit test_canaries test_conflict test_desk"
    " test_entries test_feedback test_gaps quality/test_relevance_tests test_incidents index/test_sync"
    " test_journey test_judging test_kept test_leaks test_mine test_models"
    " test_outages test_page_memory"
    " test_passwords test_phrasings test_picks test_replies test_reviewing search/test_search"
    " test_sequels test_sessions test_sites test_snippets test_throttling test_time test_transfer_entries"
    " test_undoing test_votes"
).split()
WITHOUT = "not like_one_that_nobody_wrote"  # minutes, and nothing new for a database
PATIENCE = 30  # seconds until a server answers
FOLDERS = sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)


def tool(name: str) -> str | None:
    """Return where `name` is; Debian keeps PostgreSQL's out of the path."""
    path = os.pathsep.join([*map(str, FOLDERS), os.environ.get("PATH", os.defpath)])
    return shutil.which(name, path=path)


def free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


def start(*command: str, port: int, user: str = "") -> subprocess.Popen[bytes]:
    """Start a server as `user` and wait until it listens."""
    server = subprocess.Popen(
        command,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        user=user or None,
        group=pwd.getpwnam(user).pw_gid if user else None,
        extra_groups=[] if user else None,
    )
    _await(server, port)
    return server


@contextmanager
def running(*command: str, port: int, user: str = "") -> Iterator[None]:
    """Run a server as `user` while the block lasts."""
    server = start(*command, port=port, user=user)
    try:
        yield
    finally:
        server.terminate()
        server.wait(PATIENCE)


def _await(server: subprocess.Popen[bytes], port: int) -> None:
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline and server.poll() is None:
        with socket.socket() as one:
            if one.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.05)
    raise SystemExit(f"servers: {server.args} did not start")  # type: ignore[str-bytes-safe]


@contextmanager
def postgres(folder: Path) -> Iterator[str]:
    """Yield the address of a database server that forgets all; nothing is synced."""
    home, port = folder / "postgres", free_port()
    make_cluster(home)
    with running(*postgres_command(home, port), port=port, user=server_user()):
        yield f"postgres://kb@127.0.0.1:{port}/postgres"


def make_cluster(home: Path) -> None:
    """Make the files of a database server in `home`."""
    user = server_user()
    home.mkdir(mode=0o700)
    if user:
        shutil.chown(home, user)
    subprocess.run(
        [
            *(*_as(user), str(tool("initdb")), "-D", str(home), "-U", "kb"),
            *("-A", "trust", "-E", "UTF8", "--locale=C.UTF-8", "--no-sync"),
        ],
        check=True,
        capture_output=True,
    )


def postgres_command(home: Path, port: int) -> list[str]:
    options = ("fsync=off", "synchronous_commit=off", "full_page_writes=off")
    command = [str(tool("postgres")), "-D", str(home), "-p", str(port)]
    command += ["-h", "127.0.0.1", "-k", str(home)]
    return command + [part for option in options for part in ("-c", option)]


def server_user() -> str:
    """Return whom the server runs as: it refuses to be root."""
    return _other() if os.geteuid() == 0 else ""


def _other() -> str:
    known = {one.pw_name for one in pwd.getpwall()}
    return "postgres" if "postgres" in known else "nobody"


def _as(user: str) -> list[str]:
    return ["setpriv", "--reuid", user, "--regid", user, "--clear-groups"] * bool(user)


@contextmanager
def redis(folder: Path) -> Iterator[str]:
    port = free_port()
    command = [str(tool("redis-server")), "--port", str(port), "--bind", "127.0.0.1"]
    command += ["--save", "", "--appendonly", "no", "--dir", str(folder)]
    with running(*command, port=port):
        yield f"redis://127.0.0.1:{port}/0"


def main(given: list[str]) -> int:
    """Start both, run the tests, stop both; say so where they are not installed."""
    needed = ("initdb", "postgres", "redis-server")
    if missing := [name for name in needed if not tool(name)]:
        print(f"not run: tests on real servers; not installed: {', '.join(missing)}")
        return 0
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="kb-db-")))
        folder.chmod(0o711)  # for the server's user
        env = os.environ | {
            "DATABASE_URL": stack.enter_context(postgres(folder)),
            "CACHE_URL": stack.enter_context(redis(folder)),
        }
        command = [sys.executable, "-m", "pytest", "-m", "not browser", *given]
        if not any(one.startswith("tests/") for one in given):
            command += ["-k", WITHOUT, *(f"tests/{name}.py" for name in TESTS)]
        return subprocess.run(command, env=env, check=False).returncode


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
