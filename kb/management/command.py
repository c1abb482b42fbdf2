"""What all commands of ours share: whatever goes wrong is one sentence, no traceback."""

from __future__ import annotations

import errno
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from django.core.exceptions import (
    ImproperlyConfigured,
    PermissionDenied,
    ValidationError,
)
from django.core.management.base import BaseCommand, CommandError
from django.db import (
    DatabaseError,
    InterfaceError,
    OperationalError,
    ProgrammingError,
)

from kb.engines import EngineBusy, EngineUnavailable, RebuildRunning
from kb.text import normalize

INTERRUPTED = 130  # the exit code of a shell for Ctrl-C
_NO_SPACE = {errno.ENOSPC, errno.EDQUOT}
FULL = "磁盘满了，腾出空间后再试。"
# What databases write, in lower case, and what it means.
_MESSAGES = (
    (
        ("database is locked", "lock timeout", "lock wait"),
        "数据库正被别的进程占用，请稍后再试。",
    ),
    (("disk is full", "no space left", "disk full"), FULL),
    (
        ("no such table", "does not exist", "no such column"),
        "数据库还没有准备好，先运行 manage.py kb_setup。",
    ),
    (("readonly database", "read-only"), "数据库是只读的，请检查文件的权限。"),
    (("unable to open database",), "打不开数据库文件，请检查它的位置和权限。"),
    (("malformed", "not a database"), "数据库文件损坏了，请用备份恢复。"),
    (
        ("connect", "connection", "server", "pool"),
        "连不上数据库，请检查 DATABASE_URL 和数据库是否在运行",
    ),
)


class KbCommand(BaseCommand):
    """A command that ends with one Chinese sentence and an exit code when it fails.

    With --traceback, Django shows the traceback as well.
    """

    interrupted = "已中断。"

    def execute(self, *args: Any, **options: Any) -> str | None:
        with one_sentence(self.interrupted):
            return super().execute(*args, **options)


@contextmanager
def one_sentence(interrupted: str = KbCommand.interrupted) -> Iterator[None]:
    """Turn whatever goes wrong into a CommandError with one Chinese sentence."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")
    try:
        yield
    except CommandError:
        raise
    except KeyboardInterrupt as error:
        raise CommandError(interrupted, returncode=INTERRUPTED) from error
    except BrokenPipeError:  # `| head` has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        raise SystemExit(1) from None
    except Exception as error:
        raise CommandError(sentence(error)) from error


def sentence(error: Exception) -> str:
    """Return in Chinese what went wrong, and what to do."""
    for kinds, told in _SENTENCES:
        if isinstance(error, kinds):
            return told(error)
    kind = type(error).__name__
    return f"程序出错了（{kind}：{_line(error)}）。加 --traceback 可以看到细节。"


def _engine(error: Any) -> str:
    if isinstance(error, RebuildRunning):
        return "索引正在重建，等它结束后再试。"
    if isinstance(error, EngineBusy):
        return "另一个进程正在写索引，请稍后再试。"
    if isinstance(error.__cause__, OSError) and error.__cause__.errno in _NO_SPACE:
        return FULL
    return f"索引暂时不能用，先运行 manage.py kb_index rebuild：{_line(error)}"


def _database(error: Exception) -> str:
    said = _line(error)
    if not isinstance(error, OperationalError | ProgrammingError | InterfaceError):
        return f"数据库报错：{said}"
    for words, meaning in _MESSAGES:
        if any(word in said.lower() for word in words):
            return meaning if meaning.endswith("。") else f"{meaning}：{said}"
    return f"数据库不能用：{said}"


def _file(error: Any) -> str:
    name = f"「{_line(error.filename)}」" if error.filename else "文件"
    if error.errno in _NO_SPACE:
        return FULL
    if isinstance(error, FileNotFoundError):
        return f"找不到{name}。"
    if isinstance(error, IsADirectoryError):
        return f"{name}是文件夹，请指明里面的文件。"
    if isinstance(error, PermissionError):
        return f"没有读写{name}的权限。"
    return f"读写{name}时出错：{error.strerror or _line(error)}"


def _line(text: object) -> str:
    return normalize.line(str(text))


_SENTENCES: tuple[tuple[tuple[type[Exception], ...], Callable[[Any], str]], ...] = (
    ((ValidationError,), lambda error: "".join(error.messages)),
    ((PermissionDenied,), lambda error: str(error) or "没有权限。"),
    ((EngineUnavailable,), _engine),
    ((DatabaseError, InterfaceError), _database),
    ((OSError,), _file),
    ((ImproperlyConfigured,), lambda error: f"设置有问题：{_line(error)}"),
    ((MemoryError,), lambda _: "内存不够。"),
    ((UnicodeError,), lambda error: f"文字的编码有问题：{_line(error)}"),
)
