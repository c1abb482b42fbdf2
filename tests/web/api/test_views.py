"""The API: what each reader gets, and how requests are refused."""

from __future__ import annotations

import json
from collections.abc import Callable
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.cache import cache
from django.core.management import call_command
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from kb.library import entries
from kb.models import Category, Entry, Reply, Tag, User
from tests.conftest import MakeEntry

LIST = {"total", "page", "page_size", "results"}
ITEM = {"id", "question", "excerpt", "category", "tags", "url", "updated_at"}
AGENT_ITEM = ITEM | {"status", "audience", "replies"}
AGENT_ITEM |= {"validity", "valid_from", "valid_until"}
PUBLIC = ("search", "suggest", "categories", "entries", "entry", "schema", "docs")
AGENTS = ("agent-search", "agent-suggest", "agent-entry")


def address(name: str, entry: Entry | None = None, /, **params: str) -> str:
    """Return the address of the API's view `name`, with a query where the view needs one."""
    by_id = [entry.pk if entry else 1] if name.endswith("entry") else []
    if name.endswith(("search", "suggest")):
        params.setdefault("q", "运费")
    return reverse(f"api:{name}", args=by_id, query=params)


def get_detail(response: Any) -> str:
    """Return the sentence of an error response."""
    assert response["Content-Type"] == "application/json"
    body = json.loads(response.content)
    assert set(body) == {"detail"}
    return str(body["detail"])


@pytest.fixture
def shelf(db: None) -> Category:
    """Return 售后 › 退换货."""
    top = Category.objects.create(name="售后")
    below: Category = Category.objects.create(name="退换货", parent=top)
    return below


# Results -----------------------------------------------------------------


def test_a_search_finds_public_entries_field_by_field(
    client: Client, make_entry: MakeEntry, shelf: Category
) -> None:
    entry = make_entry(category=shelf, replies=["亲，{{运单号}}发我"], keywords="thyf")
    entry.tags.add(Tag.objects.create(name="退货"))
    body = client.get(address("search", q="退货 运费")).json()
    assert set(body) == LIST | {"q", "degraded", "near", "meant"}
    assert (body["q"], body["total"], body["degraded"]) == ("退货 运费", 1, False)
    item = body["results"][0]
    assert set(item) == ITEM | {"passage"}
    assert item["question"] == "退货运费谁承担？"
    assert item["excerpt"] == "质量问题由我们承担，个人原因由您承担。"
    assert [node["name"] for node in item["category"]] == ["售后", "退换货"]
    assert item["tags"] == ["退货"]
    assert item["url"] == f"http://testserver{entry.get_absolute_url()}"


def test_near_entries_are_apart_from_results(
    client: Client, make_entry: MakeEntry, agent: User
) -> None:
    made = make_entry("杯子碎了怎么换货？", "拍照给客服。", replies=["亲"])
    make_entry("杯子草稿", status="draft")
    words = "杯子蛋糕的配方和烤箱温度"
    body = client.get(address("search", q=words)).json()
    assert (body["results"], body["total"], body["meant"]) == ([], 0, "")
    assert [item["id"] for item in body["near"]] == [made.pk]
    assert set(body["near"][0]) == ITEM
    client.force_login(agent)
    (item,) = client.get(address("agent-search", q=words)).json()["near"]
    assert set(item) == AGENT_ITEM


def test_a_correction_is_returned(client: Client, make_entry: MakeEntry) -> None:
    make_entry("退款多久到账？")
    body = client.get(address("search", q="退宽多久到账")).json()
    assert body["meant"] == "退款多久到账"


def test_a_passage_has_offsets_of_its_matches(
    client: Client, make_entry: MakeEntry, agent: User
) -> None:
    make_entry(
        "怎么退？",
        "说在前面的话。" * 40 + "😀退貨要寄回。",
        replies=["请等 {{天数}} 天"],
    )
    body = client.get(address("search", q="退货")).json()
    passage = body["results"][0]["passage"]
    assert passage["text"] == "…😀退貨要寄回。"
    assert [passage["text"][a:b] for a, b in passage["marks"]] == ["退貨"]
    client.force_login(agent)
    body = client.get(address("agent-search", q="请等 天数")).json()
    assert body["results"][0]["passage"]["text"] == "请等 〔天数〕 天"


