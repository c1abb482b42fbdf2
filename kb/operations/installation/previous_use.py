"""Detects a DATA_DIR that was in use before, where an empty database means data loss.

The demo library must not be loaded over a site that lost its database.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from django.conf import settings

from kb.system.database import sqlite_file

# A file that exists while a first set-up is running or was interrupted.
UNFINISHED_MARK_NAME = "setup-unfinished"


def find_previous_use() -> list[str]:
    """Return the names of the traces of earlier use in DATA_DIR; empty for a new one."""
    folder = Path(settings.DATA_DIR)
    if (folder / UNFINISHED_MARK_NAME).exists():
        return []
    index = Path(str(settings.KB_ENGINE.get("PATH", folder / "index")))
    traces = {
        "搜索索引": (index / "CURRENT").exists(),
        "图片": any(Path(settings.MEDIA_ROOT).glob("*")),
        "数据库记录": (folder / sqlite_file.RECORD_FILE_NAME).exists(),
    }
    return [name for name, exists in traces.items() if exists]


@contextmanager
def mark_first_setup(traces: list[str]) -> Iterator[None]:
    """Mark a first set-up until it ends, so that an interrupted one counts as first."""
    mark = Path(settings.DATA_DIR) / UNFINISHED_MARK_NAME
    if not traces:
        mark.touch()
    yield
    mark.unlink(missing_ok=True)


def explain_previous_use(traces: list[str]) -> str:
    """Return the message why no demo library is loaded."""
    return (
        f"数据库是空的，但 {settings.DATA_DIR} 里有以前留下的{'、'.join(traces)}，"
        "所以不装演示数据。\n"
        "  如果数据库被删掉或换过，请先停下网站，用备份恢复。\n"
        "  如果真要重新开始，请换一个空的 DATA_DIR。"
    )
