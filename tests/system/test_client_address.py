"""Who a client is: proxies that are trusted, headers that are made up, one /64."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import RequestFactory

from kb import usage
from kb.system import client_address
from kb.system.client_address import get_client_network, get_network, normalize_address

PROXY = "10.0.0.2"


def address(forwarded: str | None = None, peer: str = PROXY) -> str:
    headers = {} if forwarded is None else {"x-forwarded-for": forwarded}
    request = RequestFactory().get("/", headers=headers, REMOTE_ADDR=peer)
    return client_address.get_client_address(request)


@pytest.fixture(autouse=True)
def _warnings_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(client_address, "_has_warned", False)


@pytest.mark.parametrize(
    ("value", "spelling"),
    [
        ("203.0.113.9", "203.0.113.9"),
        (" 203.0.113.9 ", "203.0.113.9"),
        ("203.0.113.9:51234", "203.0.113.9"),
        ("2001:DB8:0:0::1", "2001:db8::1"),
        ("[2001:db8::1]", "2001:db8::1"),
        ("[2001:db8::1]:443", "2001:db8::1"),
        ('"[2001:db8::1]:443"', "2001:db8::1"),
        ("fe80::1%eth0", "fe80::1"),
        ("::ffff:203.0.113.9", "203.0.113.9"),
        ("[::ffff:203.0.113.9]:80", "203.0.113.9"),
        ("2002:cb00:7109::1", "203.0.113.9"),
        *((junk, "") for junk in ("", "unknown", "_hidden", "1.2.3", "1.2.3.4.5")),
        *((junk, "") for junk in ("9" * 5000, "<script>", "203.0.113.9:x", "::1::")),
    ],
)
def test_an_address_has_one_spelling(value: str, spelling: str) -> None:
    assert normalize_address(value) == spelling


@pytest.mark.parametrize(
    ("one", "network"),
    [
        ("203.0.113.9", "203.0.113.9"),
        ("2001:db8:0:1:ffff::9", "2001:db8:0:1::/64"),
        ("::ffff:203.0.113.9", "203.0.113.9"),
        ("what a proxy calls it", "what a proxy calls it"),
        ("", ""),
    ],
)
def test_an_ipv6_address_counts_for_its_64(one: str, network: str) -> None:
    assert get_network(one) == network


@pytest.mark.parametrize(
    ("proxies", "forwarded", "client"),
    [
        (0, None, PROXY),
        (0, "203.0.113.9", PROXY),  # made up: no proxy is trusted
        (1, "203.0.113.9", "203.0.113.9"),
        (1, "198.51.100.1, 203.0.113.9", "203.0.113.9"),  # the left one is made up
        (2, "198.51.100.1, 203.0.113.9, 10.0.0.3", "203.0.113.9"),
        (2, "203.0.113.9", "203.0.113.9"),
        (1, "203.0.113.9:4711", "203.0.113.9"),
        (1, "[2001:db8::1]:4711", "2001:db8::1"),
        (1, "unknown", PROXY),
        (1, "203.0.113.9, unknown", PROXY),
        (1, ",", PROXY),
        (1, "", PROXY),
        (1, None, PROXY),
    ],
)
def test_the_client_is_taken_from_the_place_of_trusted_proxies(
    settings: Any, proxies: int, forwarded: str | None, client: str
) -> None:
    settings.NUM_PROXIES = proxies
    assert address(forwarded) == client


def test_a_local_socket_has_no_address(settings: Any) -> None:
    assert address(peer="") == ""
    settings.NUM_PROXIES = 1
    assert address("203.0.113.9", peer="") == "203.0.113.9"


def test_the_network_of_a_request_is_what_limits_count_by(settings: Any) -> None:
    settings.NUM_PROXIES = 1
    headers = {"x-forwarded-for": "2001:db8::77"}
    request = RequestFactory().get("/", headers=headers)
    assert get_client_network(request) == "2001:db8::/64"


def test_a_client_is_identified_by_network_and_browser() -> None:
    one, same = (usage.build_visitor_key(f"2001:db8::{n}", "Firefox") for n in (1, 2))
    assert one == same
    assert one != usage.build_visitor_key("2001:db8:0:1::1", "Firefox")
    assert one != usage.build_visitor_key("2001:db8::1", "Chrome")


# A proxy that is not configured ------------------------------------------------------


@pytest.mark.parametrize("peer", ["127.0.0.1", "::1", PROXY, ""])
@pytest.mark.parametrize("header", ["x-forwarded-for", "forwarded", "x-real-ip"])
def test_a_proxy_that_is_not_counted_is_logged_once(
    caplog: pytest.LogCaptureFixture, peer: str, header: str
) -> None:
    for _ in range(3):
        request = RequestFactory().get("/", headers={header: "x"}, REMOTE_ADDR=peer)
        client_address.get_client_address(request)
    (record,) = caplog.records
    assert "TRUSTED_PROXY_COUNT=1" in record.getMessage()


def test_a_stranger_cannot_make_the_log_speak_of_a_proxy(
    caplog: pytest.LogCaptureFixture,
) -> None:
    address("203.0.113.9", peer="8.8.8.8")
    address(None, peer="127.0.0.1")
    assert caplog.records == []


def test_a_proxy_that_is_counted_is_not_logged(
    settings: Any, caplog: pytest.LogCaptureFixture
) -> None:
    settings.NUM_PROXIES = 1
    address("203.0.113.9", peer="127.0.0.1")
    assert caplog.records == []
