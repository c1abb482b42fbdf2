"""A site that is not set up reports what is missing, with the commands."""

from __future__ import annotations

import fcntl
import os
import socket
import sqlite3
import subprocess
import sys
from contextlib import closing
from importlib import import_module
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.db.migrations.recorder import MigrationRecorder

from kb.models import CustomerSegment, Entry, User
from kb.operations.installation import (
    previous_use,
    private_files,
    problems,
    setup_lock,
    shell_commands,
)
from kb.system.database import sqlite_file
from tests.real_site import GUNICORN, ROOT
from tests.test_settings import start


@pytest.fixture
def own(settings: Any, tmp_path: Path) -> Path:
    """Return a DATA_DIR of this test alone, private as the site wants it."""
    folder = tmp_path / "site"
    folder.mkdir(mode=0o700)
    settings.DATA_DIR = folder
    settings.MEDIA_ROOT = folder / "media"
    settings.KB_JIEBA_CACHE = folder / "jieba"
    return folder


# What is missing ------------------------------------------------------------------


def test_check_names_what_is_missing_and_the_command(tmp_path: Path) -> None:
    folder = tmp_path / "new"
    checked = start(folder, "manage.py", "check", HTTPS="off")
    assert checked.returncode == 1
    python = shell_commands.format_manage_command("kb_setup", "--no-demo").split()[-4]
    assert f"DATA_DIR={folder}" in checked.stderr
    assert f"{python} manage.py kb_setup --no-demo" in checked.stderr
    assert "manage.py collectstatic --noinput" in checked.stderr
    assert not (folder / "kb.sqlite3").exists()


def test_unapplied_migrations_are_named(tmp_path: Path) -> None:
    folder = tmp_path / "half"
    env = {"HTTPS": "off", "DJANGO_SETTINGS_MODULE": "tests.gunicorn_settings"}
    assert start(folder, "manage.py", "migrate", "auth", "0001", **env).returncode == 0
    checked = start(folder, "manage.py", "check", **env)
    assert checked.returncode == 1
    assert "数据库还缺" in checked.stderr
    assert "kb_setup" in checked.stderr
    started = start(folder, *GUNICORN[1:], "config.wsgi", **env)
    assert started.returncode == 1
    assert "网站没有启动" in started.stderr
    assert "数据库还缺" in started.stderr
    assert "Traceback" not in started.stderr


@pytest.fixture
def other_version(db: None) -> None:
    recorder = MigrationRecorder(connection)
    for name in ("0002_tea", "0003_pot", "0004_cup", "0005_tray"):
        recorder.record_applied("kb", name)
    recorder.record_applied("another_app", "0099_gone")


def test_a_database_of_another_version_is_refused(other_version: None) -> None:
    found = [one for one in problems.find_setup_problems() if one.id == "kb.E018"]
    assert [one.is_fatal for one in found] == [True]
    assert "（0002_tea、0003_pot、0004_cup……）" in found[0].message
    assert "kb_export" in found[0].message


def test_setup_leaves_a_database_of_another_version_alone(
    other_version: None, own: Path
) -> None:
    with pytest.raises(CommandError, match=r"用另一个版本建的.*kb_export"):
        call_command("kb_setup", no_demo=True, wait=0, stdout=StringIO())
    assert not CustomerSegment.objects.exists()


