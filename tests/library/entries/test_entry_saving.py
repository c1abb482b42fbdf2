"""Saving entries, their status transitions, and drafts made of questions."""

from __future__ import annotations

import pytest
from django.core.exceptions import PermissionDenied, ValidationError

from kb.library import entries
from kb.models import Entry, Phrasing, Question, Reply, User
from kb.questions import to_entries, triage
from tests.conftest import MakeEntry, MakeQuestion

pytestmark = pytest.mark.django_db
# Function of kb.library.entries: the statuses it starts from, and the one it leads to.
TRANSITIONS = {
    "submit_entry": ({"draft"}, "review"),
    "return_draft_to_author": ({"review"}, "draft"),
    "publish_entry": ({"draft", "review"}, "published"),
    "retire_entry": ({"draft", "review", "published"}, "retired"),
    "restore_entry": ({"retired"}, "draft"),
}


@pytest.mark.parametrize("status", Entry.Status.values)
@pytest.mark.parametrize("function", TRANSITIONS)
def test_only_listed_status_transitions_are_possible(
    make_entry: MakeEntry, editor: User, function: str, status: str
) -> None:
    entry = make_entry(status=status)
    allowed, target = TRANSITIONS[function]
    if status in allowed:
        assert getattr(entries, function)(entry, by=editor).status == target
        return
    with pytest.raises(ValidationError, match="不能改为"):
        getattr(entries, function)(entry, by=editor)
    entry.refresh_from_db()
    assert entry.status == status


@pytest.mark.parametrize("function", TRANSITIONS)
def test_agents_cannot_change_a_status(
    make_entry: MakeEntry, agent: User, function: str
) -> None:
    allowed, _ = TRANSITIONS[function]
    entry = make_entry(status=sorted(allowed)[0])
    with pytest.raises(PermissionDenied):
        getattr(entries, function)(entry, by=agent)


def test_public_entry_without_an_answer_cannot_be_published(
    make_entry: MakeEntry,
) -> None:
    entry = make_entry(answer="", status="draft", replies=["亲"])
    with pytest.raises(ValidationError, match="没有 FAQ 答案"):
        entries.publish_entry(entry, by=None)


def test_an_internal_entry_needs_an_answer_or_a_reply(make_entry: MakeEntry) -> None:
    silent = make_entry("一", answer="", audience="internal", status="draft")
    with pytest.raises(ValidationError, match="既没有"):
        entries.publish_entry(silent, by=None)
    Reply.objects.create(entry=silent, body="亲")
    assert entries.publish_entry(silent, by=None).status == "published"


def test_save_based_on_an_old_version_is_a_conflict(
    make_entry: MakeEntry, editor: User, lead: User
) -> None:
    entry = make_entry("旧问题")
    seen = entry.version
    entries.update_entry(entry, by=editor, based_on=seen, question="甲改的")
    with pytest.raises(ValidationError) as conflict:
        entries.update_entry(entry, by=lead, based_on=seen, question="乙改的")
    assert conflict.value.code == "conflict"
    entry.refresh_from_db()
    assert (entry.question, entry.updated_by) == ("甲改的", editor)


def test_saving_does_not_change_the_status(make_entry: MakeEntry, editor: User) -> None:
    entry = make_entry(status="draft")
    entry.status = Entry.Status.PUBLISHED
    entries.save_entry(entry, by=editor, based_on=entry.version)
    entry.refresh_from_db()
    assert entry.status == "draft"


def test_text_is_cleaned_on_save() -> None:
    entry = entries.create_draft(
        "  退货\u200b运费\x00\n谁出 ", by=None, answer="好\x00\n"
    )
    assert (entry.question, entry.answer) == ("退货运费 谁出", "好")


# From questions ------------------------------------------------------------------------


def test_adding_a_question_adds_a_phrasing_and_settles_it(
    make_entry: MakeEntry, make_question: MakeQuestion, editor: User
) -> None:
    entry, question = make_entry(), make_question("邮费算谁的呀")
    to_entries.add_question_to_entry(entry, question=question, by=editor)
    question.refresh_from_db()
    assert [p.text for p in entry.phrasings.all()] == ["邮费算谁的呀"]
    assert (question.status, question.entry, question.settled_by) == (
        "settled",
        entry,
        editor,
    )
    assert entry.questions.count() == 1


