"""The text gate: rights, style rules, a revision and the audit log for every text."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.apps import apps
from django.contrib import admin
from django.core.exceptions import ValidationError
from django.db.models import CharField, Model, TextField
from django.test import Client

from kb.admin.entry_translation import EntryTranslationAdmin
from kb.admin.gated_admin import GatedAdmin
from kb.library import entries, replies, text_gate
from kb.models import (
    ROLE_EDITOR,
    ROLE_LEAD,
    Announcement,
    AuditEvent,
    CampaignPeriod,
    Category,
    CategoryPermission,
    CategoryRight,
    CustomerSegment,
    Entry,
    EntryTranslation,
    Module,
    Phrasing,
    Reply,
    ReplyProposal,
    Site,
    Snippet,
    StyleRule,
    Tag,
    Team,
    TextRevision,
    User,
)
from tests.admin_forms import get_change_url as where
from tests.admin_forms import post_change as change
from tests.admin_forms import read_form as filled
from tests.conftest import MakeEntry
from tests.importing import load, plan

pytestmark = pytest.mark.django_db
KB = Path(__file__).parent.parent.parent / "kb"
PHONE = "13812345678"
WORD = "绝对保证"


@pytest.fixture(autouse=True)
def _rules(db: None) -> None:
    StyleRule.objects.create(kind="check", text="手机号", severity="error")
    StyleRule.objects.create(kind="forbidden", text=WORD, severity="error")


@pytest.fixture
def desk(client: Client, lead: User) -> Client:
    client.force_login(lead)
    return client


@pytest.fixture
def own(db: None) -> Any:
    return Category.objects.create(name="退货")


@pytest.fixture
def restricted(make_user: Callable[..., User], own: Category) -> User:
    """Return a user with all permissions of a lead, restricted to one branch."""
    user = make_user("restricted", ROLE_LEAD, is_staff=True)
    for right in CategoryRight:
        CategoryPermission.objects.create(user=user, category=own, right=right)
    return user


# The registry ------------------------------------------------------------------


def columns_of_text() -> list[tuple[type[Model], str]]:
    """Return every column of kb that holds text."""
    return [
        (model, field.name)
        for model in apps.get_app_config("kb").get_models()
        for field in model._meta.concrete_fields
        if isinstance(field, CharField | TextField) and not field.choices
    ]


def list_registrations(model: type[Model], name: str) -> list[str]:
    """Return how a column is registered: "gate", "entries", or a reason; one is right."""
    registrations = []
    if (
        model in text_gate.GATED_TABLES
        and name in text_gate.GATED_TABLES[model].columns
    ):
        registrations.append("gate")
    if name in text_gate.ENTRY_TEXT_COLUMNS.get(model, ()):
        registrations.append("entries")
    for key in (model.__name__, f"{model.__name__}.{name}"):
        if key in text_gate.UNGATED_TEXTS:
            assert len(text_gate.UNGATED_TEXTS[key]) > len("internal"), key
            registrations.append(text_gate.UNGATED_TEXTS[key])
    return registrations


def test_every_text_column_is_registered_once() -> None:
    registrations = {
        f"{m.__name__}.{name}": list_registrations(m, name)
        for m, name in columns_of_text()
    }
    assert {
        column for column, registered in registrations.items() if not registered
    } == set()
    assert {
        column for column, registered in registrations.items() if len(registered) > 1
    } == set()


def test_registry_names_existing_columns_only() -> None:
    columns = columns_of_text()
    names = {f"{m.__name__}.{name}" for m, name in columns}
    names |= {model.__name__ for model, _ in columns}
    assert text_gate.UNGATED_TEXTS.keys() - names == set()
    for model, table in text_gate.GATED_TABLES.items():
        assert {(model, name) for name in table.columns} <= set(columns)


def test_admin_of_gated_tables_uses_the_gate() -> None:
    for model in text_gate.GATED_TABLES:
        found = admin.site._registry[model]
        assert isinstance(found, GatedAdmin), model
        for name in ("delete_queryset", "history_view"):
            mine, gated = (getattr(row, name) for row in (type(found), GatedAdmin))
            assert mine is gated, (model, name)
    assert isinstance(admin.site._registry[EntryTranslation], EntryTranslationAdmin)
    assert "save_model" in vars(EntryTranslationAdmin)


# Modules that may create gated rows without the gate, and why.
STRAYS = {
    "import_export/demo/__init__.py": "the demo shop, part of the product",
    "management/commands/kb_setup.py": "customer segments that are part of the product",
    "import_export/demo/personal_content.py": "the demo shop, part of the product",
}


def test_no_module_creates_gated_rows_without_the_gate() -> None:
    names = "|".join(model.__name__ for model in text_gate.GATED_TABLES)
    writes = "create|bulk_create|get_or_create|update_or_create"
    pattern = re.compile(rf"\b({names})\.objects\.({writes})\(")
    strays = [
        path.relative_to(KB).as_posix()
        for path in KB.rglob("*.py")
        if "migrations" not in path.parts and pattern.search(path.read_text("utf-8"))
    ]
    assert set(strays) == STRAYS.keys()


# The gate, for each table ---------------------------------------------------------


def create_row(model: type[Model]) -> Any:
    """Return a saved row of a gated table with some text."""
    columns: dict[type[Model], dict[str, Any]] = {
        Snippet: {"body": "旧的内容"},
        Announcement: {
            "title": "旧的标题",
            "starts_at": "2026-01-01T00:00Z",
            "ends_at": "2036-01-01T00:00Z",
            "audience": "public",
        },
        CampaignPeriod: {"name": "旧的名称", "starts_at": "2026-01-01T00:00Z"},
        Site: {"name": "旧的名称", "host": "old.example.com"},
    }
    values = columns.get(model, {"name": "旧的名称"})
    if model is Snippet:
        values |= {"name": "片段"}
    return model._default_manager.create(**values)


FIRST = {
    Snippet: "body",
    Announcement: "title",
}  # the text that is changed; else the name
PARAMS = [
    pytest.param(model, FIRST.get(model, "name"), id=model.__name__)
    for model in text_gate.GATED_TABLES
]


def get_admin_url(row: Any, page: str = "change") -> str:
    return f"/admin/kb/{row._meta.model_name}/{row.pk}/{page}/"


def build_form(client: Client, row: Any, **typed: Any) -> dict[str, Any]:
    sent = filled(client, get_admin_url(row))
    for name in ("starts_at", "ends_at"):
        moment = sent.pop(name, None)
        if moment:
            sent[f"{name}_0"], sent[f"{name}_1"] = moment.date(), "00:00"
    sent["categories"] = sent.get("categories") or []
    return {k: v for k, v in sent.items() if v is not None and k != "groups"} | typed


@pytest.mark.parametrize(("model", "field"), PARAMS)
def test_change_has_a_revision_and_an_audit_event(
    desk: Client, lead: User, model: type[Model], field: str
) -> None:
    row = create_row(model)
    before = getattr(row, field)
    sent = build_form(desk, row, **{field: "新的内容"})
    response = desk.post(get_admin_url(row), sent)
    assert response.status_code == 302, response.context["errors"]
    revision = TextRevision.objects.get(field=field)
    assert (revision.before, revision.after) == (before, "新的内容")
    assert (revision.by, revision.act) == (lead, "changed")
    assert text_gate.list_text_revisions(row).get() == revision
    event = AuditEvent.objects.get(act="changed")
    assert (event.by, f"#{row.pk}" in event.what) == (lead, True)
    page = desk.get(get_admin_url(row, "history")).content.decode()
    assert "<ins>新" in page
    assert str(lead) in page


@pytest.mark.parametrize(("model", "field"), PARAMS)
def test_old_text_can_be_restored(
    desk: Client, lead: User, model: type[Model], field: str
) -> None:
    row = create_row(model)
    before = getattr(row, field)
    setattr(row, field, "新的内容")
    text_gate.save_text_row(row, by=lead)
    revision = text_gate.list_text_revisions(row).get()
    desk.post(get_admin_url(row, "history"), {"revision": revision.pk})
    row.refresh_from_db()
    assert getattr(row, field) == before
    last = text_gate.list_text_revisions(row).first()
    assert last is not None
    assert (last.act, last.after, last.by) == ("restored", before, lead)


@pytest.mark.parametrize(("model", "field"), PARAMS)
def test_text_that_breaks_a_style_rule_is_not_saved(
    desk: Client, model: type[Model], field: str
) -> None:
    row = create_row(model)
    before = getattr(row, field)
    for words in (f"电话{PHONE}", WORD):
        page = desk.post(get_admin_url(row), build_form(desk, row, **{field: words}))
        assert page.status_code == 200
        assert words in page.content.decode()  # what was typed stays in the form
        with pytest.raises(ValidationError, match=words[-4:]):
            setattr(row, field, words)
            text_gate.save_text_row(row, by=None)
        row.refresh_from_db()
        assert getattr(row, field) == before
    assert not TextRevision.objects.exists()


@pytest.mark.parametrize(("model", "field"), PARAMS)
def test_row_outside_permitted_categories_is_not_saved(
    client: Client,
    restricted: User,
    make_entry: MakeEntry,
    model: type[Model],
    field: str,
) -> None:
    """The user has all permissions in another branch."""
    row = create_row(model)
    entry = make_entry(replies=["亲，{{> 片段}}"] if model is Snippet else [])
    if model is Tag:
        entry.tags.add(row)
    columns = {Module: "module", CampaignPeriod: "window"}
    if model in columns:
        Entry.objects.filter(pk=entry.pk).update(**{columns[model]: row})
    before = getattr(row, field)
    client.force_login(restricted)
    assert client.post(get_admin_url(row), {field: "新的"}).status_code == 403
    assert client.post(get_admin_url(row, "delete"), {"post": "yes"}).status_code == 403
    setattr(row, field, "新的")
    with pytest.raises(ValidationError):
        text_gate.save_text_row(row, by=restricted)
    with pytest.raises(ValidationError):
        text_gate.delete_text_row(row, by=restricted)
    row.refresh_from_db()
    assert getattr(row, field) == before


@pytest.mark.parametrize(("model", "field"), PARAMS)
def test_deletion_keeps_the_text_in_the_history(
    desk: Client, lead: User, model: type[Model], field: str
) -> None:
    row = create_row(model)
    old_text = getattr(row, field)
    bulk = {"action": "delete_selected", "_selected_action": [row.pk], "post": "yes"}
    single = model is Snippet
    where = (
        get_admin_url(row, "delete") if single else f"/admin/kb/{row._meta.model_name}/"
    )
    assert desk.post(where, bulk).status_code == 302
    assert not model._default_manager.filter(pk=row.pk).exists()
    revision = TextRevision.objects.get(act="deleted", field=field)
    assert (revision.before, revision.by) == (old_text, lead)
    assert AuditEvent.objects.filter(act="deleted", by=lead).exists()
    page = desk.get("/admin/kb/textrevision/", {"q": old_text}).content.decode()
    assert "删除" in page
    shown = desk.get(f"/admin/kb/textrevision/{revision.pk}/change/").content.decode()
    assert old_text in shown


def test_new_row_passes_the_gate(desk: Client, lead: User) -> None:
    sent = {"name": "地址", "body": f"打{PHONE}"}
    assert desk.post("/admin/kb/snippet/add/", sent).status_code == 200
    assert not Snippet.objects.exists()
    sent["body"] = "杭州\r\n西湖"
    assert desk.post("/admin/kb/snippet/add/", sent).status_code == 302
    snippet = Snippet.objects.get()
    rows = text_gate.list_text_revisions(snippet)
    assert {row.field: row.after for row in rows} == {
        "name": "地址",
        "body": "杭州\n西湖",
    }
    assert {(row.act, row.by) for row in rows} == {("made", lead)}


def test_unchanged_text_is_checked_only_when_made_public(desk: Client) -> None:
    row = create_row(Announcement)
    Announcement.objects.filter(pk=row.pk).update(body=f"打{PHONE}", audience="staff")
    assert (
        desk.post(get_admin_url(row), build_form(desk, row, title="新的")).status_code
        == 302
    )
    wider = build_form(desk, row, audience="public")
    assert (
        desk.post(get_admin_url(row), wider).status_code == 200
    )  # customers would read it


def test_site_contact_may_contain_contact_details(desk: Client) -> None:
    row = create_row(Site)
    contact = f"电话 {PHONE}，a@example.com"
    assert (
        desk.post(
            get_admin_url(row), build_form(desk, row, contact=contact)
        ).status_code
        == 302
    )
    assert (
        desk.post(get_admin_url(row), build_form(desk, row, contact=WORD)).status_code
        == 200
    )


def test_restored_snippet_updates_its_replies(
    desk: Client, make_entry: MakeEntry, lead: User
) -> None:
    snippet = replies.save_snippet(Snippet(name="地址", body="旧址"), by=lead)
    entry = make_entry(replies=["寄到{{> 地址}}"])
    snippet.body = "新址"
    replies.save_snippet(snippet, by=lead)
    assert entry.replies.get().text == "寄到新址"
    revision = text_gate.list_text_revisions(snippet).filter(act="changed").get()
    desk.post(get_admin_url(snippet, "history"), {"revision": revision.pk})
    assert entry.replies.get().text == "寄到旧址"


def test_restoring_needs_the_right_to_change(
    client: Client, restricted: User, lead: User, desk: Client
) -> None:
    row = create_row(Site)
    row.name = "新的名称"
    text_gate.save_text_row(row, by=lead)
    revision = text_gate.list_text_revisions(row).get()
    client.force_login(restricted)
    page = client.get(get_admin_url(row, "history"))
    assert page.status_code == 200
    assert "恢复成修改以前" not in page.content.decode()
    response = client.post(get_admin_url(row, "history"), {"revision": revision.pk})
    assert response.status_code == 403
    client.force_login(lead)
    other = create_row(Tag)
    client.post(
        get_admin_url(other, "history"), {"revision": revision.pk}
    )  # not its own
    client.post(get_admin_url(row, "history"), {"revision": "9" * 30})
    row.refresh_from_db()
    assert row.name == "新的名称"


# Entries ----------------------------------------------------------------


def test_every_text_of_a_published_entry_is_checked(
    client: Client, editor: User, make_entry: MakeEntry
) -> None:
    entry = make_entry(replies=["亲，好的"], phrasings=["能退吗"])
    client.force_login(editor)
    texts = {
        "question": f"打{PHONE}？",
        "answer": f"请打{PHONE}",
        "replies-0-body": f"亲，打{PHONE}",
        "phrasings": f"能退吗\r\n我叫张三{PHONE}",
    }
    for name, words in texts.items():
        response = change(client, entry, **{name: words})
        assert response.status_code == 200, name
        assert PHONE in response.content.decode()
    assert Entry.objects.get(pk=entry.pk).version == entry.version
    assert not Phrasing.objects.filter(text__contains=PHONE).exists()


def test_change_of_a_published_entry_is_in_the_audit_log(
    client: Client, editor: User, make_entry: MakeEntry
) -> None:
    entry = make_entry()
    client.force_login(editor)
    assert change(client, entry, answer="改了").status_code == 302
    assert AuditEvent.objects.filter(
        act="changed", by=editor, what__contains="修改"
    ).exists()
    draft = make_entry("草稿？", status="draft")
    change(client, draft, answer="改了")  # not published
    assert AuditEvent.objects.filter(act="changed").count() == 1


def test_proposed_reply_is_checked_before_it_is_shared(
    make_entry: MakeEntry, editor: User, agent: User
) -> None:
    entry = make_entry()
    reply = Reply.objects.create(owner=agent, title="我的", body=f"亲，打{PHONE}")
    proposal = ReplyProposal.objects.create(reply=reply, by=agent)
    with pytest.raises(ValidationError, match=PHONE):
        replies.accept_reply_proposal(proposal, by=editor, entry=entry)
    reply.refresh_from_db()
    assert reply.owner == agent


def test_team_reply_is_checked_and_logged(
    make_user: Callable[..., User],
) -> None:
    team = Team.objects.create(name="售后组")
    head = make_user("head", ROLE_LEAD, team=team)
    reply = Reply(team=team, label="团队", title="催", body=f"亲，打{PHONE}")
    with pytest.raises(ValidationError, match=PHONE):
        replies.save_private_reply(reply, by=head)
    reply.body = "亲，催过了"
    replies.save_private_reply(reply, by=head)
    assert AuditEvent.objects.filter(by=head, what=f"团队话术 #{reply.pk}").count() == 1
    assert "催" not in AuditEvent.objects.get(by=head).what


def test_merge_refuses_phrasings_with_personal_data(
    make_entry: MakeEntry, lead: User
) -> None:
    from kb.quality import merging

    entry = make_entry()
    other = make_entry("别的？", status="draft")
    Phrasing.objects.create(entry=other, text=f"我的{PHONE}怎么退")  # from before
    with pytest.raises(ValidationError, match=PHONE):
        merging.merge_entries(entry, other, by=lead)


# Imports ------------------------------------------------------------------------------------------


def test_imported_names_pass_the_gate(editor: User) -> None:
    file = "标准问题,答案,分类,标签,状态\n怎么退,点退货,售后/退货,运费,草稿\n"
    load(file, by=editor)
    rows = TextRevision.objects.filter(act="made", by=editor, field="name")
    assert {row.after for row in rows} == {"售后", "退货", "运费"}
    assert AuditEvent.objects.filter(act="changed", what__contains="分类").exists()
    with pytest.raises(ValidationError, match=WORD):
        plan(file.replace("运费", WORD), by=editor)


def test_restricted_editor_imports_categories_below_the_branch(
    make_user: Callable[..., User], own: Category
) -> None:
    editor = make_user("held", ROLE_EDITOR)
    for right in CategoryRight:
        CategoryPermission.objects.create(user=editor, category=own, right=right)
    file = "标准问题,答案,分类,状态\n怎么退,点退货,退货/运费/到付,草稿\n"
    imported = load(file, by=editor)
    assert imported.written_row_count == 1
    assert Category.objects.get(name="到付").parent == Category.objects.get(name="运费")


def test_style_rules_apply_to_the_operator_and_rights_do_not() -> None:
    assert text_gate.save_text_row(CustomerSegment(name="新客"), by=None).pk
    with pytest.raises(ValidationError):
        text_gate.save_text_row(CustomerSegment(name=WORD), by=None)


def test_admin_history_of_an_entry_redirects_to_the_desk(
    client: Client, editor: User, make_entry: MakeEntry
) -> None:
    entry = make_entry()
    client.force_login(editor)
    entries.update_entry(entry, by=editor, based_on=entry.version, answer="新的答案")
    response = client.get(f"{where(entry)[:-7]}history/")
    assert response.headers["Location"] == f"/desk/history/{entry.pk}/"
