"""Caches hold JSON and fail quickly: a file of our own, and Redis."""

from __future__ import annotations

import logging
import os
import pickle
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from django.core.cache import caches
from django.core.cache.backends.redis import RedisCache as DjangoRedisCache
from django.core.checks import run_checks
from django.core.checks.messages import CheckMessage
from django.test import Client

from config import caches as backends
from config.caches import CacheUnavailableError, FileCache, JsonSerializer
from kb.models import User
from kb.system import throttling
from tests.accounts.test_login_throttle import log_in
from tests.servers import free_port, tool


class Bomb:
    """A pickle that runs code when it is loaded."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[Any, ...]:
        return os.mkdir, (str(self.path),)


@pytest.fixture
def file_cache(tmp_path: Path) -> FileCache:
    return FileCache(str(tmp_path / "cache"), {})


# The file ------------------------------------------------------------------------


def test_the_file_keeps_json_until_its_time_is_over(
    file_cache: FileCache, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert file_cache.get("a", "nothing") == "nothing"
    file_cache.set("a", {"names": ["退货", 1, None]}, 10)
    assert file_cache.get("a") == {"names": ["退货", 1, None]}
    assert not file_cache.add("a", 1)
    assert file_cache.touch("a", 20)
    now = time.time()
    monkeypatch.setattr(time, "time", lambda: now + 15)
    assert file_cache.get("a")
    monkeypatch.setattr(time, "time", lambda: now + 21)
    assert file_cache.get("a") is None
    assert not file_cache.touch("a", 20)
    assert file_cache.add("a", 1)
    assert file_cache.delete("a")
    assert not file_cache.delete("a")
    file_cache.set_many({"b": 1, "c": 2})
    file_cache.clear()
    assert file_cache.get_many(["b", "c"]) == {}


def test_counting_moves_no_end(
    file_cache: FileCache, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(ValueError, match="not found"):
        file_cache.incr("n")
    file_cache.add("n", 1, 10)
    assert [file_cache.incr("n"), file_cache.incr("n", 5)] == [2, 7]
    now = time.time()
    monkeypatch.setattr(time, "time", lambda: now + 11)
    assert file_cache.get("n") is None


def test_many_count_exactly(tmp_path: Path) -> None:
    FileCache(str(tmp_path), {}).set("n", 0)

    def count(_: int) -> int:
        return FileCache(str(tmp_path), {}).incr("n")

    with ThreadPoolExecutor(8) as crowd:
        assert sorted(crowd.map(count, range(100))) == list(range(1, 101))


def test_a_child_counts_with_a_connection_of_its_own(file_cache: FileCache) -> None:
    file_cache.set("n", 0)
    if not (child := os.fork()):
        with suppress(BaseException):
            file_cache.incr("n")
        os._exit(0)
    os.waitpid(child, 0)
    assert file_cache.incr("n") == 2


def test_the_file_is_for_this_user_alone(file_cache: FileCache, tmp_path: Path) -> None:
    file_cache.set("a", 1)
    assert (tmp_path / "cache").stat().st_mode & 0o077 == 0
    assert (tmp_path / "cache" / "cache.sqlite3").stat().st_mode & 0o077 == 0


def test_a_damaged_file_is_made_anew(tmp_path: Path) -> None:
    (tmp_path / "cache.sqlite3").write_bytes(b"no database" * 1000)
    cache = FileCache(str(tmp_path), {})
    with pytest.raises(CacheUnavailableError):
        cache.set("a", 1)
    cache.set("a", 1)
    assert cache.get("a") == 1


def test_a_folder_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "cache").write_text("a file where the folder should be")
    with pytest.raises(CacheUnavailableError, match="cache"):
        FileCache(str(tmp_path / "cache"), {}).set("a", 1)


def test_pickles_of_an_earlier_version_go(tmp_path: Path) -> None:
    (tmp_path / "0123.djcache").write_bytes(pickle.dumps("a counter"))
    FileCache(str(tmp_path), {}).set("a", 1)
    assert not list(tmp_path.glob("*.djcache"))


@pytest.mark.django_db
def test_where_the_file_cannot_be_written_searches_go_on(
    client: Client,
    settings: Any,
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    (tmp_path / "cache").write_text("a file where the folder should be")
    settings.CACHES = {
        "default": {
            "BACKEND": "config.caches.FileCache",
            "LOCATION": str(tmp_path / "cache"),
        }
    }
    monkeypatch.setattr(throttling, "_cache_down_limiter", throttling.LogLimiter(60))
    for _ in range(5):
        assert client.get("/search/", {"q": "退"}).status_code == 200
    (record,) = (r for r in caplog.records if r.name == "kb.system.throttling")
    assert record.exc_info is None


def test_what_ends_first_makes_room(tmp_path: Path) -> None:
    cache = FileCache(str(tmp_path), {"OPTIONS": {"MAX_ENTRIES": 150}})
    cache.set("late", 1, 5000)
    for number in range(400):
        cache.set(f"n{number}", 1, 1000)
    kept = sum(cache.get(f"n{number}") is not None for number in range(400))
    assert 0 < kept <= 250
    assert cache.get("late") == 1


def test_a_pickle_in_the_file_is_no_value(
    file_cache: FileCache, tmp_path: Path
) -> None:
    file_cache.set("a", 1)
    with file_cache._open_transaction() as database:
        bomb = pickle.dumps(Bomb(tmp_path / "hit"))
        database.execute("UPDATE entries SET value = ?", (bomb.decode("latin-1"),))
    assert file_cache.get("a") is None
    assert not (tmp_path / "hit").exists()


# Redis ---------------------------------------------------------------------------


def test_a_pickle_is_no_value(tmp_path: Path) -> None:
    bomb = pickle.dumps(Bomb(tmp_path / "hit"))
    assert JsonSerializer().loads(bomb) is None
    assert not (tmp_path / "hit").exists()


@pytest.mark.parametrize("value", [0, -5, 2**40, "退货", [1, "a"], {"a": None}, True])
def test_values_come_back(value: Any) -> None:
    written = JsonSerializer().dumps(value)
    assert JsonSerializer().loads(str(written).encode()) == value


Breaker = backends.CacheCircuitBreaker


def test_a_server_that_failed_is_left_alone_for_a_while(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    breaker, calls = Breaker(), []
    now = [100.0]
    monkeypatch.setattr(time, "monotonic", lambda: now[0])

    def fail() -> None:
        calls.append(now[0])
        raise ConnectionError("connection refused")

    for _ in range(5):
        with pytest.raises(CacheUnavailableError):
            breaker.call_server(fail)
    assert calls == [100.0]
    now[0] += backends.BREAKER_PAUSE_SECONDS
    for _ in range(5):
        with pytest.raises(CacheUnavailableError):
            breaker.call_server(fail)
    assert len(calls) == 2
    now[0] += backends.BREAKER_PAUSE_SECONDS
    assert breaker.call_server(lambda: "back") == "back"
    assert breaker.call_server(lambda: "again") == "again"


@pytest.fixture
def redis_server(tmp_path: Path) -> Iterator[subprocess.Popen[bytes]]:
    """Yield a Redis of this test alone; `port` is on it."""
    if not (command := tool("redis-server")):
        pytest.skip("redis-server is not installed")
    port = free_port()
    options = ["--port", str(port), "--bind", "127.0.0.1", "--save", ""]
    server = subprocess.Popen(
        [command, *options, "--dir", str(tmp_path)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                break
    server.port = port  # type: ignore[attr-defined]
    yield server
    with suppress(ProcessLookupError):
        server.send_signal(signal.SIGCONT)
    server.terminate()
    server.wait(20)


@pytest.fixture
def redis_cache(redis_server: Any, settings: Any) -> Any:
    url = f"redis://127.0.0.1:{redis_server.port}/0"
    settings.CACHES = {
        "default": {"BACKEND": "config.caches.RedisCache", "LOCATION": url}
    }
    return caches["default"]


@pytest.mark.django_db
def test_a_pickle_in_redis_runs_no_code(
    redis_cache: Any, redis_server: Any, tmp_path: Path, client: Client
) -> None:
    assert client.get("/search/", {"q": "退"}).status_code == 200
    assert client.get("/api/v1/search/", {"q": "退"}).status_code == 200
    import redis

    server: Any = redis.Redis(port=redis_server.port)
    keys = list(server.keys())
    assert keys
    for key in keys:
        server.set(key, pickle.dumps(Bomb(tmp_path / "hit")))
        redis_cache.get(key.decode().removeprefix(":1:"))
    for address in ("/search/", "/api/v1/search/"):
        assert client.get(address, {"q": "退"}).status_code == 200
    assert not (tmp_path / "hit").exists()


def test_redis_counts_and_keeps_json(redis_cache: Any) -> None:
    redis_cache.set("a", {"names": ["退货", 1]}, 60)
    assert redis_cache.get("a") == {"names": ["退货", 1]}
    assert redis_cache.add("n", 1, 60)
    assert not redis_cache.add("n", 1, 60)
    assert redis_cache.incr("n") == 2
    assert redis_cache.get_many(["a", "n"])["n"] == 2
    redis_cache.delete_many(["a", "n"])
    assert not redis_cache.has_key("a")


@pytest.mark.django_db
def test_a_frozen_redis_costs_one_timeout(
    redis_cache: Any,
    redis_server: Any,
    client: Client,
    agent: User,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    calls: list[float] = []
    real = DjangoRedisCache.add

    def counted(self: Any, *args: Any, **kwargs: Any) -> bool:
        calls.append(time.monotonic())
        return bool(real(self, *args, **kwargs))

    monkeypatch.setattr(DjangoRedisCache, "add", counted)
    monkeypatch.setattr(throttling, "_cache_down_limiter", throttling.LogLimiter(60))
    redis_cache.set("a", 1)
    redis_server.send_signal(signal.SIGSTOP)
    backends._breakers.clear()
    caplog.set_level(logging.WARNING)
    caplog.clear()
    start = time.monotonic()
    for _ in range(20):
        assert client.get("/suggest/", {"q": "退"}).status_code == 200
    spent = time.monotonic() - start
    waits = 1 + int(spent / backends.BREAKER_PAUSE_SECONDS)
    assert len(calls) <= waits
    messages = [r for r in caplog.records if r.name == "kb.system.throttling"]
    assert len(messages) == 1
    assert messages[0].exc_info is None
    # What limits passwords does not ask Redis.
    codes = [log_in(client, "agent", "wrong").status_code for _ in range(7)]
    assert codes == [200] * 5 + [429] * 2


@pytest.mark.django_db
def test_a_redis_that_thaws_is_used_again(
    redis_cache: Any, redis_server: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    redis_cache.set("a", 1)
    redis_server.send_signal(signal.SIGSTOP)
    with pytest.raises(CacheUnavailableError):
        redis_cache.get("a")
    redis_server.send_signal(signal.SIGCONT)
    now = time.monotonic()
    monkeypatch.setattr(time, "monotonic", lambda: now + 60)
    assert redis_cache.get("a") == 1


# Checks --------------------------------------------------------------------------


def warnings(settings: Any, url: str) -> list[str]:
    settings.CACHES = {
        "default": {"BACKEND": "config.caches.RedisCache", "LOCATION": url}
    }
    messages: list[CheckMessage] = run_checks(tags=["security"])
    return [str(one.id) for one in messages if str(one.id) in {"kb.W011", "kb.W012"}]


@pytest.mark.parametrize(
    ("url", "ids"),
    [
        ("redis://127.0.0.1:6379/0", []),
        ("redis://localhost:6379/0", []),
        ("redis://[::1]:6379/0", []),
        ("unix:///run/redis.sock", []),
        ("redis://cache.example.com:6379/0", ["kb.W011", "kb.W012"]),
        ("redis://10.0.0.7:6379/0", ["kb.W011", "kb.W012"]),
        ("rediss://cache.example.com:6379/0", ["kb.W011"]),
        ("redis://:secret@cache.example.com:6379/0", ["kb.W012"]),
        ("redis://kb:secret@cache.example.com:6379/0", ["kb.W012"]),
        ("rediss://:secret@cache.example.com:6379/0", []),
    ],
)
def test_redis_elsewhere_needs_a_password_and_tls(
    settings: Any, url: str, ids: list[str]
) -> None:
    assert sorted(warnings(settings, url)) == ids


def test_the_password_of_redis_is_not_shown(settings: Any) -> None:
    warnings(settings, "redis://kb:secret@cache.example.com:6379/0")
    messages = " ".join(str(one) for one in run_checks(tags=["security"]))
    assert "cache.example.com" in messages
    assert "secret" not in messages.replace("SECRET_KEY", "")


def test_a_proxy_that_is_believed_must_be_counted(settings: Any) -> None:
    def ids() -> set[str]:
        messages = run_checks(tags=["security"], include_deployment_checks=True)
        return {str(one.id) for one in messages}

    assert "kb.W013" not in ids()
    settings.SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
    assert "kb.W013" in ids()
    settings.NUM_PROXIES = 1
    assert "kb.W013" not in ids()


Configured = Callable[..., dict[str, Any]]


@pytest.mark.parametrize(
    ("url", "backend"),
    [
        ("redis://127.0.0.1:6379/0", "config.caches.RedisCache"),
        ("rediss://:x@cache.example.com:6379/0", "config.caches.RedisCache"),
        ("redis:///run/redis.sock", "config.caches.RedisCache"),
        ("filecache:///var/tmp/kb", "config.caches.FileCache"),
        ("locmemcache://", "django.core.cache.backends.locmem.LocMemCache"),
    ],
)
def test_no_cache_that_others_can_write_holds_pickles(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, url: str, backend: str
) -> None:
    from config.environment import read_cache_settings

    monkeypatch.setenv("CACHE_URL", url)
    assert read_cache_settings(tmp_path)["BACKEND"] == backend
