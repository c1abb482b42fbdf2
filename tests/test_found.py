"""Being found, read again cheaply, and narrowed: what stands around the pages."""

from __future__ import annotations

import gzip
import io
import json
import re
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import unquote
from xml.etree import ElementTree as ET

import pytest
import time_machine
from django.core.management import call_command
from django.test import Client
from django.utils import timezone
from justhtml import StrictModeError

from kb.admin.category import swap_with_sibling
from kb.library import entries
from kb.models import (
    Announcement,
    Category,
    Entry,
    FollowUp,
    Inquiry,
    PageView,
    RelatedEntries,
    Site,
    Tag,
    User,
)
from kb.publishing import edition, page_views
from kb.questions import triage
from kb.search import related
from kb.publishing import page_cache
from kb.web.faq import ask_form, crawlers, view_decorators, views, votes
from tests.conftest import MakeEntry
from tests.markup import faults

pytestmark = pytest.mark.django_db
HIDDEN = [("draft", "public"), ("retired", "public"), ("published", "internal")]
CANARY = "鹦鹉螺暗号"
PICTURE = f"/media/{'0a' * 16}-800x600.webp"
LONG = f"""三天到账。

## 怎么申请

1. 打开订单
   ![订单页]({PICTURE})
2. 点退款

> [!警告]
> 不要把验证码给别人。

## 多久到账

| 方式 | 时间 |
|---|---|
| 微信 | 一天 |

## 没到账怎么办

联系客服。
"""


@pytest.fixture
def shelf(db: None) -> Category:
    made: Category = Category.objects.create(name="售后")
    return made


def data_of(page: str) -> dict[str, Any]:
    (text,) = re.findall(r'<script type="application/ld\+json">(.*?)</script>', page)
    return {node["@type"]: node for node in json.loads(text)["@graph"]}


# Structure -----------------------------------------------------------------------


@pytest.mark.parametrize("prefix", ["", "/zh-hant", "/en"])
def test_every_page_is_valid_html(
    client: Client, make_entry: MakeEntry, shelf: Category, prefix: str
) -> None:
    made = make_entry("退款多久到账？", LONG, category=shelf)
    made.tags.add(tag := Tag.objects.create(name="退款"))
    page_views.count_page_view(made.pk)
    page_views.flush_page_views()
    pages = ["/", "/search/", "/search/?q=退款", "/search/?q=麒麟臂", "/ask/"]
    pages += [f"/search/?tag={tag.pk}", made.get_absolute_url(), "/q/999/"]
    pages += [shelf.get_absolute_url(), f"/q/{made.pk}/{made.slug}/?q=退款"]
    pages += ["/ask/?q=退款", "/embed/", "/embed/?q=退款", f"/embed/?entry={made.pk}"]
    for address in pages:
        assert faults(client.get(f"{prefix}{address}").text) == [], address
    for part in ("/suggest/?q=退款", "/ask/near/?q=退款"):
        assert faults(client.get(f"{prefix}{part}").text, fragment=True) == [], part


@pytest.mark.parametrize("prefix", ["", "/zh-hant", "/en"])
def test_every_answer_to_a_form_is_valid_html(
    client: Client, make_entry: MakeEntry, prefix: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ask_form, "MIN_FORM_SECONDS", -1)
    made, now = make_entry("退款多久到账？", LONG), timezone.now()
    Announcement.objects.create(
        title="退款延迟",
        body="**周五**恢复。",
        audience="public",
        starts_at=now - timedelta(hours=1),
        ends_at=now + timedelta(hours=1),
        entry=made,
    )
    token, vote = votes.make_vote_token(made), f"{prefix}/vote/{made.pk}/"
    for sent in ({"helpful": "no"}, {"helpful": "yes"}, {"helpful": "no", "part": "1"}):
        page = client.post(vote, {"token": token, **sent}).text
        assert faults(page, fragment="part" in sent) == [], sent
    assert faults(client.post(vote, {}).text) == []
    ask, stamp = f"{prefix}/ask/", ask_form.make_form_stamp()
    for given in ({}, {"text": "退款"}, {"text": "退款", "send": "1"}):
        assert faults(client.post(ask, given).text) == [], given
    own = client.post(ask, {"text": "退款", "send": "1", "stamp": stamp}, follow=True)
    assert faults(own.text) == []
    inquiry = Inquiry.objects.get()
    triage.answer_question(inquiry.question, answer="见 https://example.com/a", by=None)
    assert faults(client.get(f"{prefix}/q/{inquiry.token}/").text) == []
    assert faults(client.get(f"{prefix}/").text) == []
    monkeypatch.setattr(view_decorators, "throttle_request", lambda *_: 9)
    assert faults(client.get(f"{prefix}/search/").text) == []


