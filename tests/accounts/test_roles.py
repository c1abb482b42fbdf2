"""The table of roles is the truth for the four groups, and docs/permissions.md its copy."""

from __future__ import annotations

import logging
import os
import subprocess
import sys
from io import StringIO
from pathlib import Path

import pytest
from django.apps import apps
from django.apps.registry import Apps
from django.contrib.auth.models import Group, Permission
from django.core.management import call_command
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from kb.accounts import permissions_page, roles
from kb.models import (
    ROLE_AGENT,
    ROLE_EDITOR,
    ROLE_LEAD,
    ROLE_WRITER,
    AuditEvent,
    Site,
    User,
)
from kb.publishing import sites
from tests.admin_forms import read_form as filled

ROOT = Path(__file__).resolve().parents[2]
KB = apps.get_app_config("kb")
# Builds the tables without any migration, as pytest --nomigrations does.
WITHOUT_MIGRATIONS = """
import django; django.setup()
from django.apps import apps
from django.conf import settings
settings.MIGRATION_MODULES = {app.label: None for app in apps.get_app_configs()}
from django.core.management import call_command
call_command("migrate", run_syncdb=True, verbosity=0)
from django.contrib.auth.models import Group
from kb.models import Site
for group in Group.objects.order_by("pk"):
    print(group.name, group.permissions.count())
print(Site.objects.count())
"""


def permissions_of(role: str) -> set[str]:
    rows = Group.objects.get(name=role).permissions
    return {f"{one.content_type.app_label}.{one.codename}" for one in rows.all()}


def table_of(role: str) -> set[str]:
    return {f"kb.{name}" for name in roles.get_codenames(role)}


# The table --------------------------------------------------------------------------


def test_every_codename_of_the_table_belongs_to_a_model() -> None:
    assert roles.find_unknown_codenames() == []


def test_an_unknown_codename_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    wrong = roles.Grant("Brew tea", "brew_tea view_entry", (ROLE_AGENT,))
    monkeypatch.setattr(roles, "GRANTS", (*roles.GRANTS, wrong))
    assert roles.find_unknown_codenames() == ["brew_tea"]


def test_every_codename_has_one_row() -> None:
    names = [name for grant in roles.GRANTS for name in grant.codenames.split()]
    assert sorted(names) == sorted(set(names))


def test_roles_hold_what_the_role_below_holds() -> None:
    """But writers answer no customers; that is the work of agents and editors."""
    agent, writer, editor, lead = map(roles.get_codenames, roles.ROLES)
    assert agent - {"answer_question"} <= writer < editor < lead
    assert agent < editor


def test_who_may_not_publish_delete_or_see_records() -> None:
    for role in (ROLE_AGENT, ROLE_WRITER):
        held = roles.get_codenames(role)
        assert not {"publish_entry", "delete_entry", "export_library"} & held
    for role in (ROLE_AGENT, ROLE_WRITER, ROLE_EDITOR):
        held = roles.get_codenames(role)
        assert not {"view_auditevent", "view_user", "change_site", "view_scores"} & held


# Applied after migrate ---------------------------------------------------------------


@pytest.mark.django_db
@pytest.mark.parametrize("role", roles.ROLES)
def test_after_migrate_a_group_holds_what_the_table_says(role: str) -> None:
    assert permissions_of(role) == table_of(role)


@pytest.mark.django_db
def test_missing_permissions_are_added_and_others_removed(
    caplog: pytest.LogCaptureFixture,
) -> None:
    writer = Group.objects.get(name=ROLE_WRITER)
    writer.permissions.clear()
    foreign = Permission.objects.get(codename="add_group")
    writer.permissions.add(foreign, Permission.objects.get(codename="publish_entry"))
    Group.objects.get(name=ROLE_AGENT).delete()
    AuditEvent.objects.all().delete()
    with caplog.at_level(logging.WARNING, logger=roles.__name__):
        roles.apply_roles()
    for role in roles.ROLES:
        assert permissions_of(role) == table_of(role)
    assert caplog.messages == ["撰稿: removed add_group, publish_entry"]
    assert not AuditEvent.objects.exists()  # an upgrade is no action of a user


