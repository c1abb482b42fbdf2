"""Exports of other tools are recognised by their columns and converted without loss."""

from __future__ import annotations

import pytest

from kb.import_export.read import other_tools
from kb.models import Entry
from tests.importing import load, plan, reasons

pytestmark = pytest.mark.django_db


def only() -> tuple[Entry, str]:
    entry = Entry.objects.get()
    return entry, entry.replies.get().body


def test_chatwoots_canned_responses() -> None:
    made = load(
        'id,short_code,content\n7,refund,"Hi {{contact.name}}，退款 3 天到账。"\n',
        status="draft",
    )
    entry, body = only()
    assert (entry.question, entry.keywords, entry.external_id) == (
        "refund",
        "refund",
        "7",
    )
    assert (entry.audience, entry.status) == ("internal", "draft")
    assert body == "Hi {{客户称呼}}，退款 3 天到账。"
    assert any(
        "像是 Chatwoot 预设回复 的导出：id → 编号、short_code" in n for n in made.notes
    )


def test_zammads_text_modules_are_html() -> None:
    load(
        "name,keywords,content,active\n"
        '退货,th,"<div>亲爱的 #{ticket.customer.firstname}：</div><p>请<b>寄回</b>。</p>'
        '<ul><li>单号</li><li>&lt;地址&gt;</li></ul>#{ticket.number}",true\n'
    )
    entry, body = only()
    assert (entry.question, entry.keywords) == ("退货", "th")
    assert body == "亲爱的 {{客户称呼}}：\n请寄回。\n· 单号\n· <地址>\n{{工单号}}"


def test_osticket_canned_responses() -> None:
    load("title,response\n发票,<p>%{ticket.name} 您好</p>%{ticket.thread.original}\n")
    entry, body = only()
    assert entry.question == "发票"
    assert body == "{{客户称呼}} 您好\n{{ticket thread original}}"


@pytest.mark.parametrize(
    "head", ["快捷编码,快捷短语,快捷短语分组", "快捷短语编码,快捷短语内容,分组"]
)
def test_qianniu_quick_phrases(head: str) -> None:
    load(f"{head}\nfh,亲，今天发货哦~,物流\n")
    entry, body = only()
    assert (entry.question, entry.keywords, str(entry.category)) == (
        "亲，今天发货哦~",
        "fh",
        "物流",
    )
    assert body == "亲，今天发货哦~"


def test_qianniu_saves_gbk_and_groups_are_names() -> None:
    table = "快捷短语编码,快捷短语,快捷短语分组\n,亲，在的~,退/换货\nzk,亲，没有折扣,未分组\n"
    load(table.encode("gbk"))
    entries = Entry.objects.order_by("pk").values_list("keywords", "category__name")
    assert list(entries) == [("", "退/换货"), ("zk", None)]


def test_a_helper_of_qianniu_has_titles_and_nested_groups() -> None:
    load(
        "最初3行的内容请勿改动(V3)！！！\nshop#1\n"
        "分组,快捷编码,标题,内容,图片名,程序数据（手工新增词条时，本字段留空即可）\n"
        "售后=>退款,tk,多久到账,亲，三天到账,,1 2\n售前,,,亲，在的,,\n"
    )
    first, second = Entry.objects.order_by("pk")
    assert (first.question, first.keywords) == ("多久到账", "tk")
    names = ("category__name", "category__parent__name")
    assert Entry.objects.filter(pk=first.pk).values_list(*names)[0] == ("退款", "售后")
    assert (second.question, second.replies.get().body) == ("亲，在的", "亲，在的")


def test_what_a_tool_has_switched_off_is_a_draft() -> None:
    load(
        "id,name,keywords,content,note,active,groups\n"
        "1,甲,a,<p>一</p>,,true,售前~~~一线，二线\n2,乙,b,<p>二</p>,,false,\n"
    )
    load("canned_id,isenabled,title,response\n1,0,丙丙丙,三\n2,1,丁丁丁,四\n")
    said = Entry.objects.order_by("pk").values_list("question", "status")
    assert list(said) == [
        ("甲", "published"),
        ("乙", "draft"),
        ("丙丙丙", "draft"),
        ("丁丁丁", "published"),
    ]
    assert set(Entry.objects.values_list("source", flat=True)) == {"Zammad", "osTicket"}
    tags = Entry.objects.get(question="甲").tags.values_list("name", flat=True)
    assert set(tags) == {"售前", "一线，二线"}


def test_a_placeholder_default_of_chatwoot_is_converted() -> None:
    load("short_code,content\nhi,你好 {{ contact.name | default: '朋友' }}\n")
    assert only()[1] == "你好 {{客户称呼=朋友}}"


def test_our_own_files_are_not_converted() -> None:
    made = plan("问题,答案,response\n甲,一,二\n")
    assert not any("像是" in note for note in made.notes)


def test_an_unknown_column_of_a_tool_is_named() -> None:
    made = plan("title,response,notes\n甲,一,二\n")
    assert any("不认识这些列，没有读：notes" in note for note in made.notes)
    assert reasons(made) == ""


@pytest.mark.parametrize(
    ("html", "text"),
    [
        ("<script>alert(1)</script>好", "好"),
        ("<p>一</p><p>二</p>", "一\n二"),
        ("a &amp; b<br>c", "a & b\nc"),
        ("只是文字", "只是文字"),
        ("<img src=x onerror=alert(1)>", ""),
    ],
)
def test_html_becomes_what_it_shows(html: str, text: str) -> None:
    assert other_tools.html_to_plain_text(html) == text
