"""System checks of the configuration, each with an id and a hint."""

from __future__ import annotations

from collections.abc import Iterator
from ipaddress import ip_address
from typing import Any
from urllib.parse import SplitResult, urlsplit

from django.conf import settings
from django.core import checks

from kb.operations.installation import private_files


@checks.register(checks.Tags.security)
def check_private_folders(**kwargs: Any) -> list[checks.CheckMessage]:
    """Report files of the site that other users of the machine can read or write."""
    exposed = private_files.find_exposed_paths()
    if not exposed:
        return []
    return [checks.Error(private_files.explain_exposed_paths(exposed), id="kb.E001")]


@checks.register(checks.Tags.security)
def check_remote_redis(**kwargs: Any) -> list[checks.CheckMessage]:
    """Warn of a Redis on another host that is used without a password or TLS."""
    messages: list[checks.CheckMessage] = []
    for url in _iter_redis_urls():
        if _is_local(url):
            continue
        if not url.password:
            messages.append(
                checks.Warning(
                    f"Redis at {url.hostname} is used without a password.",
                    hint="CACHE_URL=rediss://:password@host:6379/0",
                    id="kb.W011",
                )
            )
        if url.scheme != "rediss":
            messages.append(
                checks.Warning(
                    f"Redis at {url.hostname} is used without TLS.",
                    hint="Begin CACHE_URL with rediss://.",
                    id="kb.W012",
                )
            )
    return messages


def _iter_redis_urls() -> Iterator[SplitResult]:
    for cache in settings.CACHES.values():
        if not cache["BACKEND"].endswith("RedisCache"):
            continue
        location = cache.get("LOCATION", "")
        urls = location if isinstance(location, list) else str(location).split(",")
        for url in urls:
            yield urlsplit(str(url))


def _is_local(url: SplitResult) -> bool:
    if url.scheme == "unix" or url.hostname in {None, "localhost"}:
        return True
    try:
        return ip_address(str(url.hostname)).is_loopback
    except ValueError:
        return False


@checks.register(checks.Tags.security, deploy=True)
def check_proxy_count(**kwargs: Any) -> list[checks.CheckMessage]:
    """Warn of a proxy that is not counted: then all clients share one rate limit."""
    if not settings.SECURE_PROXY_SSL_HEADER or settings.NUM_PROXIES:
        return []
    return [
        checks.Warning(
            "BEHIND_PROXY is on, but TRUSTED_PROXY_COUNT is 0: all clients count as"
            " one address and share one limit.",
            hint="Set TRUSTED_PROXY_COUNT to the number of proxies in front: 1.",
            id="kb.W013",
        )
    ]
