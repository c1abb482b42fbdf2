"""Every relation of every form uses autocomplete, for people who may write the form."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.contrib import admin
from django.contrib.admin.widgets import RelatedFieldWidgetWrapper
from django.contrib.auth.models import Permission
from django.forms import ModelChoiceField
from django.test import Client, RequestFactory
from django.utils import timezone

from kb.admin.autocomplete_lookup import (
    SafeAutocompleteSelect,
    SafeAutocompleteSelectMultiple,
)
from kb.models import (
    ROLE_WRITER,
    CampaignPeriod,
    Category,
    CategoryPermission,
    CustomerSegment,
    Entry,
    Module,
    Team,
    User,
)
from tests.admin_forms import post_change as change
from tests.conftest import MakeEntry

pytestmark = pytest.mark.django_db
APART = {("Group", "permissions")}  # two lists beside each other, with a filter


def looked_up(client: Client, field: str, term: str = "", **more: str) -> list[str]:
    model, name = field.split(".")
    query = {"app_label": "kb", "model_name": model, "field_name": name, "term": term}
    response = client.get("/admin/autocomplete/", {**query, **more})
    assert response.status_code == 200, response.status_code
    return [row["text"] for row in response.json()["results"]]


def relations(request: Any) -> Iterator[tuple[str, str, Any]]:
    """Yield (model, field, form field) of every relation that the admin writes."""
    for model, model_admin in admin.site._registry.items():
        if not model_admin.has_change_permission(request):
            continue
        forms = [(model.__name__, model_admin.get_form(request).base_fields)]
        for inline in model_admin.get_inline_instances(request):
            base = inline.get_formset(request).form.base_fields
            forms.append((inline.model.__name__, base))
        for name, fields in forms:
            for field, form_field in fields.items():
                if (
                    isinstance(form_field, ModelChoiceField)
                    and (name, field) not in APART
                ):
                    yield name, field, form_field


def test_every_relation_uses_autocomplete(
    make_user: Callable[..., User], rf: RequestFactory
) -> None:
    request: Any = rf.get("/admin/")
    request.user = make_user("root", is_staff=True, is_superuser=True)
    rows = list(relations(request))
    assert len(rows) >= 15
    for model, field, form_field in rows:
        widget: Any = form_field.widget
        if isinstance(widget, RelatedFieldWidgetWrapper):
            widget = widget.widget
        if not widget.is_hidden:
            assert isinstance(
                widget, (SafeAutocompleteSelect, SafeAutocompleteSelectMultiple)
            ), (model, field)


def test_category_is_found_by_its_ancestors(
    client: Client, editor: User, make_user: Callable[..., User]
) -> None:
    top = Category.objects.create(name="售后")
    below = Category.objects.create(name="退换货", parent=top)
    Category.objects.create(name="发票")
    client.force_login(editor)
    assert looked_up(client, "entry.category") == ["售后", "售后 › 退换货", "发票"]
    assert looked_up(client, "entry.category", "售後") == ["售后", "售后 › 退换货"]
    writer = make_user("writer", ROLE_WRITER, is_staff=True)
    CategoryPermission.objects.create(user=writer, category=below, right="write")
    client.force_login(writer)
    assert looked_up(client, "entry.category") == ["售后 › 退换货"]


def test_owner_is_found_by_name_but_not_by_email(
    client: Client, editor: User, make_user: Callable[..., User]
) -> None:
    make_user("lin", name="林一", is_staff=True, email="secret@example.com")
    make_user("lin2", name="林二", is_staff=True, is_active=False)
    make_user("lin3", name="林三")  # could not come in to mend it
    client.force_login(editor)
    assert looked_up(client, "entry.owner", "林") == ["林一（lin）"]
    assert looked_up(client, "entry.owner", "secret") == []
    assert client.get("/admin/kb/user/").status_code == 403


def test_autocomplete_requires_permission_for_the_form(
    client: Client, editor: User
) -> None:
    client.force_login(editor)
    query = {"app_label": "kb", "model_name": "user", "field_name": "team"}
    assert client.get("/admin/autocomplete/", query).status_code == 403
    query = {"app_label": "kb", "model_name": "team", "field_name": "members"}
    assert client.get("/admin/autocomplete/", query).status_code == 403
    query = {"app_label": "kb", "model_name": "entry", "field_name": "questions"}
    assert client.get("/admin/autocomplete/", query).status_code == 403
    query = {"app_label": "kb", "model_name": "team", "field_name": "members"}
    # A reverse relation is no field of a form.
    permission = Permission.objects.get(codename="change_team")
    editor.user_permissions.add(permission)
    assert client.get("/admin/autocomplete/", query).status_code == 403


def test_campaign_periods_are_labeled_with_their_dates(
    client: Client, editor: User
) -> None:
    start = timezone.make_aware(timezone.datetime(2026, 6, 1))  # type: ignore[attr-defined]
    CampaignPeriod.objects.create(name="618", starts_at=start)
    client.force_login(editor)
    assert looked_up(client, "entry.window", "618") == [
        "618（2026-06-01 00:00 至 不限）"
    ]


def test_segments_and_teams_use_autocomplete(
    client: Client, editor: User, make_user: Callable[..., User]
) -> None:
    CustomerSegment.objects.create(name="新客甲")
    Team.objects.create(name="一线")
    client.force_login(editor)
    assert looked_up(client, "reply.segment", "新客甲") == ["新客甲"]
    client.force_login(make_user("root", is_staff=True, is_superuser=True))
    assert looked_up(client, "user.team", "一线") == ["一线"]


def test_inactive_owner_is_kept(
    client: Client, editor: User, make_user: Callable[..., User], make_entry: MakeEntry
) -> None:
    gone = make_user("gone", name="走了", is_staff=True)
    entry = make_entry(owner=gone)
    User.objects.filter(pk=gone.pk).update(is_active=False)
    client.force_login(editor)
    page = client.get(f"/admin/kb/entry/{entry.pk}/change/").content.decode()
    assert "走了（gone）" in page
    assert change(client, entry, note="别的").status_code == 302
    entry.refresh_from_db()
    assert entry.owner == gone


def test_filter_lists_the_most_used_rows_and_the_selected_one(
    client: Client, editor: User, make_entry: MakeEntry
) -> None:
    modules = [Module.objects.create(name=f"模块{n:02}") for n in range(30)]
    rare = Module.objects.create(name="没人用的")
    Entry.objects.bulk_create(
        Entry(question=f"条目{n}？", question_key=str(n), module=modules[n % 25])
        for n in range(60)
    )
    client.force_login(editor)
    page = client.get("/admin/kb/entry/").content.decode()
    assert page.count("module__id__exact=") == 20
    assert "没人用的" not in page
    filtered = client.get("/admin/kb/entry/", {"module__id__exact": rare.pk})
    assert "没人用的" in filtered.content.decode()
    for wrong in ("x", "9" * 40):
        assert (
            client.get("/admin/kb/entry/", {"module__id__exact": wrong}).status_code
            < 500
        )


def test_date_hierarchy_filters_from_year_to_day(client: Client, lead: User) -> None:
    from kb.models import AuditEvent

    client.force_login(lead)
    now = timezone.make_aware(timezone.datetime(2026, 3, 9, 12))  # type: ignore[attr-defined]
    AuditEvent.objects.all().delete()
    for days in (0, 3, 400):
        deed = AuditEvent.objects.create(who="某人", act="came")
        AuditEvent.objects.filter(pk=deed.pk).update(at=now - timedelta(days=days))

    def titles(**query: str) -> list[str]:
        page = client.get("/admin/kb/auditevent/", query).content.decode()
        nav = page.split('class="toplinks">')[1].split("</nav>")[0]
        return [part.split("<")[0] for part in nav.split('">')[1:]]

    assert titles() == ["2025年", "2026年"]
    assert titles(at__year="2026") == [
        "‹ 所有日期".replace("‹", "&lsaquo;"),
        "2026年1月",
        "2026年2月",
        "2026年3月",
    ]
    assert "3月9日" in titles(at__year="2026", at__month="3")
    assert client.get("/admin/kb/auditevent/", {"at__year": "x"}).status_code == 302


def test_search_box_shows_the_count_and_a_link_to_all(
    client: Client, editor: User, make_entry: MakeEntry
) -> None:
    make_entry("退货？")
    make_entry("发票？", status="draft")
    client.force_login(editor)
    page = client.get("/admin/kb/entry/").content.decode()
    assert "2 条" in page
    assert "显示全部" not in page
    for query in ({"q": "发票"}, {"status__exact": "draft"}):
        page = client.get("/admin/kb/entry/", query).content.decode()
        assert "1 条" in page
        assert "显示全部" in page
        assert "Search" not in page
