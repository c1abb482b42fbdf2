"""The network address of a client, and the network by which limits count it."""

from __future__ import annotations

import logging
import re
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from threading import Lock

from django.conf import settings
from django.http import HttpRequest

IPV6_PREFIX_BITS = 64  # the smallest network that a provider gives to a customer
_ADDRESS_WITH_PORT = re.compile(
    r"\[(?P<six>[^\]]*)\](:\d{1,5})?|(?P<four>[\d.]+):\d{1,5}"
)
_FORWARDED_HEADERS = ("HTTP_X_FORWARDED_FOR", "HTTP_FORWARDED", "HTTP_X_REAL_IP")
_warning_lock = Lock()
_has_warned = False
logger = logging.getLogger(__name__)


def get_client_address(request: HttpRequest) -> str:
    """Return the address of the client, or "" if it is unknown.

    Each of the TRUSTED_PROXY_COUNT proxies appends the address that it saw to
    X-Forwarded-For, so the client's address is that many places from the right.
    Values further left were sent by the client and may be forged. If that place
    holds no address, the address of the connection is returned.
    """
    peer = str(request.META.get("REMOTE_ADDR") or "")
    proxies: int = settings.NUM_PROXIES
    if not proxies:
        _warn_about_proxy(request, peer)
        return normalize_address(peer) or peer
    forwarded = str(request.META.get("HTTP_X_FORWARDED_FOR") or "").split(",")
    client = forwarded[-min(proxies, len(forwarded))]
    return normalize_address(client) or normalize_address(peer) or peer


def get_client_network(request: HttpRequest) -> str:
    """Return the network by which limits count the client: see `get_network`."""
    return get_network(get_client_address(request))


def normalize_address(value: str) -> str:
    """Return the address `value` in its canonical spelling, without a port; "" if invalid.

    An IPv4 address that is embedded in an IPv6 one (mapped, or 6to4) is extracted.
    """
    parsed = _parse_address(value)
    return str(parsed) if parsed else ""


def get_network(address: str) -> str:
    """Return the network of `address` for counters: the IPv4 address itself, or the /64.

    An IPv6 client may use all addresses of its /64. An invalid address is returned
    unchanged.
    """
    parsed = _parse_address(address)
    if isinstance(parsed, IPv6Address):
        return str(ip_network((parsed, IPV6_PREFIX_BITS), strict=False))
    return str(parsed) if parsed else address


def _parse_address(value: str) -> IPv4Address | IPv6Address | None:
    text = value.strip().strip('"')[:60]
    if match := _ADDRESS_WITH_PORT.fullmatch(text):
        text = match["six"] or match["four"] or ""
    try:
        parsed = ip_address(text.partition("%")[0])  # without the zone index
    except ValueError:
        return None
    if isinstance(parsed, IPv6Address):
        return parsed.ipv4_mapped or parsed.sixtofour or parsed
    return parsed


def _warn_about_proxy(request: HttpRequest, peer: str) -> None:
    """Log once that requests seem to come through a proxy that is not configured."""
    global _has_warned  # noqa: PLW0603 - once in the life of a process
    if _has_warned or not any(name in request.META for name in _FORWARDED_HEADERS):
        return
    parsed = _parse_address(peer)
    if parsed and not parsed.is_private:  # any client can send this header
        return
    with _warning_lock:
        if _has_warned:
            return
        _has_warned = True
    logger.warning(
        "A proxy at %s forwards requests, but TRUSTED_PROXY_COUNT is 0: all clients"
        " count as one address and share one limit. Set TRUSTED_PROXY_COUNT=1 (the"
        " number of proxies in front), and BEHIND_PROXY=on if it sets"
        " X-Forwarded-Proto.",
        peer or "a local socket",
    )
