"""No operation of a request waits for ever, and a dead server is not asked by all."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator
from pathlib import Path
from threading import Thread

import pytest

from kb.system.database import time_limits
from kb.system.database.errors import DatabaseTimeoutError, DatabaseUnavailableError
from tests.test_settings import start

SHOW = (
    "import json; from config import settings as s;"
    " print(json.dumps([s.DATABASES['default'], s.KB_DB_LOCK_SECONDS,"
    " s.KB_DB_STATEMENT_SECONDS]))"
)


@pytest.fixture
def pair() -> Iterator[tuple[socket.socket, socket.socket]]:
    """Return both ends of a connection; the other end stays silent."""
    ours, theirs = socket.socketpair()
    with ours, theirs:
        yield ours, theirs


def wait_for_answer(connection: socket.socket) -> None:
    if not connection.recv(1):
        raise ConnectionError("the connection was shut")


def test_an_overdue_operation_is_ended(
    pair: tuple[socket.socket, socket.socket],
) -> None:
    with (
        pytest.raises(DatabaseTimeoutError),
        time_limits.OperationWatcher().watch_operation(pair[0], 0.05),
    ):
        wait_for_answer(pair[0])


def test_a_block_may_have_less_time(pair: tuple[socket.socket, socket.socket]) -> None:
    watcher = time_limits.OperationWatcher()
    with (
        pytest.raises(DatabaseTimeoutError),
        time_limits.limit_time(0.05),
        watcher.watch_operation(pair[0], 3600),
    ):
        wait_for_answer(pair[0])


def test_an_operation_in_time_is_left_alone(
    pair: tuple[socket.socket, socket.socket],
) -> None:
    pair[1].send(b"x")
    with time_limits.OperationWatcher().watch_operation(pair[0], 3600) as operation:
        wait_for_answer(pair[0])
    assert not operation.is_expired
    pair[1].send(b"x")
    wait_for_answer(pair[0])


def test_an_error_of_its_own_stays_what_it_is(
    pair: tuple[socket.socket, socket.socket],
) -> None:
    with (
        pytest.raises(ValueError, match="ours"),
        time_limits.OperationWatcher().watch_operation(pair[0], 3600),
    ):
        raise ValueError("ours")


def test_a_server_that_does_not_answer_is_given_up(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """It accepts connections, as the kernel of a frozen server does."""
    monkeypatch.setattr(time_limits, "SERVER_SILENCE_SECONDS", 0.05)
    monkeypatch.setattr(time_limits, "SERVER_PROBE_SECONDS", 0.05)
    breaker = time_limits.DatabaseBreaker()
    monkeypatch.setattr(time_limits, "database_breaker", breaker)
    with socket.create_server(("127.0.0.1", 0)) as server:
        ours = socket.create_connection(server.getsockname())
        watch = time_limits.OperationWatcher().watch_operation(ours, 3600)
        with ours, pytest.raises(DatabaseTimeoutError), watch:
            wait_for_answer(ours)
    with pytest.raises(DatabaseUnavailableError):
        breaker.require_answering()


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
            assert time_limits.is_server_answering(ours)


def test_one_request_finds_out_while_others_fail(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    clock = [100.0]
    monkeypatch.setattr("kb.system.database.time_limits.monotonic", lambda: clock[0])
    breaker = time_limits.DatabaseBreaker()
    breaker.require_answering()
    breaker.record_failure()
    with pytest.raises(DatabaseUnavailableError):
        breaker.require_answering()
    clock[0] += time_limits.SERVER_RETRY_SECONDS
    breaker.require_answering()  # this one tries
    with pytest.raises(DatabaseUnavailableError):
        breaker.require_answering()
    breaker.record_answer()
    breaker.require_answering()
    breaker.require_answering()


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
