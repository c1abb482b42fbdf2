"""Reviews: nothing is published without a second person, and no text is lost."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import AnonymousUser, Group, Permission
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from kb import search
from kb.index import sync
from kb.library import autosave, entries
from kb.models import (
    ROLE_EDITOR,
    ROLE_WRITER,
    Category,
    CategoryPermission,
    CategoryRight,
    Entry,
    Reply,
    Review,
    User,
)
from kb.models.category_permission import PERMISSION_FOR_RIGHT, list_users_with_right
from kb.quality import work_queue
from tests.admin_forms import get_change_url as where
from tests.admin_forms import post_change as change
from tests.admin_forms import read_form as filled
from tests.conftest import MakeEntry

pytestmark = pytest.mark.django_db
BACKEND = "django.contrib.auth.backends.ModelBackend"


@pytest.fixture
def writer(make_user: Callable[..., User]) -> User:
    """Return a user who may write and not publish."""
    return make_user("writer", ROLE_WRITER, is_staff=True)


@pytest.fixture
def written(client: Client, writer: User) -> Client:
    client.force_login(writer)
    return client


def propose(entry: Entry, by: User | None, **said: Any) -> Review:
    wanted = entries.take_snapshot(entry) | said
    return entries.propose_change(entry, wanted, by=by)


# Who may publish what ------------------------------------------------------------


def test_reviewers_are_the_users_with_django_permission(
    make_user: Callable[..., User], writer: User, editor: User, lead: User
) -> None:
    make_user("root", is_superuser=True)
    make_user("gone", ROLE_EDITOR, is_active=False)
    own = make_user("own")
    own.user_permissions.add(Permission.objects.get(codename="publish_entry"))
    for right, permission in PERMISSION_FOR_RIGHT.items():
        django = User.objects.with_perm(permission, backend=BACKEND)
        assert list_users_with_right(right, None) == list(django.order_by("pk"))
    assert own in list_users_with_right(CategoryRight.PUBLISH, None)


def test_own_text_is_not_published_while_another_approver_exists(
    make_entry: MakeEntry, editor: User, lead: User
) -> None:
    entry = entries.create_draft("我写的？", by=editor, answer="答")
    with pytest.raises(ValidationError) as refused:
        entries.publish_entry(entry, by=editor)
    assert refused.value.code == "own"
    assert entries.publish_entry(entry, by=lead).status == "published"


def test_returned_draft_still_counts_as_text_of_its_author(
    editor: User, lead: User
) -> None:
    entry = entries.create_draft("我写的？", by=editor, answer="答")
    entry = entries.submit_entry(entry, by=editor)
    entry = entries.return_draft_to_author(entry, by=lead, note="再想想")
    with pytest.raises(ValidationError, match="别人审核"):
        entries.publish_entry(entry, by=editor)


def test_single_approver_publishes_own_text(editor: User) -> None:
    entry = entries.create_draft("我写的？", by=editor, answer="答")
    assert entries.publish_entry(entry, by=editor).status == "published"


@pytest.mark.parametrize(("setting", "allowed"), [("on", True), ("off", False)])
def test_setting_on_allows_self_approval(
    settings: Any, editor: User, setting: str, allowed: bool
) -> None:
    settings.KB_SELF_APPROVAL = setting
    User.objects.exclude(pk=editor.pk).delete()
    entry = entries.create_draft("我写的？", by=editor, answer="答")
    assert entries.can_approve_entry(entry, by=editor) is allowed
    assert entries.publish_or_submit_entry(entry, by=editor).status == (
        "published" if allowed else "review"
    )


def test_setting_off_makes_every_published_change_a_proposal(
    settings: Any, make_entry: MakeEntry, editor: User, lead: User
) -> None:
    settings.KB_SELF_APPROVAL = "off"
    entry = make_entry()
    with pytest.raises(ValidationError, match="提交修改"):
        entries.update_entry(entry, by=editor, based_on=entry.version, answer="我改的")
    review = propose(entry, editor, answer="我改的")
    with pytest.raises(ValidationError, match="别人审核"):
        entries.approve_review(review, by=editor)
    assert entries.approve_review(review, by=lead).answer == "我改的"


def test_category_permissions_restrict_users_to_their_branches(
    make_entry: MakeEntry, editor: User
) -> None:
    after = Category.objects.create(name="售后")
    below = Category.objects.create(name="退货", parent=after)
    other = Category.objects.create(name="售前")
    CategoryPermission.objects.create(user=editor, category=after, right="publish")
    CategoryPermission.objects.create(
        group=Group.objects.get(name=ROLE_EDITOR), category=after, right="write"
    )
    inside = make_entry("里面？", status="draft", category=below)
    outside = make_entry("外面？", status="draft", category=other)
    nowhere = make_entry("哪儿？", status="draft")
    assert entries.publish_entry(inside, by=editor).status == "published"
    for entry in (outside, nowhere):
        assert not entries.can_write_entry(entry, by=editor)
        with pytest.raises(ValidationError, match="不在您可以发布的范围里"):
            entries.publish_entry(entry, by=editor)
        with pytest.raises(ValidationError, match="不在您可以撰写的范围里"):
            entries.update_entry(entry, by=editor, based_on=entry.version, answer="改")
    with pytest.raises(ValidationError, match="撰写"):  # nor is one moved away
        entries.update_entry(
            inside, by=editor, based_on=inside.version + 1, category=other
        )


def test_write_and_publish_rights_are_separate(
    make_entry: MakeEntry, editor: User
) -> None:
    after = Category.objects.create(name="售后")
    CategoryPermission.objects.create(user=editor, category=after, right="publish")
    published = make_entry()
    assert entries.can_write_entry(published, by=editor)
    assert entries.is_proposal_required(published, by=editor)


# Changes of published entries ----------------------------------------------------


def test_published_text_stays_until_the_change_is_approved(
    make_entry: MakeEntry, writer: User, lead: User, client: Client
) -> None:
    entry = make_entry(answer="运费八元", replies=["亲，八元"])
    replies = entries.take_snapshot(entry)["replies"]
    replies[0]["body"] = "亲，绝密新价"
    review = propose(entry, writer, answer="绝密新价", replies=replies)
    sync.sync_all_marks()
    page = client.get(entry.get_absolute_url()).content.decode()
    assert "运费八元" in page
    for reader in (AnonymousUser(), lead):
        assert not search.search_entries("绝密新价", user=reader).hits
    assert "绝密" not in client.get(f"/api/v1/entries/{entry.pk}/").content.decode()
    entry = entries.approve_review(review, by=lead)
    assert "绝密新价" in client.get(entry.get_absolute_url()).content.decode()
    latest = entries.list_entry_revisions(entry)[0]
    assert (latest.act, latest.by, latest.judge) == ("approved", writer, lead)
    assert entry.replies.get().body == "亲，绝密新价"


def test_approval_keeps_changes_made_meanwhile(
    make_entry: MakeEntry, writer: User, lead: User
) -> None:
    entry = make_entry(answer="旧答案", keywords="旧")
    review = propose(entry, writer, answer="新答案")
    entries.update_entry(entry, by=lead, based_on=entry.version, keywords="新")
    entry = entries.approve_review(review, by=lead)
    assert (entry.answer, entry.keywords) == ("新答案", "新")


def test_approval_refuses_conflicting_changes(
    make_entry: MakeEntry, writer: User, lead: User
) -> None:
    entry = make_entry(answer="旧答案")
    review = propose(entry, writer, answer="甲的")
    entries.update_entry(entry, by=lead, based_on=entry.version, answer="乙的")
    with pytest.raises(ValidationError, match="FAQ 答案"):
        entries.approve_review(review, by=lead)
    entry.refresh_from_db()
    assert entry.answer == "乙的"
    assert entries.get_pending_change(entry) == review


def test_approval_needs_the_latest_stamp(
    make_entry: MakeEntry, writer: User, lead: User
) -> None:
    entry = make_entry()
    review = propose(entry, writer, answer="一")
    seen = review.version_stamp
    review = propose(entry, writer, answer="二")
    with pytest.raises(ValidationError, match="刚改过"):
        entries.approve_review(review, by=lead, seen_stamp=seen)
    assert (
        entries.approve_review(review, by=lead, seen_stamp=review.version_stamp).answer
        == "二"
    )
    with pytest.raises(ValidationError, match="已经有人处理"):
        entries.approve_review(review, by=lead, seen_stamp=review.version_stamp)


def test_draft_changed_under_review_needs_a_new_look(writer: User, lead: User) -> None:
    entry = entries.submit_entry(
        entries.create_draft("新？", by=writer, answer="一"), by=writer
    )
    review = Review.objects.get()
    seen = review.version_stamp
    entries.update_entry(entry, by=writer, based_on=entry.version, answer="二")
    with pytest.raises(ValidationError, match="刚改过"):
        entries.approve_review(review, by=lead, seen_stamp=seen)
    entry.refresh_from_db()
    assert entry.status == "review"


def test_approval_needs_publish_right(
    make_entry: MakeEntry, writer: User, make_user: Callable[..., User]
) -> None:
    entry = make_entry()
    review = propose(entry, None, answer="改")
    with pytest.raises(PermissionDenied):
        entries.approve_review(review, by=writer)
    with pytest.raises(PermissionDenied):
        entries.reject_review(review, by=writer, reason="不行")
    with pytest.raises(PermissionDenied):
        entries.withdraw_review(review, by=writer)


def test_rejection_needs_a_reason_and_keeps_the_published_text(
    make_entry: MakeEntry, writer: User, lead: User
) -> None:
    entry = make_entry(answer="旧")
    review = propose(entry, writer, answer="新")
    with pytest.raises(ValidationError, match="原因"):
        entries.reject_review(review, by=lead, reason=" \u200b")
    entries.reject_review(review, by=lead, reason="数字不对")
    review.refresh_from_db()
    assert (review.state, review.reason) == ("returned", "数字不对")
    entry.refresh_from_db()
    assert (entry.answer, entry.status) == ("旧", "published")


def test_retiring_an_entry_withdraws_its_change(
    make_entry: MakeEntry, writer: User, lead: User
) -> None:
    entry = make_entry()
    review = propose(entry, writer, answer="新")
    entries.retire_entry(entry, by=lead)
    review.refresh_from_db()
    assert review.state == "withdrawn"


def test_author_can_withdraw_a_submission(writer: User, lead: User) -> None:
    entry = entries.create_draft("新条目？", by=writer, answer="答")
    entries.submit_entry(entry, by=writer, note="请看")
    entry = entries.withdraw_review(Review.objects.get(), by=writer)
    assert entry.status == "draft"
    assert Review.objects.get().state == "withdrawn"


# The form without the right to publish ---------------------------------------------------


def test_saving_a_published_entry_without_publish_right_proposes_a_change(
    written: Client, writer: User, lead: User, make_entry: MakeEntry
) -> None:
    entry = make_entry(answer="旧", replies=["亲，旧"], phrasings=["老问法"])
    typed = {
        "answer": "新",
        "note": "价格变了",
        "phrasings": "老问法\n新问法",
        "replies-0-body": "亲，新",
        "replies-TOTAL_FORMS": 2,
        "replies-1-label": "简短",
        "replies-1-body": "第二条",
        "replies-1-tone": "short",
        "replies-1-order": 1,
        "replies-1-id": "",
        "replies-1-entry": entry.pk,
        "replies-1-channel": "",
        "replies-1-segment": "",
    }
    before, seen = entries.take_snapshot(entry), entry.version
    response = change(written, entry, **typed)
    assert "已提交审核" in told_at_desk(response)
    entry.refresh_from_db()
    assert entries.take_snapshot(entry) == before
    assert entry.version == seen
    review = Review.objects.get()
    assert (review.by, review.note, review.base) == (writer, "价格变了", seen)
    # The form then shows the pending change, for further edits.
    form = filled(written, where(entry))
    assert form["answer"] == "新"
    assert [form["replies-0-body"], form["replies-1-body"]] == ["亲，新", "第二条"]
    change(written, entry, **{"replies-1-body": "第二条，改好"})
    review.refresh_from_db()
    assert review.edition == 2
    entry = entries.approve_review(review, by=lead)
    assert (entry.answer, entry.phrasings.count()) == ("新", 2)
    assert [r.body for r in entry.replies.all()] == ["亲，新", "第二条，改好"]


def told_at_desk(response: Any) -> str:
    page = response.client.get(response.headers["Location"])
    assert page.status_code == 200
    return str(page.content.decode())


def test_concurrent_edits_of_a_proposal_conflict(
    written: Client, make_entry: MakeEntry
) -> None:
    entry = make_entry(answer="旧")
    change(written, entry, answer="甲")
    first = filled(written, where(entry))
    written.post(where(entry), {**first, "answer": "乙"})
    response = written.post(where(entry), {**first, "answer": "丙"})
    assert response.status_code == 200
    assert "有人先保存了" in response.content.decode()
    assert (Review.objects.get().content or {})["answer"] == "乙"


def test_invalid_form_proposes_nothing(written: Client, make_entry: MakeEntry) -> None:
    entry = make_entry(answer="旧")
    response = change(written, entry, question="")
    assert response.status_code == 200
    assert not Review.objects.exists()


def test_editor_outside_permitted_categories_can_only_view(
    client: Client, editor: User, make_entry: MakeEntry
) -> None:
    after, other = (Category.objects.create(name=name) for name in ("售后", "售前"))
    CategoryPermission.objects.create(user=editor, category=after, right="write")
    client.force_login(editor)
    entry = make_entry(category=other)
    assert 'name="answer"' not in client.get(where(entry)).content.decode()
    assert client.post(where(entry), {"answer": "改"}).status_code == 403
    mine = make_entry("我的？", category=after)
    page = client.get(where(mine)).content.decode()
    assert f'<option value="{after.pk}"' in page
    assert f'<option value="{other.pk}"' not in page
    change(client, mine, category=other.pk)
    mine.refresh_from_db()
    assert mine.category == after


def test_form_offers_no_approval_of_own_text(
    client: Client, editor: User, lead: User
) -> None:
    entry = entries.create_draft("我写的？", by=editor, answer="答")
    client.force_login(editor)
    page = client.get(where(entry)).content.decode()
    assert 'value="submit"' in page
    assert 'value="publish"' not in page
    client.force_login(lead)
    assert 'value="publish"' in client.get(where(entry)).content.decode()


# The desk ------------------------------------------------------------------------


def test_reviewer_sees_the_differences_and_approves(
    client: Client, writer: User, lead: User, make_entry: MakeEntry
) -> None:
    entry = make_entry(answer="运费八元")
    review = propose(entry, writer, answer="运费十元")
    client.force_login(lead)
    page = client.get("/desk/reviews/").content.decode()
    assert "运费<del>八</del><ins>十</ins>元" in page
    address = f"/desk/reviews/{review.pk}/"
    client.post(address, {"do": "comment", "words": "十元对吗？"})
    assert "十元对吗？" in client.get("/desk/reviews/").content.decode()
    client.post(address, {"do": "approve", "seen": review.version_stamp})
    entry.refresh_from_db()
    assert entry.answer == "运费十元"
    done = client.get("/desk/reviews/?show=done").content.decode()
    assert "已通过" in done
    assert "<del>八</del><ins>十</ins>" in done


def test_new_entry_is_shown_complete_and_can_be_returned(
    client: Client, writer: User, lead: User
) -> None:
    entry = entries.create_draft("新条目？", by=writer, answer="新**答案**", replies=[])
    entries.submit_entry(entry, by=writer, note="请看一下")
    review = Review.objects.get()
    client.force_login(lead)
    page = client.get("/desk/reviews/").content.decode()
    assert "<strong>答案</strong>" in page
    assert "请看一下" in page
    client.post(f"/desk/reviews/{review.pk}/", {"do": "return", "words": "太短"})
    entry.refresh_from_db()
    assert entry.status == "draft"
    client.force_login(writer)
    assert "太短" in client.get("/desk/reviews/").content.decode()


def test_author_sees_own_submission_without_approval_buttons(
    written: Client, writer: User, lead: User, make_entry: MakeEntry
) -> None:
    review = propose(make_entry(), writer, answer="改")
    page = written.get("/desk/reviews/").content.decode()
    assert 'value="withdraw"' in page
    assert 'value="approve"' not in page
    address = f"/desk/reviews/{review.pk}/"
    assert (
        written.post(
            address, {"do": "approve", "seen": review.version_stamp}
        ).status_code
        == 403
    )
    written.post(address, {"do": "withdraw"})
    review.refresh_from_db()
    assert review.state == "withdrawn"


def test_review_queue_contains_permitted_categories_only(
    client: Client, editor: User, make_entry: MakeEntry
) -> None:
    after, other = (Category.objects.create(name=name) for name in ("售后", "售前"))
    CategoryPermission.objects.create(user=editor, category=after, right="publish")
    propose(make_entry("里面？", category=after), None, answer="改")
    propose(make_entry("外面？", category=other), None, answer="改")
    client.force_login(editor)
    page = client.get("/desk/reviews/").content.decode()
    assert "里面？" in page
    assert "外面？" not in page


def test_review_queue_needs_a_fixed_number_of_queries(
    client: Client, lead: User, writer: User, make_entry: MakeEntry
) -> None:
    client.force_login(lead)

    def queries() -> int:
        with CaptureQueriesContext(connection) as asked:
            client.get("/desk/reviews/")
        return len(asked)

    propose(make_entry("一？", replies=["话术"]), writer, answer="改")
    queries()  # reads what a process then remembers
    few = queries()
    for number in range(9):
        propose(make_entry(f"条目{number}？"), writer, answer="改")
    assert queries() == few


@pytest.mark.parametrize("sent", ["x", "0", "9" * 40, "-1", "\x00"])
def test_forged_ids_get_a_message(client: Client, lead: User, sent: str) -> None:
    client.force_login(lead)
    shown = client.get("/desk/reviews/", {"review": sent, "show": sent})
    assert shown.status_code == 200
    assert client.post("/desk/reviews/99/", {"do": sent}).status_code == 302


def test_review_pages_are_forbidden_for_agents(client: Client, agent: User) -> None:
    client.force_login(agent)
    assert client.get("/desk/reviews/").status_code == 403
    assert client.post("/desk/reviews/1/", {"do": "approve"}).status_code == 403


# Imports and proposed replies ---------------------------------------------------


def test_entries_imported_in_review_are_in_the_queue(
    make_entry: MakeEntry, editor: User, lead: User
) -> None:
    imported = Entry(question="导入的？", answer="答", status="review")
    imported.update_derived_columns()
    entries.store_entries([imported], [], by=editor)
    assert [r.entry for r in entries.list_reviews_awaiting(lead)] == [imported]
    imported.status = Entry.Status.DRAFT
    entries.store_entries([], [imported], by=editor)
    assert not entries.list_reviews_awaiting(lead).exists()


def test_proposed_reply_is_accepted_by_publishers_only(
    make_entry: MakeEntry, writer: User, agent: User
) -> None:
    entry = make_entry()
    reply = Reply.objects.create(owner=agent, title="我的", body="亲")
    with pytest.raises(ValidationError, match="有发布权限"):
        entries.add_shared_reply(entry, reply, by=writer)


# Bulk actions -----------------------------------------------------------------------


def test_bulk_action_shows_a_preview_first(
    client: Client, editor: User, lead: User, make_entry: MakeEntry
) -> None:
    ready = make_entry("好了？", status="review")
    empty = make_entry("空的？", status="draft", answer="")
    own = entries.create_draft("我写的？", by=editor, answer="答")
    client.force_login(editor)
    data: dict[str, Any] = {"action": "publish"}
    data["_selected_action"] = [ready.pk, empty.pk, own.pk]
    page = client.post("/admin/kb/entry/", data).content.decode()
    assert "1 条会发布" in page
    assert "2 条不会" in page
    assert "没有 FAQ 答案" in page
    assert "别人审核" in page
    assert not Entry.objects.filter(status="published").exists()
    assert f'name="_selected_action" value="{ready.pk}"' in page
    confirmed = {**data, "_selected_action": [ready.pk], "post": "yes"}
    client.post("/admin/kb/entry/", confirmed)
    ready.refresh_from_db()
    assert ready.status == "published"


# Old versions -----------------------------------------------------------------------


def test_restored_version_without_publish_right_is_proposed(
    written: Client, writer: User, lead: User, make_entry: MakeEntry
) -> None:
    entry = make_entry(answer="旧")
    entry = entries.update_entry(entry, by=None, based_on=entry.version, answer="新")
    old = entry.revisions.get(version=1)
    with pytest.raises(ValidationError, match="有发布权限"):
        entries.revert_entry(old, by=writer, based_on=entry.version)
    data = {"version": 1, "based_on": entry.version}
    written.post(f"/desk/history/{entry.pk}/restore/", data)
    entry.refresh_from_db()
    assert entry.answer == "新"
    assert entries.approve_review(Review.objects.get(), by=lead).answer == "旧"


def test_import_has_the_rights_of_its_user(
    make_entry: MakeEntry, writer: User, editor: User, lead: User
) -> None:
    published = make_entry(answer="旧")
    published.answer = "新"
    with pytest.raises(ValidationError, match="有发布权限的人"):
        entries.store_entries([], [published], by=writer)
    imported = Entry(question="导入的？", answer="答", status="published")
    with pytest.raises(ValidationError, match="别人审核"):
        entries.store_entries([imported], [], by=editor)
    place = Category.objects.create(name="售前")
    CategoryPermission.objects.create(user=editor, category=place, right="publish")
    with pytest.raises(ValidationError, match="可以发布的范围"):
        entries.store_entries([imported], [], by=User.objects.get(pk=editor.pk))
    entries.store_entries([imported], [], by=None)
    assert imported.pk


def test_assigned_review_comes_first_for_its_reviewer(
    client: Client, writer: User, editor: User, lead: User, make_entry: MakeEntry
) -> None:
    propose(make_entry("先来的？"), writer, answer="改")
    review = propose(make_entry("请您看？"), writer, answer="改")
    client.force_login(writer)
    page = client.get(f"/desk/reviews/?review={review.pk}").content.decode()
    assert "请 lead 审核" in page
    assert "请 writer 审核" not in page
    address = f"/desk/reviews/{review.pk}/"
    client.post(address, {"do": "ask", "reviewer": lead.pk})
    assert entries.list_reviews_awaiting(lead).first() == review
    assert entries.list_reviews_awaiting(editor).first() != review
    client.post(address, {"do": "ask", "reviewer": writer.pk})  # forged
    review.refresh_from_db()
    assert review.reviewer is None


def test_list_and_form_show_a_pending_change(
    client: Client, writer: User, lead: User, make_entry: MakeEntry
) -> None:
    entry = make_entry()
    client.force_login(lead)
    assert "修改待审核" not in client.get("/admin/kb/entry/").content.decode()
    review = propose(entry, writer, answer="改")
    assert "修改待审核" in client.get("/admin/kb/entry/").content.decode()
    page = client.get(where(entry)).content.decode()
    assert f"/desk/reviews/?review={review.pk}" in page


def test_autosave_is_deleted_when_the_change_is_proposed(
    written: Client, writer: User, make_entry: MakeEntry
) -> None:
    entry = make_entry(answer="旧")
    autosave.save_form_fields(
        [("answer", "新")], entry=entry, by=writer, autosave_id=None
    )
    change(written, entry, answer="新")
    assert Review.objects.exists()
    assert not autosave.list_autosaves(entry, by=writer)


# Several authors ----------------------------------------------------------------------


def test_editor_of_a_pending_change_cannot_approve_it(
    settings: Any, make_entry: MakeEntry, editor: User, lead: User
) -> None:
    settings.KB_SELF_APPROVAL = "off"
    entry = make_entry()
    propose(entry, editor, answer="编辑写的")
    review = propose(entry, lead, answer="主管改成的")
    with pytest.raises(ValidationError, match="别人审核"):
        entries.approve_review(review, by=lead)
    assert entries.approve_review(review, by=editor).answer == "主管改成的"


def test_coauthor_of_a_pending_change_cannot_approve_it(
    settings: Any,
    make_entry: MakeEntry,
    make_user: Callable[..., User],
    editor: User,
    lead: User,
) -> None:
    settings.KB_SELF_APPROVAL = "off"
    entry = make_entry()
    review = propose(entry, editor, answer="编辑写的")
    entries.add_phrasing(entry, "邮费谁掏", by=lead)
    for one in (editor, lead):
        assert one not in entries.list_possible_reviewers(entry)
        assert work_queue.count_waiting_work(one)["reviews"] == 0
        with pytest.raises(ValidationError, match="别人审核"):
            entries.approve_review(review, by=one)
    third = make_user("third", ROLE_EDITOR, is_staff=True)
    entries.approve_review(review, by=third)
    assert set(entry.phrasings.values_list("text", flat=True)) == {"邮费谁掏"}


def test_editor_of_a_draft_under_review_cannot_publish_it(
    writer: User, editor: User, lead: User
) -> None:
    entry = entries.create_draft("撰稿写的？", by=writer, answer="答")
    entry = entries.submit_entry(entry, by=writer)
    entry = entries.update_entry(
        entry, by=editor, based_on=entry.version, answer="编辑改成的"
    )
    assert not entries.can_approve_entry(entry, by=editor)
    with pytest.raises(ValidationError, match="别人审核"):
        entries.publish_entry(entry, by=editor)
    assert entries.publish_entry(entry, by=lead).answer == "编辑改成的"
