"""The cache of public pages: one copy for each page, bounded in bytes."""

from __future__ import annotations

import gzip

import pytest
from django.test import Client

from kb.models import Category
from kb.publishing import page_cache
from kb.publishing.page_cache import CachedPage, PageCache
from tests.conftest import MakeEntry


def page_of(size: int) -> CachedPage:
    return CachedPage("text/html", b"x" * size, b"")


def test_the_cache_is_bounded_in_bytes() -> None:
    cache = PageCache(max_pages=10, max_bytes=1000)
    for number in range(5):
        cache.put(str(number), page_of(250))
    assert cache.size_bytes == 1000
    assert [n for n in range(5) if cache.get(str(n))] == [1, 2, 3, 4]
    cache.put("2", page_of(100))
    assert cache.size_bytes == 850


def test_a_page_too_large_for_the_cache_evicts_no_others() -> None:
    cache = PageCache(max_pages=10, max_bytes=1000)
    cache.put("short", page_of(200))
    cache.put("long", page_of(251))
    assert cache.get("short")
    assert cache.get("long") is None


def test_the_cache_is_bounded_in_pages() -> None:
    cache = PageCache(max_pages=2, max_bytes=1000)
    for number in range(3):
        cache.put(str(number), page_of(1))
    assert [bool(cache.get(str(n))) for n in range(3)] == [False, True, True]


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("address", "name"), [("/sitemap-entries.xml", "p"), ("category", "page")]
)
def test_a_page_number_has_one_spelling(
    client: Client, make_entry: MakeEntry, address: str, name: str
) -> None:
    category = Category.objects.create(name="售后")
    make_entry(category=category)
    if address == "category":
        address = category.get_absolute_url()
    first = client.get(address)
    assert first.status_code == 200
    size = page_cache.public_page_cache.size_bytes
    for text in ("1", "01", "0001", " 1", "１", ""):
        page = client.get(address, {name: text})
        assert page.headers["ETag"] == first.headers["ETag"], text
    assert page_cache.public_page_cache.size_bytes == size
    assert client.get(address, {name: "2"}).status_code == 404
    pages = {client.get(address, {name: text}) for text in ("x", "0", "99999999")}
    assert len({page.headers.get("ETag") for page in pages}) == 1


@pytest.mark.django_db
def test_a_long_page_is_stored_compressed_only(
    client: Client, make_entry: MakeEntry, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = make_entry(answer="很长的答案。" * 500)
    plain = client.get(made.get_absolute_url()).content
    page_cache.public_page_cache.clear()
    monkeypatch.setattr(page_cache, "MAX_PLAIN_BYTES", 1000)
    for _ in range(2):  # rendered, then cached
        assert client.get(made.get_absolute_url()).content == plain
    assert page_cache.public_page_cache.size_bytes < len(plain) / 2
    packed = client.get(made.get_absolute_url(), headers={"Accept-Encoding": "gzip"})
    assert gzip.decompress(packed.content) == plain