def test_a_squashed_migration_knows_what_it_replaces(
    db: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    MigrationRecorder(connection).record_applied("kb", "0002_tea")
    first = import_module("kb.migrations.0001_initial").Migration
    monkeypatch.setattr(first, "replaces", [("kb", "0002_tea")])
    assert problems.find_unknown_migrations() == []


def test_a_site_is_not_served_without_a_database(tmp_path: Path) -> None:
    folder = tmp_path / "none"
    started = start(folder, *GUNICORN[1:], "config.wsgi", HTTPS="off")
    assert started.returncode == 1
    assert "kb.sqlite3 不存在" in started.stderr
    assert f"DATA_DIR={folder}" in started.stderr
    assert not (folder / "kb.sqlite3").exists()


def test_a_command_for_the_wrong_folder_names_it_and_makes_nothing(
    tmp_path: Path,
) -> None:
    folder = tmp_path / "wrong"
    stopped = start(folder, "manage.py", "createsuperuser", SECRET_KEY="")
    assert stopped.returncode == 1
    (line,) = stopped.stderr.splitlines()
    assert f"{folder}/secret_key" in line
    assert "DATA_DIR" in line
    assert not folder.exists()


def test_commands_hide_secrets(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_URL", "postgres://kb:geheim@db.example.com/kb")
    monkeypatch.setenv("SECRET_KEY", "geheim")
    line = shell_commands.format_manage_command("migrate")
    assert "geheim" not in line
    assert "db.example.com/kb" in line


# Private --------------------------------------------------------------------------


def test_what_others_may_read_is_not_served(tmp_path: Path) -> None:
    folder = tmp_path / "open"
    folder.mkdir()
    folder.chmod(0o750)
    for command in (("manage.py", "kb_setup"), (*GUNICORN[1:], "config.wsgi")):
        stopped = start(folder, *command, HTTPS="off")
        assert stopped.returncode == 1
        assert f"chmod -R go-rwx {folder}" in stopped.stderr
        assert "Traceback" not in stopped.stderr
    assert "kb.E001" in start(folder, "manage.py", "check", HTTPS="off").stderr


@pytest.mark.parametrize(
    ("name", "mode"),
    [
        *[("", 0o750), ("secret_key", 0o640), ("jieba", 0o701), ("kb.sqlite3", 0o644)],
        *[("kb.sqlite3-wal", 0o644), ("index", 0o777), ("cache", 0o755)],
    ],
)
def test_what_is_private(
    own: Path, settings: Any, monkeypatch: pytest.MonkeyPatch, name: str, mode: int
) -> None:
    monkeypatch.setattr(private_files, "get_sqlite_path", lambda: own / "kb.sqlite3")
    settings.KB_ENGINE = {"PATH": own / "index"}
    cache = {"BACKEND": "config.caches.FileCache", "LOCATION": str(own / "cache")}
    settings.CACHES = {"default": cache}
    for folder in ("jieba", "index", "cache"):
        (own / folder).mkdir(mode=0o700)
    for file in ("secret_key", "kb.sqlite3", "kb.sqlite3-wal"):
        (own / file).touch(0o600)
    assert private_files.find_exposed_paths() == []
    (own / name).chmod(mode)
    assert private_files.find_exposed_paths() == [own / name]
    assert f"chmod -R go-rwx {own}" in private_files.explain_exposed_paths([own / name])
    own.chmod(0o700)


def test_what_the_site_makes_is_private(tmp_path: Path) -> None:
    folder = tmp_path / "own"
    made = subprocess.run(
        [sys.executable, "manage.py", "migrate", "auth", "0001", "-v", "0"],
        cwd=ROOT,
        env={"DATA_DIR": str(folder), "SECRET_KEY": "x", "PATH": os.environ["PATH"]},
        umask=0o000,
        check=True,
    )
    assert made.returncode == 0
    open_ones = [path for path in folder.rglob("*") if path.stat().st_mode & 0o077]
    assert open_ones == []


# One set-up, once -----------------------------------------------------------------


@pytest.mark.django_db
def test_a_second_setup_waits_and_then_says_so(own: Path) -> None:
    with (own / setup_lock.LOCK_FILE_NAME).open("w") as other:
        fcntl.flock(other, fcntl.LOCK_EX)
        with pytest.raises(CommandError, match="另一个 kb_setup 正在运行"):
            call_command("kb_setup", no_demo=True, wait=0, stdout=StringIO())
    out = StringIO()
    call_command("kb_setup", no_demo=True, wait=0, stdout=out)
    assert shell_commands.format_serve_command() in out.getvalue()


def test_two_setups_at_once_end_well(tmp_path: Path) -> None:
    folder = tmp_path / "twice"
    command = [sys.executable, "manage.py", "kb_setup", "--no-demo"]
    env = {"DATA_DIR": str(folder), "SECRET_KEY": "x", "PATH": os.environ["PATH"]}
    both = [
        subprocess.Popen(command, cwd=ROOT, env=env, stderr=subprocess.PIPE)
        for _ in range(2)
    ]
    output = [one.communicate()[1] for one in both]
    assert [(one.returncode, text) for one, text in zip(both, output, strict=True)] == [
        (0, b"")
    ] * 2


@pytest.mark.django_db
def test_a_busy_port_changes_nothing(own: Path) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        with pytest.raises(CommandError, match=f"端口 {port} 已被占用"):
            call_command("kb_setup", port=port, stdout=StringIO())
    assert list(own.iterdir()) == []
    assert not User.objects.exists()


# A database that was lost ---------------------------------------------------------


@pytest.fixture
def trace(own: Path, request: pytest.FixtureRequest) -> Path:
    path = own / str(request.param)
    path.parent.mkdir(exist_ok=True)
    path.write_text("{}")
    return path


@pytest.mark.django_db
@pytest.mark.parametrize(
    "trace",
    ["index/CURRENT", "media/a.webp", sqlite_file.RECORD_FILE_NAME],
    indirect=True,
)
def test_no_demo_library_in_a_used_data_folder(trace: Path) -> None:
    out = StringIO()
    call_command("kb_setup", stdout=out)
    assert "所以不装演示数据" in out.getvalue()
    assert "用备份恢复" in out.getvalue()
    assert not Entry.objects.exists()
    assert not User.objects.exists()


@pytest.mark.django_db
def test_a_first_setup_that_was_broken_off_is_still_the_first(
    own: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def die(*args: Any) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr("kb.import_export.demo.load_demo_library", die)
        with pytest.raises(CommandError):
            call_command("kb_setup", stdout=StringIO())
    (own / "index").mkdir(exist_ok=True)
    (own / "index" / "CURRENT").touch()
    call_command("kb_setup", stdout=StringIO())
    assert Entry.objects.exists()
    assert previous_use.find_previous_use() != []


# The file -------------------------------------------------------------------------


@pytest.fixture
def database(tmp_path: Path) -> Path:
    """Return a database in WAL mode with one table."""
    path = tmp_path / "kb.sqlite3"
    with closing(sqlite3.connect(path)) as made:
        made.execute("PRAGMA journal_mode = WAL")
        made.execute("CREATE TABLE t (id INTEGER PRIMARY KEY AUTOINCREMENT, x TEXT)")
        add(made, 10)
        made.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    return path


def add(connection: sqlite3.Connection, count: int) -> None:
    rows = [("文字" * 100,) for _ in range(count)]
    connection.executemany("INSERT INTO t (x) VALUES (?)", rows)
    connection.commit()


def break_off(path: Path, then: Path) -> None:
    """Leave the files at `then` as a process does that is killed at work."""
    for end in ("", "-wal"):
        old = path.with_name(path.name + end)
        if old.exists():
            then.with_name(then.name + end).write_bytes(old.read_bytes())


def test_a_whole_file_has_no_fault(database: Path, tmp_path: Path) -> None:
    sqlite_file.write_progress_record(database, tmp_path)
    assert sqlite_file.find_file_fault(database, tmp_path) is None


def test_an_older_copy_beside_a_newer_log_is_noticed(
    database: Path, tmp_path: Path
) -> None:
    backup = database.read_bytes()
    then = tmp_path / "then" / "kb.sqlite3"
    then.parent.mkdir()
    with closing(sqlite3.connect(database)) as site:
        add(site, 10)
        site.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        sqlite_file.write_progress_record(database, then.parent)
        add(site, 10)
        break_off(database, then)
    assert (
        sqlite_file.find_file_fault(then, then.parent) is None
    )  # a crash alone is no fault
    break_off(database, then)
    then.write_bytes(backup)
    with closing(sqlite3.connect(database)) as site:
        add(site, 10)
        then.with_name("kb.sqlite3-wal").write_bytes(
            database.with_name("kb.sqlite3-wal").read_bytes()
        )
    fault = sqlite_file.find_file_fault(then, then.parent)
    assert fault is not None
    assert fault[0] == sqlite_file.FileFault.MIXED
    assert "kb.sqlite3-wal" in fault[1]
    then.with_name("kb.sqlite3-wal").unlink()
    assert (
        sqlite_file.find_file_fault(then, then.parent) is None
    )  # an older copy alone is fine


def test_a_damaged_file_is_noticed(database: Path, tmp_path: Path) -> None:
    with closing(sqlite3.connect(database)) as site:
        add(site, 500)
    body = bytearray(database.read_bytes())
    body[8192:40960] = os.urandom(32768)
    database.write_bytes(body)
    fault = sqlite_file.find_file_fault(database, tmp_path)
    assert fault is not None
    assert fault[0] == sqlite_file.FileFault.DAMAGED


def test_the_check_of_a_large_file_has_an_end(
    database: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    with closing(sqlite3.connect(database)) as site:
        add(site, 500)
    monkeypatch.setattr(sqlite_file, "CHECK_INSTRUCTIONS", 1)
    assert sqlite_file.find_file_damage(database, seconds=-1) == ""
    assert "not checked to the end" in caplog.text


def test_the_watch_over_the_file_ends(database: Path, tmp_path: Path) -> None:
    from threading import Event

    stop = Event()
    thread = sqlite_file.start_file_watch(database, tmp_path, stop)
    stop.set()
    thread.join(5)
    assert not thread.is_alive()
