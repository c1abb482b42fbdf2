"""Shell commands to show to operators, with the environment of this process."""

from __future__ import annotations

import os
import re
import shlex
import sys
from pathlib import Path

from django.conf import settings

# The variables that decide which site a command works on. Secrets are masked.
SHOWN_VARIABLES = (
    *("DATA_DIR", "DATABASE_URL", "DATABASE_URL_FILE", "CACHE_URL", "CACHE_URL_FILE"),
    *("SECRET_KEY", "SECRET_KEY_FILE", "KB_ENGINE"),
)
_URL_PASSWORD = re.compile(r"(?<=:)[^:@/]+(?=@)")


def format_manage_command(*arguments: str) -> str:
    """Return the shell command that runs manage.py with `arguments` for this site."""
    return _format_command_line(
        [
            _get_python_path(),
            _shorten_path(Path(settings.BASE_DIR) / "manage.py"),
            *arguments,
        ]
    )


def format_serve_command() -> str:
    """Return the shell command that starts the site."""
    base = Path(settings.BASE_DIR)
    config = _shorten_path(base / "config" / "gunicorn.py")
    return _format_command_line(
        [_get_python_path(), "-m", "gunicorn", "-c", config, "config.wsgi"], "PORT"
    )


def _format_command_line(command: list[str], *extra_names: str) -> str:
    variables = [
        f"{name}={shlex.quote(value)}" for name, value in _list_environment(extra_names)
    ]
    return " ".join([*variables, *map(shlex.quote, command)])


def _list_environment(extra_names: tuple[str, ...]) -> list[tuple[str, str]]:
    return [
        (name, _mask_secret(name, value))
        for name in (*SHOWN_VARIABLES, *extra_names)
        if (value := os.environ.get(name, "").strip())
    ]


def _mask_secret(name: str, value: str) -> str:
    if name == "SECRET_KEY":
        return "***"
    if name == "DATA_DIR":
        return str(settings.DATA_DIR)
    return _URL_PASSWORD.sub("***", value)


def _get_python_path() -> str:
    return _shorten_path(Path(sys.executable))


def _shorten_path(path: Path) -> str:
    """Return the path relative to the working directory if it is below it."""
    folder = Path.cwd()
    return str(path.relative_to(folder) if path.is_relative_to(folder) else path)
