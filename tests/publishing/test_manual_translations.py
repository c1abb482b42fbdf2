"""A manual translation obeys the rules of the answer: category permissions, review, style, history."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.test import Client

from kb.index import sync
from kb.library import entries
from kb.models import (
    ROLE_EDITOR,
    ROLE_WRITER,
    AuditEvent,
    Category,
    CategoryPermission,
    Entry,
    EntryTranslation,
    Review,
    StyleRule,
    User,
)
from kb.models.category_permission import CategoryRight
from kb.publishing import translations
from tests.conftest import MakeEntry

pytestmark = pytest.mark.django_db
PHONE = "请拨打 13812345678"


@pytest.fixture
def entry(make_entry: MakeEntry) -> Entry:
    StyleRule.objects.create(kind="check", text="手机号", severity="error")
    made = make_entry("网络断了怎么办？", "重启路由器。")
    sync.sync_all_marks()
    return made


@pytest.fixture
def writer(make_user: Callable[..., User]) -> User:
    return make_user("writer", ROLE_WRITER, is_staff=True)


def where(entry: Entry) -> str:
    return f"/admin/kb/entrytranslation/{entry.translation.pk}/change/"


def sent(entry: Entry, **typed: str) -> dict[str, Any]:
    version = Entry.objects.get(pk=entry.pk).version
    return {"own_question": "", "own_answer": "", "based_on": version, **typed}


def own(entry: Entry) -> str:
    return str(EntryTranslation.objects.get(entry=entry).own_answer)


def test_a_translation_is_a_version_with_an_author(
    client: Client, editor: User, entry: Entry
) -> None:
    client.force_login(editor)
    data = sent(entry, own_answer="重開機。")
    assert client.post(where(entry), data).status_code == 302
    now = Entry.objects.get(pk=entry.pk)
    revision = entries.list_entry_revisions(now)[0]
    assert (revision.version, revision.act, revision.by) == (
        entry.version + 1,
        "translated",
        editor,
    )
    assert revision.content["hant_answer"] == "重開機。"
    page = client.get(f"/desk/history/{entry.pk}/").content.decode()
    assert "繁體答案" in page
    assert "<ins>重開機。</ins>" in page
    assert AuditEvent.objects.filter(
        by=editor, act="changed", what__contains=now.question
    )
    assert (
        "重開機" in client.get(f"/zh-hant/q/{entry.pk}/", follow=True).content.decode()
    )


def test_a_translation_comes_back_with_its_version(entry: Entry, editor: User) -> None:
    first = entries.translate_entry(entry, question="", answer="重開機。", by=editor)
    assert isinstance(first, Entry)
    second = entries.translate_entry(first, question="斷網？", answer="", by=editor)
    assert isinstance(second, Entry)
    kept = second.revisions.get(version=first.version)
    entries.revert_entry(kept, by=editor, based_on=second.version)
    translation = EntryTranslation.objects.get(entry=entry)
    assert (translation.own_question, translation.own_answer) == ("", "重開機。")


def test_a_version_of_before_leaves_the_translation_alone(
    entry: Entry, editor: User
) -> None:
    old = entries.update_entry(entry, by=editor, based_on=entry.version, answer="旧")
    kept = old.revisions.get(version=old.version)
    kept.content = {k: v for k, v in kept.content.items() if not k.startswith("hant")}
    kept.save()
    now = entries.translate_entry(old, question="", answer="重開機。", by=editor)
    assert isinstance(now, Entry)
    said = [
        one.name
        for one in entries.compare_snapshots(entries.take_snapshot(now), kept.content)
    ]
    assert said == []  # what a restored version leaves alone is no difference
    entries.revert_entry(kept, by=editor, based_on=now.version)
    assert own(entry) == "重開機。"


def test_who_may_not_publish_proposes_a_translation(
    client: Client, make_user: Callable[..., User], entry: Entry, lead: User
) -> None:
    """Publishing is held to another branch: what is live stays until it is approved."""
    place = Category.objects.create(name="售前")
    proposer = make_user("proposer", ROLE_EDITOR, is_staff=True)
    CategoryPermission.objects.create(
        user=proposer, category=place, right=CategoryRight.PUBLISH
    )
    client.force_login(proposer)
    assert "保存就是提交审核" in client.get(where(entry)).content.decode()
    response = client.post(where(entry), sent(entry, own_answer="重開機。"))
    review = Review.objects.get()
    assert response.headers["Location"] == f"/desk/reviews/?review={review.pk}"
    assert own(entry) == ""
    assert Entry.objects.get(pk=entry.pk).version == entry.version
    assert "重開機。" in client.get(where(entry)).content.decode()  # to go on with
    with pytest.raises(ValidationError):
        entries.approve_review(review, by=proposer)
    client.force_login(lead)
    page = client.get(f"/desk/reviews/?review={review.pk}").content.decode()
    assert "<ins>重開機。</ins>" in page
    entries.approve_review(review, by=lead)
    assert own(entry) == "重開機。"
    sync.sync_all_marks()
    assert EntryTranslation.objects.get(entry=entry).excerpt == "重開機。"


def test_a_proposed_translation_joins_what_waits_already(
    entry: Entry, writer: User, lead: User
) -> None:
    said = entries.take_snapshot(entry) | {"answer": "换一台。"}
    entries.propose_change(entry, said, by=writer)
    other = entries.translate_entry(entry, question="", answer="換一台。", by=writer)
    assert isinstance(other, Review)
    assert other.content is not None
    assert other.content["answer"] == "换一台。"
    entries.approve_review(other, by=lead)
    translation = EntryTranslation.objects.get(entry=entry)
    assert (translation.own_answer, translation.entry.answer) == (
        "換一台。",
        "换一台。",
    )
    assert not translation.behind


def test_outside_of_permitted_categories_a_translation_is_read_only(
    client: Client, make_user: Callable[..., User], entry: Entry
) -> None:
    bound = make_user("bound", ROLE_EDITOR, is_staff=True)
    place = Category.objects.create(name="售前")
    for right in CategoryRight:
        CategoryPermission.objects.create(user=bound, category=place, right=right)
    client.force_login(bound)
    page = client.get(where(entry)).content.decode()
    assert 'name="own_answer"' not in page
    data = sent(entry, own_answer="看 [這裡](https://evil.example/)")
    assert client.post(where(entry), data).status_code == 403
    with pytest.raises(ValidationError, match="范围"):
        entries.translate_entry(entry, question="", answer="改", by=bound)
    assert own(entry) == ""


def test_agents_translate_nothing(entry: Entry, agent: User) -> None:
    with pytest.raises(PermissionDenied):
        entries.translate_entry(entry, question="", answer="改", by=agent)


def test_what_must_not_be_said_is_not_said_in_a_translation(
    client: Client, editor: User, entry: Entry
) -> None:
    client.force_login(editor)
    page = client.post(where(entry), sent(entry, own_answer=PHONE)).content.decode()
    assert "繁體答案" in page
    assert "13812345678" in page  # it stays in the form
    assert own(entry) == ""
    with pytest.raises(ValidationError, match="13812345678"):
        entries.translate_entry(entry, question="", answer=PHONE, by=editor)


def test_nothing_is_published_with_a_translation_that_must_not_be_said(
    entry: Entry, editor: User
) -> None:
    draft = entries.restore_entry(entries.retire_entry(entry, by=None), by=None)
    entries.translate_entry(draft, question="", answer=PHONE, by=editor)
    with pytest.raises(ValidationError, match="繁體答案"):
        entries.publish_entry(draft, by=None)


def test_a_stale_translation_is_not_saved_over_a_newer_one(
    client: Client, editor: User, lead: User, entry: Entry
) -> None:
    client.force_login(editor)
    stale = sent(entry, own_answer="我的")
    entries.translate_entry(entry, question="", answer="别人的", by=lead)
    page = client.post(where(entry), stale).content.decode()
    assert "我的" in page
    assert "别人的" in page
    assert own(entry) == "别人的"
    assert client.post(where(entry), sent(entry, own_answer="我的")).status_code == 302
    assert own(entry) == "我的"


def test_an_unchanged_translation_makes_no_version(
    client: Client, editor: User, entry: Entry
) -> None:
    client.force_login(editor)
    assert client.post(where(entry), sent(entry)).status_code == 302
    assert Entry.objects.get(pk=entry.pk).version == entry.version


def test_the_history_of_a_translation_is_that_of_its_entry(
    client: Client, editor: User, entry: Entry
) -> None:
    client.force_login(editor)
    response = client.get(f"/admin/kb/entrytranslation/{entry.translation.pk}/history/")
    assert response.headers["Location"] == f"/desk/history/{entry.pk}/"


def test_a_translation_of_a_draft_is_its_last_authors(
    make_entry: MakeEntry, editor: User, lead: User
) -> None:
    draft = entries.create_draft("草稿？", by=lead, answer="答案")
    entries.translate_entry(draft, question="", answer="答覆", by=editor)
    assert not entries.can_approve_entry(draft, by=editor)
    assert entries.can_approve_entry(draft, by=lead)


def test_the_machine_writes_no_version(entry: Entry) -> None:
    translations.store_translations([entry.pk])
    assert Entry.objects.get(pk=entry.pk).version == entry.version