def test_an_entry_comes_with_its_answer_and_nothing_of_the_agents(
    client: Client, make_entry: MakeEntry
) -> None:
    entry = make_entry(answer="**先**申请退货", replies=["亲，这是话术"])
    body = client.get(address("entry", entry)).json()
    assert set(body) == ITEM | {"answer_html"}
    assert body["answer_html"] == "<p><strong>先</strong>申请退货</p>\n"


def test_suggestions_name_the_phrasing_that_matched(
    client: Client, make_entry: MakeEntry
) -> None:
    make_entry(phrasings=["寄回去的钱谁出"])
    body = client.get(address("suggest", q="寄回去")).json()
    assert set(body) == {"q", "results"}
    (item,) = body["results"]
    assert set(item) == {"id", "question", "text", "url"}
    assert (item["question"], item["text"]) == ("退货运费谁承担？", "寄回去的钱谁出")


def test_categories_are_a_tree_without_empty_branches(
    client: Client, make_entry: MakeEntry, shelf: Category
) -> None:
    make_entry(category=shelf)
    make_entry("怎么换货？", category=shelf)
    make_entry("内部流程？", category=shelf, audience="internal")
    make_entry("草稿？", category=Category.objects.create(name="空"), status="draft")
    (top,) = client.get(address("categories")).json()["results"]
    assert (top["name"], top["count"]) == ("售后", 2)
    (below,) = top["children"]
    assert (below["name"], below["count"], below["children"]) == ("退换货", 2, [])


def test_entries_are_listed_by_category_with_those_below(
    client: Client, make_entry: MakeEntry, shelf: Category
) -> None:
    make_entry(category=shelf)
    make_entry("怎么开发票？", category=Category.objects.create(name="发票"))
    body = client.get(address("entries", category=str(shelf.parent_id))).json()
    assert set(body) == LIST
    assert [item["question"] for item in body["results"]] == ["退货运费谁承担？"]
    body = client.get(address("search", q="怎么", category=str(shelf.pk))).json()
    assert body["total"] == 0


def test_entries_are_listed_by_tag(client: Client, make_entry: MakeEntry) -> None:
    make_entry().tags.add(Tag.objects.create(name="运费"))
    make_entry("怎么开发票？")
    body = client.get(address("entries", tag="运费")).json()
    assert [item["question"] for item in body["results"]] == ["退货运费谁承担？"]
    assert client.get(address("entries", tag="没有的")).json()["total"] == 0


def test_pages_hold_each_entry_once(client: Client, make_entry: MakeEntry) -> None:
    made = {make_entry(f"第 {n} 种退货运费").pk for n in range(5)}
    for name in ("entries", "search"):
        seen: list[int] = []
        for page in "123":
            body = client.get(address(name, page=page, page_size="2")).json()
            assert body["total"] == 5
            seen += [item["id"] for item in body["results"]]
        assert sorted(seen) == sorted(made)
        refused = client.get(address(name, page="4", page_size="2"))
        assert refused.status_code == 404
        assert get_detail(refused) == "没有第 4 页。"


def test_the_number_of_queries_does_not_grow_with_the_entries(
    client: Client,
    make_entry: MakeEntry,
    shelf: Category,
    agent: User,
) -> None:
    client.force_login(agent)
    names = ("entries", "search", "categories", "agent-search")

    def put(numbers: range) -> None:
        for n in numbers:
            entry = make_entry(f"第 {n} 种退货运费", category=shelf, replies=["亲"])
            entry.tags.add(Tag.objects.create(name=f"标签{n}"))

    def queries(name: str) -> int:
        with CaptureQueriesContext(connection) as asked:
            client.get(address(name))
        return len(asked)

    put(range(2))
    queries("entries")  # fills the caches of the process
    few = [queries(name) for name in names]
    put(range(2, 20))
    assert [queries(name) for name in names] == few
    assert max(few) <= 19  # four record the search, two read answers


