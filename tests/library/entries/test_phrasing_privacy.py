"""Phrasings are public: no way of adding one lets personal data through."""

from __future__ import annotations

from typing import Any

import pytest
from django.core.exceptions import ValidationError

from kb import usage
from kb.library import entries
from kb.models import (
    Entry,
    Phrasing,
    Pick,
    Question,
    Review,
    SearchGap,
    SearchGapSpelling,
    SearchSide,
    StyleRule,
    User,
)
from kb.quality import merging, search_gaps
from kb.questions import to_entries
from kb.text.chinese import normalize
from kb.text.privacy.personal_data import remove_personal_clauses
from tests.conftest import MakeEntry, MakeQuestion

pytestmark = pytest.mark.django_db
SAID = "我叫张某,电话13812345678,订单20261130998877,退款没到账"
PERSONAL = [
    "我叫张伟退款没到账",
    "13812345678退款没到账",
    "订单20261130998877退款没到账",
    "退款到a.b@example.com",
    "寄到杭州市西湖区文三路12号几天到",
    "微信zhang_san88退款",
]


@pytest.fixture
def entry(make_entry: MakeEntry) -> Entry:
    return make_entry("退款多久到账？", "三天。")


def list_phrasings(entry: Entry) -> list[str]:
    return list(entry.phrasings.values_list("text", flat=True))


def expect_refusal() -> Any:
    return pytest.raises(ValidationError, match="相似问法里有")


@pytest.mark.parametrize("text", PERSONAL)
def test_adding_a_phrasing_refuses_personal_data(
    entry: Entry, editor: User, text: str
) -> None:
    with expect_refusal():
        entries.add_phrasing(entry, text, by=editor)
    with expect_refusal():
        entries.create_draft("退款？", by=None, answer="三天。", phrasings=[text])
    with expect_refusal():
        phrasing = Phrasing(
            entry=entry, text=text, text_key=normalize.compute_spelling_key(text)
        )
        entries.store_entries([], [], phrasings=[phrasing], by=None)
    assert list_phrasings(entry) == []


def test_message_names_the_data_and_its_place(entry: Entry) -> None:
    with pytest.raises(ValidationError) as error:
        entries.add_phrasing(entry, SAID, by=None)
    assert error.value.messages == [
        "相似问法里有姓名「张某」、手机号「13812345678」、单号「20261130998877」，"
        "大家都看得到。请删掉，或改成通用的说法。"
    ]


def test_merging_a_question_refuses_its_own_words(
    entry: Entry, make_question: MakeQuestion
) -> None:
    question = make_question(SAID)
    with pytest.raises(ValidationError):
        to_entries.add_question_to_entry(entry, question=question, by=None)
    with expect_refusal():
        to_entries.add_question_to_entry(
            entry, question=question, by=None, phrasing="我叫张伟，到账了吗"
        )
    with pytest.raises(ValidationError, match=r"相似问法里还有 \*\*\*"):
        to_entries.add_question_to_entry(
            entry, question=question, by=None, phrasing="***退款没到账"
        )
    question.refresh_from_db()
    assert question.status == Question.Status.ANSWERED
    to_entries.add_question_to_entry(
        entry, question=question, by=None, phrasing="退款没到账"
    )
    assert list_phrasings(entry) == ["退款没到账"]


def test_a_draft_of_a_question_has_no_personal_data(
    make_question: MakeQuestion,
) -> None:
    question = make_question(SAID, "亲，张女士，13812345678 的退款三天到。")
    draft = to_entries.draft_entry_from_question(question, by=None)
    assert draft.question == "退款没到账"
    assert draft.answer == "亲，***女士，*** 的退款三天到。"
    assert draft.replies.get().body == draft.answer


def test_a_proposal_refuses_personal_data(
    entry: Entry, make_user: Any, settings: Any
) -> None:
    writer = make_user("writer", "撰稿", is_staff=True)
    with expect_refusal():
        entries.add_phrasing(entry, PERSONAL[0], by=writer)
    snapshot = entries.take_snapshot(entry) | {"phrasings": [PERSONAL[1]]}
    with expect_refusal():
        entries.propose_change(entry, snapshot, by=writer)
    assert not Review.objects.exists()


