"""A phrasing is read by everybody: no door lets personal data through."""

from __future__ import annotations

from typing import Any

import pytest
from django.core.exceptions import ValidationError

from kb import entries, feedback, gaps, merging
from kb.models import (
    Entry,
    Gap,
    GapSpelling,
    Phrasing,
    Pick,
    Question,
    Review,
    Side,
    User,
    WordingRule,
)
from kb.text import normalize
from kb.text.personal import offer_as_phrasing
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


def phrasings(entry: Entry) -> list[str]:
    return list(entry.phrasings.values_list("text", flat=True))


def refuse() -> Any:
    return pytest.raises(ValidationError, match="相似问法里有")


@pytest.mark.parametrize("text", PERSONAL)
def test_adding_a_phrasing_refuses_personal_data(
    entry: Entry, editor: User, text: str
) -> None:
    with refuse():
        entries.add_phrasing(entry, text, by=editor)
    with refuse():
        entries.draft("退款？", by=None, answer="三天。", phrasings=[text])
    with refuse():
        phrasing = Phrasing(entry=entry, text=text, text_key=normalize.key(text))
        entries.store([], [], phrasings=[phrasing], by=None)
    assert phrasings(entry) == []


def test_the_sentence_names_what_and_where(entry: Entry) -> None:
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
        entries.absorb(entry, question=question, by=None)
    with refuse():
        entries.absorb(entry, question=question, by=None, phrasing="我叫张伟，到账了吗")
    with pytest.raises(ValidationError, match=r"相似问法里还有 \*\*\*"):
        entries.absorb(entry, question=question, by=None, phrasing="***退款没到账")
    question.refresh_from_db()
    assert question.status == Question.Status.ANSWERED
    entries.absorb(entry, question=question, by=None, phrasing="退款没到账")
    assert phrasings(entry) == ["退款没到账"]


def test_a_draft_of_a_question_has_no_personal_data(
    make_question: MakeQuestion,
) -> None:
    question = make_question(SAID, "亲，张女士，13812345678 的退款三天到。")
    made = entries.draft_from(question, by=None)
    assert made.question == "退款没到账"
    assert made.answer == "亲，***女士，*** 的退款三天到。"
    assert made.replies.get().body == made.answer


def test_a_proposal_refuses_personal_data(
    entry: Entry, make_user: Any, settings: Any
) -> None:
    writer = make_user("writer", "撰稿", is_staff=True)
    with refuse():
        entries.add_phrasing(entry, PERSONAL[0], by=writer)
    said = entries.content(entry) | {"phrasings": [PERSONAL[1]]}
    with refuse():
        entries.propose(entry, said, by=writer)
    assert not Review.objects.exists()


def test_a_gap_becomes_a_phrasing_in_words_of_an_editor(
    entry: Entry, editor: User
) -> None:
    gap = Gap.objects.create(words="我叫张伟退款没到账", side=Side.PUBLIC)
    with refuse():
        gaps.add_phrasing(gap, entry, by=editor)
    with pytest.raises(ValidationError, match=r"\*\*\*"):
        gaps.add_phrasing(gap, entry, by=editor, words="***退款没到账")
    gaps.add_phrasing(gap, entry, by=editor, words="退款没到账")
    assert phrasings(entry) == ["退款没到账"]


def test_a_draft_of_a_gap_has_no_personal_data(editor: User) -> None:
    gap = Gap.objects.create(words="我叫张伟，退款没到账", side=Side.PUBLIC)
    for words in (
        "我叫张伟，退款没到账",
        "李雷13987654321退款",
        "***退钱没到",
        "退款还没到",
    ):
        GapSpelling.objects.create(
            gap=gap, words=words, words_key=normalize.key(words), side=gap.side
        )
    made = gaps.draft(gap, by=editor)
    assert made.question == "退款没到账"
    assert phrasings(made) == ["退款", "退钱没到", "退款还没到"]


def test_learned_words_are_taken_as_an_editor_writes_them(
    entry: Entry, editor: User
) -> None:
    for person in "abc":  # as it was kept before names were masked
        row = Pick(entry=entry, side=Side.PUBLIC, person=person, kind="copied")
        row.words = "客服小林退款没到账"
        row.save()
    feedback.learn()
    key = normalize.key("客服小林退款没到账")
    with refuse():
        feedback.accept(entry, words_key=key, by=editor, words="我叫张伟，退款没到账")
    words, _ = feedback.accept(entry, words_key=key, by=editor, words="退款没到账")
    assert words == "退款没到账"
    assert phrasings(entry) == ["退款没到账"]
    assert not feedback.proposed().exists()


def test_merging_entries_refuses_what_a_draft_may_hold(
    entry: Entry, make_entry: MakeEntry
) -> None:
    other = make_entry("钱退了吗？", "退了。", status="draft")
    Phrasing.objects.create(entry=other, text=PERSONAL[0])
    with pytest.raises(
        ValidationError, match="「钱退了吗？」的相似问法里有姓名「张伟」"
    ):
        merging.merge(entry, other, by=None)
    assert phrasings(entry) == []


def test_a_published_entry_with_one_is_not_published_again(
    make_entry: MakeEntry,
) -> None:
    draft = make_entry("退款多久？", "三天。", status="draft")
    Phrasing.objects.create(entry=draft, text="到账没有")
    Phrasing.objects.create(entry=draft, text=PERSONAL[0])
    with pytest.raises(ValidationError) as error:
        entries.publish(draft, by=None)
    told = "".join(error.value.messages)
    assert "相似问法第 2 行「张伟」：姓名是个人信息，会出现在搜索联想里。" in told


def test_a_number_of_the_house_may_be_asked_about(entry: Entry) -> None:
    WordingRule.objects.update_or_create(
        kind=WordingRule.Kind.CHECK,
        text="固定电话",
        defaults={"exceptions": "0571-87654321"},
    )
    entries.add_phrasing(entry, "0571-87654321没人接", by=None)
    with refuse():
        entries.add_phrasing(entry, "0571-87654320没人接", by=None)
    WordingRule.objects.update_or_create(
        kind=WordingRule.Kind.CHECK,
        text="姓名",
        defaults={"severity": WordingRule.Severity.OFF},
    )
    entries.add_phrasing(entry, "我叫张三是什么梗", by=None)
    assert phrasings(entry) == ["0571-87654321没人接", "我叫张三是什么梗"]


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
def test_what_is_offered_leaves_out_who_somebody_is(said: str, offered: str) -> None:
    assert offer_as_phrasing(said) == offered
