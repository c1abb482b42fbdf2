"""Uploaded files between preview and confirmation, in files named by random tokens."""

from __future__ import annotations

import logging
import re
import secrets
import time
from pathlib import Path

from django.conf import settings
from django.core.exceptions import ValidationError

from kb.system.files import write_file_atomically

UPLOAD_LIFETIME_SECONDS = settings.KB_RETENTION_UPLOADS_HOURS * 3600
logger = logging.getLogger(__name__)
_TOKEN_PATTERN = re.compile(r"[A-Za-z0-9_-]{32}")


def store_upload(data: bytes) -> str:
    """Store `data` for UPLOAD_LIFETIME_SECONDS; return the token for `load_upload`.

    Raises ValidationError when the file cannot be written.
    """
    folder = _get_upload_folder()
    _delete_expired_files(folder)
    token = secrets.token_urlsafe(24)
    try:
        write_file_atomically(folder / token, data)
    except OSError as error:
        logger.error("an upload could not be written: %s", error)
        raise ValidationError(
            "文件没有保存：服务器现在写不了文件，可能是磁盘满了。请稍后再传一次。"
        ) from None
    return token


def load_upload(token: str) -> bytes:
    """Return the stored data; raises ValidationError when it is gone."""
    try:
        return _get_upload_path(token).read_bytes()
    except OSError:
        raise _make_expired_error() from None


def delete_upload(token: str) -> None:
    _get_upload_path(token).unlink(missing_ok=True)


def delete_old_uploads() -> int:
    """Delete expired uploads that were not confirmed; return how many."""
    return _delete_expired_files(_get_upload_folder())


def find_uploads_containing(texts: list[str]) -> list[Path]:
    """Return the files that contain one of `texts` in UTF-8 or GB18030."""
    needles = [text.encode(code) for text in texts for code in ("utf-8", "gb18030")]
    return [
        path
        for path in _get_upload_folder().iterdir()
        if any(needle in path.read_bytes() for needle in needles)
    ]


def _get_upload_path(token: str) -> Path:
    if not _TOKEN_PATTERN.fullmatch(token):
        raise _make_expired_error()
    return _get_upload_folder() / token


def _get_upload_folder() -> Path:
    folder = Path(settings.DATA_DIR) / "imports"
    folder.mkdir(mode=0o700, exist_ok=True)
    return folder


def _delete_expired_files(folder: Path) -> int:
    count = 0
    for path in folder.iterdir():
        try:
            if path.stat().st_mtime < time.time() - UPLOAD_LIFETIME_SECONDS:
                path.unlink()
                count += 1
        except FileNotFoundError:  # another process deleted it
            continue
    return count


def _make_expired_error() -> ValidationError:
    return ValidationError("这个预览已失效，请重新上传文件。")
