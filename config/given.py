"""How a value of the environment is read: a wrong one stops the start, by name."""

from __future__ import annotations

import re
from pathlib import Path
from typing import NoReturn

import environ

HOST = re.compile(r"\*|\[[0-9a-fA-F:.]+\]|\.?[\w-]+(\.[\w-]+)*", re.ASCII)
ANY_ORIGIN = re.compile(r"\*|https?://[^/?#\s*]+", re.ASCII)
ORIGIN = re.compile(r"https?://[^/?#\s]+", re.ASCII)
LEVELS = ("DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL")
FORMS = {
    HOST: "faq.example.com",
    ORIGIN: "https://faq.example.com",
    ANY_ORIGIN: "https://shop.example.com",
}


def stop(message: str) -> NoReturn:
    """End the start with one line; a traceback would bury the reason."""
    raise SystemExit(f"config: {message}")


class _Given(environ.fileaware_mapping.FileAwareMapping):  # type: ignore[misc]
    """The environment, in which an empty value is none and NAME_FILE a file."""

    def __getitem__(self, name: str) -> str:
        try:
            value = str(super().__getitem__(name))
        except (OSError, ValueError) as error:
            stop(f"{name}_FILE cannot be read: {error}")
        if not value.strip():
            raise KeyError(name)
        return value


env = environ.FileAwareEnv()
env.ENVIRON = _Given()


def on_or_off(name: str, default: bool) -> bool:
    value = env.str(name, "on" if default else "off").strip().lower()
    if value in {"1", "on", "true", "yes"}:
        return True
    if value in {"0", "off", "false", "no"}:
        return False
    stop(f"{name} must be on or off, not {value!r}")


def whole_number(name: str, default: int, least: int, most: int) -> int:
    value = env.str(name, str(default)).strip()
    if value.isdecimal() and least <= int(value) <= most:
        return int(value)
    stop(f"{name} must be a whole number from {least} to {most}, not {value!r}")


def one_of(name: str, default: str, *allowed: str) -> str:
    if (value := env.str(name, default).strip().lower()) in allowed:
        return str(value)
    stop(f"{name} must be one of {', '.join(allowed)}, not {value!r}")


def names(name: str, form: re.Pattern[str], default: str = "") -> list[str]:
    values = [v for item in env.str(name, default).split(",") if (v := item.strip())]
    if wrong := [value for value in values if not form.fullmatch(value)]:
        stop(f"{name}: {wrong[0]!r} is not written like {FORMS[form]}")
    return values


def log_level() -> str:
    if (level := env.str("LOG_LEVEL", "INFO").strip().upper()) in LEVELS:
        return str(level)
    stop(f"LOG_LEVEL must be one of {', '.join(LEVELS)}, not {level!r}")


def folder(path: Path) -> Path:
    """Make `path` a folder that only this user can read."""
    try:
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        stop(f"cannot make the folder {path}: {error.strerror}")
    return path


def secret_key(data_dir: Path) -> str:
    if key := str(env.str("SECRET_KEY", "")).strip():
        return key
    kept = data_dir / "secret_key"
    if kept.is_file() and (key := kept.read_text().strip()):
        return key
    stop(
        "SECRET_KEY is not set: run `make run` once (it makes one in "
        "DATA_DIR/secret_key), or set SECRET_KEY or SECRET_KEY_FILE"
    )
