"""The audit log: what others must be able to look up is kept, once, with its address."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import Group, Permission
from django.test import Client
from django.utils import timezone

from kb.accounts import audit_log
from kb.library import entries
from kb.models import ROLE_EDITOR, AuditEvent, Category, CategoryPermission, User
from tests.admin_forms import get_change_url as where
from tests.admin_forms import read_form as filled
from tests.conftest import MakeEntry
from tests.importing import HEAD, load

pytestmark = pytest.mark.django_db


def deeds(*acts: str) -> list[tuple[str, str, str]]:
    rows = AuditEvent.objects.filter(act__in=acts).order_by("pk")
    return [(row.act, row.who, row.what) for row in rows]


def test_publishing_and_retiring_are_kept(make_entry: MakeEntry, lead: User) -> None:
    entry = make_entry("退货？", status="review")
    AuditEvent.objects.all().delete()
    entries.publish_entry(entry, by=lead)
    entries.retire_entry(entry, by=lead)
    entries.restore_entry(entry, by=None)
    what = f"「退货？」#{entry.pk}"
    assert deeds("published", "retired", "restored") == [
        ("published", "lead", what),
        ("retired", "lead", what),
        ("restored", "系统", what),
    ]


def test_what_is_undone_was_not_done(make_entry: MakeEntry, lead: User) -> None:
    entry = make_entry(answer="", status="review")
    AuditEvent.objects.all().delete()
    client = Client()
    client.force_login(lead)
    data = {"action": "retire", "_selected_action": [entry.pk]}
    client.post("/admin/kb/entry/", data)  # only looks what would happen
    assert deeds("retired") == []


def test_coming_in_is_kept_with_the_address(client: Client, agent: User) -> None:
    given = {"username": "agent", "password": "一壶好茶 2026"}
    client.post("/login/", given, REMOTE_ADDR="203.0.113.9")
    row = AuditEvent.objects.get(act="came")
    assert (row.by, row.address) == (agent, "203.0.113.9")


def test_a_failed_login_names_an_account_and_no_password(
    client: Client, agent: User
) -> None:
    client.post("/login/", {"username": "agent", "password": "绝密"})
    client.post("/login/", {"username": "绝密打错地方", "password": "agent"})
    assert deeds("failed") == [
        ("failed", "系统", "账号 agent"),
        ("failed", "系统", "没有这个账号"),
    ]


def test_changed_rights_are_recorded_whichever_way_they_change(
    client: Client, make_user: Callable[..., User]
) -> None:
    root = make_user("root", is_staff=True, is_superuser=True)
    person = make_user("xiaocha", name="小茶")
    client.force_login(root)
    AuditEvent.objects.all().delete()
    group = Group.objects.get(name=ROLE_EDITOR)
    data = filled(client, where(person))
    client.post(where(person), {**data, "groups": [group.pk], "is_staff": "on"})
    person.user_permissions.add(Permission.objects.get(codename="view_site"))
    found = deeds("rights", "account")
    assert ("account", "root", "xiaocha：可以进管理后台打开") in found
    assert ("rights", "root", "小茶的组加上：编辑") in found
    assert any(who == "系统" and "加上" in what for _, who, what in found)


def test_a_category_permission_is_recorded(editor: User) -> None:
    after = Category.objects.create(name="售后")
    row = CategoryPermission.objects.create(
        user=editor, category=after, right="publish"
    )
    row.delete()
    assert [what for *_, what in deeds("rights")][-2:] == [
        "editor的职责范围加上：发布「售后」",
        "editor的职责范围去掉：发布「售后」",
    ]


def test_a_password_is_kept_as_changed_and_not_as_what(agent: User) -> None:
    agent.set_password("另一壶好茶 2026")
    agent.save()
    assert deeds("account")[-1][2] == "agent：密码"
    assert "pbkdf2" not in str(list(AuditEvent.objects.values_list("what", flat=True)))


def test_an_import_is_kept_with_its_file(editor: User) -> None:
    load(HEAD + "新问题？,答\n", by=editor)
    assert deeds("imported") == [("imported", "editor", "a.csv：1 行")]


def test_a_deleted_draft_leaves_its_name(client: Client, editor: User) -> None:
    draft = entries.create_draft("写错了？", by=editor)
    number = draft.pk
    client.force_login(editor)
    client.post(f"/admin/kb/entry/{number}/delete/", {"post": "yes"})
    assert deeds("deleted") == [("deleted", "editor", f"草稿「写错了？」#{number}")]


def test_a_person_who_leaves_stays_in_the_log(
    make_entry: MakeEntry, lead: User
) -> None:
    entry = make_entry()
    entries.retire_entry(entry, by=lead)
    lead.delete()
    assert AuditEvent.objects.get(act="retired").who == "lead"


def test_old_rows_go(lead: User) -> None:
    audit_log.record_event(AuditEvent.Action.EXPORTED, "旧", by=lead)
    AuditEvent.objects.update(
        at=timezone.now() - audit_log.AUDIT_RETENTION - timedelta(days=1)
    )
    assert audit_log.delete_old_events() >= 1


# Who reads it -----------------------------------------------------------------------


def test_leads_read_the_log_and_no_role_changes_it(
    client: Client, lead: User, editor: User, agent: User
) -> None:
    row = audit_log.record_event(AuditEvent.Action.EXPORTED, "条目 12 条", by=lead)
    client.force_login(lead)
    page = client.get("/admin/kb/auditevent/?act__exact=exported").content.decode()
    assert "条目 12 条" in page
    change = f"/admin/kb/auditevent/{row.pk}/change/"
    assert client.get(change).status_code == 200
    assert client.post(change, {"what": "改"}).status_code == 403
    assert client.post(f"/admin/kb/auditevent/{row.pk}/delete/").status_code == 403
    assert client.get("/admin/kb/auditevent/add/").status_code == 403
    for other in (editor, agent):
        client.force_login(other)
        shown = client.get("/admin/kb/auditevent/", follow=True)
        assert shown.status_code == 403


def test_the_page_of_the_log_is_found_by_words(client: Client, lead: User) -> None:
    audit_log.record_event(AuditEvent.Action.EXPORTED, "条目 12 条", by=lead)
    client.force_login(lead)
    found: Any = client.get("/admin/kb/auditevent/?q=条目").context["cl"]
    assert found.result_count == 1