# Access -----------------------------------------------------------------------


def test_the_public_api_is_the_same_for_everybody(
    client: Client, make_entry: MakeEntry, lead: User
) -> None:
    entry = make_entry()
    make_entry("退货运费内部口径", audience="internal", replies=["别说"])
    make_entry("退货运费草稿", status="draft")
    for name in PUBLIC:
        inside = Client()
        inside.force_login(lead)
        answers = [c.get(address(name, entry)) for c in (client, inside)]
        assert [a.status_code for a in answers] == [200, 200], name
        assert answers[0].content == answers[1].content, name
        for answer in answers:
            assert answer.cookies == {}, name
            assert "cookie" not in answer.get("Vary", "").lower(), name
            assert answer["Cache-Control"] == "no-cache", name


@pytest.mark.parametrize("name", AGENTS)
def test_the_agents_api_needs_an_agent(
    client: Client,
    make_entry: MakeEntry,
    make_user: Callable[..., User],
    agent: User,
    name: str,
) -> None:
    url = address(name, make_entry(audience="internal", replies=["亲"]))
    stranger = client.get(url)
    client.force_login(make_user("visitor"))
    visitor = client.get(url)
    client.force_login(agent)
    inside = client.get(url)
    statuses = [r.status_code for r in (stranger, visitor, inside)]
    assert statuses == [401, 403, 200]
    assert get_detail(visitor) == "您没有查看话术库的权限。"
    assert {r["Cache-Control"] for r in (stranger, visitor, inside)} == {"no-store"}
    agent.is_active = False
    agent.save()
    assert client.get(url).status_code == 401


def test_agents_read_replies_and_their_blanks(
    client: Client, make_entry: MakeEntry, agent: User
) -> None:
    entry = make_entry(audience="internal")
    Reply.objects.create(
        entry=entry,
        body="亲，{{ 称呼 }}，运单号 {{运单号}}，{{称呼}}",
        channel="wechat",
    )
    client.force_login(agent)
    body = client.get(address("agent-entry", entry)).json()
    assert set(body) == AGENT_ITEM | {"answer_html"}
    assert body["replies"] == [
        {
            "label": "标准",
            "channel": "wechat",
            "body": "亲，{{ 称呼 }}，运单号 {{运单号}}，{{称呼}}",
            "tone": "standard",
            "segment": None,
            "kept_by": "shared",
            "blanks": ["称呼", "运单号"],
        }
    ]
    (item,) = client.get(address("agent-search")).json()["results"]
    assert set(item) == AGENT_ITEM | {"passage"}
    assert item["replies"] == body["replies"]


@pytest.mark.parametrize("status", ["draft", "review", "retired"])
def test_only_editors_see_unpublished_entries(
    client: Client, make_entry: MakeEntry, agent: User, editor: User, status: str
) -> None:
    url = address("agent-entry", make_entry(status=status))
    client.force_login(agent)
    assert client.get(url).status_code == 404
    client.force_login(editor)
    assert client.get(url).json()["status"] == status


def test_a_retired_entry_is_gone_at_once(client: Client, make_entry: MakeEntry) -> None:
    entry = make_entry()
    assert client.get(address("entry", entry)).status_code == 200
    entries.retire_entry(entry, by=None)
    refused = client.get(address("entry", entry))
    assert refused.status_code == 404
    assert get_detail(refused) == "未找到。"


# Errors ---------------------------------------------------------------


