"""PostgreSQL and Redis for a test run, on free ports and in a temporary folder.

`python -m tests.servers` runs the tests whose results could differ between databases or
caches. Options are passed on to pytest; paths are run in place of the list below.
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

# Tests of what SQLite and PostgreSQL, or a file and Redis, could do differently:
# constraints and their messages, upserts, raw SQL, JSON, case and order, locks, expiry.
TESTS = """
accounts/test_audit_log accounts/test_login_throttle accounts/test_passwords
accounts/test_sessions admin/test_conflicts import_export/test_entry_rows
import_export/test_import_undo index/test_sync library/entries/test_change_reviews
library/entries/test_entry_saving library/entries/test_phrasings
library/replies/test_private_replies library/replies/test_reply_visibility
library/replies/test_snippet_saving
models/test_validity models/test_visibility publishing/test_announcements
publishing/test_sites publishing/test_stale_pages quality/test_relevance_tests
quality/test_search_gaps search/test_search system/test_outages system/test_throttling
test_canaries test_journey test_leaks usage/test_copies usage/test_evidence
usage/test_next_entries usage/test_phrasing_proposals web/console/test_my_replies
web/console/test_own_replies web/desk/test_inbox web/desk/test_unhelpful_entries
web/faq/test_ask_page web/faq/test_votes
""".split()
SKIPPED = "not like_one_that_nobody_wrote"  # takes minutes; no difference to expect
START_SECONDS = 30  # in which a server has to answer
FOLDERS = sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)


def tool(name: str) -> str | None:
    """Return the path of a program; Debian keeps those of PostgreSQL out of PATH."""
    path = os.pathsep.join([*map(str, FOLDERS), os.environ.get("PATH", os.defpath)])
    return shutil.which(name, path=path)


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


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
        server.wait(START_SECONDS)


def _await(server: subprocess.Popen[bytes], port: int) -> None:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline and server.poll() is None:
        with socket.socket() as client:
            if client.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.05)
    raise SystemExit(f"servers: {server.args} did not start")  # type: ignore[str-bytes-safe]


@contextmanager
def postgres(folder: Path) -> Iterator[str]:
    """Yield the URL of a temporary database server; nothing is synced to disk."""
    home, port = folder / "postgres", free_port()
    make_cluster(home)
    with running(*postgres_command(home, port), port=port, user=server_user()):
        yield f"postgres://kb@127.0.0.1:{port}/postgres"


def make_cluster(home: Path) -> None:
    """Create the files of a database server in `home`."""
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
    """Return the account of the server, which refuses to run as root; "" for our own."""
    return _other() if os.geteuid() == 0 else ""


def _other() -> str:
    names = {account.pw_name for account in pwd.getpwall()}
    return "postgres" if "postgres" in names else "nobody"


def _as(user: str) -> list[str]:
    return ["setpriv", "--reuid", user, "--regid", user, "--clear-groups"] * bool(user)


@contextmanager
def redis(folder: Path) -> Iterator[str]:
    port = free_port()
    command = [str(tool("redis-server")), "--port", str(port), "--bind", "127.0.0.1"]
    command += ["--save", "", "--appendonly", "no", "--dir", str(folder)]
    with running(*command, port=port):
        yield f"redis://127.0.0.1:{port}/0"


def main(arguments: list[str]) -> int:
    """Start both servers, run the tests, stop both; print a line if not installed."""
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
        command = [sys.executable, "-m", "pytest", "-m", "not browser", *arguments]
        if not any(argument.startswith("tests/") for argument in arguments):
            command += ["-k", SKIPPED, *(f"tests/{name}.py" for name in TESTS)]
        return subprocess.run(command, env=env, check=False).returncode


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
