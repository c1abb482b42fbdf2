"""The console shows agents the texts that they may send, and nothing to others."""

from __future__ import annotations

import html
import json
import re
from collections.abc import Iterator
from pathlib import Path
from unittest import mock

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from kb.index.engines import EngineUnavailableError, get_engine
from kb.library import entries
from kb.models import Category, Entry, Phrasing, Reply, User
from kb.templatetags.console import get_first_line, list_fillable_blanks, mark_blanks
from kb.text.placeholders.blanks import fill_blanks, list_blank_names
from tests.conftest import MakeEntry

URL = "/console/"
pytestmark = pytest.mark.django_db


@pytest.fixture
def console(client: Client, agent: User) -> Client:
    """Return the test client of an agent who is logged in."""
    client.force_login(agent)
    return client


def page(client: Client, **asked: str | int) -> str:
    response = client.get(URL, asked)
    assert response.status_code == 200
    return response.content.decode()


def listed(text: str) -> list[int]:
    return [int(pk) for pk in re.findall(r'id="option-(\d+)"', text)]


def selected(text: str) -> list[int]:
    return [
        int(pk) for pk in re.findall(r'id="option-(\d+)"[^>]*selected="true"', text)
    ]


def previewed(text: str) -> list[int]:
    return [int(pk) for pk in re.findall(r'class="preview" data-entry="(\d+)"', text)]


# Access ---------------------------------------------------------------


def test_an_anonymous_visitor_is_sent_to_the_login_page_and_back(
    client: Client,
) -> None:
    response = client.get(URL, {"q": "退货"})
    assert response.status_code == 302
    assert (
        response["Location"]
        == "/login/?next=/console/%3Fq%3D%25E9%2580%2580%25E8%25B4%25A7"
    )


def test_an_account_without_the_right_gets_a_page_that_says_no(
    client: Client, django_user_model: type[User], make_entry: MakeEntry
) -> None:
    entry = make_entry(replies=["只给客服看"])
    client.force_login(django_user_model.objects.create_user("nobody"))
    for fragment in ("", "results", "preview"):
        response = client.get(URL, {"entry": str(entry.pk), "fragment": fragment})
        assert response.status_code == 403
        assert "只给客服看" not in response.content.decode()


def test_the_console_refuses_post(console: Client) -> None:
    assert console.post(URL).status_code == 405


def test_responses_are_never_cached(console: Client) -> None:
    control = console.get(URL)["Cache-Control"]
    assert {"no-store", "private"} <= set(control.split(", "))


# Content -----------------------------------------------------------------


def test_internal_entries_are_shown_with_all_variants(
    console: Client, make_entry: MakeEntry
) -> None:
    entry = make_entry(audience="internal", replies=["亲，一", "您好，二"])
    text = page(console, q="退货运费")
    assert previewed(text) == listed(text) == [entry.pk]
    assert "仅内部" in text
    assert "亲，一" in text
    assert "您好，二" in text
    assert entry.get_absolute_url() not in text  # there is no FAQ page to send


def test_without_words_it_lists_the_latest(
    console: Client, make_entry: MakeEntry
) -> None:
    older, newer = make_entry("旧问题"), make_entry("新问题")
    assert listed(page(console)) == [newer.pk, older.pk]


def test_the_first_is_selected_unless_another_is_asked_for(
    console: Client, make_entry: MakeEntry
) -> None:
    older, newer = make_entry("旧问题"), make_entry("新问题")
    first, second = page(console), page(console, entry=older.pk)
    assert selected(first) == previewed(first) == [newer.pk]
    assert selected(second) == previewed(second) == [older.pk]


def test_an_entry_outside_of_the_results_can_be_opened(
    console: Client, make_entry: MakeEntry
) -> None:
    freight, invoice = make_entry(), make_entry("电子发票怎么开？", "点开发票。")
    text = page(console, q="发票", entry=freight.pk)
    assert listed(text) == [invoice.pk]
    assert previewed(text) == [freight.pk]
    assert selected(text) == []


