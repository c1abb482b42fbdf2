"""The public pages show what their reader may see, and never fail."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from django.conf import settings as site
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from kb.library import entries
from kb.models import Category, Entry, EntryTranslation, Site, Tag, User
from kb.publishing import page_cache, page_views
from kb.system import throttling
from kb.templatetags import kb as filters
from tests.conftest import MakeEntry

pytestmark = pytest.mark.django_db
HIDDEN = [("draft", "public"), ("review", "public"), ("retired", "public")]
HIDDEN += [("published", "internal")]
CANARY = "鹦鹉螺暗号"


def text(response: Any) -> str:
    return str(response.content.decode())


def ask(client: Client, words: str, name: str = "search", **more: str) -> Any:
    return client.get(reverse(f"faq:{name}"), {"q": words, **more})


@pytest.fixture
def shelf() -> Category:
    top = Category.objects.create(name="售后")
    below: Category = Category.objects.create(name="退换货", parent=top)
    return below


# Browsing ----------------------------------------------------------------------


def test_home_counts_entries_that_the_reader_may_see(
    client: Client, agent: User, make_entry: MakeEntry, shelf: Category
) -> None:
    make_entry("甲问题怎么办", category=shelf)
    make_entry("乙问题怎么办", category=shelf, audience="internal")
    make_entry("丙问题怎么办", category=shelf, status="draft")
    (top,) = client.get("/").context["nodes"]
    assert (top.category, top.entry_count, top.child_names) == (
        shelf.parent,
        1,
        ("退换货",),
    )
    client.force_login(agent)
    (top,) = client.get("/").context["nodes"]
    assert top.entry_count == 2


def test_home_lists_the_newest_first(client: Client, make_entry: MakeEntry) -> None:
    made = [make_entry(f"第 {n} 个问题", answer=f"答 {n}") for n in range(10)]
    assert list(client.get("/").context["recent"]) == made[:1:-1]


def test_lists_have_published_entries_only_even_for_editors(
    client: Client, editor: User, make_entry: MakeEntry, shelf: Category
) -> None:
    live = make_entry("甲问题怎么办", category=shelf)
    make_entry("乙问题怎么办", category=shelf, status="draft")
    client.force_login(editor)
    assert list(client.get("/").context["recent"]) == [live]
    assert list(client.get(f"/c/{shelf.pk}/").context["page"]) == [live]


def test_an_empty_site_says_so(client: Client, editor: User) -> None:
    assert "这里还没有内容" in text(client.get("/"))
    client.force_login(editor)
    assert reverse("admin:kb_entry_add") in text(client.get("/"))


def test_a_category_shows_its_whole_subtree(
    client: Client, make_entry: MakeEntry, shelf: Category
) -> None:
    made = make_entry(category=shelf)
    page = client.get(reverse("faq:category", args=[shelf.parent_id]))
    assert list(page.context["page"]) == [made]
    assert [s.category for s in page.context["subcategories"]] == [shelf]


@pytest.mark.parametrize(("status", "audience"), HIDDEN)
def test_a_category_without_readable_entries_is_404(
    client: Client, make_entry: MakeEntry, shelf: Category, status: str, audience: str
) -> None:
    make_entry(category=shelf, status=status, audience=audience)
    for pk in (shelf.pk, shelf.parent_id, 999, 2**63, 10**40):
        assert client.get(f"/c/{pk}/").status_code == 404
    assert shelf.name not in text(client.get("/"))


def test_a_category_has_pages_of_twenty(
    client: Client, make_entry: MakeEntry, shelf: Category
) -> None:
    for n in range(21):
        make_entry(f"第 {n} 个问题", category=shelf)
    address = reverse("faq:category", args=[shelf.pk])
    assert len(client.get(address).context["page"]) == 20
    assert len(client.get(address, {"page": 2}).context["page"]) == 1
    assert client.get(address, {"page": 3}).status_code == 404
    assert client.get(address, {"page": "abc"}).context["page"].number == 1


# One entry ---------------------------------------------------------------------


def test_an_entry_page_shows_answer_path_and_date(
    client: Client, make_entry: MakeEntry, shelf: Category
) -> None:
    made = make_entry("<b>退款</b>多久到账？", answer="**3** 天", category=shelf)
    made.tags.add(Tag.objects.create(name="退款"))
    page = text(client.get(made.get_absolute_url()))
    assert "<h1>&lt;b&gt;退款&lt;/b&gt;多久到账？</h1>" in page
    assert "<strong>3</strong> 天" in page
    for category in (shelf, shelf.parent):
        assert f'href="{category.get_absolute_url()}">{category}</a>' in page
    assert f'class="chip" href="/search/?tag={made.tags.get().pk}"' in page
    assert re.search(
        r'更新于 <time datetime="[^"]+" title="20\d\d-[^"]+">今天</time>', page
    )
    assert f'data-copy="/q/{made.pk}/"' in page


def test_an_entry_page_lists_related_entries(
    client: Client, make_entry: MakeEntry
) -> None:
    here = make_entry("退货运费谁承担？")
    other = make_entry("退货地址在哪里看？")
    assert client.get(here.get_absolute_url()).context["related_entries"] == [other]


def test_other_addresses_redirect_to_the_canonical_one(
    client: Client, make_entry: MakeEntry
) -> None:
    made = make_entry()
    for address in (f"/q/{made.pk}/", f"/q/{made.pk}/又一个/", f"/q/{made.pk}/%00/"):
        response = client.get(address)
        assert response.status_code == 301
        assert response["Location"] == made.get_absolute_url()


def test_an_entry_without_a_slug_has_the_short_address(
    client: Client, make_entry: MakeEntry
) -> None:
    made = make_entry("？？！")
    assert client.get(f"/q/{made.pk}/").status_code == 200
    assert client.get(f"/q/{made.pk}/a/")["Location"] == f"/q/{made.pk}/"


def without(response: Any, word: str) -> str:
    """Return the page without the query."""
    return text(response).replace(word, "").replace(quote(word), "")


@pytest.mark.parametrize(("status", "audience"), HIDDEN)
def test_anonymous_readers_do_not_learn_of_hidden_entries(
    client: Client, make_entry: MakeEntry, shelf: Category, status: str, audience: str
) -> None:
    shelf.name = f"{CANARY}分类"
    shelf.save()
    make_entry("退货寄到哪里？")
    hidden = make_entry(
        f"{CANARY}退货",
        answer=f"{CANARY}答案",
        phrasings=[f"{CANARY}问法"],
        keywords=CANARY,
        replies=[f"{CANARY}话术"],
        category=shelf,
        status=status,
        audience=audience,
    )
    short = f"/q/{hidden.pk}/"
    addresses = [short, hidden.get_absolute_url(), f"{short}x/", "/", "/search/?q=退货"]
    addresses += ["/suggest/?q=退货", "/q/1/", f"/suggest/?q={CANARY[:2]}"]
    for address in addresses:
        response = client.get(address)
        if str(hidden.pk) in address:
            assert response.status_code == 404
        assert CANARY not in text(response).replace(f'value="{CANARY}', "")
        assert CANARY not in str(response.headers)
    found, unknown = ask(client, CANARY), ask(client, "麒麟臂口诀")
    assert without(found, CANARY) == without(unknown, "麒麟臂口诀")


def test_replies_are_on_no_public_page(
    client: Client, lead: User, make_entry: MakeEntry
) -> None:
    made = make_entry(replies=[CANARY], keywords=CANARY)
    assert CANARY not in text(client.get(made.get_absolute_url()))
    assert not ask(client, CANARY).context["results"].total
    client.force_login(lead)
    assert CANARY not in text(client.get(made.get_absolute_url()))


@pytest.mark.parametrize(
    ("status", "audience", "words"),
    [
        ("draft", "public", "草稿"),
        ("review", "public", "待审核"),
        ("retired", "public", "已下线"),
        ("published", "internal", "仅内部"),
    ],
)
def test_an_editor_sees_a_warning_on_an_unpublished_entry(
    client: Client,
    editor: User,
    make_entry: MakeEntry,
    status: str,
    audience: str,
    words: str,
) -> None:
    made = make_entry(status=status, audience=audience)
    client.force_login(editor)
    page = text(client.get(made.get_absolute_url()))
    assert f"<strong>{words}</strong>" in page
    assert "noindex" in page
    assert reverse("admin:kb_entry_change", args=[made.pk]) in page


def test_an_agent_reads_internal_entries_but_no_drafts(
    client: Client, agent: User, make_entry: MakeEntry
) -> None:
    inside, draft = make_entry(audience="internal"), make_entry("别的", status="draft")
    client.force_login(agent)
    page = text(client.get(inside.get_absolute_url()))
    assert "<strong>仅内部</strong>" in page
    assert f"{reverse('console:home')}?entry={inside.pk}" in page
    assert "admin/" not in page
    assert client.get(draft.get_absolute_url()).status_code == 404


# Searching ---------------------------------------------------------------------


def test_a_search_marks_matching_terms(
    client: Client, make_entry: MakeEntry, shelf: Category
) -> None:
    make_entry("怎么申请退款？", answer="退款在订单里申请。", category=shelf)
    page = text(ask(client, "怎么退款"))
    assert 'role="status">找到 1 条' in page
    assert "怎么申请<mark>退款</mark>？" in page
    assert "<mark>退款</mark>在订单里" in page
    assert f'href="{shelf.get_absolute_url()}">退换货</a>' in page


def test_a_search_has_pages(client: Client, make_entry: MakeEntry) -> None:
    for n in range(21):
        make_entry(f"退款第 {n} 问")
    first = ask(client, "退款 & 的")
    assert len(first.context["rows"]) == 20
    assert "?q=%E9%80%80%E6%AC%BE+%26+%E7%9A%84&amp;page=2" in text(first)
    assert len(ask(client, "退款", page="2").context["rows"]) == 1
    assert ask(client, "退款", page="3").status_code == 404
    assert ask(client, "退款", page="9" * 30).context["page_number"] == 1


def test_the_query_is_shown_as_text(client: Client) -> None:
    page = text(ask(client, '"><script>alert(1)</script>'))
    assert "<script>alert" not in page
    assert 'value="&quot;&gt;&lt;script&gt;alert(1)&lt;/script&gt;"' in page


def test_a_search_without_results_offers_near_entries_and_categories(
    client: Client, make_entry: MakeEntry, shelf: Category
) -> None:
    made = make_entry("质量问题怎么换货？", category=shelf)
    page = ask(client, "换鞋")
    assert page.context["results"].total == 0
    assert page.context["near"] == [made]
    assert "没有找到“换鞋”" in text(page)
    assert f"/c/{shelf.parent_id}/" in text(page)


@pytest.mark.parametrize("words", ["", " ", "\u200b\x00", "　"])
def test_an_empty_search_shows_an_example(client: Client, words: str) -> None:
    page = ask(client, words)
    assert page.status_code == 200
    assert "输入几个字就能搜" in text(page)
    assert text(ask(client, words, "suggest")).strip() == ""


def test_without_the_engine_titles_are_searched_and_the_page_says_so(
    client: Client, make_entry: MakeEntry, settings: Any, tmp_path: Path
) -> None:
    made = make_entry("怎么申请退款？")
    settings.KB_ENGINE = {
        "BACKEND": "kb.index.engines.whoosh.WhooshEngine",
        "PATH": tmp_path / "nowhere",
    }
    page = ask(client, "退款")
    assert [entry for entry, _ in page.context["rows"]] == [made]
    assert "结果可能不完整" in text(page)
    assert page["X-Search-Degraded"] == "1"
    assert client.get(made.get_absolute_url()).status_code == 200


def test_suggestions_are_a_fragment_of_options(
    client: Client, make_entry: MakeEntry
) -> None:
    made = make_entry("退款多久到账？", phrasings=["钱什么时候退"])
    page = text(ask(client, "退款", "suggest"))
    assert "<html" not in page
    assert page.count('role="option"') == 1
    assert f'href="{made.get_absolute_url()}"' in page
    assert "<mark>退款</mark>多久到账？" in page
    assert "也这么问：钱<mark>什么时候</mark>退" in text(
        ask(client, "什么时候", "suggest")
    )


def test_a_result_shows_the_best_passage(client: Client, make_entry: MakeEntry) -> None:
    make_entry("钱去哪了？", "说在前面的话。\n\n" * 40 + "退款<三天>到账。")
    page = text(ask(client, "退款"))
    assert "…<mark>退款</mark>&lt;三天&gt;到账。" in page


@pytest.mark.parametrize("words", ["退款", "tuik", "tk", "退k"])
def test_a_suggestion_marks_the_typed_part(
    client: Client, make_entry: MakeEntry, words: str
) -> None:
    make_entry("退款<b>多久</b>", phrasings=["钱什么时候退款"])
    shown = text(ask(client, words, "suggest"))
    assert "<mark>退款</mark>&lt;b&gt;多久&lt;/b&gt;" in shown
    assert "也这么问" not in shown


# Headers, limits and queries -----------------------------------------------------------------------


def addresses(entry: Entry) -> list[str]:
    pages = ["/", "/search/", "/search/?q=退货", "/search/?q=麒麟臂", "/suggest/?q=退"]
    return [*pages, f"/c/{entry.category_id}/", entry.get_absolute_url()]


def test_public_pages_set_no_cookie(
    client: Client, make_entry: MakeEntry, shelf: Category
) -> None:
    made = make_entry(category=shelf)
    for address in [*addresses(made), "/q/999/", f"/q/{made.pk}/"]:
        response = client.get(address)
        assert not response.cookies, address
        assert "csrf" not in text(response)
        assert "Cookie" in response["Vary"]


def test_public_pages_are_revalidated_and_private_ones_not_stored(
    client: Client, agent: User, make_entry: MakeEntry, shelf: Category
) -> None:
    made = make_entry(category=shelf)
    for address in addresses(made):
        assert client.get(address)["Cache-Control"] == "no-cache"
    tag = client.get(made.get_absolute_url())["ETag"]
    again = {"If-None-Match": tag}
    assert client.get(made.get_absolute_url(), headers=again).status_code == 304
    entries.retire_entry(made, by=None)
    assert client.get(made.get_absolute_url(), headers=again).status_code == 404
    entries.publish_entry(entries.restore_entry(made, by=None), by=None)
    client.force_login(agent)
    for address in [*addresses(made), f"/q/{made.pk}/"]:
        assert client.get(address)["Cache-Control"] == "private, no-store"


def test_public_pages_accept_get_and_head_only(client: Client) -> None:
    for address in ("/", "/search/", "/suggest/", "/q/1/", "/c/1/"):
        assert client.post(address).status_code == 405


@pytest.mark.parametrize(
    ("name", "scope"), [("search", "search"), ("suggest", "suggest")]
)
def test_too_many_requests_get_429_with_retry_after(
    client: Client, settings: Any, agent: User, name: str, scope: str
) -> None:
    settings.KB_RATES = {scope: ("2/min", "3/min"), "agent": ("3/min", "")}
    codes = [ask(client, "退", name).status_code for _ in range(3)]
    assert codes == [200, 200, 429]
    refused = ask(client, "退", name)
    assert 1 <= int(refused["Retry-After"]) <= 60
    assert f"请等 {refused['Retry-After']} 秒" in text(refused)
    elsewhere = Client(REMOTE_ADDR="192.0.2.7")
    assert ask(elsewhere, "退", name).status_code == 200
    forged = Client(headers={"X-Forwarded-For": "192.0.2.8"})
    assert ask(forged, "退", name).status_code == 429
    client.force_login(agent)
    assert [ask(client, "退", name).status_code for _ in range(4)][2:] == [200, 429]


def test_pages_work_without_the_cache(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Down:
        def add(self, *args: object) -> None:
            raise ConnectionError

    monkeypatch.setattr(throttling, "cache", Down())
    assert ask(client, "退款").status_code == 200


def test_pages_make_few_queries(
    client: Client,
    make_entry: MakeEntry,
    shelf: Category,
    django_assert_max_num_queries: Callable[..., Any],
) -> None:
    for n in range(30):
        made = make_entry(f"退货第 {n} 问", category=shelf)
        made.tags.add(Tag.objects.get_or_create(name=f"标签{n % 3}")[0])
    most = {f"/c/{shelf.pk}/": 6, "/": 6, "/search/?q=退货": 12, "/suggest/?q=退货": 9}
    for address, limit in most.items():
        with django_assert_max_num_queries(limit):
            assert client.get(address).status_code == 200
    assert (
        client.get(made.get_absolute_url()).status_code == 200
    )  # stores the related entries
    page_cache.public_page_cache.clear()
    with django_assert_max_num_queries(6):
        assert client.get(made.get_absolute_url()).status_code == 200
    for address in ("/", f"/c/{shelf.pk}/", made.get_absolute_url()):
        assert client.get(address).status_code == 200
        with django_assert_max_num_queries(2):  # the site, and whether the copy is good
            assert client.get(address).status_code == 200


@pytest.mark.parametrize("prefix", ["", "/zh-hant", "/en"])
def test_no_deferred_column_is_loaded_row_by_row(
    client: Client,
    make_entry: MakeEntry,
    shelf: Category,
    monkeypatch: pytest.MonkeyPatch,
    prefix: str,
) -> None:
    """Lists defer columns that they do not show, and must not load them later."""
    made = [make_entry(f"怎么换货？{n}", category=shelf) for n in range(3)]
    made[0].tags.add(Tag.objects.create(name="换货"))
    tag = Tag.objects.get().pk
    page_views.count_page_view(made[0].pk)
    page_views.flush_page_views()

    def refused(*_: object, **__: object) -> None:
        raise AssertionError("a column was left out and asked for")

    monkeypatch.setattr(Entry, "refresh_from_db", refused)
    monkeypatch.setattr(EntryTranslation, "refresh_from_db", refused)
    own, found, near = made[0].get_absolute_url(), "换货", "换鞋"
    pages = ["/", f"/c/{shelf.pk}/", own, f"{own}?q={found}", "/search/", "/feed/"]
    pages += [f"/search/?q={found}", f"/search/?q={near}", f"/search/?tag={tag}"]
    pages += [f"/suggest/?q={found}", f"/ask/near/?q={found}", "/embed/"]
    pages += [f"/embed/?q={found}", f"/embed/?entry={made[0].pk}"]
    pages = [f"{prefix}{page}" for page in pages]
    own = f"/widget/entry/{made[0].pk}/"
    pages += ["/widget/start/", f"/widget/search/?q={found}", own, "/sitemap.xml"]
    for page in pages:
        assert client.get(page, follow=True).status_code == 200, page


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("404", "找不到这一页"),
        ("403", "没有权限"),
        ("400", "看不懂这个请求"),
        ("500", "出错了"),
    ],
)
def test_error_pages_render_without_a_request(name: str, words: str) -> None:
    from django.template.loader import render_to_string

    assert words in render_to_string(f"{name}.html")


def test_the_404_page_has_a_search_box(client: Client) -> None:
    page = client.get("/nowhere/")
    assert page.status_code == 404
    assert 'action="/search/"' in text(page)


def test_an_expired_form_is_explained_in_chinese(agent: User) -> None:
    strict = Client(enforce_csrf_checks=True)
    strict.force_login(agent)
    response = strict.post(reverse("logout"))
    assert response.status_code == 403
    assert "页面已过期" in text(response)


# Words and colours ---------------------------------------------------------------


@pytest.mark.parametrize(
    ("before", "words"),
    [
        (timedelta(seconds=-5), "刚刚"),
        (timedelta(seconds=59), "刚刚"),
        (timedelta(minutes=3), "3 分钟前"),
        (timedelta(hours=2), "2 小时前"),
        (timedelta(hours=13), "昨天"),
        (timedelta(days=6), "6 天前"),
        (timedelta(days=7), "6 月 26 日"),
        (timedelta(days=365), "2025 年 7 月 3 日"),
    ],
)
def test_dates_are_relative(
    monkeypatch: pytest.MonkeyPatch, before: timedelta, words: str
) -> None:
    noon = timezone.make_aware(datetime(2026, 7, 3, 12))  # noqa: DTZ001
    monkeypatch.setattr(timezone, "now", lambda: noon)
    assert filters.format_time_ago(noon - before) == words


def test_no_page_has_inline_script_or_style() -> None:
    for path in (site.BASE_DIR / "templates").rglob("*.html"):
        source = path.read_text("utf-8")
        assert not re.search(
            r"<style|\sstyle=|\son\w+=|<script(?![^>]*\ssrc=)", source
        ), path


def palette(css: str) -> dict[str, str]:
    return dict(re.findall(r"--([\w-]+): (#[0-9a-f]{6})", css))


def luminance(colour: str) -> float:
    """Relative luminance as WCAG 2.2 defines it."""
    parts = (int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5))
    red, green, blue = (
        c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in parts
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    dark, light = sorted((luminance(one), luminance(other)))
    return (light + 0.05) / (dark + 0.05)


def test_text_has_enough_contrast_in_both_themes() -> None:
    css = (site.BASE_DIR / "static/base/tokens.css").read_text("utf-8")
    day_css, night_css = css.split("@media screen and (prefers-color-scheme: dark)")
    day = palette(day_css)
    grounds = ["surface", "surface-raised", "surface-sunk"]
    inks = ["ink", "ink-soft", "accent", "accent-strong", "ok", "warn", "bad"]
    pairs = [(ink, ground) for ink in inks for ground in grounds]
    pairs += [(c, f"{c}-soft") for c in ("accent", "ok", "warn", "bad")]
    pairs += [("ink", f"{c}-soft") for c in ("accent", "ok", "warn", "bad")]
    pairs += [("ink-soft", "accent-soft"), ("accent-strong", "accent-soft")]
    pairs += [("accent-ink", "accent"), ("accent-ink", "accent-strong")]
    pairs += [("bad-ink", "bad"), ("mark-ink", "mark")]
    for colours in (day, day | palette(night_css.split("@media print")[0])):
        for ink, ground in pairs:
            assert contrast(colours[ink], colours[ground]) >= 4.5, (ink, ground)
        for ground in grounds[:2]:
            assert contrast(colours["line-strong"], colours[ground]) >= 3, ground


def test_an_off_topic_query_has_no_results_but_near_entries(
    client: Client, make_entry: MakeEntry
) -> None:
    made = make_entry("杯子碎了怎么换货？", "拍照给客服，我们补发。")
    make_entry("电子发票怎么开？", "订单详情里点开发票。")
    page = ask(client, "杯子蛋糕的配方和烤箱温度")
    assert page.context["results"].total == 0
    assert [entry.pk for entry in page.context["near"]] == [made.pk]
    assert "没有找到" in text(page)
    assert "最接近的问题" in text(page)


def test_a_correction_is_offered_as_a_search(
    client: Client, make_entry: MakeEntry
) -> None:
    make_entry("退款多久到账？")
    page = text(ask(client, "退宽多久到账"))
    assert "您是不是要找" in page
    assert "?q=%E9%80%80%E6%AC%BE%E5%A4%9A%E4%B9%85%E5%88%B0%E8%B4%A6" in page
    assert "您是不是要找" not in text(ask(client, "退款多久到账"))


# Cached fragments --------------------------------------------------------------------


def test_cached_fragments_differ_by_site_and_language(
    client: Client, make_entry: MakeEntry, settings: Any, agent: User
) -> None:
    settings.ALLOWED_HOSTS = ["testserver", "b.example.com"]
    other = Site.objects.create(name="乙店", host="b.example.com", accent="#2a56ac")
    make_entry()
    for _ in range(2):
        for host, name in (("testserver", "帮助中心"), ("b.example.com", other.name)):
            for prefix, words in (("", "提问"), ("/zh-hant", "提問"), ("/en", "Ask")):
                page = client.get(f"{prefix}/", headers={"host": host}).text
                assert words in page
                assert (f"{name} · " in page or f">{name}" in page) or prefix
                assert f'action="{prefix}/search/"' in page
                assert ("site.css" in page) is (host == "b.example.com")
    other.name, other.accent = "丙店", ""
    other.save()
    page = client.get("/", headers={"host": "b.example.com"}).text
    assert "丙店" in page
    assert "乙店" not in page
    assert "site.css" not in page
    client.force_login(agent)
    assert "退出" in client.get("/").text
    assert "退出" not in Client().get("/").text
