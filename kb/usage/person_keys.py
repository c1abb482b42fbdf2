"""Keys of persons who search, by which their picks and votes are counted once."""

from __future__ import annotations

from django.utils.crypto import salted_hmac

from kb.models import User
from kb.system.client_address import get_network

# Part of every hash: with another value each visitor would count as a new person.
VISITOR_KEY_SALT = "kb.usage.visitor"


def build_colleague_key(user: User) -> str:
    """Return the key of a signed-in user."""
    return f"u{user.pk}"


def build_visitor_key(address: str, browser: str) -> str:
    """Return the key of a visitor with this IP address and user agent.

    The key is "network:network+browser", two keyed hashes of 8 hex digits each, from
    which neither address nor browser can be read. For evidence only the first part
    separates persons (`evidence_levels.get_person_origin`), because anybody can choose
    a user agent, and the last 64 bits of an IPv6 address.
    """
    network = get_network(address)
    return f"{_hash_identity(network)}:{_hash_identity(f'{network} {browser}')}"


def _hash_identity(value: str) -> str:
    """Return 8 hex digits of an HMAC-SHA256 with SECRET_KEY."""
    digest = salted_hmac(VISITOR_KEY_SALT, value, algorithm="sha256")
    return digest.hexdigest()[:8]