def test_a_gap_becomes_a_phrasing_in_words_of_an_editor(
    entry: Entry, editor: User
) -> None:
    gap = SearchGap.objects.create(words="我叫张伟退款没到账", side=SearchSide.PUBLIC)
    with expect_refusal():
        search_gaps.add_phrasing_for_gap(gap, entry, by=editor)
    with pytest.raises(ValidationError, match=r"\*\*\*"):
        search_gaps.add_phrasing_for_gap(gap, entry, by=editor, words="***退款没到账")
    search_gaps.add_phrasing_for_gap(gap, entry, by=editor, words="退款没到账")
    assert list_phrasings(entry) == ["退款没到账"]


def test_a_draft_of_a_gap_has_no_personal_data(editor: User) -> None:
    gap = SearchGap.objects.create(words="我叫张伟，退款没到账", side=SearchSide.PUBLIC)
    for words in (
        "我叫张伟，退款没到账",
        "李雷13987654321退款",
        "***退钱没到",
        "退款还没到",
    ):
        SearchGapSpelling.objects.create(
            gap=gap,
            words=words,
            words_key=normalize.compute_spelling_key(words),
            side=gap.side,
        )
    draft = search_gaps.draft_entry_for_gap(gap, by=editor)
    assert draft.question == "退款没到账"
    assert list_phrasings(draft) == ["退款", "退钱没到", "退款还没到"]


def test_learned_words_are_accepted_as_edited(entry: Entry, editor: User) -> None:
    for person in "abc":  # as stored before names were masked
        row = Pick(entry=entry, side=SearchSide.PUBLIC, person=person, kind="copied")
        row.words = "客服小林退款没到账"
        row.save()
    usage.refresh_evidence()
    key = normalize.compute_spelling_key("客服小林退款没到账")
    with expect_refusal():
        usage.accept_phrasing_proposal(
            entry, words_key=key, by=editor, words="我叫张伟，退款没到账"
        )
    words, _ = usage.accept_phrasing_proposal(
        entry, words_key=key, by=editor, words="退款没到账"
    )
    assert words == "退款没到账"
    assert list_phrasings(entry) == ["退款没到账"]
    assert not usage.query_phrasing_proposals().exists()


def test_merging_entries_refuses_what_a_draft_may_hold(
    entry: Entry, make_entry: MakeEntry
) -> None:
    other = make_entry("钱退了吗？", "退了。", status="draft")
    Phrasing.objects.create(entry=other, text=PERSONAL[0])
    with pytest.raises(
        ValidationError, match="「钱退了吗？」的相似问法里有姓名「张伟」"
    ):
        merging.merge_entries(entry, other, by=None)
    assert list_phrasings(entry) == []


def test_a_published_entry_with_one_is_not_published_again(
    make_entry: MakeEntry,
) -> None:
    draft = make_entry("退款多久？", "三天。", status="draft")
    Phrasing.objects.create(entry=draft, text="到账没有")
    Phrasing.objects.create(entry=draft, text=PERSONAL[0])
    with pytest.raises(ValidationError) as error:
        entries.publish_entry(draft, by=None)
    message = "".join(error.value.messages)
    assert "相似问法第 2 行「张伟」：姓名是个人信息，会出现在搜索联想里。" in message


def test_exceptions_and_disabled_rules_allow_a_phrasing(entry: Entry) -> None:
    StyleRule.objects.update_or_create(
        kind=StyleRule.Kind.CHECK,
        text="固定电话",
        defaults={"exceptions": "0571-87654321"},
    )
    entries.add_phrasing(entry, "0571-87654321没人接", by=None)
    with expect_refusal():
        entries.add_phrasing(entry, "0571-87654320没人接", by=None)
    StyleRule.objects.update_or_create(
        kind=StyleRule.Kind.CHECK,
        text="姓名",
        defaults={"severity": StyleRule.Severity.OFF},
    )
    entries.add_phrasing(entry, "我叫张三是什么梗", by=None)
    assert list_phrasings(entry) == ["0571-87654321没人接", "我叫张三是什么梗"]


@pytest.mark.parametrize(
    ("said", "offered"),
    [
        (SAID, "退款没到账"),
        ("我叫***,电话***,退款没到账", "退款没到账"),
        ("收件人张三写错了，怎么改", "收件人***写错了，怎么改"),
        ("李雷13987654321洗衣机漏水怎么修", "洗衣机漏水怎么修"),
        ("订单号20261130998877的退款什么时候到", "退款什么时候到"),
        ("电话：13812345678", "电话：***"),
        ("怎么改地址", "怎么改地址"),
    ],
)
def test_suggested_phrasing_leaves_out_personal_clauses(
    said: str, offered: str
) -> None:
    assert remove_personal_clauses(said) == offered