@pytest.mark.django_db
def test_groups_of_the_installation_are_left_alone() -> None:
    own = Group.objects.create(name="外包客服")
    own.permissions.add(Permission.objects.get(codename="publish_entry"))
    roles.apply_roles()
    assert permissions_of("外包客服") == {"kb.publish_entry"}


@pytest.mark.django_db
def test_applying_again_writes_nothing() -> None:
    with CaptureQueriesContext(
        connection,
    ) as queries:
        roles.apply_roles()
    assert {query["sql"].split()[0] for query in queries} <= {
        "SELECT",
        "SAVEPOINT",
        "RELEASE",
    }


@pytest.mark.django_db
def test_permissions_are_made_where_django_has_not_made_them_yet() -> None:
    """The app comes before django.contrib.auth, so its receivers may run first."""
    Group.objects.all().delete()
    Permission.objects.filter(content_type__app_label="kb").delete()
    roles.apply_after_migrate(KB)
    for role in roles.ROLES:
        assert permissions_of(role) == table_of(role)


@pytest.mark.django_db
def test_nothing_happens_before_the_tables_are_migrated() -> None:
    Group.objects.all().delete()
    Site.objects.all().delete()
    roles.apply_after_migrate(KB, apps=Apps())
    sites.make_default_site(KB, apps=Apps())
    assert not Group.objects.exists()
    assert not Site.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_a_flush_brings_groups_and_the_default_site_back() -> None:
    call_command("flush", interactive=False, verbosity=0)
    assert permissions_of(ROLE_LEAD) == table_of(ROLE_LEAD)
    assert Site.objects.get().host == ""


def test_tables_made_without_migrations_have_groups_and_site(tmp_path: Path) -> None:
    tmp_path.chmod(0o700)
    env = {name: value for name, value in os.environ.items() if name != "DATABASE_URL"}
    env |= {"DATA_DIR": str(tmp_path), "DJANGO_SETTINGS_MODULE": "config.settings"}
    command = [sys.executable, "-c", WITHOUT_MIGRATIONS]
    done = subprocess.run(
        command, cwd=ROOT, env=env, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    counts = [f"{role} {len(roles.get_codenames(role))}" for role in roles.ROLES]
    assert done.stdout.splitlines() == [*counts, "1"]


# The page and the admin -------------------------------------------------------------


def test_the_page_is_what_the_table_says() -> None:
    page = (ROOT / "docs" / "permissions.md").read_text("utf-8")
    assert page == permissions_page.render_permissions_page(), "run make docs"


def test_the_command_prints_the_page() -> None:
    call_command("kb_permissions", stdout=(out := StringIO()))
    assert out.getvalue() == permissions_page.render_permissions_page()
    assert "| Export the library |  |  | ✓ | ✓ | `export_library` |" in out.getvalue()


@pytest.fixture
def root(client: Client, db: None) -> Client:
    user = User.objects.create_user("root", is_staff=True, is_superuser=True)
    client.force_login(user)
    return client


def send(client: Client, group: Group, **changes: object) -> str:
    """Send the form of a group with changes; return the page that had the form."""
    address = f"/admin/auth/group/{group.pk}/change/"
    page = client.get(address).text
    answer = client.post(address, {**filled(client, address), **changes})
    assert answer.status_code == 302, answer.context["errors"]
    return page


def test_a_group_of_the_table_is_shown_and_not_changed(root: Client) -> None:
    group = Group.objects.get(name=ROLE_AGENT)
    group.permissions.add(Permission.objects.get(codename="add_session"))
    page = send(root, group, name="改名", permissions=[])
    assert "权限由系统规定，不能改" in page
    assert permissions_of(ROLE_AGENT) == {*table_of(ROLE_AGENT), "sessions.add_session"}


def test_a_group_of_the_installation_is_changed(root: Client) -> None:
    group = Group.objects.create(name="外包客服")
    group.permissions.add(Permission.objects.get(codename="add_session"))
    chosen = Permission.objects.get(codename="read_library")
    page = send(root, group, name="外包", permissions=[chosen.pk])
    assert "权限由系统规定" not in page
    assert permissions_of("外包") == {"kb.read_library", "sessions.add_session"}
