"""What was public and is no more is gone from every public address, kept copies included.

An entry with a word of its own in each part is read everywhere, in every script, on
two sites; then it leaves in one of the ways there are, and everything is read again.
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
HERE, THERE = "testserver", "b.example.com"
PREFIXES = ("", "/zh-hant", "/en")
ASKED = "退货运费"  # what finds it; the canaries themselves would be echoed
PLACES = ("question", "answer", "category", "tag", "picture", "heading")
CANARIES = {place: f"{place}zvqx" for place in PLACES}
HAN = "鹦鹉螺暗号"  # another word in 繁體
HOUR = timedelta(hours=1)
WORDLESS = {"login", "api:docs", "api:schema", "faq:site-css", "faq:widget-js"}
WORDLESS |= {"session"}  # says who is signed in


@pytest.fixture(autouse=True)
def _hosts(settings: Any) -> None:
    settings.ALLOWED_HOSTS = [HERE, THERE]
    settings.KB_RATES = {}


@pytest.fixture
def told(make_entry: MakeEntry) -> Entry:
    """Return an entry for everybody, alone in its category, that all pages name."""
    words = {place: f"{word}{HAN}" for place, word in CANARIES.items()}
    parent = Category.objects.create(name="售后")
    shelf = Category.objects.create(name=words["category"], parent=parent)
    Category.objects.create(name="别处")
    site = Site.objects.create(name="乙店", host=THERE)
    site.categories.add(parent)
    picture = f"/media/{'0a' * 16}-80x60.webp"
    answer = f"{words['answer']}。\n\n![{words['picture']}]({picture})\n\n"
    answer += f"## {words['heading']}\n\n一。\n\n## 二\n\n二。\n\n## 三\n\n三。"
    made = make_entry(f"{ASKED}谁承担{words['question']}？", answer, category=shelf)
    made.tags.add(Tag.objects.create(name=words["tag"]))
    other = make_entry(f"{ASKED}多少？", "十元。", category=parent)
    FollowUp.objects.create(entry=other, then=made, order=1)
    page_views.count_page_view(made.pk)
    page_views.flush_page_views()
    sync.sync_all_marks()
    return made


def surfaces(told: Entry) -> list[str]:
    """Return every public address that could name the entry."""
    pk, shelf, tag = told.pk, told.category, told.tags.get()
    other = Entry.objects.exclude(pk=pk).get()
    assert shelf
    q = f"q={quote(ASKED)}"
    pages = ["/", "/feed/", "/opensearch.xml", "/search/", f"/search/?{q}", "/embed/"]
    pages += [f"/search/?tag={tag.pk}", f"/search/?{q}&tag={tag.pk}&c={shelf.pk}"]
    pages += [f"/suggest/?{q}", f"/ask/?{q}", f"/ask/near/?{q}", f"/embed/?{q}"]
    pages += [f"/embed/?entry={pk}", f"/embed/?category={shelf.pk}", f"/c/{shelf.pk}/"]
    pages += [
        shelf.get_absolute_url(),
        f"/c/{shelf.pk}/feed/",
        f"/c/{shelf.parent_id}/",
    ]
    pages += [f"/c/{shelf.parent_id}/feed/", f"/q/{pk}/", told.get_absolute_url()]
    pages += [f"/q/{pk}/x/", other.get_absolute_url(), "/nowhere/"]
    pages = [f"{prefix}{page}" for prefix in PREFIXES for page in pages]
    pages += ["/sitemap.xml", "/sitemap-entries.xml", "/sitemap-categories.xml"]
    pages += ["/robots.txt", *_api(pk, shelf.pk, tag, q)]
    for lang in ("", "&lang=zh-Hant", "&lang=en"):
        pages += [f"/widget/start/?{lang}", f"/widget/start/?category={shelf.pk}{lang}"]
        pages += [f"/widget/start/?tag={quote(tag.name)}{lang}", f"/widget/ask/?{lang}"]
        pages += [f"/widget/search/?{q}{lang}", f"/widget/entry/{pk}/?{lang}"]
        pages += [f"/widget/entry/{other.pk}/?{lang}"]
    return pages


def _api(pk: int, shelf: int, tag: Tag, q: str) -> Iterator[str]:
    yield from (f"/api/v1/search/?{q}", f"/api/v1/suggest/?{q}", "/api/v1/categories/")
    yield from ("/api/v1/entries/", f"/api/v1/entries/?category={shelf}")
    yield from (f"/api/v1/entries/?tag={quote(tag.name)}", f"/api/v1/entries/{pk}/")


def words_in(answer: Any) -> set[str]:
    """Return the canaries that stand in the body or in a header."""
    said = unquote(answer.text + repr(sorted(answer.headers.items())))
    han = {HAN, locale_prefix._get_converter("tw")(HAN)}
    return {one for one in {*CANARIES.values(), *han} if one in said}


def read(pages: list[str], host: str) -> dict[str, Any]:
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


WAYS: dict[str, tuple[Callable[[Entry], object], tuple[str, ...]]] = {
    "retired": (_retire, (HERE, THERE)),
    "internal": (_hide, (HERE, THERE)),
    "deleted": (lambda entry: entry.delete(), (HERE, THERE)),
    "ended": (_end, (HERE, THERE)),
    "moved": (_move, (THERE,)),
}


@pytest.mark.parametrize("way", WAYS)
def test_what_has_left_is_gone_everywhere(told: Entry, way: str) -> None:
    leave, hosts = WAYS[way]
    moment = timezone.now().replace(minute=10) + HOUR  # a half of it stays one hour
    pages = surfaces(told)
    with time_machine.travel(moment):
        if way == "ended":
            leave(told)
        before = {host: read(pages, host) for host in hosts}
        for host in hosts:
            seen = set().union(*map(words_in, before[host].values()))
            assert seen >= {
                *CANARIES.values(),
                HAN,
                locale_prefix._get_converter("tw")(HAN),
            }
            read(pages, host)  # from the copies that are kept now
    with time_machine.travel(moment + HOUR / 2):
        if way != "ended":
            leave(told)
        sync.sync_all_marks()
        for host in hosts:
            for page, answer in read(pages, host).items():
                assert words_in(answer) == set(), f"{host}{page}"
            _ask_again(before[host], host)


def _ask_again(before: dict[str, Any], host: str) -> None:
    """Nobody is told that the copy he has is still good."""
    for page, answer in before.items():
        for name, given in (("ETag", "If-None-Match"), ("Last-Modified",) * 2):
            if name in answer and words_in(answer):
                header = given if name == "ETag" else "If-Modified-Since"
                told = {"host": host, header: answer[name]}
                assert Client().get(page, headers=told).status_code != 304, page


@pytest.mark.parametrize("state", ["draft", "review"])
def test_what_never_was_public_is_named_nowhere(told: Entry, state: str) -> None:
    told.status = state
    told.save()
    sync.sync_all_marks()
    for host in (HERE, THERE):
        for page, answer in read(surfaces(told), host).items():
            assert words_in(answer) == set(), f"{host}{page}"


def test_every_public_address_is_among_them(told: Entry) -> None:
    """A new one without a place here fails."""
    others = ("/zh-hant/", "/en/", "/nowhere/")
    pages = [page for page in surfaces(told) if not page.startswith(others)]
    found = {resolve(page.partition("?")[0]).view_name for page in pages}
    assert set(TABLE) - found <= WORDLESS