@pytest.mark.parametrize("name", [*PUBLIC, *AGENTS])
@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE", "OPTIONS", "FOO"])
def test_the_api_is_read_only(
    client: Client, make_entry: MakeEntry, lead: User, name: str, method: str
) -> None:
    entry = make_entry()
    inside = Client(enforce_csrf_checks=True)
    inside.force_login(lead)
    body = json.dumps({"status": "retired", "question": "改掉", "id": entry.pk})
    for who in (client, inside):
        refused = who.generic(method, address(name, entry), body, "application/json")
        assert refused.status_code == 405
        assert refused["Allow"] == "GET, HEAD"
    assert Entry.objects.filter(pk=entry.pk, version=entry.version).exists()


@pytest.mark.parametrize(
    ("params", "names"),
    [
        ({"page": "abc"}, ["page"]),
        ({"page": "0"}, ["page"]),
        ({"page": "-1"}, ["page"]),
        ({"page": "10001"}, ["page"]),
        ({"page": "９"}, ["page"]),
        ({"page": " 1"}, ["page"]),
        ({"page": "1.0"}, ["page"]),
        ({"page": "1_0"}, ["page"]),
        ({"page": ""}, ["page"]),
        ({"page": "18446744073709551616"}, ["page"]),
        ({"page": "9" * 5000}, ["page"]),
        ({"page_size": "51"}, ["page_size"]),
        ({"category": "x"}, ["category"]),
        ({"category": "999"}, ["category"]),
        ({"page": "x", "page_size": "0"}, ["page", "page_size"]),
    ],
)
@pytest.mark.parametrize("name", ["search", "entries"])
def test_a_bad_parameter_is_refused_by_name(
    client: Client, db: None, name: str, params: dict[str, str], names: list[str]
) -> None:
    refused = client.get(address(name, **params))
    assert refused.status_code == 400
    sentence = get_detail(refused)
    assert [
        n for n in ("page", "page_size", "category") if f"参数 {n}：" in sentence
    ] == (names)


@pytest.mark.parametrize("name", ["search", "suggest"])
@pytest.mark.parametrize("words", ["", "  ", "\u3000", "\u200b\u2060", "\x00"])
def test_invisible_words_count_as_missing(
    client: Client, db: None, name: str, words: str
) -> None:
    refused = client.get(address(name, q=words))
    assert refused.status_code == 400
    assert get_detail(refused) == "参数 q：请填写要搜索的内容。"
    without = client.get(reverse(f"api:{name}"))
    assert get_detail(without) == "参数 q：请填写要搜索的内容。"


def test_unknown_parameters_are_ignored(client: Client, make_entry: MakeEntry) -> None:
    entry = make_entry()
    make_entry("退货运费草稿", status="draft")
    odd = {
        "status": "draft",
        "format": "xml",
        "fields": "replies",
        "ordering": "keywords",
        "keywords__startswith": "a",
        "_connector": "OR",
    }
    for name in ("search", "suggest", "entries", "entry", "categories"):
        plain = client.get(address(name, entry))
        assert client.get(address(name, entry, **odd)).content == plain.content


def test_an_empty_category_is_refused_like_an_unknown_one(
    client: Client, make_entry: MakeEntry, shelf: Category
) -> None:
    make_entry(category=shelf, audience="internal")
    refusals = [
        client.get(address(name, category=str(pk)))
        for name in ("search", "entries")
        for pk in (shelf.pk, 999)
    ]
    assert {r.status_code for r in refusals} == {400}
    assert {get_detail(r) for r in refusals} == {"参数 category：没有这个分类。"}


@pytest.mark.parametrize("path", ["", "v1/", "v2/search/", "v1/entries/abc/", "/%00/"])
def test_an_unknown_address_is_refused_in_json(client: Client, path: str) -> None:
    refused = client.get(f"/api/{path}")
    assert refused.status_code == 404
    assert get_detail(refused) == "未找到。"


@pytest.mark.parametrize("accept", ["text/html", "application/xml", "nonsense", ";q=,"])
def test_the_response_is_json_whatever_accept_says(
    client: Client, make_entry: MakeEntry, accept: str
) -> None:
    answer = client.get(address("entry", make_entry()), headers={"accept": accept})
    assert answer.status_code == 200
    assert answer["Content-Type"] == "application/json"


