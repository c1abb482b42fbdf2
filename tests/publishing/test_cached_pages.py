"""Public pages are cached until something on them changes."""

from __future__ import annotations

import gzip
import io
import re
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import time_machine
from django.core.management import call_command
from django.test import Client
from django.utils import timezone

from kb.library import entries
from kb.models import (
    Announcement,
    Category,
    Entry,
    Site,
    User,
)
from kb.publishing import edition, page_cache
from kb.publishing.category_tree import swap_with_sibling
from kb.web.faq import views
from tests.conftest import MakeEntry

pytestmark = pytest.mark.django_db


@pytest.fixture
def shelf(db: None) -> Category:
    made: Category = Category.objects.create(name="售后")
    return made


def test_a_page_is_rendered_once_an_edition(
    client: Client, make_entry: MakeEntry, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = make_entry("退款多久到账？", "三天。")
    where = made.get_absolute_url()
    first = client.get(where)
    assert first.context is not None
    assert client.get(where).context is None  # a copy was served
    assert client.get(where, headers={"Accept-Language": "en"}).content == first.content
    entries.update_entry(made, by=None, based_on=made.version, answer="五天。")
    assert "五天" in client.get(where).text
    entries.retire_entry(Entry.objects.get(), by=None)
    assert client.get(where).status_code == 404


@pytest.mark.parametrize("prefix", ["", "/zh-hant", "/en"])
def test_a_cached_page_has_nothing_of_its_first_visitor(
    client: Client, make_entry: MakeEntry, shelf: Category, prefix: str
) -> None:
    """The cache depends only on the parameters that the page names."""
    made = make_entry("退款多久到账？", "三天。", category=shelf)
    words = " " * 200
    for where in ("/", shelf.get_absolute_url(), made.get_absolute_url()):
        first = client.get(f"{prefix}{where}?from=alice&q={words}alice").text
        assert "alice" not in first
        assert client.get(f"{prefix}{where}").text == first


def test_language_links_keep_the_page_of_a_list(
    client: Client, make_entry: MakeEntry, shelf: Category
) -> None:
    for number in range(views.ENTRIES_PER_PAGE + 1):
        make_entry(f"第 {number} 个问题？", category=shelf)
    where = shelf.get_absolute_url()
    assert f'href="/zh-hant{where}?page=2"' in client.get(f"{where}?page=2&x=1").text


def test_a_moved_category_is_shown_at_its_place_at_once(
    client: Client, make_entry: MakeEntry, shelf: Category
) -> None:
    other = Category.objects.create(name="支付")
    make_entry("怎么退货？", category=shelf)
    make_entry("怎么付款？", category=other)

    def order() -> list[str]:
        names = re.findall('category-name">(.*?)<', client.get("/").text)
        return [name for name in names if name in {"售后", "支付"}]

    assert order() == ["售后", "支付"]
    swap_with_sibling(other, by=-1)
    assert order() == ["支付", "售后"]


def test_an_unchanged_page_gets_304(client: Client, make_entry: MakeEntry) -> None:
    made = make_entry()
    first = client.get("/")
    page_cache.public_page_cache.clear()
    for known in (
        {"If-None-Match": first["ETag"]},
        {"If-Modified-Since": first["Last-Modified"]},
    ):
        again = client.get("/", headers=known)
        assert (again.status_code, again.content) == (304, b"")
        assert again["ETag"] == first["ETag"]
    entries.update_entry(made, by=None, based_on=made.version, answer="新。")
    assert client.get("/", headers={"If-None-Match": first["ETag"]}).status_code == 200


def test_a_page_is_compressed_once(client: Client, make_entry: MakeEntry) -> None:
    where = make_entry().get_absolute_url()
    plain = client.get(where)
    packed = client.get(where, headers={"Accept-Encoding": "br, gzip"})
    assert packed["Content-Encoding"] == "gzip"
    assert gzip.decompress(packed.content) == plain.content
    assert "Accept-Encoding" in packed["Vary"]
    assert "Cookie" in packed["Vary"]
    assert not packed.cookies


def test_pages_for_one_reader_are_compressed_too(
    client: Client, make_entry: MakeEntry
) -> None:
    for number in range(5):
        make_entry(f"退款到账要几天？之{number}", "三天到账。" * 9)
    doors = ("/search/", "/suggest/", "/widget/search/", "/embed/", "/ask/")
    for where in (f"{door}?q=退款" for door in doors):
        plain = client.get(where)
        packed = client.get(where, headers={"Accept-Encoding": "br, gzip"})
        assert packed["Content-Encoding"] == "gzip"
        assert len(gzip.decompress(packed.content)) == len(plain.content)
        assert "Accept-Encoding" in plain["Vary"]


def test_a_cdn_may_keep_pages_for_cdn_seconds(
    client: Client, agent: User, make_entry: MakeEntry, settings: Any
) -> None:
    where = make_entry().get_absolute_url()
    settings.KB_CDN_SECONDS = 60
    assert client.get(where)["Cache-Control"] == "public, max-age=0, s-maxage=60"
    client.force_login(agent)
    assert client.get(where)["Cache-Control"] == "private, no-store"


def test_logged_in_readers_neither_get_nor_make_cached_pages(
    client: Client, agent: User, make_entry: MakeEntry
) -> None:
    make_entry("退货内部口径", audience="internal")
    stranger = Client()
    assert "内部口径" not in stranger.get("/").text
    client.force_login(agent)
    assert "内部口径" in client.get("/").text
    assert "内部口径" not in stranger.get("/").text


def test_a_notice_appears_and_ends_by_the_clock(
    client: Client, make_entry: MakeEntry
) -> None:
    make_entry()
    now = timezone.now()
    Announcement.objects.create(
        title="大雪延迟发货",
        audience="public",
        starts_at=now - timedelta(hours=1),
        ends_at=now + timedelta(hours=1),
    )
    assert "大雪延迟发货" in client.get("/").text
    Announcement.objects.update(
        ends_at=now - timedelta(seconds=1)
    )  # without a signal, as when time passes
    assert "大雪延迟发货" not in client.get("/").text


def test_an_edition_is_read_in_one_query(django_assert_num_queries: Any) -> None:
    edition.increment_edition()
    with django_assert_num_queries(1):
        assert edition.get_edition().number == 1


def test_a_changed_entry_leaves_sites_and_categories_in_memory(
    client: Client,
    make_entry: MakeEntry,
    shelf: Category,
    django_assert_max_num_queries: Any,
) -> None:
    """Everything else on an entry's page is queried again."""
    made, other = make_entry(category=shelf), make_entry("发票怎么开？")
    where = made.get_absolute_url()
    assert client.get(where).status_code == 200  # stores the related entries
    before = edition.get_edition()
    entries.update_entry(other, by=None, based_on=other.version, answer="五天。")
    assert edition.get_edition() != before
    assert edition.get_edition().outline == before.outline
    with django_assert_max_num_queries(5):
        assert shelf.name in client.get(where).text


@pytest.mark.parametrize("prefix", ["", "/zh-hant"])
def test_a_changed_category_or_site_applies_at_once(
    client: Client, make_entry: MakeEntry, shelf: Category, prefix: str
) -> None:
    where = prefix + make_entry(category=shelf).get_absolute_url()
    assert client.get(where).status_code == 200
    shelf.name = "甲乙丙"
    shelf.save()
    assert "甲乙丙" in client.get(where).text
    site = Site.objects.get()
    site.name = "丁戊己"
    site.save()
    assert "丁戊己" in client.get(where).text


def test_an_imported_category_applies_at_once(
    client: Client, make_entry: MakeEntry, shelf: Category, tmp_path: Path
) -> None:
    assert client.get(make_entry(category=shelf).get_absolute_url()).status_code == 200
    (table := tmp_path / "faq.csv").write_text(
        "问题,答案,可见范围,状态,分类\n能开票吗,能,公开,已发布,新分类\n"
    )
    call_command("kb_import", "entries", str(table), stdout=io.StringIO())
    made = Entry.objects.get(question="能开票吗")
    assert "新分类" in client.get(made.get_absolute_url()).text


def test_validity_periods_begin_and_end_in_cached_pages(
    client: Client, make_entry: MakeEntry
) -> None:
    """Nothing is saved meanwhile, and the hour of the cached pages is not over."""
    noon = timezone.localtime().replace(hour=12, minute=0, second=0, microsecond=0)
    minute = timedelta(minutes=1)
    with time_machine.travel(noon + minute, tick=False):
        ends = make_entry("中秋活动？", valid_until=noon + 10 * minute)
        begins = make_entry("国庆活动？", valid_from=noon + 20 * minute)
        pages = ["/", "/feed/", "/zh-hant/", "/sitemap.xml"]

        def find_visible() -> tuple[set[int], set[int]]:
            answers = [client.get(page) for page in pages]
            own = [client.get(one.get_absolute_url()) for one in (ends, begins)]
            shown = [
                {n for n, a in enumerate(answers) if f"/q/{one.pk}/" in a.text}
                for one in (ends, begins)
            ]
            opened = [page.status_code == 200 for page in own]
            assert opened == [bool(pages) for pages in shown]
            return shown[0], shown[1]

        everywhere = set(range(len(pages)))
        assert find_visible() == find_visible() == (everywhere, set())
        seen = client.get("/")
    with time_machine.travel(noon + 11 * minute, tick=False):
        assert find_visible() == (set(), set())
        for name, value in (
            ("If-None-Match", seen["ETag"]),
            ("If-Modified-Since", seen["Last-Modified"]),
        ):
            assert client.get("/", headers={name: value}).status_code == 200
    with time_machine.travel(noon + 21 * minute, tick=False):
        assert find_visible() == (set(), everywhere)
