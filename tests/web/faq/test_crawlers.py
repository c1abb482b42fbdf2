"""Sitemap, feeds and OpenSearch."""

from __future__ import annotations

import re
from urllib.parse import unquote
from xml.etree import ElementTree as ET

import pytest
from django.test import Client

from kb.models import (
    Category,
)
from kb.web.faq import crawlers
from tests.conftest import MakeEntry

pytestmark = pytest.mark.django_db


@pytest.fixture
def shelf(db: None) -> Category:
    made: Category = Category.objects.create(name="售后")
    return made


def test_the_sitemap_names_both_scripts(
    client: Client, make_entry: MakeEntry, shelf: Category
) -> None:
    made = make_entry(category=shelf)
    root = ET.fromstring(client.get("/sitemap.xml").text)
    space = {"s": "http://www.sitemaps.org/schemas/sitemap/0.9"}
    found = [unquote(one.text or "") for one in root.findall("s:url/s:loc", space)]
    for prefix in ("", "/zh-hant"):
        assert f"http://testserver{prefix}{unquote(made.get_absolute_url())}" in found
        assert f"http://testserver{prefix}/c/{shelf.pk}/售后/" in found
        assert f"http://testserver{prefix}/" in found
    assert len(found) == 6
    assert not [one for one in found if "/en/" in one]
    assert "Sitemap: http://testserver/sitemap.xml" in client.get("/robots.txt").text


def test_a_large_sitemap_is_an_index(
    client: Client, make_entry: MakeEntry, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(3):
        make_entry(f"退货第 {number} 问")
    monkeypatch.setattr(crawlers, "MAX_SITEMAP_URLS", 4)
    monkeypatch.setattr(crawlers.PublicPagesSitemap, "limit", 4)
    index = client.get("/sitemap.xml").text
    parts = re.findall(r"<loc>http://testserver(/[^<]+)</loc>", index)
    assert parts == [
        "/sitemap-entries.xml",
        "/sitemap-entries.xml?p=2",
        "/sitemap-categories.xml",
    ]
    assert sum(client.get(part).text.count("<loc>") for part in parts) == 6 + 2
    assert client.get("/sitemap-nothing.xml").status_code == 404
    assert client.get("/sitemap-entries.xml?p=99").status_code == 404
    assert client.get("/sitemap-entries.xml?p=x").status_code == 404


def test_a_feed_lists_the_latest_entries(
    client: Client, make_entry: MakeEntry, shelf: Category
) -> None:
    make_entry("网络<断>了？", "重启路由器。", category=shelf)
    make_entry("退货地址？", "仓库。")
    whole = ET.fromstring(client.get("/feed/").text)
    atom = "{http://www.w3.org/2005/Atom}"
    assert len(whole.findall(f"{atom}entry")) == 2
    part = client.get(f"/zh-hant/c/{shelf.pk}/feed/")
    (entry,) = ET.fromstring(part.text).findall(f"{atom}entry")
    assert entry.findtext(f"{atom}title") == "網路<斷>了？"
    assert "/zh-hant/q/" in str(entry.find(f"{atom}link").attrib)  # type: ignore[union-attr]


def test_the_opensearch_description_has_the_search_address(client: Client) -> None:
    response = client.get("/zh-hant/opensearch.xml")
    assert "http://testserver/zh-hant/search/?q={searchTerms}" in response.text
    assert response["Content-Type"].startswith("application/opensearchdescription+xml")
    assert client.get("/favicon.ico").status_code == 302