@pytest.mark.parametrize(
    "wrong",
    [
        *(
            "<p>x</i></p>",
            '<p id="a">x</p><p id="a">y</p>',
            "<span><div>x</div></span>",
        ),
        *("<ul><p>x</p></ul>", "<div><li>x</li></div>", '<label for="b">x</label>'),
        *('<a href="/"><button>x</button></a>', '<img src="/a.png">', "<p>a</div>"),
        '<a href="#no">x</a>',
    ],
)
def test_what_is_not_valid_is_seen(wrong: str) -> None:
    try:
        found = faults(f"<main>{wrong}</main>", fragment=True)
    except StrictModeError as fault:
        found = [str(fault)]
    assert found


def test_an_entry_begins_with_its_short_answer(
    client: Client, make_entry: MakeEntry
) -> None:
    made = make_entry("退款多久到账？", LONG)
    page = client.get(made.get_absolute_url()).text
    short, contents, steps = (
        page.index(words)
        for words in ("<p>三天到账。</p>", 'id="contents"', 'id="s-怎么申请"')
    )
    assert short < contents < steps
    assert 'href="#s-没到账怎么办"' in page
    assert (
        "contents" not in client.get(make_entry("短", "短。").get_absolute_url()).text
    )


# What engines are told -------------------------------------------------------------


def test_an_entry_tells_what_it_is(
    client: Client, make_entry: MakeEntry, shelf: Category
) -> None:
    made = make_entry(
        '"</script><b>退款</b>', f"三天<到账>。\n\n{LONG}", category=shelf
    )
    page = client.get(f"/zh-hant{made.get_absolute_url()}?q=退").text
    told = data_of(page)
    (question,) = told["FAQPage"]["mainEntity"]
    assert question["name"] == '"</script><b>退款</b>'
    assert question["acceptedAnswer"]["text"].startswith(
        "三天<到賬>".replace("賬", "帳")
    )
    crumbs = told["BreadcrumbList"]["itemListElement"]
    assert [crumb["name"] for crumb in crumbs][:2] == ["首頁", "售後"]
    assert "<b>退款" not in page
    where = f"http://testserver/zh-hant{made.get_absolute_url()}"
    assert f'<link rel="canonical" href="{where}">' in page
    assert f'property="og:image" content="http://testserver{PICTURE}"' in page
    assert 'hreflang="zh-Hans" href="http://testserver/q/' in page
    assert 'property="og:locale" content="zh_TW"' in page


def test_an_english_frame_is_not_listed_as_a_page_of_its_own(
    client: Client, make_entry: MakeEntry
) -> None:
    where = make_entry().get_absolute_url()
    page = client.get(f"/en{where}").text
    assert f'<link rel="canonical" href="http://testserver{where}">' in page
    assert "<article" in page
    assert 'class="entry" lang="zh-Hans"' in page


