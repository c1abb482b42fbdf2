"""Nobody else on the machine may read what the site keeps.

The database holds passwords and customers' words, the key signs sessions, and the
files of the index and of caches are unpickled: who may write one runs code of theirs.
"""

from __future__ import annotations

import os
import shlex
import stat
from pathlib import Path

from django.conf import settings

OTHERS_MODE_BITS = 0o077  # the bits of group and others
PRIVATE_UMASK = 0o077
SQLITE_FILE_SUFFIXES = ("", "-wal", "-shm")  # files of SQLite beside each other


def find_exposed_paths() -> list[Path]:
    """Return what users other than ours may read or write."""
    return [
        path for path in _list_private_paths() if path.exists() and _is_exposed(path)
    ]


def explain_exposed_paths(exposed: list[Path]) -> str:
    """Return why the site does not start, and the command that mends it."""
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
    """Stop the start where others may read the site's files."""
    if exposed := find_exposed_paths():
        raise SystemExit(f"config: {explain_exposed_paths(exposed)}")


def set_private_umask() -> None:
    """Let everything that this process makes be ours alone."""
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
            database.with_name(f"{database.name}{end}") for end in SQLITE_FILE_SUFFIXES
        ]
    return paths


def get_sqlite_path() -> Path | None:
    """Return where the database file is; None for a database server."""
    database = settings.DATABASES["default"]
    return Path(str(database["NAME"])) if "sqlite" in database["ENGINE"] else None