# Rate limits ---------------------------------------------------------------------


def test_too_many_requests_get_429_with_retry_after(
    client: Client, make_entry: MakeEntry, settings: Any
) -> None:
    entry = make_entry()
    settings.KB_RATES = settings.KB_RATES | {"search": ("20/min", "90/min")}
    url = address("search", q="没有这种东西")
    spoofed = [{"x-forwarded-for": f"10.0.0.{n}"} for n in range(20)]
    assert {client.get(url, headers=h).status_code for h in spoofed} == {200}
    refused = client.get(url)
    assert refused.status_code == 429
    assert 0 < int(refused["Retry-After"]) <= 60
    assert "请求" in get_detail(refused)
    assert client.get(address("entry", entry)).status_code == 200
    assert client.get(url, REMOTE_ADDR="192.0.2.1").status_code == 200


def test_the_api_works_without_the_cache(
    client: Client, make_entry: MakeEntry, settings: Any
) -> None:
    entry = make_entry()
    nowhere = "redis://127.0.0.1:1/0"  # nothing listens on port 1
    settings.CACHES = {
        "default": {
            "BACKEND": "config.caches.RedisCache",
            "LOCATION": nowhere,
        }
    }
    with pytest.raises(Exception, match="refused"):
        cache.get("x")
    assert client.get(address("entry", entry)).status_code == 200


# Without the engine -------------------------------------------------------


def test_a_degraded_search_says_so(
    client: Client, make_entry: MakeEntry, settings: Any, tmp_path: Path
) -> None:
    entry = make_entry()
    normal = client.get(address("search"))
    assert normal.json()["degraded"] is False
    assert "X-Search-Degraded" not in normal
    settings.KB_ENGINE = {
        "BACKEND": "kb.index.engines.whoosh.WhooshEngine",
        "PATH": tmp_path / "never-built",
    }
    degraded = client.get(address("search"))
    assert degraded["X-Search-Degraded"] == "1"
    assert degraded.json()["degraded"] is True
    assert [item["id"] for item in degraded.json()["results"]] == [entry.pk]


# Schema -------------------------------------------------------


def test_the_schema_is_valid_and_without_warnings() -> None:
    call_command("spectacular", validate=True, fail_on_warn=True, stdout=StringIO())


def test_the_schema_names_each_address_with_its_refusals(
    client: Client, db: None
) -> None:
    paths = client.get(address("schema")).json()["paths"]
    expected = {
        "/api/v1/search/": {"200", "400", "404", "429"},
        "/api/v1/suggest/": {"200", "400", "429"},
        "/api/v1/categories/": {"200", "429"},
        "/api/v1/entries/": {"200", "400", "404", "429"},
        "/api/v1/entries/{id}/": {"200", "404", "429"},
        "/api/v1/agent/search/": {"200", "400", "401", "403", "404", "429"},
        "/api/v1/agent/suggest/": {"200", "400", "401", "403", "429"},
        "/api/v1/agent/entries/{id}/": {"200", "401", "403", "404", "429"},
    }
    assert {path: set(at["get"]["responses"]) for path, at in paths.items()} == expected
    assert {tuple(at) for at in paths.values()} == {("get",)}


@pytest.mark.browser
def test_the_docs_can_be_tried_out_under_the_strict_policy(
    page: Any, make_entry: MakeEntry
) -> None:
    make_entry()
    page.goto(reverse("api:docs"))
    page.locator("#operations-公开-search .opblock-summary-control").click()
    page.get_by_role("button", name="Try it out").click()
    page.get_by_placeholder("q", exact=True).fill("运费")
    page.get_by_role("button", name="Execute").click()
    response = page.locator(".live-responses-table .response-col_status").first
    response.wait_for()
    assert "200" in page.locator(".live-responses-table").inner_text()
    assert "退货运费谁承担" in page.locator(".live-responses-table").inner_text()
