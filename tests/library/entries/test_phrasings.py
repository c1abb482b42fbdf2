"""Phrasings change what readers find: without the right to publish they are proposed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import AnonymousUser
from django.core.exceptions import ValidationError
from django.test import Client

from kb import search, usage
from kb.index import sync
from kb.library import entries
from kb.models import (
    ROLE_EDITOR,
    ROLE_WRITER,
    Category,
    CategoryPermission,
    Entry,
    Evidence,
    Phrasing,
    Question,
    Review,
    SearchGap,
    User,
)
from kb.questions import to_entries
from tests.conftest import MakeEntry, MakeQuestion

pytestmark = pytest.mark.django_db


@pytest.fixture
def writer(make_user: Callable[..., User]) -> User:
    """Return a user who may triage and write, and not publish."""
    return make_user("writer", ROLE_WRITER, is_staff=True)


def list_phrasings(entry: Entry) -> set[str]:
    return set(entry.phrasings.values_list("text", flat=True))


def list_pending_phrasings(entry: Entry) -> list[str]:
    review = entries.get_pending_change(entry)
    return [] if review is None else entries.merge_proposed_change(review)["phrasings"]


def test_question_added_by_a_writer_is_settled_and_its_phrasing_proposed(
    make_entry: MakeEntry, make_question: MakeQuestion, writer: User, editor: User
) -> None:
    entry = make_entry("退货运费谁承担？")
    first, second = make_question("邮费谁掏"), make_question("邮费谁给")
    outcome = to_entries.add_question_to_entry(entry, question=first, by=writer)
    to_entries.add_question_to_entry(entry, question=second, by=writer)
    assert isinstance(outcome, Review)
    assert entry.questions.count() == 2
    assert (list_phrasings(entry), list_pending_phrasings(entry)) == (
        set(),
        ["邮费谁掏", "邮费谁给"],
    )
    sync.sync_all_marks()
    assert not search.search_entries("邮费谁掏", user=AnonymousUser()).hits
    review = entries.get_pending_change(entry)
    assert review is not None
    entries.approve_review(review, by=editor)
    assert list_phrasings(entry) == {"邮费谁掏", "邮费谁给"}


@pytest.mark.parametrize("status", ["draft", "review"])
def test_unpublished_entry_gets_phrasings_at_once(
    make_entry: MakeEntry, make_question: MakeQuestion, writer: User, status: str
) -> None:
    entry = make_entry(status=status)
    to_entries.add_question_to_entry(
        entry, question=make_question("邮费谁掏"), by=writer
    )
    assert list_phrasings(entry) == {"邮费谁掏"}


def test_known_phrasing_is_not_proposed(
    make_entry: MakeEntry, make_question: MakeQuestion, writer: User
) -> None:
    entry = make_entry("退货运费谁承担？")
    entries.add_phrasing(entry, "邮费谁掏", by=None)
    for words in ("邮费谁掏？", "退货运费谁承担"):
        question = make_question("别的话")
        assert (
            to_entries.add_question_to_entry(
                entry, question=question, by=writer, phrasing=words
            )
            is None
        )
    assert entries.get_pending_change(entry) is None


def test_proposed_phrasing_joins_the_pending_change(
    make_entry: MakeEntry, writer: User
) -> None:
    entry = make_entry(answer="旧的答案。")
    wanted = entries.take_snapshot(entry) | {"answer": "新的答案。"}
    review = entries.propose_change(entry, wanted, by=writer, note="改答案")
    entries.add_phrasing(entry, "邮费谁掏", by=writer)
    entries.add_phrasing(entry, "邮费谁掏？", by=writer)  # the same
    review.refresh_from_db()
    merged = entries.merge_proposed_change(review)
    assert (merged["answer"], merged["phrasings"]) == ("新的答案。", ["邮费谁掏"])
    assert (review.note, review.edition) == ("改答案", 2)


def test_releasing_a_question_removes_its_proposed_phrasing(
    make_entry: MakeEntry, make_question: MakeQuestion, writer: User
) -> None:
    entry = make_entry()
    first, second = make_question("邮费谁掏"), make_question("邮费谁给")
    for question in (first, second):
        to_entries.add_question_to_entry(entry, question=question, by=writer)
    to_entries.release_question(Question.objects.get(pk=first.pk), by=writer)
    assert list_pending_phrasings(entry) == ["邮费谁给"]
    to_entries.release_question(Question.objects.get(pk=second.pk), by=writer)
    assert entries.get_pending_change(entry) is None
    assert entry.reviews.get().state == "withdrawn"


def test_writer_cannot_remove_published_phrasings(
    make_entry: MakeEntry, make_question: MakeQuestion, writer: User, editor: User
) -> None:
    entry, question = make_entry(), make_question("邮费谁掏")
    to_entries.add_question_to_entry(entry, question=question, by=editor)
    with pytest.raises(ValidationError, match="发布权限"):
        to_entries.release_question(Question.objects.get(pk=question.pk), by=writer)
    assert list_phrasings(entry) == {"邮费谁掏"}
    to_entries.release_question(Question.objects.get(pk=question.pk), by=editor)
    assert list_phrasings(entry) == set()


def test_phrasing_outside_permitted_categories_is_refused(
    client: Client,
    make_user: Callable[..., User],
    make_entry: MakeEntry,
    make_question: MakeQuestion,
) -> None:
    here, there = (Category.objects.create(name=name) for name in ("售后", "售前"))
    restricted = make_user("held", ROLE_EDITOR)
    for right in ("write", "publish"):
        CategoryPermission.objects.create(user=restricted, category=there, right=right)
    entry, question = make_entry(category=here), make_question("邮费谁掏")
    client.force_login(restricted)
    address = f"/desk/inbox/{question.pk}/merge/"
    page = client.post(address, {"entry": entry.pk, "phrasing": "邮费"}, follow=True)
    assert "「售后」分类不在您可以撰写的范围里" in page.content.decode()
    assert not entry.questions.exists()
    client.post(address, {"entry": entry.pk, "phrasing": ""})
    assert entry.questions.get() == question
    assert not Phrasing.objects.exists()


@pytest.mark.parametrize(
    ("who", "message"), [("writer", "提交审核"), ("editor", "已并入")]
)
def test_inbox_shows_the_outcome_of_the_phrasing(
    request: Any,
    client: Client,
    make_entry: MakeEntry,
    make_question: MakeQuestion,
    who: str,
    message: str,
) -> None:
    client.force_login(request.getfixturevalue(who))
    entry, question = make_entry(), make_question("邮费谁掏")
    page = client.post(
        f"/desk/inbox/{question.pk}/merge/", {"entry": entry.pk}, follow=True
    )
    assert message in page.content.decode()
    assert ("提交审核" in page.content.decode()) == (who == "writer")


def test_learned_words_are_proposed_once(
    client: Client, make_entry: MakeEntry, writer: User, editor: User
) -> None:
    entry = make_entry()
    for side in ("public", "staff"):
        row = Evidence(entry=entry, words="邮费谁掏", side=side, level=9, people=3)
        row.save()
    client.force_login(writer)
    data = {"words": row.words_key, "do": "accept"}
    page = client.post(f"/desk/phrasings/{entry.pk}/", data, follow=True)
    assert "提交审核" in page.content.decode()
    assert usage.list_phrasing_proposals() == []
    review = entries.get_pending_change(entry)
    assert review is not None
    entries.reject_review(review, by=editor, reason="不像话")
    assert [item.words for item in usage.list_phrasing_proposals()] == ["邮费谁掏"]


def test_gap_waits_for_its_proposed_phrasing(
    client: Client, make_entry: MakeEntry, writer: User
) -> None:
    entry = make_entry()
    gap = SearchGap.objects.create(words="邮费谁掏", side="public", misses=9, empty=9)
    client.force_login(writer)
    data = {"do": "phrasing", "entry": entry.pk}
    page = client.post(f"/desk/gaps/{gap.pk}/", data, follow=True)
    assert "提交审核" in page.content.decode()
    gap.refresh_from_db()
    assert (gap.status, gap.entry) == ("proving", entry)
    assert (list_phrasings(entry), list_pending_phrasings(entry)) == (
        set(),
        ["邮费谁掏"],
    )
