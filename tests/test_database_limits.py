"""No operation of a request waits for ever, and a dead server is not asked by all."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator
from pathlib import Path
from threading import Thread

import pytest

from kb.database import limits
from kb.database.errors import DatabaseTimeout, DatabaseUnavailable
from tests.test_settings import start

SHOW = (
    "import json; from config import settings as s;"
    " print(json.dumps([s.DATABASES['default'], s.KB_DB_LOCK_SECONDS,"
    " s.KB_DB_STATEMENT_SECONDS]))"
)


@pytest.fixture
def pair() -> Iterator[tuple[socket.socket, socket.socket]]:
    """Return both ends of a connection; nobody speaks at the other one."""
    ours, theirs = socket.socketpair()
    with ours, theirs:
        yield ours, theirs


def wait_for_answer(connection: socket.socket) -> None:
    if not connection.recv(1):
        raise ConnectionError("the connection was shut")


def test_an_overdue_operation_is_ended(
    pair: tuple[socket.socket, socket.socket],
) -> None:
    with pytest.raises(DatabaseTimeout), limits.Watcher().watch(pair[0], 0.05):
        wait_for_answer(pair[0])


def test_a_block_may_have_less_time(pair: tuple[socket.socket, socket.socket]) -> None:
    watcher = limits.Watcher()
    with (
        pytest.raises(DatabaseTimeout),
        limits.within(0.05),
        watcher.watch(pair[0], 3600),
    ):
        wait_for_answer(pair[0])


def test_an_operation_in_time_is_left_alone(
    pair: tuple[socket.socket, socket.socket],
) -> None:
    pair[1].send(b"x")
    with limits.Watcher().watch(pair[0], 3600) as operation:
        wait_for_answer(pair[0])
    assert not operation.is_expired
    pair[1].send(b"x")
    wait_for_answer(pair[0])


def test_an_error_of_its_own_stays_what_it_is(
    pair: tuple[socket.socket, socket.socket],
) -> None:
    with pytest.raises(ValueError, match="ours"), limits.Watcher().watch(pair[0], 3600):
        raise ValueError("ours")


def test_a_server_that_answers_nobody_is_given_up(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """It accepts connections, as the kernel of a frozen server does."""
    monkeypatch.setattr(limits, "SILENCE_SECONDS", 0.05)
    monkeypatch.setattr(limits, "PROBE_SECONDS", 0.05)
    breaker = limits.Breaker()
    monkeypatch.setattr(limits, "breaker", breaker)
    with socket.create_server(("127.0.0.1", 0)) as server:
        ours = socket.create_connection(server.getsockname())
        watch = limits.Watcher().watch(ours, 3600)
        with ours, pytest.raises(DatabaseTimeout), watch:
            wait_for_answer(ours)
    with pytest.raises(DatabaseUnavailable):
        breaker.check()


def test_a_server_that_answers_others_is_waited_for() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:

        def answer() -> None:
            connection, _ = server.accept()
            with connection:
                connection.recv(8)
                connection.send(b"N")

        ours = socket.create_connection(server.getsockname())
        first, _ = server.accept()
        with ours, first:
            Thread(target=answer, daemon=True).start()
            assert limits.answers(ours)


def test_one_request_finds_out_while_others_fail(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    clock = [100.0]
    monkeypatch.setattr("kb.database.limits.monotonic", lambda: clock[0])
    breaker = limits.Breaker()
    breaker.check()
    breaker.trip()
    with pytest.raises(DatabaseUnavailable):
        breaker.check()
    clock[0] += limits.RETRY_SECONDS
    breaker.check()  # this one tries
    with pytest.raises(DatabaseUnavailable):
        breaker.check()
    breaker.reset()
    breaker.check()
    breaker.check()


def test_options_of_the_address_are_kept(tmp_path: Path) -> None:
    url = "postgres://kb@db.example.com/kb?sslmode=require&connect_timeout=5&pool=true"
    shown = start(tmp_path, "-c", SHOW, DATABASE_URL=url, DB_LOCK_SECONDS="3")
    database, lock, statement = json.loads(shown.stdout)
    options = database["OPTIONS"]
    assert (options["sslmode"], options["connect_timeout"]) == ("require", 5)
    assert options["keepalives"] == 1
    assert "pool" not in options
    assert database["CONN_HEALTH_CHECKS"] is True
    assert (lock, statement) == (3, 10)
