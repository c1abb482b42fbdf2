"""An uploaded file between preview and confirmation: private, nameless, short-lived."""

from __future__ import annotations

import logging
import re
import secrets
import time
from pathlib import Path

from django.conf import settings
from django.core.exceptions import ValidationError

from kb.files import write_file_atomically

KEPT = 12 * 3600  # seconds
logger = logging.getLogger(__name__)
_TOKEN = re.compile(r"[A-Za-z0-9_-]{32}")


def keep(data: bytes) -> str:
    """Keep `data` for a while; return the token that `load` wants.

    Raises ValidationError where it cannot be written.
    """
    folder = _folder()
    _forget_old(folder)
    token = secrets.token_urlsafe(24)
    try:
        write_file_atomically(folder / token, data)
    except OSError as error:
        logger.error("an upload could not be written: %s", error)
        raise ValidationError(
            "文件没有保存：服务器现在写不了文件，可能是磁盘满了。请稍后再传一次。"
        ) from None
    return token


def load(token: str) -> bytes:
    """Return what was kept; raises ValidationError when it is gone."""
    try:
        return _path(token).read_bytes()
    except OSError:
        raise _gone() from None


def forget(token: str) -> None:
    _path(token).unlink(missing_ok=True)


def forget_old() -> int:
    """Remove what was neither confirmed nor given up; return how many files."""
    return _forget_old(_folder())


def holding(said: list[str]) -> list[Path]:
    """Return the files in which one of `said` stands, in an encoding of text."""
    spellings = [one.encode(code) for one in said for code in ("utf-8", "gb18030")]
    return [
        path
        for path in _folder().iterdir()
        if any(spelling in path.read_bytes() for spelling in spellings)
    ]


def _path(token: str) -> Path:
    if not _TOKEN.fullmatch(token):
        raise _gone()
    return _folder() / token


def _folder() -> Path:
    folder = Path(settings.DATA_DIR) / "imports"
    folder.mkdir(mode=0o700, exist_ok=True)
    return folder


def _forget_old(folder: Path) -> int:
    count = 0
    for path in folder.iterdir():
        try:
            if path.stat().st_mtime < time.time() - KEPT:
                path.unlink()
                count += 1
        except FileNotFoundError:  # somebody else was quicker
            continue
    return count


def _gone() -> ValidationError:
    return ValidationError("这个预览已失效，请重新上传文件。")
