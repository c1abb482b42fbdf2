"""Misconfiguration as system checks, each with an id and a hint."""

from __future__ import annotations

import stat
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core import checks


@checks.register(checks.Tags.security)
def private_folders(**kwargs: Any) -> list[checks.CheckMessage]:
    """The index and jieba's cache are unpickled: they must be ours alone."""
    folders = [Path(settings.KB_JIEBA_CACHE)]
    if path := settings.KB_ENGINE.get("PATH"):
        folders.append(Path(str(path)))
    return [
        checks.Error(
            f"{folder} can be entered by other users of this machine.",
            hint=f"chmod 700 {folder}",
            id="kb.E001",
        )
        for folder in folders
        if folder.exists() and stat.S_IMODE(folder.stat().st_mode) & 0o077
    ]