@pytest.mark.parametrize("status", ["draft", "review", "retired"])
@pytest.mark.parametrize("who", ["agent", "editor", "lead"])
def test_a_reply_that_is_not_in_force_is_never_offered(
    client: Client,
    make_entry: MakeEntry,
    request: pytest.FixtureRequest,
    status: str,
    who: str,
) -> None:
    client.force_login(request.getfixturevalue(who))
    entry = make_entry(replies=["过时的说法"], status=status)
    ways: list[dict[str, str | int]] = [{}, {"q": "退货运费"}, {"entry": entry.pk}]
    for asked in ways:
        for fragment in ("", "results"):
            text = page(client, fragment=fragment, **asked)
            assert "过时的说法" not in text
            assert listed(text) == previewed(text) == []
    answer = client.get(URL, {"entry": str(entry.pk), "fragment": "preview"})
    assert answer.status_code == 404
    assert "过时的说法" not in answer.content.decode()


def test_a_requested_entry_that_is_gone_is_reported(
    console: Client, make_entry: MakeEntry
) -> None:
    gone, there = make_entry(), make_entry("电子发票怎么开？")
    assert "已下线" not in page(console, entry=gone.pk)
    entries.retire_entry(gone, by=None)
    text = page(console, entry=gone.pk)
    assert "已下线" in text
    assert previewed(text) == [there.pk]


def test_an_entry_without_replies_offers_its_answer_as_plain_text(
    console: Client, make_entry: MakeEntry
) -> None:
    make_entry(answer="**质量问题**由我们承担。\n\n1. 拍照\n2. 寄回")
    shown = re.search(r'<p class="reply">(.*?)</p>', page(console), re.DOTALL)
    assert shown
    assert shown[1] == "质量问题由我们承担。\n1. 拍照\n2. 寄回"


def test_a_category_includes_its_subcategories(
    console: Client, make_entry: MakeEntry
) -> None:
    top = Category.objects.create(name="售后")
    below = Category.objects.create(name="退换货", parent=top)
    Category.objects.create(name="空分类")
    inside = make_entry("发票抬头填错了？", category=below)
    outside = make_entry("发票几天到？", category=Category.objects.create(name="其他"))
    for words in ("", "发票"):
        assert listed(page(console, q=words, category=top.pk)) == [inside.pk]
        assert set(listed(page(console, q=words))) == {inside.pk, outside.pk}
    choices = re.findall(r'<option value="\d+"[^>]*>(.*?)</option>', page(console))
    assert choices == ["售后", "　退换货", "其他"]
    trail = re.findall(
        r'href="\?category=\d+">(.*?)</a>', page(console, entry=inside.pk)
    )
    assert trail == ["售后", "退换货"]


def test_matched_words_are_marked_but_not_those_of_every_question(
    console: Client, make_entry: MakeEntry
) -> None:
    make_entry("电子发票怎么补？", "点开发票。")
    text = page(console, q="怎么补发票")
    assert "电子<mark>发票</mark>怎么补？" in text


def test_phrasings_and_the_faq_answer_are_below_the_replies(
    console: Client, make_entry: MakeEntry
) -> None:
    entry = make_entry(phrasings=["邮费谁出"], replies=["亲"])
    text = page(console, q="退货运费")
    assert "邮费谁出" in text
    assert entry.answer_html in text
    assert f'href="{entry.get_absolute_url()}"' in text


# Parts, pages, failures --------------------------------------------------------


def test_a_fragment_is_only_that_part(console: Client, make_entry: MakeEntry) -> None:
    entry = make_entry(replies=["亲，我们出。"])
    results = page(console, q="退货", fragment="results")
    preview = page(console, entry=entry.pk, fragment="preview")
    assert listed(results) == previewed(results) == previewed(preview) == [entry.pk]
    assert listed(preview) == []
    assert "<html" not in results + preview
    assert 'id="ask"' not in results + preview