def test_addresses_survive_renaming(
    client: Client, make_entry: MakeEntry, shelf: Category
) -> None:
    make_entry(category=shelf)
    old = shelf.get_absolute_url()
    assert unquote(old) == f"/c/{shelf.pk}/售后/"
    assert client.get(old).status_code == 200
    shelf.name = "退换货"
    shelf.save()
    moved = client.get(old)
    assert moved.status_code == 301
    assert moved["Location"] == shelf.get_absolute_url()
    there = client.get(f"/zh-hant{moved['Location']}")
    assert (there.status_code, "退換貨" in there.text) == (200, True)


@pytest.mark.parametrize(("status", "audience"), HIDDEN)
def test_nothing_tells_of_hidden_entries(
    client: Client,
    make_entry: MakeEntry,
    shelf: Category,
    status: str,
    audience: str,
) -> None:
    shown = make_entry("退货寄到哪里？", category=shelf)
    lost: Category = Category.objects.create(name=CANARY)
    tag = Tag.objects.create(name=CANARY)
    hidden = make_entry(
        f"退货{CANARY}", CANARY, status=status, audience=audience, category=lost
    )
    hidden.tags.add(tag)
    FollowUp.objects.create(entry=shown, then=hidden)
    PageView.objects.create(entry=hidden, day=timezone.localdate(), count=99)
    RelatedEntries.objects.create(
        entry=shown,
        ids={"all": [hidden.pk]},
        version=shown.version,
        found_at=timezone.now(),
    )
    pages = ["/", "/feed/", "/sitemap.xml", "/opensearch.xml", shown.get_absolute_url()]
    pages += [f"/c/{shelf.pk}/feed/", "/search/?q=退货", f"/search/?tag={tag.pk}"]
    pages += [f"/search/?q=退货&c={lost.pk}&tag={tag.pk}", "/sitemap-entries.xml"]
    for prefix in ("", "/zh-hant"):
        for address in pages:
            if prefix and "sitemap" in address:
                continue
            body = client.get(f"{prefix}{address}").text
            assert CANARY not in body, address
            assert "鸚鵡螺" not in body, address
            assert f"/q/{hidden.pk}/" not in body, address
        for address in (f"/c/{lost.pk}/", f"/c/{lost.pk}/feed/", f"/q/{hidden.pk}/x/"):
            gone = client.get(f"{prefix}{address}")
            assert gone.status_code == 404
            assert CANARY not in gone.text + str(gone.headers)


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


