"""The widget: pages of allowed origins may read, those of named origins may write."""

from __future__ import annotations

import gzip
import json
import re
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from django.core.exceptions import ValidationError
from django.test import Client
from django.utils import timezone

from kb.index import sync
from kb.models import (
    Announcement,
    Category,
    Entry,
    Inquiry,
    Module,
    Question,
    Site,
    Tag,
    User,
    Vote,
    WidgetRule,
)
from kb.text.markup import html_tree, markdown
from kb.web.faq import ask_form, widget_frame, widget_script
from tests.conftest import MakeEntry

pytestmark = pytest.mark.django_db
SHOP = "https://shop.example.com"
EVIL = "https://shop.example.com.evil.com"
LARGEST = 15 * 1024  # bytes, compressed
SOURCES = Path(__file__).parents[3] / "static" / "widget" / "src"


@pytest.fixture(autouse=True)
def _origins(settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    settings.KB_WIDGET_ORIGINS = [SHOP]
    monkeypatch.setattr(ask_form, "MIN_FORM_SECONDS", -1)


@pytest.fixture
def entry(make_entry: MakeEntry) -> Entry:
    return make_entry("退货运费谁承担？", "质量问题由**我们**承担。")


def shop(**headers: str) -> Client:
    return Client(headers={"Origin": SHOP, **headers}, enforce_csrf_checks=True)


# The script -------------------------------------------------------------------------


def test_the_script_weighs_at_most_15_kb_compressed() -> None:
    assert len(widget_frame.load_script_bodies()["gzip"]) <= LARGEST
    assert len(widget_frame.load_script_bodies()["br"]) <= LARGEST


def test_the_script_has_one_address_and_a_short_lifetime(client: Client) -> None:
    plain = client.get("/widget.js")
    assert plain["Content-Type"] == "text/javascript; charset=utf-8"
    assert "max-age=300" in plain["Cache-Control"]
    assert plain["Vary"] == "Accept-Encoding"
    assert plain["Cross-Origin-Resource-Policy"] == "cross-origin"
    assert plain.cookies == {}
    packed = client.get("/widget.js", headers={"Accept-Encoding": "gzip;q=1, x"})
    assert gzip.decompress(packed.content) == plain.content
    assert plain.content == widget_script.build_script()
    assert packed["ETag"] != plain["ETag"]
    same = client.get("/widget.js", headers={"If-None-Match": plain["ETag"]})
    assert same.status_code == 304
    assert client.post("/widget.js").status_code == 405


def test_the_script_works_with_a_strict_csp() -> None:
    """The script has nothing that a strict CSP forbids or that could run text."""
    code = widget_frame.load_script_bodies()[""].decode()
    code += "".join(path.read_text("utf-8") for path in SOURCES.glob("*.js"))
    code = re.sub(r"/\*.*?\*/|//[^\n]*", "", code, flags=re.S)
    for forbidden in (
        "innerHTML",
        "eval(",
        "document.write",
        ".style",
        "cookie",
        "localStorage",
        "insertAdjacentHTML",
        "new Function",
        'el("style"',
    ):
        assert forbidden not in code, forbidden
    assert 'credentials: "omit"' in code


def test_the_script_is_called_with_the_texts_of_the_catalogues() -> None:
    texts = widget_script.list_texts_by_language()
    assert list(texts) == ["zh-Hans", "zh-Hant", "en"]
    assert {len(names) for names in texts.values()} == {len(widget_script.TEXTS)}
    assert texts["zh-Hans"]["close"] == "关闭"
    assert texts["zh-Hant"]["close"] == "關閉"
    assert texts["en"]["close"] == "Close"
    assert not re.search("[\u4e00-\u9fff]", "".join(texts["en"].values()))
    used = set()
    for path in SOURCES.glob("*.js"):
        code = path.read_text("utf-8")
        used |= set(re.findall(r'translate\("(\w+)"\)', code))
        used |= set(re.findall(r'label\("\w+", "(\w+)"\)', code))
    used |= {"yes", "no", "near", "none"}  # by a variable
    assert used == widget_script.TEXTS.keys()


def test_the_script_is_called_with_the_tokens_of_the_site() -> None:
    tokens = widget_script.list_tokens_by_theme()
    assert tokens["light"]["surface-raised"] == "#ffffff"
    assert tokens["dark"]["surface-raised"] == "#1b1e24"
    assert tokens["light"]["radius"] == "8px"
    assert tokens["traditional"]["font"].startswith('"PingFang TC"')
    assert "space-1" not in tokens["light"]  # the host's page defines the rem
    css = (SOURCES / "widget.css").read_text("utf-8")
    used = set(re.findall(r"var\(--([\w-]+)\)", css))
    assert len(used) > 10
    assert used <= tokens["light"].keys()
    assert json.dumps(
        tokens["dark"], separators=(",", ":")
    ) in widget_frame.load_script_bodies()[""].decode("utf-8")


# Allowed origins -----------------------------------------------------------------------

READS = [
    "/widget/start/",
    "/widget/search/?q=退货",
    "/widget/entry/{}/",
    "/widget/ask/",
]


@pytest.mark.parametrize("url", READS)
@pytest.mark.parametrize(
    ("allowed", "origin", "let"),
    [
        ([SHOP], SHOP, True),
        ([SHOP], EVIL, False),
        ([SHOP], "null", False),
        ([SHOP], "http://shop.example.com", False),
        ([], SHOP, False),
        (["*"], EVIL, True),
        (["*"], "null", True),
    ],
)
def test_reading_needs_an_allowed_origin(
    entry: Entry, settings: Any, url: str, allowed: list[str], origin: str, let: bool
) -> None:
    settings.KB_WIDGET_ORIGINS = allowed
    answer = Client(headers={"Origin": origin}).get(url.format(entry.pk))
    assert answer.status_code == 200
    assert answer.get("Access-Control-Allow-Origin") == (origin if let else None)
    assert "Access-Control-Allow-Credentials" not in answer
    assert "Origin" in answer["Vary"]
    assert answer.cookies == {}


@pytest.mark.parametrize(
    ("allowed", "origin", "status"),
    [
        ([SHOP], SHOP, 400),
        ([SHOP], EVIL, 403),
        ([SHOP], "null", 403),
        ([SHOP], "", 403),
        (["*"], SHOP, 403),
        ([], "http://testserver", 400),
    ],
)
def test_writing_needs_a_named_origin(
    entry: Entry, settings: Any, allowed: list[str], origin: str, status: int
) -> None:
    settings.KB_WIDGET_ORIGINS = allowed
    client = Client(headers={"Origin": origin} if origin else {})
    for url in ("/widget/ask/", f"/widget/vote/{entry.pk}/"):
        answer = client.post(url, {})
        assert answer.status_code == status, url
        assert answer.json()["detail"]
    assert not Question.objects.exists()
    assert client.get("/widget/start/").json()["asks"] is (status == 400)


def test_other_addresses_allow_no_other_origin(entry: Entry) -> None:
    for url in (
        "/",
        "/search/?q=退货",
        "/api/v1/search/?q=退货",
        entry.get_absolute_url(),
        "/ask/",
        "/embed/",
    ):
        assert "Access-Control-Allow-Origin" not in shop().get(url), url


def test_a_logged_in_user_is_anonymous_in_the_widget(
    entry: Entry, editor: User, make_entry: MakeEntry
) -> None:
    hidden = [
        make_entry("退货内部流程", audience="internal"),
        make_entry("退货草稿", status="draft"),
    ]
    client = shop()
    client.force_login(editor)
    for one in hidden:
        answer = client.get(f"/widget/entry/{one.pk}/")
        nothing = client.get("/widget/entry/999999/")
        assert answer.status_code == nothing.status_code == 404
        assert answer.content == nothing.content
        assert one.question not in client.get("/widget/search/?q=退货").text
        assert one.question not in client.get("/widget/start/").text
        assert client.get(f"/embed/?entry={one.pk}").status_code == 404
        sent = {"helpful": "yes", "token": "x"}
        assert client.post(f"/widget/vote/{one.pk}/", sent).status_code == 404


def test_too_many_calls_get_429(entry: Entry) -> None:
    url = f"/widget/vote/{entry.pk}/"
    answers = [shop().post(url, {}) for _ in range(11)]
    assert [a.status_code for a in answers] == [400] * 10 + [429]
    assert answers[-1]["Retry-After"]
    assert answers[-1]["Access-Control-Allow-Origin"] == SHOP


# First entries ----------------------------------------------------------------


@pytest.fixture
def library(make_entry: MakeEntry) -> dict[str, Entry]:
    orders: Category = Category.objects.create(name="订单")
    below: Category = Category.objects.create(name="改订单", parent=orders)
    made = {
        "order": make_entry("怎么查订单？", "看列表。", category=orders),
        "change": make_entry("怎么改订单地址？", "点修改。", category=below),
        "refund": make_entry("退款多久到账？", "三天。"),
    }
    made["refund"].tags.add(Tag.objects.create(name="退款"))
    sync.sync_all_marks()
    return made


def begun(**query: Any) -> tuple[str, set[str]]:
    data = shop().get("/widget/start/", query).json()
    return data["title"], {entry["question"] for entry in data["entries"]}


def test_the_first_entries_come_from_attributes_then_rules_then_the_newest(
    library: dict[str, Entry],
) -> None:
    orders = library["order"].category
    everything = {entry.question for entry in library.values()}
    assert begun() == ("", everything)
    both = {library["order"].question, library["change"].question}
    assert begun(category=orders.pk) == ("订单", both)  # type: ignore[union-attr]
    assert begun(tag="退款") == ("退款", {library["refund"].question})
    assert begun(q="退款多久到账") == ("", {library["refund"].question})
    WidgetRule.objects.create(pattern="/orders/*", category=orders)
    assert begun(path="/orders/17") == ("订单", both)
    assert begun(path="/orders/17", tag="退款")[0] == "退款"
    assert begun(path="/cart") == ("", everything)


def test_the_first_rule_that_fits_the_page_and_the_site_counts(
    library: dict[str, Entry], settings: Any
) -> None:
    settings.ALLOWED_HOSTS = ["testserver", ".example.com"]
    other = Site.objects.create(name="乙店", host="b.example.com")
    orders = library["order"].category
    WidgetRule.objects.create(pattern="*", query="退款多久到账", order=1)
    WidgetRule.objects.create(pattern="/a/*", category=orders, site=other, order=0)
    assert begun(path="/a/b") == ("", {library["refund"].question})
    there = Client(headers={"host": "b.example.com"}).get("/widget/start/?path=/a/b")
    assert there.json()["title"] == "订单"


@pytest.mark.parametrize(
    "query",
    [
        {"category": "999"},
        {"category": "x"},
        {"category": "9" * 400},
        {"tag": "没有这个"},
        {"q": "榴莲\x00"},
        {"path": "/" * 5000},
    ],
)
def test_attributes_that_match_nothing_show_the_newest(
    library: dict[str, Entry], query: dict[str, str]
) -> None:
    assert begun(**query) == ("", {entry.question for entry in library.values()})


def test_a_category_without_public_entries_is_not_revealed(
    library: dict[str, Entry], make_entry: MakeEntry
) -> None:
    secret: Category = Category.objects.create(name="鹦鹉螺分类")
    made = make_entry("内部", audience="internal", category=secret)
    made.tags.add(Tag.objects.create(name="鹦鹉螺"))
    WidgetRule.objects.create(pattern="/x", category=secret)
    plain = begun()
    assert begun(category=secret.pk) == begun(path="/x") == begun(tag="鹦鹉螺") == plain


@pytest.mark.parametrize(
    ("columns", "said"),
    [
        ({"pattern": "https://a.com/x", "query": "a"}, "以 / 或"),
        ({"pattern": "/x"}, "至少填一个"),
        ({"pattern": "", "query": "a"}, "以 / 或"),
    ],
)
def test_a_wrong_rule_is_refused(columns: dict[str, str], said: str) -> None:
    with pytest.raises(ValidationError, match=said):
        WidgetRule(**columns).full_clean()


def test_editors_keep_rules_in_the_admin(client: Client, editor: User) -> None:
    client.force_login(editor)
    sent = {"pattern": "/orders/*", "query": "订单", "order": "0"}
    client.post("/admin/kb/widgetrule/add/", sent)
    assert str(WidgetRule.objects.get()) == "/orders/*"
    assert "/orders/*" in client.get("/admin/kb/widgetrule/").text


# Searching, reading -----------------------------------------------------------------


def test_a_search_names_what_it_finds_and_what_is_near(entry: Entry) -> None:
    data = shop().get("/widget/search/?q=退货运费谁出").json()
    assert [e["id"] for e in data["entries"]] == [entry.pk]
    assert data["entries"][0]["excerpt"]
    near = shop().get("/widget/search/?q=运费险怎么买").json()
    assert near["entries"] == []
    assert shop().get("/widget/search/").json()["entries"] == []


def test_an_answer_comes_as_a_tree(entry: Entry) -> None:
    data = shop().get(f"/widget/entry/{entry.pk}/").json()
    assert data["question"] == "退货运费谁承担？"
    assert data["body"] == [
        ["p", {}, ["质量问题由", ["strong", {}, ["我们"]], "承担。"]]
    ]
    assert data["url"] == entry.get_absolute_url()


def test_a_tree_has_all_elements_of_the_html() -> None:
    source = "# 一\n\n- a\n- **b** `c<d>`\n\n| 甲 | 乙 |\n|---|--:|\n| 1 | 2 |\n\n> x &amp; <y>\n\n[站](/search/?q=a&b=c)"
    rendered = markdown.render_markdown(source)

    def text(node: Any) -> str:
        return node if isinstance(node, str) else "".join(map(text, node[2]))

    said = "".join(text(node) for node in html_tree.parse_html_tree(rendered))
    assert re.sub(r"\s", "", said) == re.sub(
        r"\s", "", markdown.extract_plain_text(rendered)
    )
    assert '"href": "/search/?q=a&b=c"' in str(
        html_tree.parse_html_tree(rendered)
    ).replace("'", '"')


def test_entries_are_in_traditional_script(entry: Entry) -> None:
    client = shop()
    assert client.get("/widget/start/?lang=zh-Hant").json()["name"] == "幫助中心"
    data = client.get("/widget/search/?q=退货运费&lang=zh-Hant").json()
    assert data["entries"][0]["question"] == "退貨運費誰承擔？"
    read = client.get(f"/widget/entry/{entry.pk}/?lang=zh-Hant").json()
    assert "質量問題" in str(read["body"]) or "品質問題" in str(read["body"])
    assert (
        client.get(f"/widget/entry/{entry.pk}/?lang=xx").json()["question"]
        == entry.question
    )


def test_errors_are_sentences() -> None:
    sent = {"text": "", "stamp": "forged"}
    said = shop().post("/widget/ask/?lang=en", sent).json()["detail"]
    assert ". T" in said
    assert ".T" not in said


def test_a_site_shows_its_own_part_and_colour(entry: Entry, settings: Any) -> None:
    settings.ALLOWED_HOSTS = ["testserver", ".example.com"]
    site = Site.objects.create(name="乙店", host="b.example.com", accent="#007a62")
    site.categories.add(Category.objects.create(name="空"))
    data = Client(headers={"host": "b.example.com"}).get("/widget/start/").json()
    assert (data["name"], data["entries"]) == ("乙店", [])
    assert data["colours"][0]["accent"] == "#007a62"
    assert "colours" not in shop().get("/widget/start/").json()


# Votes and questions --------------------------------------------------------------------


def test_a_vote_counts_like_one_on_the_page(entry: Entry) -> None:
    client = shop()
    data = client.get(f"/widget/entry/{entry.pk}/").json()
    sent = {"token": data["token"], "helpful": "no", "reason": "unclear", "q": "运费"}
    assert client.post(f"/widget/vote/{entry.pk}/", sent).status_code == 200
    row = Vote.objects.get()
    assert (row.helpful, row.reason, row.words) == (False, "unclear", "运费")
    refused = client.post(f"/widget/vote/{entry.pk}/", sent | {"token": "x"})
    assert refused.status_code == 400


def test_a_question_is_stored_from_another_origin(entry: Entry) -> None:
    module = Module.objects.create(name="物流", offered=True)
    Module.objects.create(name="秘密")
    client = shop()
    form = client.get("/widget/ask/").json()
    assert form["modules"] == [[module.pk, "物流"]]
    sent = {
        "stamp": form["stamp"],
        "text": "我的快递呢",
        "page": "/orders/1",
        "words": "快递",
    }
    bad = client.post("/widget/ask/", sent | {"contact": "x"})
    assert (bad.status_code, bad.json()["fields"]) == (400, ["contact"])
    assert "手机号或邮箱" in bad.json()["detail"]
    made = client.post("/widget/ask/", sent | {"module": module.pk})
    inquiry = Inquiry.objects.select_related("question").get()
    assert made.status_code == 201
    assert made.json() == {"url": f"/q/{inquiry.token}/"}
    assert (inquiry.page, inquiry.words) == ("/orders/1", "快递")
    assert inquiry.question.text == "我的快递呢"


@pytest.mark.parametrize(
    "body", [b"", b"{}", b"[" * 50_000, b"\xff\xfe", b"text=%00&stamp=%ff"]
)
def test_hostile_bodies_cause_no_error(entry: Entry, body: bytes) -> None:
    for url in ("/widget/ask/", f"/widget/vote/{entry.pk}/"):
        for kind in (
            "application/json",
            "text/plain",
            "application/x-www-form-urlencoded",
            "multipart/form-data; boundary=x",
        ):
            answer = shop().generic("POST", url, body, kind)
            assert answer.status_code in {400, 429}
    assert not Question.objects.exists()


# Frame and demo ---------------------------------------------------------------------


def test_the_frame_is_allowed_on_named_origins_only(entry: Entry) -> None:
    page = Client().get("/embed/")
    policy = page["Content-Security-Policy"]
    assert f"frame-ancestors 'self' {SHOP}" in policy
    assert "X-Frame-Options" not in page
    assert page.cookies == {}
    for url in ("/", entry.get_absolute_url(), "/ask/", "/login/"):
        other = Client().get(url)
        assert "frame-ancestors 'none'" in other["Content-Security-Policy"], url
        assert other["X-Frame-Options"] == "DENY"


def test_the_frame_searches_and_reads_without_a_script(entry: Entry) -> None:
    found = Client().get("/embed/", {"q": "退货运费", "tag": "<b>"})
    (link,) = re.findall(r'href="(/embed/\?[^"]+entry=\d+)"', found.text)
    assert "<b>" not in found.text
    read = Client().get(link.replace("&amp;", "&"))
    assert "<strong>我们</strong>" in read.text
    assert "<script" not in read.text
    for wrong in ("x", "0", "9" * 99, "-1"):
        assert Client().get("/embed/", {"entry": wrong}).status_code == 404


def test_the_frame_is_in_traditional_script(entry: Entry) -> None:
    page = Client().get("/zh-hant/embed/", {"q": "退货运费"})
    assert '<html lang="zh-Hant">' in page.text
    assert "退貨運費誰承擔？" in page.text
    assert "還是沒解決" in page.text
    assert "/zh-hant/embed/?" in page.text


def test_the_demo_page_shows_the_line_to_editors(
    client: Client, editor: User, agent: User, entry: Entry
) -> None:
    assert client.get("/widget/demo/").status_code == 302
    client.force_login(agent)
    assert client.get("/widget/demo/").status_code == 403
    client.force_login(editor)
    page = client.get("/widget/demo/").text
    assert (
        "&lt;script src=&quot;http://testserver/widget.js&quot;" in page
        or '&lt;script src="http://testserver/widget.js"' in page
    )
    assert SHOP in page


# Notices ----------------------------------------------------------------------


def test_notices_are_shown_where_they_are_relevant(
    entry: Entry, make_entry: MakeEntry
) -> None:
    hidden = make_entry("仓库内部流程", audience="internal")
    now, hour = timezone.now(), timedelta(hours=1)
    for title, audience, about in (
        ("网络断了", "public", entry),
        ("只给同事", "staff", entry),
        ("仓库盘点", "public", hidden),
    ):
        Announcement.objects.create(
            title=title,
            body="见[网络](/网络/)。",
            keywords="断网",
            audience=audience,
            starts_at=now - hour,
            ends_at=now + hour,
            entry=about,
        )

    def titles(url: str) -> list[str]:
        return [one["title"] for one in shop().get(url).json()["notices"]]

    both = ["仓库盘点", "网络断了"]
    assert sorted(titles("/widget/start/")) == both
    assert sorted(titles("/widget/search/?q=断网了怎么办")) == both
    assert titles("/widget/search/?q=发票") == []
    assert titles(f"/widget/entry/{entry.pk}/") == ["网络断了"]
    data = shop().get(f"/widget/entry/{entry.pk}/?lang=zh-Hant").json()["notices"]
    assert data[0]["title"] == "網路斷了"
    ((_, _, (before, (_, link, inside), _)),) = data[0]["body"]
    assert (before, inside, link["href"]) == ("見", ["網路"], f"/{quote('网络')}/")
    assert data[0]["entry"]["url"] == f"/zh-hant{entry.get_absolute_url()}"
    linked = shop().get("/widget/start/").json()["notices"]
    assert {one["title"]: bool(one["entry"]) for one in linked} == {
        "网络断了": True,
        "仓库盘点": False,
    }
    assert "网络断了" in shop().get("/embed/?q=断网").text
