"""A command that fails prints one Chinese sentence and sets its exit code."""

from __future__ import annotations

import errno
import re
from collections.abc import Iterator
from contextlib import contextmanager
from io import StringIO
from pathlib import Path
from threading import Event, Thread
from typing import Any

import pytest
from django.core.exceptions import ImproperlyConfigured, ValidationError
from django.core.management import (
    CommandError,
    call_command,
    get_commands,
    load_command_class,
)
from django.core.management.base import OutputWrapper
from django.db import DatabaseError, OperationalError, ProgrammingError, connection

from kb.index.engines import (
    EngineBusyError,
    EngineUnavailableError,
    RebuildRunningError,
    get_engine,
    write_lock,
)
from kb.management.base_command import KbCommand
from tests.conftest import MakeEntry

OURS = sorted(name for name, app in get_commands().items() if app == "kb")
FAULTS: dict[str, tuple[BaseException, str]] = {
    "locked": (OperationalError("database is locked"), "正被别的进程占用"),
    "full database": (OperationalError("database or disk is full"), "磁盘满了"),
    "full disk": (OSError(errno.ENOSPC, "No space left"), "磁盘满了"),
    "no tables": (
        OperationalError("no such table: kb_entry"),
        "先运行 manage.py kb_setup",
    ),
    "no relation": (ProgrammingError('relation "x" does not exist'), "kb_setup"),
    "down": (OperationalError("connection refused"), "连不上数据库"),
    "malformed": (DatabaseError("database disk image is malformed"), "数据库"),
    "no file": (FileNotFoundError(errno.ENOENT, "No", "a.csv"), "找不到「a.csv」"),
    "folder": (IsADirectoryError(errno.EISDIR, "Is", "a"), "「a」是文件夹"),
    "no right": (PermissionError(errno.EACCES, "No", "a"), "没有读写「a」的权限"),
    "busy": (EngineBusyError("x"), "正在写索引"),
    "rebuilding": (RebuildRunningError("x"), "索引正在重建"),
    "no index": (EngineUnavailableError("no index yet"), "kb_index rebuild"),
    "invalid": (ValidationError("这一行不对。"), "这一行不对。"),
    "settings": (ImproperlyConfigured("x"), "设置有问题"),
    "memory": (MemoryError(), "内存不够"),
    "text": (UnicodeDecodeError("utf-8", b"\xff", 0, 1, "bad"), "编码有问题"),
    "bug": (KeyError("x"), "程序出错了（KeyError"),
}


def run(name: str, *arguments: str) -> tuple[int, str]:
    """Run a command as a shell does; return its exit code and what it complained."""
    command = load_command_class("kb", name)
    command.stderr = OutputWrapper(said := StringIO())
    with pytest.raises(SystemExit) as ended:
        command.run_from_argv(["manage.py", name, *arguments])
    code = ended.value.code
    return (code if isinstance(code, int) else 1), said.getvalue()


def arguments(name: str, folder: Path) -> list[str]:
    """Return what the parser of a command asks for, so that it gets to work."""
    needed = {
        "kb_eval": ["--corpus", str(folder / "corpus.jsonl")],
        "kb_forget": ["13812345678"],
        "kb_export": ["entries", str(folder / "a.csv")],
        "kb_import": ["entries", str(folder / "a.csv")],
        "kb_index": ["rebuild"],
        "kb_jobs": ["list"],
    }
    return needed.get(name, [])


@pytest.mark.parametrize("name", OURS)
def test_every_command_is_a_kb_command(name: str) -> None:
    assert isinstance(load_command_class("kb", name), KbCommand)


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("name", OURS)
def test_a_fault_is_one_sentence(name: str, fault: str) -> None:
    error, meaning = FAULTS[fault]
    command = load_command_class("kb", name)

    def fail(*args: Any, **options: Any) -> None:
        raise error

    command.handle = fail  # type: ignore[method-assign]
    with pytest.raises(CommandError) as refusal:
        command.execute(force_color=False, no_color=False, skip_checks=True)
    assert refusal.value.returncode != 0
    assert meaning in str(refusal.value)
    assert "\n" not in str(refusal.value)
    assert re.search("[一-鿿]", str(refusal.value))