@pytest.mark.parametrize("phrasing", ["退货运费，谁承担", ""])
def test_adding_a_question_adds_no_duplicate_phrasing(
    make_entry: MakeEntry, make_question: MakeQuestion, editor: User, phrasing: str
) -> None:
    entry = make_entry("退货运费谁承担？")
    to_entries.add_question_to_entry(
        entry, question=make_question(), by=editor, phrasing=phrasing
    )
    assert not entry.phrasings.exists()


def test_draft_from_a_question_has_its_text_and_answer(
    make_question: MakeQuestion, editor: User
) -> None:
    question = make_question("杯子碎了\n运费谁出", answer="亲，我们出 {{运单号}}")
    entry = to_entries.draft_entry_from_question(question, by=editor)
    assert (entry.question, entry.answer) == (
        "杯子碎了 运费谁出",
        "亲，我们出 {{运单号}}",
    )
    assert [r.body for r in entry.replies.all()] == ["亲，我们出 {{运单号}}"]
    assert (entry.status, entry.audience, entry.created_by) == (
        "draft",
        "internal",
        editor,
    )
    question.refresh_from_db()
    assert question.entry == entry


def test_question_can_be_triaged_once(
    make_entry: MakeEntry, make_question: MakeQuestion, editor: User, lead: User
) -> None:
    entry, question = make_entry(), make_question()
    triage.decline_question(question, reason="重复", by=editor)
    with pytest.raises(ValidationError, match="不收录"):
        to_entries.add_question_to_entry(entry, question=question, by=lead)
    assert not entry.phrasings.exists()


def test_releasing_a_question_removes_its_phrasing(
    make_entry: MakeEntry, make_question: MakeQuestion, editor: User
) -> None:
    entry, question = make_entry(phrasings=["老问法"]), make_question("邮费算谁的呀")
    to_entries.add_question_to_entry(entry, question=question, by=editor)
    question.refresh_from_db()
    question = to_entries.release_question(question, by=editor)
    assert (question.status, question.entry) == ("answered", None)
    assert [p.text for p in entry.phrasings.all()] == ["老问法"]


def test_releasing_a_question_deletes_its_unedited_draft(
    make_question: MakeQuestion, editor: User
) -> None:
    question = make_question()
    to_entries.draft_entry_from_question(question, by=editor)
    question.refresh_from_db()
    to_entries.release_question(question, by=editor)
    assert not Entry.objects.exists()
    assert Question.objects.awaiting_triage().get() == question


def test_releasing_a_question_keeps_an_edited_draft(
    make_question: MakeQuestion, editor: User
) -> None:
    question = make_question()
    entry = to_entries.draft_entry_from_question(question, by=editor)
    entries.update_entry(entry, by=editor, based_on=entry.version, answer="写好了")
    question.refresh_from_db()
    to_entries.release_question(question, by=editor)
    assert Entry.objects.get().answer == "写好了"


def test_releasing_a_declined_question_clears_the_reason(
    make_question: MakeQuestion, editor: User
) -> None:
    question = triage.decline_question(make_question(), reason="无关", by=editor)
    question = to_entries.release_question(question, by=editor)
    assert (question.status, question.reason, question.settled_by) == (
        "answered",
        "",
        None,
    )


def test_declining_needs_a_reason(make_question: MakeQuestion, editor: User) -> None:
    with pytest.raises(ValidationError, match="原因"):
        triage.decline_question(make_question(), reason="  ", by=editor)


def test_agents_cannot_triage(
    make_entry: MakeEntry, make_question: MakeQuestion, agent: User
) -> None:
    question = make_question()
    with pytest.raises(PermissionDenied):
        to_entries.add_question_to_entry(make_entry(), question=question, by=agent)
    with pytest.raises(PermissionDenied):
        triage.decline_question(question, reason="无关", by=agent)
    assert not Phrasing.objects.exists()


def test_an_open_question_waits_once_it_is_answered(
    make_question: MakeQuestion, editor: User
) -> None:
    question = make_question(answer="")
    assert not Question.objects.awaiting_triage().exists()
    triage.answer_question(question, answer="亲，可以的", by=editor)
    assert Question.objects.awaiting_triage().get() == question
