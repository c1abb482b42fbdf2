"""An uploaded file between preview and confirmation: private, nameless, short-lived."""

from __future__ import annotations

import os
import re
import secrets
import time
from pathlib import Path

from django.conf import settings
from django.core.exceptions import ValidationError

KEPT = 12 * 3600  # seconds; a session is shorter
_TOKEN = re.compile(r"[A-Za-z0-9_-]{32}")


def keep(data: bytes) -> str:
    """Keep `data` for a while; return the token that `load` wants."""
    folder = _folder()
    _forget_old(folder)
    token = secrets.token_urlsafe(24)
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL
    with open(os.open(folder / token, flags, 0o600), "wb") as file:
        file.write(data)
    return token


def load(token: str) -> bytes:
    """Return what was kept; raises ValidationError when it is gone."""
    try:
        return _path(token).read_bytes()
    except OSError:
        raise _gone() from None


def forget(token: str) -> None:
    _path(token).unlink(missing_ok=True)


def _path(token: str) -> Path:
    if not _TOKEN.fullmatch(token):
        raise _gone()
    return _folder() / token


def _folder() -> Path:
    folder = Path(settings.DATA_DIR) / "imports"
    folder.mkdir(mode=0o700, exist_ok=True)
    return folder


def _forget_old(folder: Path) -> None:
    """Remove what was neither confirmed nor given up."""
    for path in folder.iterdir():
        try:
            if path.stat().st_mtime < time.time() - KEPT:
                path.unlink()
        except FileNotFoundError:  # somebody else was quicker
            continue


def _gone() -> ValidationError:
    return ValidationError("这个预览已失效，请重新上传文件。")