def test_paging_ends_at_the_last_page(console: Client, make_entry: MakeEntry) -> None:
    make_entry()
    Entry.objects.bulk_create(
        Entry(question=f"退货 {n}", answer="好", status="published") for n in range(24)
    )
    first, second = page(console), page(console, page=2)
    assert len(listed(first)) == 20
    assert len(listed(second)) == 5
    assert not set(listed(first)) & set(listed(second))
    assert "page=2" in first
    assert "下一页" not in second
    assert console.get(URL, {"page": 3}).status_code == 404


@pytest.mark.parametrize("name", ["category", "entry", "page", "fragment"])
@pytest.mark.parametrize(
    "value", ["", "0", "-1", "1.5", "abc", "１", "9" * 30, "\x00", "1 OR 1=1", "<b>"]
)
def test_a_bad_parameter_counts_as_not_given(
    console: Client, make_entry: MakeEntry, name: str, value: str
) -> None:
    entry = make_entry()
    assert listed(page(console, q="退货", **{name: value})) == [entry.pk]


def test_hostile_queries_are_answered_and_shown_as_text(
    console: Client, make_entry: MakeEntry, shared: Path
) -> None:
    make_entry(replies=["亲"])
    lines = (shared / "bad_inputs" / "inputs.jsonl").read_text().splitlines()
    inputs = [
        item for item in map(json.loads, lines) if item["kind"] in ("text", "query")
    ]
    assert len(inputs) > 50
    for item in inputs:
        words = item["value"].encode("utf-8", "replace").decode()
        for fragment in ("", "results"):
            text = page(console, q=words, fragment=fragment)
            assert not re.search(
                r"<(script(?! type=\"module\" src=\")|img src=x|svg)", text
            )
            assert len(text) < 200_000


def test_a_long_query_is_cut_where_the_box_ends(console: Client) -> None:
    assert f'value="{"退" * 200}"' in page(console, q="退" * 1000)


def test_hostile_content_is_shown_as_text(
    console: Client, make_entry: MakeEntry
) -> None:
    bad = "<script>alert(1)</script>\"'&"
    make_entry(bad, replies=[bad + "{{" + bad[:17] + "}}"], phrasings=[bad + "问"])
    text = page(console)
    assert "<script>" not in text
    assert text.count(html.escape(bad)) >= 4


def test_there_is_no_inline_script_or_style(
    console: Client, make_entry: MakeEntry
) -> None:
    make_entry(replies=["亲，{{订单号}}"])
    text = page(console, q="退货")
    assert not re.search(r"<script(?![^>]* src=)|<style|\sstyle=|\son\w+=", text)


@pytest.fixture
def engine_down() -> Iterator[None]:
    with mock.patch.object(get_engine(), "search", side_effect=EngineUnavailableError):
        yield


def test_it_says_when_only_titles_were_searched(
    console: Client, make_entry: MakeEntry, engine_down: None
) -> None:
    entry = make_entry()
    text = page(console, q="退货")
    assert "只按标题查找" in text
    assert listed(text) == [entry.pk]


def test_every_empty_list_teaches_the_next_step(
    console: Client, make_entry: MakeEntry
) -> None:
    assert "话术库还是空的" in page(console)
    make_entry()
    empty = Category.objects.create(name="空分类")
    missed = html.unescape(page(console, q="不存在"))
    assert "没有找到「不存在」" in missed
    assert '?q=%E4%B8%8D%E5%AD%98%E5%9C%A8">记一条</a>（Alt+N）' in missed
    assert "看全部内容" in page(console, category=empty.pk)
    assert 'href="?q=%E9%80%80%E8%B4%A7"' in page(console, q="退货", category=empty.pk)


@pytest.mark.parametrize("words", ["", "退货"])
def test_the_number_of_queries_does_not_grow_with_the_list(
    console: Client, make_entry: MakeEntry, words: str
) -> None:
    category = Category.objects.create(name="售后")

    def queries() -> int:
        with CaptureQueriesContext(
            connection,
        ) as seen:
            page(console, q=words)
        return len(seen)

    made = [make_entry("退货一", replies=["一", "二"], category=category)]
    queries()  # fills the caches of the process
    one = queries()
    made += [
        make_entry(f"退货{n}", replies=["亲"], category=category) for n in range(8)
    ]
    Phrasing.objects.create(entry=made[0], text="邮费谁出")
    assert queries() == one <= 31


