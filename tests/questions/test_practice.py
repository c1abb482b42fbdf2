"""Practice (新人练习): real questions, masked; wrong answers come back sooner."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.test import Client
from django.utils import timezone

from kb.library import entries
from kb.models import (
    ROLE_AGENT,
    ROLE_EDITOR,
    Category,
    Entry,
    PracticeAttempt,
    Question,
    Reply,
    Search,
    User,
)
from kb.questions import practice, to_entries
from tests.conftest import MakeEntry, MakeQuestion

URL = "/console/practise/"
SCORES = "/console/practise/scores/"
pytestmark = pytest.mark.django_db
Ask = Callable[..., Question]


@pytest.fixture
def console(client: Client, agent: User) -> Client:
    client.force_login(agent)
    return client


@pytest.fixture
def settled(make_question: MakeQuestion) -> Ask:
    """Return a function that creates a question which an entry answers."""

    def make(
        entry: Entry,
        text: str = "寄回去的钱谁出呀",
        phrasing: str | None = None,
        **columns: Any,
    ) -> Question:
        question = make_question(text, **columns)
        to_entries.add_question_to_entry(
            entry, question=question, by=None, phrasing=phrasing
        )
        question.refresh_from_db()
        return question

    return make


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Callable[[timedelta], None]:
    """Return a function that lets time pass."""
    now = [timezone.now()]
    monkeypatch.setattr(timezone, "now", lambda: now[0])

    def wait(by: timedelta) -> None:
        now[0] += by

    return wait


def choose_question(user: User) -> Question | None:
    return practice.choose_next_question(user).question


# The pool ---------------------------------------------------------------------


def test_pool_contains_questions_of_readable_entries_only(
    make_entry: MakeEntry, make_question: MakeQuestion, settled: Ask, agent: User
) -> None:
    make_question("还没整理")
    make_question("还没回答", answer="")
    retired, draft = make_entry("下线？"), make_entry("草稿？", status="draft")
    for entry in (retired, draft):
        settled(entry, f"问{entry}")
    entries.retire_entry(retired, by=None)
    assert list(practice.list_practice_questions(agent)) == []
    assert choose_question(agent) is None
    internal = settled(make_entry("内部？", audience="internal"), "内部的问题")
    assert list(practice.list_practice_questions(agent)) == [internal]
    assert choose_question(agent) == internal


def test_numbers_and_addresses_of_customers_are_masked(
    console: Client, make_entry: MakeEntry, settled: Ask
) -> None:
    question = settled(
        make_entry(),
        "我是 13812345678，邮箱 a@b.cn，运费谁出",
        phrasing="运费谁出",
        answer="亲，138-1234-5678 已登记，我们出。",
    )
    page = console.get(URL).text
    assert "***，邮箱 ***，运费谁出" in page
    done = console.post(URL, {"question": question.pk}, follow=True).text
    for text in (page, done):
        for personal in ("13812345678", "a@b.cn", "138-1234-5678"):
            assert personal not in text


# The next question ------------------------------------------------------------------


def test_wrong_answer_comes_back_sooner_than_a_right_one(
    make_entry: MakeEntry, settled: Ask, agent: User, clock: Any
) -> None:
    one, two = make_entry("甲？"), make_entry("乙？")
    first, second = settled(one, "甲的问题"), settled(two, "乙的问题")
    practice.record_attempt(first, chosen=two, by=agent)
    practice.record_attempt(second, chosen=two, by=agent)
    turn = practice.choose_next_question(agent)
    assert turn.question is None
    assert turn.next_due_at == timezone.now() + timedelta(minutes=10)
    assert practice.choose_next_question(agent, allow_early=True).question == first
    clock(timedelta(minutes=10))
    assert choose_question(agent) == first
    practice.record_attempt(first, chosen=one, by=agent)
    assert choose_question(agent) is None
    clock(timedelta(days=1))
    assert choose_question(agent) == second


def test_due_question_comes_before_a_new_one(
    make_entry: MakeEntry, settled: Ask, agent: User, clock: Any
) -> None:
    entry = make_entry()
    missed, new = settled(entry, "问过一次"), settled(entry, "还没问过")
    practice.record_attempt(missed, chosen=None, by=agent)
    assert choose_question(agent) == new
    clock(timedelta(minutes=11))
    assert choose_question(agent) == missed


def test_three_right_answers_master_and_a_wrong_one_resets(
    make_entry: MakeEntry, settled: Ask, agent: User, clock: Any
) -> None:
    entry = make_entry()
    question = settled(entry)
    waits = []
    for chosen in (entry, entry, entry, None, entry):
        practice.record_attempt(question, chosen=chosen, by=agent)
        standing = practice.get_question_mastery(agent)[question.pk]
        waits.append(
            (standing.streak, standing.is_mastered, standing.due_at - timezone.now())
        )
        clock(timedelta(days=40))
    assert waits == [
        (1, False, timedelta(days=1)),
        (2, False, timedelta(days=3)),
        (3, True, timedelta(days=30)),
        (0, False, timedelta(minutes=10)),
        (1, False, timedelta(days=1)),
    ]


def test_new_questions_of_untried_entries_come_first(
    make_entry: MakeEntry, settled: Ask, agent: User
) -> None:
    now: datetime = timezone.now()
    one, two = make_entry("甲？"), make_entry("乙？")
    latest = settled(one, "甲最新", asked_at=now)
    settled(one, "甲次新", asked_at=now - timedelta(hours=1))
    oldest = settled(two, "乙最老", asked_at=now - timedelta(days=9))
    assert choose_question(agent) == latest
    practice.record_attempt(latest, chosen=one, by=agent)
    assert choose_question(agent) == oldest


def test_mastery_is_per_user(
    make_entry: MakeEntry, settled: Ask, agent: User, make_user: Callable[..., User]
) -> None:
    entry = make_entry()
    question = settled(entry)
    practice.record_attempt(question, chosen=entry, by=agent)
    assert choose_question(make_user("other", ROLE_AGENT)) == question


# Answering --------------------------------------------------------------------------


def test_page_says_whether_the_choice_was_right(
    console: Client, make_entry: MakeEntry, settled: Ask, agent: User
) -> None:
    right = make_entry("退货运费谁承担？", replies=["亲，我们出。"])
    wrong = make_entry("退货寄到哪里？", replies=["亲，寄到 {{退货地址}}。"])
    question = settled(right, "寄回去的钱谁出", answer="当时说我们出")
    missed = console.post(
        URL, {"question": question.pk, "entry": wrong.pk}, follow=True
    )
    for said in (
        "不是这一条",
        "该用这条",
        "亲，我们出。",
        "您选的",
        "退货寄到哪里？",
        "当时说我们出",
        "10 分钟后再来",
    ):
        assert said in missed.text, said
    hit = console.post(URL, {"question": question.pk, "entry": right.pk}, follow=True)
    assert "对了，就是这一条" in hit.text
    assert "退货寄到哪里？" not in hit.text
    assert [p.right for p in PracticeAttempt.objects.order_by("pk")] == [False, True]


def test_showing_the_answer_counts_as_wrong(
    console: Client, make_entry: MakeEntry, settled: Ask
) -> None:
    question = settled(make_entry())
    page = console.post(URL, {"question": question.pk}, follow=True)
    assert "先看答案" in page.text
    row = PracticeAttempt.objects.get()
    assert (row.chosen, row.right) == (None, False)


def test_practice_search_equals_the_console_and_is_not_recorded(
    console: Client, make_entry: MakeEntry, settled: Ask
) -> None:
    entry = make_entry("退货运费谁承担？", replies=["亲，{{运单号}} 我们出。"])
    question = settled(entry)
    for words in ("退货运费", "thyf"):
        page = console.get(URL, {"question": question.pk, "q": words})
        assert f'value="{entry.pk}"' in page.text
        assert "亲，〔运单号〕 我们出。" in page.text
    part = console.get(f"{URL}?question={question.pk}&q=发票&fragment=results")
    assert "<html" not in part.text
    assert not Search.objects.exists()


def test_practice_shows_no_private_replies_of_others(
    console: Client, make_entry: MakeEntry, settled: Ask, make_user: Callable[..., User]
) -> None:
    entry = make_entry("退货运费谁承担？")
    other = make_user("other", ROLE_AGENT)
    Reply.objects.create(entry=entry, owner=other, title="我的", body="别人的悄悄话")
    question = settled(entry)
    found = console.get(f"{URL}?question={question.pk}&q=退货运费").text
    done = console.post(URL, {"question": question.pk}, follow=True).text
    assert f'value="{entry.pk}"' in found
    assert "悄悄话" not in found + done


def test_entry_not_in_force_is_not_practised(
    make_entry: MakeEntry, settled: Ask, agent: User
) -> None:
    entry = make_entry()
    settled(entry)
    yesterday = timezone.now() - timedelta(days=1)
    Entry.objects.filter(pk=entry.pk).update(valid_until=yesterday)
    assert choose_question(agent) is None


@pytest.mark.parametrize(
    "sent",
    [
        {},
        {"question": "x"},
        {"question": 2**63},
        {"question": 999_999},
        {"question": "-1"},
    ],
)
def test_question_outside_the_pool_gets_a_message(
    console: Client, sent: dict[str, Any]
) -> None:
    page = console.post(URL, sent, follow=True)
    assert "已经不在题库里了" in page.text
    assert not PracticeAttempt.objects.exists()


def test_deleted_entry_cannot_be_chosen(
    console: Client, make_entry: MakeEntry, settled: Ask
) -> None:
    question, draft = settled(make_entry()), make_entry("草稿？", status="draft")
    for entry in (draft.pk, 999_999):
        sent = {"question": question.pk, "entry": entry, "q": "运费"}
        page = console.post(URL, sent, follow=True)
        assert "请另选一条" in page.text
        assert 'value="运费"' in page.text
    assert not PracticeAttempt.objects.exists()


def test_record_attempt_refuses_questions_outside_the_pool(
    make_question: MakeQuestion, agent: User
) -> None:
    with pytest.raises(ValidationError, match="不在题库"):
        practice.record_attempt(make_question(), chosen=None, by=agent)


def test_empty_pool_says_what_to_do(console: Client, editor: User) -> None:
    page = console.get(URL).text
    assert "题库还是空的" in page
    assert "/desk/inbox/" not in page  # an agent cannot do that
    desk = Client()
    desk.force_login(editor)
    assert "/desk/inbox/" in desk.get(URL).text


def test_page_says_when_the_next_question_is_due(
    console: Client, make_entry: MakeEntry, settled: Ask
) -> None:
    entry = make_entry()
    question = settled(entry)
    console.post(URL, {"question": question.pk, "entry": entry.pk})
    page = console.get(URL).text
    assert "下一题 1 天后" in page
    assert f'value="{question.pk}"' in console.get(URL + "?again=1").text


# Scores --------------------------------------------------------------------------------


def test_score_lists_categories_with_mistakes(
    console: Client, make_entry: MakeEntry, settled: Ask, agent: User
) -> None:
    freight = Category.objects.create(name="运费")
    bills = Category.objects.create(name="发票")
    one = make_entry("运费谁出？", category=freight)
    two = make_entry("怎么开票？", category=bills)
    for n in range(3):
        practice.record_attempt(settled(one, f"运费{n}"), chosen=two, by=agent)
    practice.record_attempt(settled(two, "开票"), chosen=two, by=agent)
    score = practice.compute_practice_score(agent)
    assert (score.attempt_count, score.correct_count, score.percent) == (4, 1, 25)
    assert (score.attempts_today, score.correct_today, score.question_count) == (
        4,
        1,
        4,
    )
    assert [(s.category, s.wrong_count, s.percent) for s in score.category_scores] == [
        (freight, 3, 0),
        (bills, 0, 100),
    ]
    assert score.missed_entries == [one]
    page = console.get(SCORES).text
    assert f"/console/?category={freight.pk}" in page
    assert f"/console/?entry={one.pk}" in page


def test_learned_entry_is_no_longer_listed_as_missed(
    make_entry: MakeEntry, settled: Ask, agent: User
) -> None:
    entry = make_entry()
    question = settled(entry)
    practice.record_attempt(question, chosen=None, by=agent)
    assert practice.compute_practice_score(agent).missed_entries == [entry]
    practice.record_attempt(question, chosen=entry, by=agent)
    assert practice.compute_practice_score(agent).missed_entries == []


def test_retired_entry_is_not_listed_as_missed(
    make_entry: MakeEntry, settled: Ask, agent: User
) -> None:
    entry = make_entry()
    practice.record_attempt(settled(entry), chosen=None, by=agent)
    entries.retire_entry(entry, by=None)
    assert practice.compute_practice_score(agent).missed_entries == []


def test_score_is_for_its_user_and_leads_only(
    client: Client,
    make_entry: MakeEntry,
    settled: Ask,
    lead: User,
    make_user: Callable[..., User],
) -> None:
    agent, other = make_user("agent", ROLE_AGENT), make_user("other", ROLE_AGENT)
    editor = make_user("editor", ROLE_EDITOR, is_staff=True)
    practice.record_attempt(settled(make_entry()), chosen=None, by=agent)
    for viewer, status in ((other, 403), (editor, 403), (lead, 200), (agent, 200)):
        client.force_login(viewer)
        assert client.get(SCORES, {"person": agent.pk}).status_code == status, viewer
        listed = "大家的成绩" in client.get(SCORES).text
        assert listed is (viewer == lead), viewer
    client.force_login(lead)
    assert client.get(SCORES, {"person": 999_999}).status_code == 404
    assert client.get(SCORES, {"person": 2**63}).status_code == 200  # as not given
    assert str(agent) in client.get(SCORES).text


def test_outcome_is_for_its_user_only(
    client: Client,
    make_entry: MakeEntry,
    settled: Ask,
    agent: User,
    make_user: Callable[..., User],
) -> None:
    attempt = practice.record_attempt(settled(make_entry()), chosen=None, by=agent)
    client.force_login(make_user("other", ROLE_AGENT))
    assert client.get(URL, {"done": attempt.pk}).status_code == 404
    assert client.get(URL, {"done": 999_999}).status_code == 404
    client.force_login(agent)
    assert client.get(URL, {"done": attempt.pk}).status_code == 200


def test_practice_is_for_agents_only(
    client: Client, make_user: Callable[..., User]
) -> None:
    for address in (URL, SCORES):
        assert client.get(address).status_code == 302
    client.force_login(make_user("customer"))
    for address in (URL, SCORES):
        assert client.get(address).status_code == 403
    assert client.post(URL, {}).status_code == 403
