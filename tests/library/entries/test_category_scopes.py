"""Category permissions hold for all rows that concern entries, not for entries only."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable
from typing import Any

import pytest
from django.contrib import admin
from django.contrib.auth.models import Group
from django.core.exceptions import ValidationError
from django.db.models import ProtectedError
from django.test import Client

from kb import import_export
from kb.admin.scoped_admin import ScopedAdmin
from kb.library import entries
from kb.library.entries import category_scopes
from kb.models import (
    ROLE_EDITOR,
    Announcement,
    AuditEvent,
    CampaignPeriod,
    Category,
    CategoryPermission,
    CategoryRight,
    CustomerSegment,
    DeletedItem,
    DictionaryWord,
    Entry,
    EntryTranslation,
    IndexQueue,
    Inquiry,
    Job,
    Module,
    Picture,
    Question,
    RelevanceTest,
    Reply,
    ReplyFeedback,
    ReplyProposal,
    Search,
    Snippet,
    StopWord,
    StyleRule,
    SynonymSet,
    Tag,
    Team,
    TextRevision,
    User,
    Vote,
    WidgetRule,
)
from kb.models.category_permission import has_category_right
from kb.questions import to_entries
from tests.admin_forms import post_change as change
from tests.admin_forms import read_form as filled
from tests.conftest import MakeEntry, MakeQuestion
from tests.importing import load, plan

pytestmark = pytest.mark.django_db


@pytest.fixture
def own(db: None) -> Any:
    """Return the branch of the restricted editor, which is below another one."""
    top = Category.objects.create(name="售后")
    return Category.objects.create(name="退货", parent=top)


@pytest.fixture
def foreign(db: None) -> Any:
    return Category.objects.create(name="售前")


@pytest.fixture
def restricted(make_user: Callable[..., User], own: Category) -> User:
    user = make_user("restricted", ROLE_EDITOR, is_staff=True)
    for right in CategoryRight:
        CategoryPermission.objects.create(user=user, category=own, right=right)
    return user


@pytest.fixture
def desk(client: Client, restricted: User) -> Client:
    client.force_login(restricted)
    return client


def save_category(client: Client, node: Category, **typed: Any) -> Any:
    sent = {"name": node.name, "parent": node.parent_id or "", "own_hant": ""}
    return client.post(
        f"/admin/kb/category/{node.pk}/change/", {**sent, "review_every": "", **typed}
    )


def has_right(user: User, node: Category) -> bool:
    return has_category_right(
        User.objects.get(pk=user.pk), CategoryRight.PUBLISH, node.pk
    )


# Categories -------------------------------------------------------------------------


def test_restricted_user_cannot_move_a_foreign_category_in(
    desk: Client, restricted: User, own: Category, foreign: Category
) -> None:
    response = save_category(desk, foreign, parent=own.pk)
    foreign.refresh_from_db()
    assert foreign.parent is None
    assert response.status_code == 403
    assert not has_right(restricted, foreign)


def test_restricted_user_cannot_move_a_category_out(
    desk: Client, own: Category, foreign: Category
) -> None:
    below = Category.objects.create(name="运费", parent=own)
    assert save_category(desk, below, parent=foreign.pk).status_code == 200
    response = save_category(desk, below, parent="")
    assert "对所有分类有效" in response.content.decode()
    below.refresh_from_db()
    assert below.parent == own


def test_refusal_of_a_move_names_both_parents(
    restricted: User, own: Category, foreign: Category
) -> None:
    below = Category.objects.create(name="运费", parent=own)
    below.parent = foreign
    assert category_scopes.explain_scope_refusal(below, by=restricted).startswith(
        "「售前」分类"
    )
    foreign.parent = own
    assert category_scopes.explain_scope_refusal(foreign, by=restricted).startswith(
        "「售前」分类"
    )
    own.parent = below
    assert category_scopes.explain_scope_refusal(own, by=restricted).startswith(
        "「售后」分类"
    )


def test_restricted_user_cannot_move_the_top_of_the_branch(
    desk: Client, own: Category, foreign: Category
) -> None:
    other = Category.objects.create(name="账号")
    assert save_category(desk, own, parent=other.pk).status_code == 200
    own.refresh_from_db()
    assert own.parent is not None
    assert own.parent.name == "售后"


def test_restricted_user_manages_categories_inside_the_branch(
    desk: Client, own: Category
) -> None:
    sent = {"name": "运费", "parent": own.pk, "own_hant": "", "review_every": ""}
    assert desk.post("/admin/kb/category/add/", sent).status_code == 302
    category = Category.objects.get(name="运费")
    assert save_category(desk, category, name="邮费").status_code == 302
    beside = Category.objects.create(name="换货", parent=own)
    assert (
        save_category(desk, category, name="邮费", parent=beside.pk).status_code == 302
    )
    category.refresh_from_db()
    assert (category.name, category.parent) == ("邮费", beside)
    where = f"/admin/kb/category/{category.pk}/delete/"
    assert desk.post(where, {"post": "yes"}).status_code == 302
    assert not Category.objects.filter(pk=category.pk).exists()


def test_restricted_user_manages_no_category_outside_the_branch(
    desk: Client, own: Category, foreign: Category
) -> None:
    for parent in ("", foreign.pk):
        sent = {"name": "新的", "parent": parent, "own_hant": "", "review_every": ""}
        assert desk.post("/admin/kb/category/add/", sent).status_code == 200
    assert not Category.objects.filter(name="新的").exists()
    assert save_category(desk, foreign, name="改名").status_code == 403
    assert save_category(desk, foreign, own_hant="改名").status_code == 403
    where = f"/admin/kb/category/{foreign.pk}/delete/"
    assert desk.post(where, {"post": "yes"}).status_code == 403
    bulk = {"action": "delete_selected", "_selected_action": [foreign.pk]}
    response = desk.post("/admin/kb/category/", {**bulk, "post": "yes"})
    assert response.status_code == 403
    foreign.refresh_from_db()
    assert (foreign.name, foreign.own_hant) == ("售前", "")


def test_restricted_user_sorts_categories_inside_the_branch_only(
    desk: Client, own: Category, foreign: Category
) -> None:
    first = Category.objects.create(name="甲", parent=own)
    Category.objects.create(name="乙", parent=own)
    assert desk.post(f"/admin/kb/category/{first.pk}/move/down/").status_code == 302
    for node in (foreign, own):
        where = f"/admin/kb/category/{node.pk}/move/down/"
        assert desk.post(where).status_code == 403


def test_category_form_offers_parents_in_the_branch_only(
    desk: Client, own: Category, foreign: Category
) -> None:
    below = Category.objects.create(name="运费", parent=own)
    query = {"app_label": "kb", "model_name": "category", "field_name": "parent"}
    results = desk.get("/admin/autocomplete/", {**query, "term": ""}).json()["results"]
    assert {int(row["id"]) for row in results} == {own.pk, below.pk}


def test_category_with_permissions_cannot_be_deleted(
    client: Client, lead: User, restricted: User, own: Category
) -> None:
    """Without the row the user would be unrestricted, as users without any are."""
    with pytest.raises(ProtectedError):
        own.delete()
    client.force_login(lead)
    page = client.post(f"/admin/kb/category/{own.pk}/delete/", {"post": "yes"})
    assert "职责范围" in page.content.decode()
    assert Category.objects.filter(pk=own.pk).exists()


# Entries that move between categories ----------------------------------------------


def test_published_entry_moves_only_into_categories_with_publish_right(
    make_entry: MakeEntry, editor: User, own: Category, foreign: Category
) -> None:
    CategoryPermission.objects.create(
        user=editor, category=own, right=CategoryRight.PUBLISH
    )
    entry = make_entry(category=own)
    with pytest.raises(ValidationError, match="不在您可以发布的范围里"):
        entries.update_entry(entry, by=editor, based_on=entry.version, category=foreign)
    with pytest.raises(ValidationError, match="发布"):
        entries.require_import_allowed(
            ("published", foreign.pk), ("published", own.pk), by=editor
        )


def test_proposed_reply_is_accepted_into_permitted_entries_only(
    make_entry: MakeEntry,
    restricted: User,
    agent: User,
    foreign: Category,
    desk: Client,
) -> None:
    entry = make_entry(status="draft", category=foreign)
    reply = Reply.objects.create(
        owner=agent, entry=entry, title="我的", body="亲，好的"
    )
    proposal = ReplyProposal.objects.create(reply=reply, by=agent)
    for sent in ({"do": "accept", "entry": entry.pk}, {"do": "return", "reason": "不"}):
        desk.post(f"/desk/proposals/{proposal.pk}/", sent)
        proposal.refresh_from_db()
        assert proposal.state == "waiting"
    assert not entry.replies.shared().exists()


def test_complaints_are_handled_by_users_who_may_write_the_entry(
    make_entry: MakeEntry, desk: Client, agent: User, foreign: Category
) -> None:
    entry = make_entry(category=foreign)
    Vote.objects.create(entry=entry, helpful=False, person="x", note="看不懂")
    desk.post(f"/desk/unhelpful/{entry.pk}/", {})
    assert Vote.objects.unhandled().count() == 1
    feedback = ReplyFeedback.objects.create(entry=entry, by=agent, reason="wrong")
    desk.post(f"/desk/remarks/{feedback.pk}/", {"answer": "好"})
    feedback.refresh_from_db()
    assert feedback.state == "open"


# Rows that several entries share --------------------------------------------------------


def post_change_form(client: Client, row: Any, **typed: Any) -> int:
    name = row._meta.model_name
    where = f"/admin/kb/{name}/{row.pk}/change/"
    return int(client.post(where, typed).status_code)


def test_shared_row_needs_write_right_in_all_its_categories(
    make_entry: MakeEntry, desk: Client, own: Category, foreign: Category
) -> None:
    there, here = make_entry(category=foreign), make_entry("我的？", category=own)
    tag, module = Tag.objects.create(name="甲"), Module.objects.create(name="乙")
    window = CampaignPeriod.objects.create(name="丙", starts_at="2026-01-01T00:00Z")
    for entry in (there, here):
        entry.tags.add(tag)
        Entry.objects.filter(pk=entry.pk).update(module=module, window=window)
    for row in (tag, module, window):
        assert post_change_form(desk, row, name="改", own_hant="") == 403, row
        where = f"/admin/kb/{row._meta.model_name}/{row.pk}/delete/"
        assert desk.post(where, {"post": "yes"}).status_code == 403, row
        row.refresh_from_db()
    there.tags.clear()
    Entry.objects.filter(pk=there.pk).update(module=None, window=None)
    assert post_change_form(desk, tag, name="改", own_hant="") == 302
    assert post_change_form(desk, module, name="改", owner="") == 302
    assert (
        post_change_form(
            desk, window, name="改", starts_at_0="2026-02-01", starts_at_1="00:00"
        )
        == 302
    )


def test_snippet_needs_write_right_in_all_including_entries(
    make_entry: MakeEntry, desk: Client, own: Category, foreign: Category
) -> None:
    inner = Snippet.objects.create(name="电话", body="请拨打热线")
    outer = Snippet.objects.create(name="地址", body="杭州，{{> 电话}}")
    make_entry(category=own, replies=["亲，{{> 地址}}"])
    assert post_change_form(desk, inner, name="电话", body="请打热线") == 302
    make_entry("别处？", category=foreign, replies=["亲，寄到{{> 地址}}"])
    for row in (inner, outer):
        assert post_change_form(desk, row, name=row.name, body="换了") == 403
    sent = {"name": "新的", "body": "还没有人用"}
    assert desk.post("/admin/kb/snippet/add/", sent).status_code == 302


def announcement_form(**typed: Any) -> dict[str, Any]:
    sent = {"title": "停发", "body": "", "audience": "public", "keywords": "物流"}
    sent |= {"starts_at_0": "2026-01-01", "starts_at_1": "00:00"}
    return sent | {"ends_at_0": "2036-01-01", "ends_at_1": "00:00", "entry": ""} | typed


def test_announcement_needs_right_on_its_entry(
    make_entry: MakeEntry, desk: Client, own: Category, foreign: Category
) -> None:
    here, there = make_entry(category=own), make_entry("别处？", category=foreign)
    for entry in ("", there.pk):
        page = desk.post("/admin/kb/announcement/add/", announcement_form(entry=entry))
        assert page.status_code == 200
    assert not Announcement.objects.exists()
    assert (
        desk.post(
            "/admin/kb/announcement/add/", announcement_form(entry=here.pk)
        ).status_code
        == 302
    )
    mine = Announcement.objects.get()
    page = desk.post(
        f"/admin/kb/announcement/{mine.pk}/change/", announcement_form(entry="")
    )
    assert page.status_code == 200
    other = Announcement.objects.create(
        title="全站", starts_at="2026-01-01T00:00Z", ends_at="2036-01-01T00:00Z"
    )
    assert post_change_form(desk, other, **announcement_form(entry=here.pk)) == 403
    ended = {"action": "end_now", "_selected_action": [other.pk, mine.pk]}
    desk.post("/admin/kb/announcement/", ended)
    other.refresh_from_db()
    mine.refresh_from_db()
    assert (other.state, mine.state) == ("running", "over")


def test_relevance_test_needs_right_on_its_entry(
    make_entry: MakeEntry, desk: Client, own: Category, foreign: Category
) -> None:
    here, there = make_entry(category=own), make_entry("别处？", category=foreign)
    sent = {"words": "运费", "side": "public", "within": 1}
    for entry in ("", there.pk):
        page = desk.post("/admin/kb/relevancetest/add/", {**sent, "entry": entry})
        assert page.status_code == 200
    page = desk.post("/admin/kb/relevancetest/add/", {**sent, "entry": here.pk})
    assert page.status_code == 302
    row = RelevanceTest.objects.create(words="别处", entry=there)
    assert post_change_form(desk, row, **sent, entry=here.pk) == 403
    bulk = {"action": "delete_selected", "_selected_action": [row.pk], "post": "yes"}
    assert desk.post("/admin/kb/relevancetest/", bulk).status_code == 403


def test_picture_of_foreign_entries_cannot_be_changed(
    make_entry: MakeEntry, desk: Client, foreign: Category
) -> None:
    name = f"{'a' * 32}-10x10.webp"
    row = Picture.objects.create(name=name, alt="图", width=10, height=10, size=9)
    assert post_change_form(desk, row, alt="新说明") == 302
    make_entry(answer=f"![图](/media/{name})", category=foreign)
    assert post_change_form(desk, row, alt="又一个") == 403


def test_restricted_user_cannot_change_library_wide_rows(
    desk: Client, own: Category, client: Client
) -> None:
    segment = CustomerSegment.objects.create(name="老客")
    rule = StyleRule.objects.create(kind="check", text="手机号", severity="error")
    widget = WidgetRule.objects.create(pattern="/orders/*", query="订单")
    for row in (segment, rule, widget):
        name = row._meta.model_name
        assert desk.post(f"/admin/kb/{name}/{row.pk}/change/", {}).status_code == 403
        where = f"/admin/kb/{name}/{row.pk}/delete/"
        assert desk.post(where, {"post": "yes"}).status_code == 403
    sent = {"pattern": "/refund/*", "category": own.pk, "order": 0}
    assert desk.post("/admin/kb/widgetrule/add/", sent).status_code == 302
    ordered = {"form-TOTAL_FORMS": 1, "form-INITIAL_FORMS": 1, "_save": "保存"}
    ordered |= {"form-0-id": segment.pk, "form-0-position": 9}
    desk.post("/admin/kb/customersegment/", ordered)
    segment.refresh_from_db()
    assert segment.position == 0


def test_unrestricted_user_changes_library_wide_rows(
    make_entry: MakeEntry, client: Client, editor: User, foreign: Category
) -> None:
    client.force_login(editor)
    entry = make_entry(category=foreign)
    tag = Tag.objects.create(name="甲")
    entry.tags.add(tag)
    assert post_change_form(client, tag, name="改", own_hant="") == 302
    assert save_category(client, foreign, name="改名").status_code == 302
    assert (
        client.post("/admin/kb/announcement/add/", announcement_form()).status_code
        == 302
    )
    assert change(client, entry, answer="改了").status_code == 302
    assert filled(client, f"/admin/kb/entry/{entry.pk}/change/")["answer"] == "改了"


# Tables in the admin without a category scope, and why.
UNSCOPED: dict[type[Any], str] = {
    Entry: "its own stages ask (kb.library.entries.entry_rights)",
    EntryTranslation: "its entry's stages ask",
    Question: "raw material without a category; counting it to an entry asks",
    Inquiry: "only looked at",
    Search: "only looked at",
    AuditEvent: "only looked at",
    TextRevision: "only looked at; restoring asks for its row",
    IndexQueue: "only looked at",
    Job: "background tasks, which write no text",
    DeletedItem: "shows and restores only rows that the user may change",
    SynonymSet: "vocabulary of the whole search, which no category owns",
    DictionaryWord: "vocabulary of the whole search, which no category owns",
    StopWord: "vocabulary of the whole search, which no category owns",
    User: "accounts",
    Team: "accounts",
    Group: "accounts",
}


def test_every_admin_table_declares_its_category_scope() -> None:
    declared = category_scopes.SCOPE_FINDERS.keys() | UNSCOPED.keys()
    assert admin.site._registry.keys() - declared == set()
    assert category_scopes.SCOPE_FINDERS.keys() & UNSCOPED.keys() == set()
    for model in category_scopes.SCOPE_FINDERS:
        assert isinstance(admin.site._registry[model], ScopedAdmin), model


# Imports ---------------------------------------------------------------------


def test_import_refuses_rules_and_relevance_tests_of_other_branches(
    make_entry: MakeEntry, restricted: User, own: Category, foreign: Category
) -> None:
    make_entry("我的？", category=own)
    make_entry("别处？", category=foreign)
    file = "搜索的话,标准问题\n甲,我的？\n乙,别处？\n丙,\n"
    steps = plan(file, kind="golden", by=restricted).planned_rows
    assert [bool(step.reasons) for step in steps] == [False, True, True]
    rules = plan("类型,词\n禁用语,最最最\n", kind="wording", by=restricted)
    assert len(rules.refused_rows) == 1


def test_import_into_other_branches_cannot_be_undone(
    make_entry: MakeEntry, restricted: User, foreign: Category
) -> None:
    make_entry("别处？", category=foreign)
    imported = load("搜索的话,标准问题\n乙,别处？\n", kind="golden")
    assert imported.batch is not None
    done = import_export.undo_import(imported.batch, by=restricted)
    assert (done.undone_count, len(done.refusals)) == (0, 1)
    assert RelevanceTest.objects.count() == 1


# Exports --------------------------------------------------------------------------------


def export_rows(client: Client, kind: str) -> list[dict[str, str]]:
    response: Any = client.get(f"/admin/export/{kind}.csv")
    assert response.status_code == 200, kind
    text = b"".join(response.streaming_content).decode("utf-8-sig")
    return list(csv.DictReader(io.StringIO(text)))


@pytest.fixture
def library(
    make_entry: MakeEntry, make_question: MakeQuestion, own: Category, foreign: Category
) -> None:
    for place, word in ((own, "甲"), (foreign, "乙"), (None, "丙")):
        entry = make_entry(
            f"{word}问？",
            category=place,
            replies=[f"{word}话术"],
            phrasings=[f"{word}问法"],
        )
        RelevanceTest.objects.create(words=f"{word}验收", entry=entry)
        to_entries.add_question_to_entry(
            entry, question=make_question(f"{word}顾客问"), by=None, phrasing=""
        )
    RelevanceTest.objects.create(words="丁验收", entry=None)
    make_question("戊顾客问")
    StopWord.objects.create(text="呃呃")


def test_restricted_user_exports_the_branch_only(library: None, desk: Client) -> None:
    for kind in ("entries", "replies", "phrasings", "questions", "golden"):
        rows = export_rows(desk, kind)
        assert len(rows) == 1, kind
        assert "甲" in "".join(rows[0].values()), kind


def test_restricted_user_exports_no_entry_without_category(
    library: None, desk: Client
) -> None:
    page = desk.get("/admin/export/").content.decode()
    for kind in ("synonyms", "words", "stopwords", "wording"):
        assert desk.get(f"/admin/export/{kind}.csv").status_code == 403, kind
        assert f"/admin/export/{kind}.csv" not in page
    assert "/admin/export/entries.csv" in page


def test_unrestricted_user_exports_everything(
    library: None, client: Client, editor: User
) -> None:
    client.force_login(editor)
    counts = [
        len(export_rows(client, kind)) for kind in ("entries", "golden", "questions")
    ]
    assert counts == [3, 4, 4]
    assert len(export_rows(client, "stopwords")) >= 1