def test_a_feed_tells_what_is_new(
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


def test_browsers_learn_how_to_search_here(client: Client) -> None:
    told = client.get("/zh-hant/opensearch.xml")
    assert "http://testserver/zh-hant/search/?q={searchTerms}" in told.text
    assert told["Content-Type"].startswith("application/opensearchdescription+xml")
    assert client.get("/favicon.ico").status_code == 302


# Copies ------------------------------------------------------------------------------


def test_a_page_is_made_once_an_edition(
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
def test_a_copy_holds_nothing_of_who_came_first(
    client: Client, make_entry: MakeEntry, shelf: Category, prefix: str
) -> None:
    """All but the parameters that a page depends on are one reader's own."""
    made = make_entry("退款多久到账？", "三天。", category=shelf)
    words = " " * 200
    for where in ("/", shelf.get_absolute_url(), made.get_absolute_url()):
        first = client.get(f"{prefix}{where}?from=alice&q={words}alice").text
        assert "alice" not in first
        assert client.get(f"{prefix}{where}").text == first


def test_a_switch_of_script_keeps_the_page_of_a_list(
    client: Client, make_entry: MakeEntry, shelf: Category
) -> None:
    for number in range(views.ENTRIES_PER_PAGE + 1):
        make_entry(f"第 {number} 个问题？", category=shelf)
    where = shelf.get_absolute_url()
    assert f'href="/zh-hant{where}?page=2"' in client.get(f"{where}?page=2&x=1").text


def test_a_shelf_that_was_moved_stands_elsewhere_at_once(
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


def test_a_browsers_copy_is_answered_without_a_page(
    client: Client, make_entry: MakeEntry
) -> None:
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


def test_a_copy_is_compressed_once(client: Client, make_entry: MakeEntry) -> None:
    where = make_entry().get_absolute_url()
    plain = client.get(where)
    packed = client.get(where, headers={"Accept-Encoding": "br, gzip"})
    assert packed["Content-Encoding"] == "gzip"
    assert gzip.decompress(packed.content) == plain.content
    assert "Accept-Encoding" in packed["Vary"]
    assert "Cookie" in packed["Vary"]
    assert not packed.cookies


def test_what_is_made_for_one_reader_is_compressed_too(
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


def test_a_cdn_may_keep_a_copy_as_long_as_the_owner_says(
    client: Client, agent: User, make_entry: MakeEntry, settings: Any
) -> None:
    where = make_entry().get_absolute_url()
    settings.KB_CDN_SECONDS = 60
    assert client.get(where)["Cache-Control"] == "public, max-age=0, s-maxage=60"
    client.force_login(agent)
    assert client.get(where)["Cache-Control"] == "private, no-store"


def test_who_is_logged_in_gets_nobodys_copy_and_leaves_none(
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
    )  # no signal, as a clock
    assert "大雪延迟发货" not in client.get("/").text


def test_an_edition_is_told_in_one_query(django_assert_num_queries: Any) -> None:
    edition.increment_edition()
    with django_assert_num_queries(1):
        assert edition.get_edition().number == 1


def test_a_changed_entry_leaves_sites_and_categories_in_memory(
    client: Client,
    make_entry: MakeEntry,
    shelf: Category,
    django_assert_max_num_queries: Any,
) -> None:
    """Of the page of an entry all else is asked for anew."""
    made, other = make_entry(category=shelf), make_entry("发票怎么开？")
    where = made.get_absolute_url()
    assert client.get(where).status_code == 200  # finds its neighbours
    before = edition.get_edition()
    entries.update_entry(other, by=None, based_on=other.version, answer="五天。")
    assert edition.get_edition() != before
    assert edition.get_edition().outline == before.outline
    with django_assert_max_num_queries(5):
        assert shelf.name in client.get(where).text


@pytest.mark.parametrize("prefix", ["", "/zh-hant"])
def test_a_changed_category_or_site_is_in_force_at_once(
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


def test_an_imported_category_is_in_force_at_once(
    client: Client, make_entry: MakeEntry, shelf: Category, tmp_path: Path
) -> None:
    assert client.get(make_entry(category=shelf).get_absolute_url()).status_code == 200
    (table := tmp_path / "faq.csv").write_text(
        "问题,答案,可见范围,状态,分类\n能开票吗,能,公开,已发布,新分类\n"
    )
    call_command("kb_import", "entries", str(table), stdout=io.StringIO())
    made = Entry.objects.get(question="能开票吗")
    assert "新分类" in client.get(made.get_absolute_url()).text


def test_what_begins_or_ends_by_the_clock_does_so_in_kept_pages(
    client: Client, make_entry: MakeEntry
) -> None:
    """Nobody saves anything then, and the hour of the copies is not over."""
    noon = timezone.localtime().replace(hour=12, minute=0, second=0, microsecond=0)
    minute = timedelta(minutes=1)
    with time_machine.travel(noon + minute, tick=False):
        ends = make_entry("中秋活动？", valid_until=noon + 10 * minute)
        begins = make_entry("国庆活动？", valid_from=noon + 20 * minute)
        pages = ["/", "/feed/", "/zh-hant/", "/sitemap.xml"]

        def told() -> tuple[set[int], set[int]]:
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
        assert told() == told() == (everywhere, set())
        seen = client.get("/")
    with time_machine.travel(noon + 11 * minute, tick=False):
        assert told() == (set(), set())
        for name, value in (
            ("If-None-Match", seen["ETag"]),
            ("If-Modified-Since", seen["Last-Modified"]),
        ):
            assert client.get("/", headers={name: value}).status_code == 200
    with time_machine.travel(noon + 21 * minute, tick=False):
        assert told() == (set(), everywhere)


# What is read and what comes next ----------------------------------------------------


def test_what_was_opened_most_this_week_stands_at_home(
    client: Client, make_entry: MakeEntry
) -> None:
    rare, often = make_entry("退货地址？"), make_entry("运费谁出？")
    for entry, times in ((rare, 1), (often, 3)):
        for _ in range(times):
            client.get(entry.get_absolute_url())
    robot = {"User-Agent": "Googlebot/2.1"}
    for _ in range(9):
        client.get(rare.get_absolute_url(), headers=robot)
    page_views.flush_page_views()
    assert [one.pk for one in client.get("/").context["popular"]] == [often.pk, rare.pk]
    past = timezone.localdate() - timedelta(days=7)
    PageView.objects.filter(entry=often).update(day=past)
    page_cache.public_page_cache.clear()
    assert [one.pk for one in client.get("/").context["popular"]] == [rare.pk]
    PageView.objects.update(day=past - timedelta(days=90))
    assert page_views.delete_old_page_views() == 2


def test_who_works_here_makes_nothing_popular(
    client: Client, agent: User, make_entry: MakeEntry
) -> None:
    client.force_login(agent)
    client.get(make_entry().get_absolute_url())
    page_views.flush_page_views()
    assert not PageView.objects.exists()


def test_a_read_of_what_was_deleted_meanwhile_is_dropped(make_entry: MakeEntry) -> None:
    made = make_entry(status="draft")
    page_views.count_page_view(made.pk)
    page_views.count_page_view(made.pk + 99)
    made.delete()
    page_views.flush_page_views()
    assert not PageView.objects.exists()


def test_editors_choice_comes_before_what_is_like_it(make_entry: MakeEntry) -> None:
    here = make_entry("退货运费谁承担？")
    like = make_entry("退货地址在哪里？")
    chosen = make_entry("积分怎么用？", "下单时抵扣。")
    FollowUp.objects.create(entry=here, then=chosen)
    from django.contrib.auth.models import AnonymousUser

    found = related.list_related_entries(here, user=AnonymousUser())
    assert found == [chosen, like]
    kept = RelatedEntries.objects.get(entry=here)
    assert kept.ids == {"all": [like.pk]}


# Narrowing ---------------------------------------------------------------------------


def test_a_search_is_narrowed_by_category_and_tag(
    client: Client, make_entry: MakeEntry, shelf: Category
) -> None:
    pay: Category = Category.objects.create(name="支付")
    tag = Tag.objects.create(name="时效")
    one = make_entry("退款多久到账？", category=shelf)
    make_entry("退款怎么付？", category=pay)
    one.tags.add(tag)
    page = client.get("/search/", {"q": "退款"})
    assert page.context["total"] == 2
    choices = {choice.name: choice for choice in page.context["categories"]}
    assert (choices["售后"].count, choices["支付"].count) == (1, 1)
    inside = client.get(f"/search/{choices['售后'].query}")
    assert [entry.pk for entry, _ in inside.context["rows"]] == [one.pk]
    assert 'aria-current="true">售后' in inside.text
    tagged = client.get("/search/", {"q": "退款", "tag": tag.pk, "c": pay.pk})
    assert tagged.context["total"] == 0
    assert "看全部结果" in tagged.text
    listed = client.get("/search/", {"tag": tag.pk})
    assert "退款多久到账？" in listed.text


@pytest.mark.parametrize("value", ["x", "-1", "9" * 30, "1.5", "", "\x00", "１"])
def test_a_filter_that_is_none_narrows_nothing(
    client: Client, make_entry: MakeEntry, value: str
) -> None:
    make_entry("退款多久到账？")
    page = client.get("/search/", {"q": "退款", "c": value, "tag": value})
    assert page.status_code == 200
    assert page.context["total"] == 1
