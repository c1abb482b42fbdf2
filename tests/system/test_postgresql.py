"""Two real workers on a real PostgreSQL: load, restart, stop, freeze and locks."""

from __future__ import annotations

import signal
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from itertools import combinations, count
from pathlib import Path
from urllib.parse import urlencode

import psycopg
import pytest

from tests import servers
from tests.real_site import Answer, Postgres, RealSite

LIMIT_SECONDS = 3.0  # for a page to be answered, whatever the database does
SPARE_SECONDS = 1.0  # for a busy machine
RECOVERY_SECONDS = 10.0
pytestmark = [
    pytest.mark.skipif(
        not servers.tool("postgres"), reason="PostgreSQL is not installed"
    ),
    pytest.mark.xdist_group("postgresql"),  # one site for all of them
]


@pytest.fixture(scope="module")
def folder() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="kb-pg-") as name:
        Path(name).chmod(0o711)  # for the server's user
        yield Path(name)


@pytest.fixture(scope="module")
def postgres(folder: Path) -> Iterator[Postgres]:
    server = Postgres(folder)
    server.start()
    yield server
    server.stop(signal.SIGQUIT)


@pytest.fixture(scope="module")
def site(folder: Path, postgres: Postgres) -> Iterator[RealSite]:
    with ExitStack() as stack:
        env = {"DATABASE_URL": postgres.url}
        if servers.tool("redis-server"):
            env["CACHE_URL"] = stack.enter_context(servers.redis(folder))
        made = RealSite(folder / "site", **env)
        stack.callback(made.stop)
        made.prepare()
        made.start()
        yield made


@pytest.fixture(autouse=True)
def _is_well(site: RealSite) -> None:
    """Every page is in the memory of both workers, and the database answers."""
    for _ in range(12):
        for page in (site.get("/"), site.get(site.entry), site.get(site.category)):
            assert page.status == 200


numbers = count(1)


def stranger() -> dict[str, str]:
    """Return the headers of a customer without any cookie."""
    number = next(numbers)
    return {"X_Forwarded_For": f"198.18.{number // 250 % 250}.{number % 250 + 1}"}


def search(site: RealSite) -> Answer:
    return site.get(f"/api/v1/search/?{urlencode({'q': '退货运费'})}", **stranger())


def pages_in_memory(site: RealSite) -> list[Answer]:
    return [site.get(path) for path in ("/", site.entry, site.category)]


def sockets(pid: int) -> set[str]:
    links = []
    for one in Path(f"/proc/{pid}/fd").iterdir():
        try:
            links.append(str(one.readlink()))
        except FileNotFoundError:
            continue
    return {link for link in links if link.startswith("socket:")}


def test_no_socket_but_the_listener_is_shared(site: RealSite) -> None:
    for _ in range(8):
        search(site)
    assert site.process is not None
    held = [sockets(pid) for pid in (site.process.pid, *site.children())]
    assert len(held) >= 3
    shared = {one for a, b in combinations(held, 2) for one in a & b}
    assert len(shared) == 1


def test_load_of_readers_and_writers(site: RealSite, postgres: Postgres) -> None:
    acknowledged: list[str] = []
    failures: list[Answer] = []

    def work(client: int) -> int:
        ends, number = time.monotonic() + 6, 0
        while time.monotonic() < ends:
            text = f"第 {client} 位客户的第 {number} 个问题"
            kept = site.capture(text)
            if kept.status == 302:
                acknowledged.append(text)
            others = [search(site), site.get(site.entry), site.get("/", **stranger())]
            failures.extend(
                one for one in (kept, *others) if one.status not in {200, 302}
            )
            number += 1
        return number

    with ThreadPoolExecutor(10) as clients:
        assert sum(clients.map(work, range(10))) >= 10
    assert [(one.status, one.text[-300:]) for one in failures] == []
    with psycopg.connect(postgres.url) as database:
        rows = database.execute("SELECT text FROM kb_question").fetchall()
    assert {text for (text,) in rows} >= set(acknowledged)
    assert len(acknowledged) >= 10


def test_a_restart_of_the_server_is_survived(
    site: RealSite, postgres: Postgres
) -> None:
    postgres.stop(signal.SIGQUIT)
    postgres.start()
    check_recovery(site)


def test_a_stopped_server_costs_at_most_the_limit(
    site: RealSite, postgres: Postgres
) -> None:
    postgres.stop(signal.SIGQUIT)
    try:
        check_outage(site)
    finally:
        postgres.start()
    check_recovery(site)


def test_a_frozen_server_costs_at_most_the_limit(
    site: RealSite, postgres: Postgres
) -> None:
    postgres.signal_all(signal.SIGSTOP)
    try:
        check_outage(site)
    finally:
        postgres.signal_all(signal.SIGCONT)
    check_recovery(site)


def check_outage(site: RealSite) -> None:
    """Pages in memory are served; all others fail soon and say why."""
    with ThreadPoolExecutor(12) as clients:
        asked = [clients.submit(search, site) for _ in range(6)]
        asked += [clients.submit(site.capture, "丢不得的话") for _ in range(6)]
        failed = [one.result() for one in asked]
    assert {one.status for one in failed} == {503}
    assert all(one.headers["Retry-After"] for one in failed)
    assert all("丢不得的话" in one.text for one in failed[6:])
    assert max(one.seconds for one in failed) < LIMIT_SECONDS + SPARE_SECONDS
    for _ in range(4):
        held = pages_in_memory(site)
        assert [one.status for one in held] == [200] * 3
        assert max(one.seconds for one in held) < LIMIT_SECONDS + SPARE_SECONDS


def check_recovery(site: RealSite) -> None:
    """Soon every thread of both workers reads and writes again."""

    def is_well() -> bool:
        with ThreadPoolExecutor(8) as clients:
            asked = [clients.submit(search, site) for _ in range(8)]
            asked += [clients.submit(site.capture, "恢复之后") for _ in range(8)]
            return {one.result().status for one in asked} == {200, 302}

    site.wait_for(is_well, RECOVERY_SECONDS)


@pytest.mark.parametrize("table", ["kb_contentedition", "kb_search", "kb_question"])
def test_a_lock_on_a_hot_table_hangs_no_request(
    site: RealSite, postgres: Postgres, table: str
) -> None:
    with psycopg.connect(postgres.url) as database:
        database.execute(f"LOCK TABLE {table} IN ACCESS EXCLUSIVE MODE")
        for _ in range(4):
            held = pages_in_memory(site)
            assert [one.status for one in held] == [200] * 3
            assert max(one.seconds for one in held) < LIMIT_SECONDS
        if table == "kb_question":
            refused = site.capture("丢不得的话")
            assert refused.status == 503, refused.text
            assert "丢不得的话" in refused.text
            assert refused.seconds < LIMIT_SECONDS + SPARE_SECONDS
        database.rollback()
    check_recovery(site)
