"""Commands as somebody can paste them, with the environment that this process has."""

from __future__ import annotations

import os
import re
import shlex
import sys
from pathlib import Path

from django.conf import settings

# What decides which site a command works on. Secrets are not shown.
NAMES = (
    *("DATA_DIR", "DATABASE_URL", "DATABASE_URL_FILE", "CACHE_URL", "CACHE_URL_FILE"),
    *("SECRET_KEY", "SECRET_KEY_FILE", "KB_ENGINE"),
)
_PASSWORD = re.compile(r"(?<=:)[^:@/]+(?=@)")


def manage(*arguments: str) -> str:
    """Return the line that runs manage.py with `arguments` for this very site."""
    return _line([_python(), _near(Path(settings.BASE_DIR) / "manage.py"), *arguments])


def serve() -> str:
    """Return the line that starts the site."""
    base = Path(settings.BASE_DIR)
    config = _near(base / "config" / "gunicorn.py")
    return _line([_python(), "-m", "gunicorn", "-c", config, "config.wsgi"], "PORT")


def _line(command: list[str], *more: str) -> str:
    given = [f"{name}={shlex.quote(value)}" for name, value in _environment(more)]
    return " ".join([*given, *map(shlex.quote, command)])


def _environment(more: tuple[str, ...]) -> list[tuple[str, str]]:
    return [
        (name, _shown(name, value))
        for name in (*NAMES, *more)
        if (value := os.environ.get(name, "").strip())
    ]


def _shown(name: str, value: str) -> str:
    if name == "SECRET_KEY":
        return "***"
    if name == "DATA_DIR":
        return str(settings.DATA_DIR)
    return _PASSWORD.sub("***", value)


def _python() -> str:
    return _near(Path(sys.executable))


def _near(path: Path) -> str:
    """Return the path from here, where it lies below."""
    here = Path.cwd()
    return str(path.relative_to(here) if path.is_relative_to(here) else path)
