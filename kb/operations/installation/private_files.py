"""File permissions: only the user of the site may read or write its files.

The database holds password hashes and customers' texts, the secret key signs sessions,
and index and cache files are unpickled: write access to them is code execution.
"""

from __future__ import annotations

import os
import shlex
import stat
from pathlib import Path

from django.conf import settings

OTHERS_MODE_BITS = 0o077  # the bits of group and others
PRIVATE_UMASK = 0o077
SQLITE_FILE_SUFFIXES = ("", "-wal", "-shm")


def find_exposed_paths() -> list[Path]:
    """Return the paths that other users of the machine may read or write."""
    return [
        path for path in _list_private_paths() if path.exists() and _is_exposed(path)
    ]


def explain_exposed_paths(exposed: list[Path]) -> str:
    """Return the message why the site does not start, with the commands to run."""
    folder = Path(settings.DATA_DIR)
    outside = [path for path in exposed if not path.is_relative_to(folder)]
    commands = [f"chmod go-rwx {shlex.quote(str(path))}" for path in outside]
    if len(outside) < len(exposed):
        commands.insert(0, f"chmod -R go-rwx {shlex.quote(str(folder))}")
    names = "、".join(map(str, exposed))
    return (
        f"这台机器上的其他用户能读写 {names}。"
        "里面有密码、顾客的话和密钥，所以网站不启动。请先运行：\n  "
        + "\n  ".join(commands)
    )


def require_private_files() -> None:
    """Raise SystemExit when other users may read or write files of the site."""
    if exposed := find_exposed_paths():
        raise SystemExit(f"config: {explain_exposed_paths(exposed)}")


def set_private_umask() -> None:
    """Make new files of this process readable and writable by its user only."""
    os.umask(PRIVATE_UMASK)


def _is_exposed(path: Path) -> bool:
    return bool(stat.S_IMODE(path.stat().st_mode) & OTHERS_MODE_BITS)


def _list_private_paths() -> list[Path]:
    folder = Path(settings.DATA_DIR)
    paths = [folder, folder / "secret_key", Path(settings.KB_JIEBA_CACHE)]
    if index := settings.KB_ENGINE.get("PATH"):
        paths.append(Path(str(index)))
    cache = settings.CACHES["default"]
    if cache["BACKEND"].endswith(("FileBasedCache", "FileCache")):
        paths.append(Path(str(cache["LOCATION"])))
    if database := get_sqlite_path():
        paths += [
            database.with_name(f"{database.name}{suffix}")
            for suffix in SQLITE_FILE_SUFFIXES
        ]
    return paths


def get_sqlite_path() -> Path | None:
    """Return the path of the database file, None for a database server."""
    database = settings.DATABASES["default"]
    return Path(str(database["NAME"])) if "sqlite" in database["ENGINE"] else None