@pytest.mark.parametrize("name", OURS)
def test_ctrl_c_is_one_sentence(name: str) -> None:
    command = load_command_class("kb", name)

    def interrupted(*args: Any, **options: Any) -> None:
        raise KeyboardInterrupt

    command.handle = interrupted  # type: ignore[method-assign]
    with pytest.raises(CommandError, match="已中断") as error:
        command.execute(force_color=False, no_color=False, skip_checks=True)
    assert error.value.returncode == 130


@contextmanager
def broken(message: str) -> Iterator[None]:
    """Let every query of the database fail."""

    def fail(*args: Any) -> Any:
        raise OperationalError(message)

    with connection.execute_wrapper(fail):
        yield


@pytest.mark.django_db
@pytest.mark.parametrize("name", OURS)
def test_a_database_that_is_locked_is_one_sentence(
    name: str, tmp_path: Path, transactional_db: None
) -> None:
    (tmp_path / "a.csv").write_text("问题,答案\n怎么退,点退款\n")
    if name in {"kb_eval", "kb_permissions"}:
        pytest.skip("it has no need of the database")
    with broken("database is locked"):
        code, said = run(name, *arguments(name, tmp_path))
    assert code
    assert "Traceback" not in said
    assert re.search("[一-鿿]", said)


@pytest.mark.django_db
def test_a_file_that_is_not_there_is_one_sentence(tmp_path: Path) -> None:
    code, said = run("kb_import", "entries", str(tmp_path / "none.csv"))
    assert (code, "找不到「" in said, said.count("\n")) == (1, True, 1)


@pytest.mark.django_db
def test_a_traceback_is_shown_on_request(tmp_path: Path) -> None:
    command = load_command_class("kb", "kb_import")
    asked = ["manage.py", "kb_import", "entries", str(tmp_path / "no"), "--traceback"]
    with pytest.raises(CommandError) as error:
        command.run_from_argv(asked)
    assert isinstance(error.value.__cause__, FileNotFoundError)


# Waiting for the index -------------------------------------------------------------


@pytest.fixture
def folder(settings: Any, tmp_path: Path, make_entry: MakeEntry) -> Path:
    whoosh = "kb.index.engines.whoosh.WhooshEngine"
    settings.KB_ENGINE = {
        "BACKEND": whoosh,
        "PATH": tmp_path,
        "LOCK_TIMEOUT_SECONDS": 0,
    }
    make_entry("如何申请退款")
    call_command("kb_index", "rebuild", stdout=StringIO())
    return tmp_path


@pytest.mark.django_db
def test_a_rebuild_waits_for_another_writer(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    is_said, release = Event(), Event()
    said = StringIO()

    class Shown(StringIO):
        def write(self, text: str) -> int:
            if "正在写索引" in text:
                release.set()
            return said.write(text)

    def write() -> None:
        with write_lock.hold_lock(folder / "LOCK", 0):
            is_said.set()
            release.wait(20)

    thread = Thread(target=write)
    thread.start()
    assert is_said.wait(10)
    monkeypatch.setattr("kb.management.commands.kb_index.RETRY_PAUSE_SECONDS", 0.01)
    call_command("kb_index", "rebuild", stdout=(out := StringIO()), stderr=Shown())
    thread.join()
    assert said.getvalue().count("另一个进程正在写索引，最多等它 300 秒") == 1
    assert "已重建：1 条" in out.getvalue()


@pytest.mark.django_db
def test_a_rebuild_does_not_wait_for_ever(folder: Path) -> None:
    with (
        write_lock.hold_lock(folder / "LOCK", 0),
        pytest.raises(CommandError, match="等了 0 秒，另一个进程还在写索引"),
    ):
        call_command("kb_index", "rebuild", wait=0, stderr=StringIO())


@pytest.mark.django_db
def test_a_rebuild_on_a_full_disk_is_one_sentence_and_the_index_stays(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*args: Any) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr("kb.index.engines.pack_builder.PackBuilder.write_pack", full)
        code, said = run("kb_index", "rebuild")
    assert (code, said) == (1, "CommandError: 磁盘满了，腾出空间后再试。\n")
    assert get_engine().count_documents(()) == 1
