"""What should be said otherwise is found at its place, and what must be stops publishing."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import AnonymousUser
from django.core.exceptions import ValidationError
from django.test import Client
from django.urls import reverse

from kb import search
from kb.import_export import demo
from kb.language import style_rules
from kb.library import entries
from kb.models import (
    Category,
    Entry,
    LanguageEdition,
    Picture,
    Snippet,
    StyleRule,
    User,
)
from kb.text.privacy import personal_data
from kb.text.style_rules import (
    TEXT_ANSWER,
    TEXT_QUESTION,
    TEXT_REPLY,
    CheckedText,
    MatchRule,
    StyleRuleSet,
    describe_findings,
)
from tests.conftest import MakeEntry
from tests.importing import load, plan

ANYONE = AnonymousUser()
ID_CARD, BANK_CARD = "11010519491231002X", "6222 0212 3456 7890 128"
Teach = Callable[..., StyleRule]


def rules(*some: MatchRule) -> StyleRuleSet:
    return StyleRuleSet(some, "自动检查")


def found(text: str, *some: MatchRule, kind: str = TEXT_REPLY) -> list[str]:
    return [
        one.excerpt for one in rules(*some).find_violations(CheckedText(kind, text))
    ]


@pytest.fixture
def teach(db: None) -> Teach:
    """Return a function that makes a rule as an editor does."""

    def make(text: str, **columns: Any) -> StyleRule:
        rule = StyleRule(text=text, **columns)
        rule.full_clean()
        rule.save()
        return rule

    return make


@pytest.fixture
def starter(db: None) -> None:
    style_rules.load_starter_rules()


# Words -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "word", "expected"),
    [
        ("我们的服务最好，真的", "最好", ["最好"]),
        ("服務最專業", "最专业", ["最專業"]),  # in 繁體 as well
        ("效果ＸＸＸ", "xxx", ["ＸＸＸ"]),  # full width, any case
        ("todolist", "todo", []),  # not a part of a Latin word
        ("达到2100%了", "100%", []),  # nor of a number
        ("保证100%有效", "100%", ["100%"]),
        ("见[最好](/q/1/)的", "最好", ["最好"]),  # words of a link are words
        ("见[这里](https://a.cn/最好)", "最好", []),  # its address is not
    ],
)
def test_a_word_is_found_in_whatever_spelling(
    text: str, word: str, expected: list[str]
) -> None:
    assert found(text, MatchRule("绝对化用语", word)) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("第一步打开设置，第一次要授权", 0),
        ("我们是第一", 1),
        ("第一步就选第一", 1),
    ],
)
def test_an_exception_is_a_longer_word_that_holds_it(text: str, expected: int) -> None:
    rule = MatchRule("绝对化用语", "第一", exceptions=("第一步", "第一次"))
    assert len(found(text, rule)) == expected


def test_of_overlapping_words_the_longer_is_reported() -> None:
    some = MatchRule("绝对化用语", "第一"), MatchRule("绝对化用语", "行业第一")
    assert found("我们行业第一", *some) == ["行业第一"]


def test_a_rule_holds_where_it_says() -> None:
    rule = MatchRule("惹人不快的话", "不知道", scope="reply")
    assert found("不知道", rule) == ["不知道"]
    assert found("不知道", rule, kind=TEXT_ANSWER) == []
    assert found("不知道", MatchRule("x", "不知道", severity="off")) == []


def test_a_finding_says_its_place_reason_and_cure() -> None:
    rule = MatchRule("绝对化用语", "最好", reason="没法证明", suggestion="改成“更好”")
    text = CheckedText(TEXT_ANSWER, "第一行\n我们最好", "FAQ 答案", "answer")
    (one,) = rules(rule).find_violations(text)
    assert (one.line_number, one.start, one.end) == (2, 6, 8)
    assert str(one) == "FAQ 答案第 2 行「最好」：没法证明。改成“更好”。"
    assert describe_findings([one] * 7)[-1] == "另有 2 处。"


def test_a_sentence_too_long_for_a_phone_is_found_at_its_place() -> None:
    rule = MatchRule("自动检查", "句子太长", max_sentence_chars=10)
    text = "短句。\n1. 这一句话实在是太长太长太长了\n\n```\n代码再长也不是一句话的\n```"
    assert found(text, rule) == ["这一句话实在是太长太长太长了"]
    assert found(text, rule, kind=TEXT_QUESTION) == []


# Personal data -----------------------------------------------------------------------

NUMBERS = (
    personal_data.KIND_IDENTITY_CARD,
    personal_data.KIND_BANK_CARD,
    personal_data.KIND_MOBILE,
    personal_data.KIND_LANDLINE,
    personal_data.KIND_EMAIL,
)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("打 13812345678 找我", [("手机号", "13812345678")]),
        ("+86 138-1234-5678", [("手机号", "+86 138-1234-5678")]),
        ("１３８１２３４５６７８", [("手机号", "１３８１２３４５６７８")]),
        ("单号 413812345678 已发", []),  # a longer number is no telephone
        ("12812345678", []),
        ("010-62345678", [("固定电话", "010-62345678")]),
        ("(0571) 87654321", [("固定电话", "(0571) 87654321")]),
        ("2024-01-05 10:20", []),
        (f"身份证 {ID_CARD}。", [("身份证号", ID_CARD)]),
        ("110105194912310021", []),  # the check digit is wrong
        (f"卡号 {BANK_CARD}", [("银行卡号", BANK_CARD)]),
        ("6222 0212 3456 7890 127", []),
        ("订单 20240105123456789", []),
        ("0000000000000000", []),
        ("写信给 a.b@example.com", [("邮箱", "a.b@example.com")]),
        ("用户＠", []),
    ],
)
def test_personal_numbers_are_distinguished_from_other_numbers(
    text: str, expected: list[tuple[str, str]]
) -> None:
    assert [
        (kind, text[a:b])
        for kind, a, b in personal_data.find_personal_data(text, NUMBERS)
    ] == expected


def test_a_number_of_the_house_may_be_said() -> None:
    rule = MatchRule("自动检查", "邮箱", exceptions=("@example.com", "hi@shop.cn"))
    text = "a@example.com b@other.com hi@shop.cn"
    assert found(text, rule) == ["b@other.com"]
    phone = MatchRule("自动检查", "手机号", exceptions=("13812345678",))
    assert found("138 1234 5678", phone) == []


def test_digits_of_an_address_are_no_personal_data() -> None:
    rule = MatchRule("自动检查", "手机号")
    assert found("[x](/q/13812345678/) https://a.cn/13812345678", rule) == []


@pytest.mark.parametrize("mark", ["1", "a@", "0", "１ ", "6222 ", "+86", "最", "{{"])
def test_a_text_of_one_mark_takes_no_time(mark: str) -> None:
    every = [MatchRule("自动检查", kind) for kind in personal_data.PERSONAL_DATA_KINDS]
    every += [
        MatchRule("自动检查", "句子太长", max_sentence_chars=90),
        MatchRule("绝对化用语", "最好"),
    ]
    list(
        rules(*every).find_violations(
            CheckedText(TEXT_ANSWER, mark * (65_000 // len(mark)))
        )
    )


# Blanks ------------------------------------------------------------------------------


def seen(entry: Entry) -> list[str]:
    return [
        f"{one.rule.text}：{one.excerpt}"
        for one in style_rules.check_texts(style_rules.list_entry_texts(entry))
    ]


def test_a_blank_that_no_other_reply_uses_is_reported(
    starter: None, make_entry: MakeEntry
) -> None:
    for name in ("订单编号", "退款金额", "门店", "快递单", "姓名"):
        make_entry(f"问{name}", replies=[f"亲，{{{{{name}}}}}"])
    entry = make_entry("新的", replies=["{{订单编码}}，{{客户称呼=亲}}，{{退款金额}}"])
    (one,) = style_rules.check_texts(
        style_rules.list_entry_texts(entry), entry_id=entry.pk
    )
    assert one.excerpt == "{{订单编码}}"
    assert one.suggestion == "是不是 {{订单编号}}？"
    assert not one.is_error


def test_braces_in_a_public_answer_stop_publishing(
    starter: None, make_entry: MakeEntry
) -> None:
    entry = make_entry(
        answer="您的订单 {{订单号}} 已发货，`{{ 模板 }}`", status="draft"
    )
    assert seen(entry) == ["答案里的待填项：{{订单号}}"]
    with pytest.raises(ValidationError, match="顾客会看到花括号"):
        entries.publish_entry(entry, by=None)


def test_what_a_snippet_says_is_looked_at_once(
    starter: None, make_entry: MakeEntry
) -> None:
    Snippet.objects.create(name="转人工", body="这不归我管")
    entry = make_entry(replies=["{{> 转人工}}", "再 {{> 转人工}}"], status="draft")
    (one,) = style_rules.check_texts(style_rules.list_entry_texts(entry))
    assert str(one).startswith("片段「转人工」「这不归我管」：推卸责任。")


@pytest.mark.parametrize(
    ("body", "words", "suggestion"),
    [
        ("请报 {{ }}", "{{ }}", "写上要填什么"),
        ("请报 {{订单号", "{{订单号", "补上缺的"),
        ("请报 订单号}}", "}}", "补上 {{"),
        ("请报 {{{订单号}}}", "{{订单号}}", "左右各留两个"),
        ("用 {{快递公司|顺丰}}", "{{快递公司|顺丰}}", "选项前先写名称"),
        ("用 {{日期=明天}}", "{{日期=明天}}", "改成 {{名称}}"),
        ("见 {{> 转人}}", "{{> 转人}}", "是不是 {{> 转人工}}？"),
        ("见 {{> 别的}}", "{{> 别的}}", "先建好这个片段"),
    ],
)
def test_what_is_wrong_with_a_blank_comes_with_its_cure(
    starter: None, body: str, words: str, suggestion: str
) -> None:
    Snippet.objects.create(name="转人工", body="请稍等")
    said = style_rules.list_form_texts("问", "答", [("「标准」", body)])
    found = [one for one in style_rules.check_texts(said) if one.is_error]
    assert [one.excerpt for one in found] == [words]
    assert suggestion in found[0].suggestion


# Links -------------------------------------------------------------------------------


def trouble(answer: str, **options: Any) -> list[tuple[str, str]]:
    said = style_rules.list_form_texts("问", answer)
    return [
        (one.excerpt, one.reason) for one in style_rules.check_texts(said, **options)
    ]


def test_links_inside_lead_somewhere_that_readers_may_be(
    starter: None, make_entry: MakeEntry
) -> None:
    live = make_entry("在用的", answer="## 第一步\n\n看")
    draft = make_entry("草稿", status="draft")
    inside = make_entry("内部", audience="internal")
    gone = make_entry("旧的", status="retired")
    category = Category.objects.create(name="售后")
    link = "[a]({})".format
    url = live.get_absolute_url()
    assert (
        trouble(link(url) + link(f"{url}#s-第一步") + link(f"/c/{category.pk}/")) == []
    )
    assert trouble(link(f"/zh-hant{url}") + link("https://other.cn/x")) == []
    assert trouble(link(f"{url}#s-别的")) == [
        (f"{url}#s-别的", "「在用的」里没有这个标题")
    ]
    reasons = [reason for _, reason in trouble(link(f"/q/{draft.pk}/"))]
    assert reasons == ["「草稿」还是草稿，打不开"]
    assert trouble(link(f"/q/{inside.pk}/"))[0][1] == "「内部」仅内部可见，顾客打不开"
    assert trouble(link(f"/q/{inside.pk}/"), public=False) == []
    assert trouble(link(f"/q/{gone.pk}/"))[0][1] == "「旧的」已下线"
    assert trouble(link("/q/99999/"))[0][1] == "没有编号 99999 的条目"
    assert trouble(link(f"/q/{'9' * 30}/"))[0][1] == "网站里没有这个网址"
    assert trouble(link("/nowhere/"))[0][1] == "网站里没有这个网址"
    assert trouble(link("www.a.cn/x"))[0][1] == "这不是完整的网址，点了打不开"
    assert trouble(link("/c/999/"))[0][1] == "没有这个分类"


def test_headings_and_pictures_of_the_answer_itself_are_looked_for(
    starter: None, db: None
) -> None:
    name = f"{'a' * 32}-6x4.webp"
    assert trouble("[a](#s-退款)\n\n## 退款\n\n好") == []
    assert trouble("[a](#s-退款)") == [("#s-退款", "这条答案里没有这个标题")]
    assert trouble(f"![图](/media/{name})") == [(f"/media/{name}", "没有这张图片")]
    Picture.objects.create(name=name, alt="图", width=6, height=4, size=9)
    assert trouble(f"![图](/media/{name})") == []


@pytest.mark.parametrize(
    "address", ["http://[", "//x", "javascript:x", "{{网址}}", "%"]
)
def test_odd_addresses_break_nothing(starter: None, address: str) -> None:
    trouble(f"[a]({address})")


def test_code_has_no_links(starter: None) -> None:
    assert trouble("`[a](/nowhere/)`\n\n```\n[b](/nowhere/)\n```") == []


# In force, and in the way --------------------------------------------------------------


def test_a_rule_is_in_force_at_once(teach: Teach, make_entry: MakeEntry) -> None:
    entry = make_entry(answer="亲，马上处理", status="draft")
    assert seen(entry) == []
    rule = teach("马上", severity="error", suggestion="写出时间")
    with pytest.raises(ValidationError, match="FAQ 答案「马上」：禁用语。写出时间"):
        entries.publish_entry(entry, by=None)
    rule.severity = "warn"
    rule.save()
    assert entries.publish_entry(entry, by=None).status == Entry.Status.PUBLISHED


def test_the_starter_is_loaded_once_and_is_sound(starter: None) -> None:
    count = StyleRule.objects.count()
    assert count > 100
    for rule in StyleRule.objects.all():
        rule.full_clean()
        assert rule.suggestion or rule.kind == "check", rule
    StyleRule.objects.all().delete()
    assert style_rules.load_starter_rules() == 0
    assert LanguageEdition.objects.filter(pk=LanguageEdition.STYLE_RULES).exists()


def test_what_is_live_is_not_changed_into_what_could_not_be(
    starter: None, make_entry: MakeEntry
) -> None:
    entry = make_entry()
    with pytest.raises(ValidationError, match="手机号"):
        entries.update_entry(
            entry, by=None, based_on=entry.version, answer="打 13812345678"
        )
    draft = make_entry("草稿", status="draft")
    entries.update_entry(
        draft, by=None, based_on=draft.version, answer="打 13812345678"
    )


def test_what_was_live_before_the_rule_may_still_be_mended(
    teach: Teach, make_entry: MakeEntry
) -> None:
    entry = make_entry(answer="亲，马上处理")
    teach("马上", severity="error")
    changed = entries.update_entry(
        entry, by=None, based_on=entry.version, keywords="tk"
    )
    assert changed.keywords == "tk"


@pytest.mark.parametrize(
    ("columns", "reason"),
    [
        ({"text": "！？"}, "只有标点"),
        ({"text": "没有的", "kind": "check"}, "没有这项检查"),
        ({"text": "第一", "exceptions": "一步"}, "要含有“第一”"),
        ({"text": "第一", "limit": 9}, "字数上限"),
        ({"text": "句子太长", "kind": "check"}, "请写字数上限"),
    ],
)
def test_a_rule_that_says_nothing_is_refused(
    db: None, columns: dict[str, Any], reason: str
) -> None:
    with pytest.raises(ValidationError, match=reason):
        StyleRule(**columns).full_clean()


# The doors ---------------------------------------------------------------------------


def test_the_button_saves_and_says_why_it_did_not_publish(
    client: Client, editor: User, starter: None
) -> None:
    from tests.admin_forms import read_form as filled
    from tests.admin_forms import read_messages as told

    client.force_login(editor)
    address = reverse("admin:kb_entry_add")
    typed = {"question": "新的", "answer": "找小王 13812345678", "_move": "publish"}
    page = told(client.post(address, {**filled(client, address), **typed}))
    assert "内容已保存，但没有发布" in page
    assert "13812345678" in page
    assert Entry.objects.get().status == Entry.Status.DRAFT


def test_the_form_of_what_is_live_says_it_at_the_field(
    client: Client, editor: User, starter: None, make_entry: MakeEntry
) -> None:
    from tests.admin_forms import post_change as change

    entry = make_entry(replies=["好的"])
    client.force_login(editor)
    page = change(client, entry, answer="{{订单号}}", **{"replies-0-body": "随你便"})
    errors = page.context["adminform"].form.errors
    assert "顾客会看到花括号" in str(errors["answer"])
    (replies, _) = page.context["inline_admin_formsets"]
    assert "像在赌气" in str(replies.formset.forms[0].errors["body"])
    entry.refresh_from_db()
    assert entry.answer != "{{订单号}}"


def test_an_import_keeps_back_what_may_not_be_published(starter: None) -> None:
    rows = "标准问题,答案\n好的,没问题\n坏的,打 13812345678 找小王\n"
    made = load(rows)
    assert [step.detail for step in made.planned_rows] == [
        "",
        "没有发布，留作草稿：FAQ 答案「13812345678」：手机号多半是某位客户或同事的。"
        "删掉，或写成 {{手机号}}；公司的号码请加到这条规则的例外里。",
    ]
    assert Entry.objects.get(question="坏的").status == Entry.Status.DRAFT
    assert [
        hit.entry.question for hit in search.search_entries("坏的", user=ANYONE).hits
    ] == []
    assert plan(rows).written_row_count == 0


def test_an_import_does_not_change_what_is_live_into_that(starter: None) -> None:
    load("标准问题,答案\n好的,没问题\n")
    made = plan("标准问题,答案\n好的,打 13812345678\n")
    assert "不能发布：FAQ 答案「13812345678」" in made.refused_rows[0].detail


def test_an_import_again_leaves_alone_what_was_kept_back(starter: None) -> None:
    rows = "标准问题,答案,状态\n坏的,打 13812345678,已发布\n"
    load(rows)
    assert plan(rows).written_row_count == 0


def test_the_demo_library_keeps_to_the_rules_that_ship(starter: None) -> None:
    demo.load_demo_library()
    assert Entry.objects.filter(status=Entry.Status.PUBLISHED).count() > 50


def test_rules_come_from_a_file_and_are_in_force(make_entry: MakeEntry) -> None:
    entry = make_entry(answer="亲，马上处理", status="draft")
    rows = "类型,词,级别,例外,建议,字数上限\n惹人不快的话,马上,不能发布,马上生效 马上到,写出时间,\n"
    load(rows, kind="wording")
    with pytest.raises(ValidationError, match="写出时间"):
        entries.publish_entry(entry, by=None)
    assert plan(rows, kind="wording").written_row_count == 0
    wrong = plan("词,级别,例外\n第一,很严重,\n最好,,好的\n", kind="wording")
    assert "不认识这个值" in wrong.refused_rows[0].detail
    assert "要含有“最好”" in wrong.refused_rows[1].detail
