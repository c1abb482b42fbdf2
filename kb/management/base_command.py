"""The base class of the commands: errors end in one sentence without a traceback."""

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

from kb.index.engines import (
    EngineBusyError,
    EngineUnavailableError,
    RebuildRunningError,
)
from kb.text.chinese import normalize

INTERRUPTED_EXIT_CODE = 130  # the exit code of a shell for Ctrl-C
_NO_SPACE_ERRNOS = {errno.ENOSPC, errno.EDQUOT}
DISK_FULL_MESSAGE = "磁盘满了，腾出空间后再试。"
# Parts of database errors, in lower case, and the message for the user.
_DATABASE_MESSAGES = (
    (
        ("database is locked", "lock timeout", "lock wait"),
        "数据库正被别的进程占用，请稍后再试。",
    ),
    (("disk is full", "no space left", "disk full"), DISK_FULL_MESSAGE),
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

    interrupted_message = "已中断。"

    def execute(self, *args: Any, **options: Any) -> str | None:
        with report_in_one_sentence(self.interrupted_message):
            return super().execute(*args, **options)


@contextmanager
def report_in_one_sentence(
    interrupted: str = KbCommand.interrupted_message,
) -> Iterator[None]:
    """Turn any exception into a CommandError with one Chinese sentence."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")
    try:
        yield
    except CommandError:
        raise
    except KeyboardInterrupt as error:
        raise CommandError(interrupted, returncode=INTERRUPTED_EXIT_CODE) from error
    except BrokenPipeError:  # the reader of a pipe has closed it
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        raise SystemExit(1) from None
    except Exception as error:
        raise CommandError(describe_error(error)) from error


def describe_error(error: Exception) -> str:
    """Return in Chinese what went wrong, and what to do."""
    for kinds, describe in _ERROR_DESCRIPTIONS:
        if isinstance(error, kinds):
            return describe(error)
    kind = type(error).__name__
    return f"程序出错了（{kind}：{_to_one_line(error)}）。加 --traceback 可以看到细节。"


def _describe_engine_error(error: Any) -> str:
    if isinstance(error, RebuildRunningError):
        return "索引正在重建，等它结束后再试。"
    if isinstance(error, EngineBusyError):
        return "另一个进程正在写索引，请稍后再试。"
    if (
        isinstance(error.__cause__, OSError)
        and error.__cause__.errno in _NO_SPACE_ERRNOS
    ):
        return DISK_FULL_MESSAGE
    return f"索引暂时不能用，先运行 manage.py kb_index rebuild：{_to_one_line(error)}"


def _describe_database_error(error: Exception) -> str:
    text = _to_one_line(error)
    if not isinstance(error, OperationalError | ProgrammingError | InterfaceError):
        return f"数据库报错：{text}"
    for words, meaning in _DATABASE_MESSAGES:
        if any(word in text.lower() for word in words):
            return meaning if meaning.endswith("。") else f"{meaning}：{text}"
    return f"数据库不能用：{text}"


def _describe_file_error(error: Any) -> str:
    name = f"「{_to_one_line(error.filename)}」" if error.filename else "文件"
    if error.errno in _NO_SPACE_ERRNOS:
        return DISK_FULL_MESSAGE
    if isinstance(error, FileNotFoundError):
        return f"找不到{name}。"
    if isinstance(error, IsADirectoryError):
        return f"{name}是文件夹，请指明里面的文件。"
    if isinstance(error, PermissionError):
        return f"没有读写{name}的权限。"
    return f"读写{name}时出错：{error.strerror or _to_one_line(error)}"


def _to_one_line(text: object) -> str:
    return normalize.clean_single_line(str(text))


_ERROR_DESCRIPTIONS: tuple[
    tuple[tuple[type[Exception], ...], Callable[[Any], str]], ...
] = (
    ((ValidationError,), lambda error: "".join(error.messages)),
    ((PermissionDenied,), lambda error: str(error) or "没有权限。"),
    ((EngineUnavailableError,), _describe_engine_error),
    ((DatabaseError, InterfaceError), _describe_database_error),
    ((OSError,), _describe_file_error),
    ((ImproperlyConfigured,), lambda error: f"设置有问题：{_to_one_line(error)}"),
    ((MemoryError,), lambda _: "内存不够。"),
    ((UnicodeError,), lambda error: f"文字的编码有问题：{_to_one_line(error)}"),
)
