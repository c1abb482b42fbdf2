"""An entry that is no longer public is gone from every public address, caches included.

An entry with a unique word, a canary, in each part is read at every address, in every
script, on two sites; then it is withdrawn in each possible way, and all is read again.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any
from urllib.parse import quote, unquote

import pytest
import time_machine
from django.test import Client
from django.urls import resolve
from django.utils import timezone

from kb.index import sync
from kb.library import entries
from kb.models import Category, Entry, FollowUp, Site, Tag
from kb.publishing import locale_prefix, page_views
from tests.conftest import MakeEntry
from tests.test_leaks import TABLE

pytestmark = pytest.mark.django_db
FIRST_HOST, SECOND_HOST = "testserver", "b.example.com"
PREFIXES = ("", "/zh-hant", "/en")
QUERY = "退货运费"  # finds the entry; a page would repeat the canaries as the query
PLACES = ("question", "answer", "category", "tag", "picture", "heading")
CANARIES = {place: f"{place}zvqx" for place in PLACES}
HAN = "鹦鹉螺暗号"  # another word in 繁體
HOUR = timedelta(hours=1)
PAGES_WITHOUT_CONTENT = {
    "login",
    "api:docs",
    "api:schema",
    "faq:site-css",
    "faq:widget-js",
}
PAGES_WITHOUT_CONTENT |= {"session"}  # names the user only


@pytest.fixture(autouse=True)
def _hosts(settings: Any) -> None:
    settings.ALLOWED_HOSTS = [FIRST_HOST, SECOND_HOST]
    settings.KB_RATES = {}


@pytest.fixture
def public_entry(make_entry: MakeEntry) -> Entry:
    """Return a public entry, alone in its category, that all pages name."""
    words = {place: f"{word}{HAN}" for place, word in CANARIES.items()}
    parent = Category.objects.create(name="售后")
    category = Category.objects.create(name=words["category"], parent=parent)
    Category.objects.create(name="别处")
    site = Site.objects.create(name="乙店", host=SECOND_HOST)
    site.categories.add(parent)
    picture = f"/media/{'0a' * 16}-80x60.webp"
    answer = f"{words['answer']}。\n\n![{words['picture']}]({picture})\n\n"
    answer += f"## {words['heading']}\n\n一。\n\n## 二\n\n二。\n\n## 三\n\n三。"
    entry = make_entry(f"{QUERY}谁承担{words['question']}？", answer, category=category)
    entry.tags.add(Tag.objects.create(name=words["tag"]))
    other = make_entry(f"{QUERY}多少？", "十元。", category=parent)
    FollowUp.objects.create(entry=other, then=entry, order=1)
    page_views.count_page_view(entry.pk)
    page_views.flush_page_views()
    sync.sync_all_marks()
    return entry


def list_pages(public_entry: Entry) -> list[str]:
    """Return every public address whose page may name the entry."""
    pk, category, tag = public_entry.pk, public_entry.category, public_entry.tags.get()
    other = Entry.objects.exclude(pk=pk).get()
    assert category
    q = f"q={quote(QUERY)}"
    pages = ["/", "/feed/", "/opensearch.xml", "/search/", f"/search/?{q}", "/embed/"]
    pages += [f"/search/?tag={tag.pk}", f"/search/?{q}&tag={tag.pk}&c={category.pk}"]
    pages += [f"/suggest/?{q}", f"/ask/?{q}", f"/ask/near/?{q}", f"/embed/?{q}"]
    pages += [
        f"/embed/?entry={pk}",
        f"/embed/?category={category.pk}",
        f"/c/{category.pk}/",
    ]
    pages += [
        category.get_absolute_url(),
        f"/c/{category.pk}/feed/",
        f"/c/{category.parent_id}/",
    ]
    pages += [
        f"/c/{category.parent_id}/feed/",
        f"/q/{pk}/",
        public_entry.get_absolute_url(),
    ]
    pages += [f"/q/{pk}/x/", other.get_absolute_url(), "/nowhere/"]
    pages = [f"{prefix}{page}" for prefix in PREFIXES for page in pages]
    pages += ["/sitemap.xml", "/sitemap-entries.xml", "/sitemap-categories.xml"]
    pages += ["/robots.txt", *_api(pk, category.pk, tag, q)]
    for lang in ("", "&lang=zh-Hant", "&lang=en"):
        pages += [
            f"/widget/start/?{lang}",
            f"/widget/start/?category={category.pk}{lang}",
        ]
        pages += [f"/widget/start/?tag={quote(tag.name)}{lang}", f"/widget/ask/?{lang}"]
        pages += [f"/widget/search/?{q}{lang}", f"/widget/entry/{pk}/?{lang}"]
        pages += [f"/widget/entry/{other.pk}/?{lang}"]
    return pages


def _api(pk: int, category: int, tag: Tag, q: str) -> Iterator[str]:
    yield from (f"/api/v1/search/?{q}", f"/api/v1/suggest/?{q}", "/api/v1/categories/")
    yield from ("/api/v1/entries/", f"/api/v1/entries/?category={category}")
    yield from (f"/api/v1/entries/?tag={quote(tag.name)}", f"/api/v1/entries/{pk}/")


def find_canaries(answer: Any) -> set[str]:
    """Return the canaries that are in the body or in a header."""
    content = unquote(answer.text + repr(sorted(answer.headers.items())))
    han = {HAN, locale_prefix._get_converter("tw")(HAN)}
    return {word for word in {*CANARIES.values(), *han} if word in content}


def fetch_pages(pages: list[str], host: str) -> dict[str, Any]:
    client = Client(headers={"host": host})
    return {page: client.get(page) for page in pages}


def _retire(entry: Entry) -> None:
    entries.retire_entry(entry, by=None)


def _hide(entry: Entry) -> None:
    entry.audience = Entry.Audience.INTERNAL
    entry.save()


def _move(entry: Entry) -> None:
    entry.category = Category.objects.get(name="别处")
    entry.save()


def _end(entry: Entry) -> None:
    entry.valid_until = timezone.now() + HOUR / 4
    entry.save()


WITHDRAWALS: dict[str, tuple[Callable[[Entry], object], tuple[str, ...]]] = {
    "retired": (_retire, (FIRST_HOST, SECOND_HOST)),
    "internal": (_hide, (FIRST_HOST, SECOND_HOST)),
    "deleted": (lambda entry: entry.delete(), (FIRST_HOST, SECOND_HOST)),
    "ended": (_end, (FIRST_HOST, SECOND_HOST)),
    "moved": (_move, (SECOND_HOST,)),
}


@pytest.mark.parametrize("way", WITHDRAWALS)
def test_a_withdrawn_entry_is_gone_everywhere(public_entry: Entry, way: str) -> None:
    withdraw, hosts = WITHDRAWALS[way]
    moment = (
        timezone.now().replace(minute=10) + HOUR
    )  # half an hour later is the same hour
    pages = list_pages(public_entry)
    with time_machine.travel(moment):
        if way == "ended":
            withdraw(public_entry)
        before = {host: fetch_pages(pages, host) for host in hosts}
        for host in hosts:
            seen = set().union(*map(find_canaries, before[host].values()))
            assert seen >= {
                *CANARIES.values(),
                HAN,
                locale_prefix._get_converter("tw")(HAN),
            }
            fetch_pages(pages, host)  # from the page cache
    with time_machine.travel(moment + HOUR / 2):
        if way != "ended":
            withdraw(public_entry)
        sync.sync_all_marks()
        for host in hosts:
            for page, answer in fetch_pages(pages, host).items():
                assert find_canaries(answer) == set(), f"{host}{page}"
            _assert_no_stale_copy(before[host], host)


def _assert_no_stale_copy(before: dict[str, Any], host: str) -> None:
    """A browser that has an old copy must not get 304 Not Modified."""
    for page, answer in before.items():
        for name, given in (("ETag", "If-None-Match"), ("Last-Modified",) * 2):
            if name in answer and find_canaries(answer):
                header = given if name == "ETag" else "If-Modified-Since"
                headers = {"host": host, header: answer[name]}
                assert Client().get(page, headers=headers).status_code != 304, page


@pytest.mark.parametrize("state", ["draft", "review"])
def test_an_unpublished_entry_is_named_nowhere(public_entry: Entry, state: str) -> None:
    public_entry.status = state
    public_entry.save()
    sync.sync_all_marks()
    for host in (FIRST_HOST, SECOND_HOST):
        for page, answer in fetch_pages(list_pages(public_entry), host).items():
            assert find_canaries(answer) == set(), f"{host}{page}"


def test_every_public_address_is_tested(public_entry: Entry) -> None:
    """A new address without a place in `list_pages` fails."""
    others = ("/zh-hant/", "/en/", "/nowhere/")
    pages = [page for page in list_pages(public_entry) if not page.startswith(others)]
    found = {resolve(page.partition("?")[0]).view_name for page in pages}
    assert set(TABLE) - found <= PAGES_WITHOUT_CONTENT