# Blanks ------------------------------------------------------------------------

BODIES = [
    "亲，{{订单号}} 和 {{ 订单号 }}、{{客户称呼}}",
    "{{{{订单号}}}} {{{a}}} {{}} {{ }} {{a|b}} {%x%} {{7*7}}",
    "第一行\n\n  第三行 {{a}}\n",
    "<b>&amp;</b> {{<i>\"'}} 👨‍👩‍👧",
    "没有空格",
]


@pytest.mark.parametrize("body", BODIES)
def test_marking_blanks_changes_nothing_else(body: str) -> None:
    shown = re.sub(r"<span [^>]*>([^<]*)</span>", r"\1", mark_blanks(body))
    assert html.unescape(shown) == fill_blanks(body, {})


@pytest.mark.parametrize("body", BODIES)
def test_the_fields_are_the_blanks_that_will_be_filled(body: str) -> None:
    assert [blank.name for blank in list_fillable_blanks(body)] == list_blank_names(
        body
    )
    shown = re.findall(r'data-blank="([^"]*)"', mark_blanks(body))
    assert {html.unescape(name) for name in shown} == set(list_blank_names(body))


def test_choices_and_dates_have_fields_of_their_own(
    console: Client, make_entry: MakeEntry
) -> None:
    make_entry(replies=["{{快递=顺丰|顺丰|中通}}{{发货日期}}{{备注?}}{{称呼=亲}}"])
    text = " ".join(page(console).split())
    assert '<option value="">顺丰</option> <option>中通</option>' in text
    assert 'type="date" data-fill="发货日期"' in text
    assert "备注（选填）" in text
    assert 'placeholder="亲"' in text


def test_a_malformed_blank_is_reported_before_copying(
    console: Client, make_entry: MakeEntry
) -> None:
    entry = make_entry(replies=["好"])
    Reply.objects.filter(entry=entry).update(text="单号{{单号")
    assert 'data-fault="「{{单号」的花括号没有成对。"' in page(console)


@pytest.mark.parametrize(
    ("words", "shown"),
    [
        ("退款", "等 〔天数〕 天，<mark>退款</mark>&lt;到账&gt;"),
        ("原路", "会<mark>原路</mark>返回"),
        ("退货", "亲\n"),
    ],
)
def test_a_row_shows_the_matching_passage(
    client: Client, make_entry: MakeEntry, agent: User, words: str, shown: str
) -> None:
    reply = "亲\n等 {{天数}} 天，退款<到账>"
    make_entry("退货的钱", "会原路返回", replies=[reply])
    client.force_login(agent)
    page = client.get(URL, {"q": words}).text
    row = page.split('class="option-reply">')[1].split("</span>")[0]
    assert shown.strip() in row
    assert ("<mark>" in row) == ("<mark>" in shown)


def test_the_first_line_names_its_blanks() -> None:
    assert get_first_line("\n亲，{{ 订单号 }} 好\n第二行") == "亲，〔订单号〕 好"
    assert get_first_line("") == ""


def test_a_reply_keeps_its_line_ends_on_the_page(
    console: Client, make_entry: MakeEntry
) -> None:
    entry = make_entry(replies=["第一行\n\n第三行"])
    assert '<p class="reply">第一行\n\n第三行</p>' in page(console)
    assert Reply.objects.get(entry=entry).body == "第一行\n\n第三行"


def test_near_entries_are_labelled(console: Client, make_entry: MakeEntry) -> None:
    near = make_entry("杯子碎了怎么换货？", replies=["拍照给我们"])
    text = page(console, q="杯子蛋糕的配方和烤箱温度")
    assert listed(text) == [near.pk]
    assert "没有找到很符合的，最接近的 1 条" in text
    assert "最接近" not in page(console, q="杯子碎了")


def test_a_correction_is_offered(console: Client, make_entry: MakeEntry) -> None:
    make_entry("退款多久到账？", replies=["三天"])
    assert ">退款多久到账</a>" in page(console, q="退宽多久到账")
