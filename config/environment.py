"""Reading environment variables; an invalid value stops the start and is named."""

from __future__ import annotations

import re
from ipaddress import ip_address
from pathlib import Path
from typing import Any, NoReturn
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import environ
from django.core.exceptions import ImproperlyConfigured

HOST_PATTERN = re.compile(r"\*|\[[0-9a-fA-F:.]+\]|\.?[\w-]+(\.[\w-]+)*", re.ASCII)
ANY_ORIGIN_PATTERN = re.compile(r"\*|https?://[^/?#\s*]+", re.ASCII)
ORIGIN_PATTERN = re.compile(r"https?://[^/?#\s]+", re.ASCII)
RATE_PATTERN = re.compile(
    r"[1-9]\d{0,8}/(s|sec|second|m|min|minute|h|hour|d|day)", re.ASCII
)
CACHE_BACKENDS = {  # by the scheme of CACHE_URL
    "redis": "config.caches.RedisCache",
    "rediss": "config.caches.RedisCache",
    "filecache": "config.caches.FileCache",
    "locmemcache": "django.core.cache.backends.locmem.LocMemCache",
    "dummycache": "django.core.cache.backends.dummy.DummyCache",
}
LOG_LEVELS = ("DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL")
PATTERN_EXAMPLES = {
    HOST_PATTERN: "faq.example.com",
    ORIGIN_PATTERN: "https://faq.example.com",
    ANY_ORIGIN_PATTERN: "https://shop.example.com",
}


def stop_with_message(message: str) -> NoReturn:
    """Raise SystemExit with one line; a traceback would hide the reason."""
    raise SystemExit(f"config: {message}")


class _Environment(environ.fileaware_mapping.FileAwareMapping):  # type: ignore[misc]
    """The environment; an empty value is missing, NAME_FILE names a file with the value."""

    def __getitem__(self, name: str) -> str:
        try:
            value = str(super().__getitem__(name))
        except (OSError, ValueError) as error:
            stop_with_message(f"{name}_FILE cannot be read: {error}")
        if not value.strip():
            raise KeyError(name)
        return value


env = environ.FileAwareEnv()
env.ENVIRON = _Environment()


def read_on_off(name: str, default: bool) -> bool:
    value = env.str(name, "on" if default else "off").strip().lower()
    if value in {"1", "on", "true", "yes"}:
        return True
    if value in {"0", "off", "false", "no"}:
        return False
    stop_with_message(f"{name} must be on or off, not {value!r}")


def read_whole_number(name: str, default: int, minimum: int, maximum: int) -> int:
    value = env.str(name, str(default)).strip()
    if value.isdecimal() and minimum <= int(value) <= maximum:
        return int(value)
    stop_with_message(
        f"{name} must be a whole number from {minimum} to {maximum}, not {value!r}"
    )


def read_choice(name: str, default: str, *allowed: str) -> str:
    if (value := env.str(name, default).strip().lower()) in allowed:
        return str(value)
    stop_with_message(f"{name} must be one of {', '.join(allowed)}, not {value!r}")


def read_rate(name: str, default: str) -> str:
    """Return a rate limit such as "120/min", or "" for "off"."""
    value = str(env.str(name, default)).strip().lower()
    if value == "off":
        return ""
    if RATE_PATTERN.fullmatch(value):
        return value
    stop_with_message(
        f"{name} must be written like 120/min or 20/day, or be off, not {value!r}"
    )


def read_time_zone() -> str:
    name = str(env.str("TIME_ZONE", "Asia/Shanghai")).strip()
    try:
        return ZoneInfo(name).key
    except (ZoneInfoNotFoundError, ValueError, OSError):
        stop_with_message(f"TIME_ZONE must be a name like Asia/Shanghai, not {name!r}")


def read_bind_address() -> str:
    """Return the `bind` of gunicorn: "address:port" from BIND and PORT, or a socket.

    BIND is an address of this machine; 0.0.0.0 and :: stand for all of them.
    """
    value = str(env.str("BIND", "127.0.0.1")).strip()
    port = read_whole_number("PORT", 8000, 1, 65_535)
    if value.startswith("unix:/"):
        return value
    try:
        address = ip_address(value.removeprefix("[").removesuffix("]"))
    except ValueError:
        stop_with_message(
            "BIND must be an address like 127.0.0.1, 0.0.0.0 or ::, or"
            f" unix:/path/of/a.socket, not {value!r}"
        )
    return f"[{address}]:{port}" if address.version == 6 else f"{address}:{port}"  # noqa: PLR2004


def read_cache_settings(data_dir: Path) -> dict[str, Any]:
    """Return Django's settings of the cache that CACHE_URL names.

    Only backends without pickles are allowed, except the memory of the own process,
    which nothing else can write.
    """
    url = str(env.str("CACHE_URL", f"filecache://{data_dir}/cache")).strip()
    scheme = url.partition("://")[0].lower()
    if scheme not in CACHE_BACKENDS:
        stop_with_message(
            "CACHE_URL must begin with"
            f" {', '.join(f'{name}://' for name in CACHE_BACKENDS)}, not {scheme!r}"
        )
    try:
        cache: dict[str, Any] = env.cache_url_config(url)
    except (ImproperlyConfigured, ValueError, KeyError) as error:
        stop_with_message(f"CACHE_URL cannot be understood: {error}")
    return cache | {"BACKEND": CACHE_BACKENDS[scheme]}


def read_list(name: str, pattern: re.Pattern[str], default: str = "") -> list[str]:
    """Return the values of a comma-separated list, each of which matches `pattern`."""
    values = [v for item in env.str(name, default).split(",") if (v := item.strip())]
    if wrong := [value for value in values if not pattern.fullmatch(value)]:
        stop_with_message(
            f"{name}: {wrong[0]!r} is not written like {PATTERN_EXAMPLES[pattern]}"
        )
    return values


def read_choices(name: str, default: str, *allowed: str) -> list[str]:
    """Return the words of a list; "none" is an empty list, "all" every allowed word."""
    parts = [part.strip().lower() for part in env.str(name, default).split(",")]
    words = [part for part in parts if part]
    if words == ["none"]:
        return []
    if words == ["all"]:
        return list(allowed)
    if wrong := [word for word in words if word not in allowed]:
        choices = ", ".join((*allowed, "all", "none"))
        stop_with_message(f"{name}: {wrong[0]!r} is none of {choices}")
    return words


def read_log_level() -> str:
    if (level := env.str("LOG_LEVEL", "INFO").strip().upper()) in LOG_LEVELS:
        return str(level)
    stop_with_message(
        f"LOG_LEVEL must be one of {', '.join(LOG_LEVELS)}, not {level!r}"
    )


def make_private_folder(path: Path) -> Path:
    """Create the folder `path`, readable by its owner only, and return it."""
    try:
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        stop_with_message(f"cannot make the folder {path}: {error.strerror}")
    return path


def read_secret_key(data_dir: Path) -> str:
    """Return SECRET_KEY, or the key in DATA_DIR/secret_key; stops without one."""
    if key := str(env.str("SECRET_KEY", "")).strip():
        return key
    file = data_dir / "secret_key"
    if file.is_file() and (key := file.read_text().strip()):
        return key
    stop_with_message(
        f"SECRET_KEY is not set, and there is none in {file}: run `make run` once "
        "with the same DATA_DIR (it makes one), or set DATA_DIR to the folder of your "
        "site, or SECRET_KEY or SECRET_KEY_FILE"
    )
