"""The admin site: permissions, policy, groups of models, small tables."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta

import pytest
from django.conf import settings
from django.contrib.auth.models import AnonymousUser, Group, Permission
from django.test import Client
from django.utils import timezone

from kb import usage
from kb.models import Category, IndexQueue, Reply, Search, Tag, User
from tests.admin_forms import (
    LIST_URLS,
    MODEL_NAMES,
    get_change_url,
    post_change,
    read_form,
)
from tests.conftest import MakeEntry, MakeQuestion

pytestmark = pytest.mark.django_db


def test_anonymous_users_are_redirected_to_the_login_page(client: Client) -> None:
    first = client.get("/admin/kb/entry/")
    second = client.get(first.headers["Location"])
    assert second.headers["Location"] == "/login/?next=/admin/kb/entry/"


def test_agents_may_not_open_the_admin(client: Client, agent: User) -> None:
    client.force_login(agent)
    for address in [*LIST_URLS, "/admin/"]:
        assert client.get(address, follow=True).status_code == 403


def test_a_logged_in_editor_skips_the_login_page(desk: Client) -> None:
    assert desk.get("/admin/login/").headers["Location"] == "/admin/"


def test_models_are_listed_in_groups(client: Client, root: User) -> None:
    client.force_login(root)
    groups = client.get("/admin/").context["app_list"]
    assert [group["name"] for group in groups] == [
        "内容",
        "归类",
        "词汇",
        "使用",
        "站点",
        "人员",
        "系统",
    ]
    names = [model["object_name"] for group in groups for model in group["models"]]
    assert [name.lower() for name in names] == MODEL_NAMES


def test_editors_see_only_permitted_models(desk: Client) -> None:
    page = desk.get("/admin/").content.decode()
    assert "/admin/kb/entry/" in page
    assert "/admin/import/" in page
    assert "/admin/kb/user/" not in page
    assert desk.get("/admin/kb/user/").status_code == 403


@pytest.mark.parametrize("address", [*LIST_URLS, "/admin/", "/admin/kb/entry/add/"])
def test_pages_keep_the_strict_content_security_policy(
    client: Client, root: User, address: str
) -> None:
    Category.objects.create(name="售后")
    client.force_login(root)
    response = client.get(address)
    policy = response.headers["Content-Security-Policy"]
    assert "script-src 'self';" in policy + ";"
    assert "unsafe" not in policy
    page = response.content.decode()
    assert not re.search(r"<style|\sstyle=|\son\w+=|<script(?![^>]*\bsrc=)", page)
    assert "no-store" in response.headers["Cache-Control"]


def test_hostile_searches_and_filters_are_harmless(
    client: Client, root: User, make_entry: MakeEntry
) -> None:
    make_entry(category=Category.objects.create(name="售后"))
    client.force_login(root)
    hostile = [
        {"q": "a" * 60_000},
        {"q": "a " * 3_000},
        {"q": "\x00' OR 1=1 --"},
        {"p": "9" * 30},
        {"o": "1.2.x"},
        {"category": "abc"},
        {"category": "9" * 30},
        {"status__exact": "nothing"},
        {"tags__id__exact": "abc"},
        {"asked_at__year": "abc"},
    ]
    for address in LIST_URLS:
        for query in hostile:
            status = client.get(address, query).status_code
            assert status in {200, 302, 400}, (address, query)


def test_filters_do_not_reach_passwords(desk: Client, make_entry: MakeEntry) -> None:
    make_entry()
    for lookup in (
        "updated_by__password__startswith",
        "created_by__email__contains",
        "questions__answer__contains",
    ):
        assert desk.get("/admin/kb/entry/", {lookup: "p"}).status_code == 400


def test_index_queue_is_read_only(client: Client, root: User, db: None) -> None:
    client.force_login(root)
    mark = IndexQueue.objects.create(entry_id=7)
    assert "#7" in client.get("/admin/kb/indexqueue/").content.decode()
    assert client.get("/admin/kb/indexqueue/add/").status_code == 403
    delete = f"/admin/kb/indexqueue/{mark.pk}/delete/"
    assert client.post(delete, {"post": "yes"}).status_code == 403
    assert IndexQueue.objects.exists()


def test_searches_are_read_only_and_filtered_by_outcome(
    desk: Client, agent: User
) -> None:
    stranger = AnonymousUser()
    usage.record_search("榴莲", user=stranger, results=0)
    usage.record_search("邮费", user=agent, results=3)
    address = "/admin/kb/search/"
    page = desk.get(address).text
    assert page.index("没有结果") < page.index("用了某一条")
    for outcome, words in (("none", "榴莲"), ("some", "邮费"), ("used", "")):
        rows = desk.get(address, {"outcome": outcome}).context["cl"].queryset
        assert "".join(row.words for row in rows) == words
    row = Search.objects.get(results=0)
    assert desk.get(f"{address}add/").status_code == 403
    delete = f"{address}{row.pk}/delete/"
    assert desk.post(delete, {"post": "yes"}).status_code == 403
    assert Search.objects.count() == 2


def test_tags_are_looked_up_by_autocomplete(
    desk: Client, client: Client, agent: User
) -> None:
    Tag.objects.create(name="运费")
    query = {
        "term": "运",
        "app_label": "kb",
        "model_name": "entry",
        "field_name": "tags",
    }
    results = desk.get("/admin/autocomplete/", query).json()["results"]
    assert [tag["text"] for tag in results] == ["运费"]
    client.force_login(agent)
    assert client.get("/admin/autocomplete/", query).status_code == 302


def test_only_superusers_edit_superusers(
    client: Client, root: User, make_user: Callable[..., User]
) -> None:
    manager = make_user("manager", is_staff=True)
    people = Permission.objects.filter(
        codename__regex="^(view|add|change|delete)_user$"
    )
    manager.user_permissions.set(people)
    client.force_login(manager)
    form = read_form(client, get_change_url(manager))
    client.post(get_change_url(manager), {**form, "is_superuser": "on", "name": "改名"})
    manager.refresh_from_db()
    assert (manager.is_superuser, manager.name) == (False, "改名")
    assert client.post(get_change_url(root), {"username": "taken"}).status_code == 403
    password = f"/admin/kb/user/{root.pk}/password/"
    assert client.get(password).status_code == 403
    delete = f"/admin/kb/user/{root.pk}/delete/"
    assert client.post(delete, {"post": "yes"}).status_code == 403


def test_superuser_creates_a_user(client: Client, root: User) -> None:
    client.force_login(root)
    group = Group.objects.get(name="客服")
    password = "一壶好茶，两碟点心 2026"
    data = {"username": "xiaocha", "name": "小茶", "groups": [group.pk]}
    data |= {"password1": password, "password2": password}
    assert client.post("/admin/kb/user/add/", data).status_code == 302
    user = User.objects.get(username="xiaocha")
    assert user.check_password(password)
    assert user.can_read_library


def test_user_form_shows_no_password_hash(
    client: Client, lead: User, agent: User
) -> None:
    client.force_login(lead)
    page = client.get(get_change_url(agent)).content.decode()
    assert agent.username in page
    assert agent.password not in page
    assert agent.password.split("$")[-1] not in page


def test_text_of_customers_is_escaped(
    desk: Client, make_entry: MakeEntry, make_question: MakeQuestion
) -> None:
    for attack in (
        '"><img src=x onerror=alert(1)>',
        "&lt;img src=x onerror=alert(1)&gt;",
    ):
        entry = make_entry(
            f"条目 {attack}", replies=[attack], phrasings=[f"问 {attack}"]
        )
        question = make_question(attack, answer=attack)
        for address in (
            *LIST_URLS[:2],
            get_change_url(entry),
            get_change_url(question),
        ):
            page = desk.get(address).content.decode()
            assert "<img src=x" not in page
            if attack.startswith("&"):
                assert "&amp;lt;img" in page


def test_every_page_names_the_site_in_chinese(desk: Client) -> None:
    page = desk.get("/admin/").content.decode()
    assert "话术库与 FAQ 管理" in page
    assert "Django" not in page
    assert settings.LANGUAGE_CODE == "zh-hans"


def test_reply_requires_visible_text(desk: Client, make_entry: MakeEntry) -> None:
    entry = make_entry(replies=["话术"])
    page = post_change(desk, entry, **{"replies-0-body": "\u200b \u200b"})
    assert page.status_code == 200
    assert Reply.objects.get().body == "话术"


def test_validity_is_filtered_and_shown_as_a_badge(
    desk: Client, make_entry: MakeEntry
) -> None:
    now, day = timezone.now(), timedelta(days=1)
    for name, columns in {
        "上月活动": {"valid_until": now - day},
        "本月活动": {"valid_until": now + day},
        "下月活动": {"valid_from": now + day},
        "一直有效": {},
    }.items():
        make_entry(name, **columns)
    make_entry("旧草稿", status="draft", valid_until=now - day)
    where = "/admin/kb/entry/"
    listed = {
        state: [
            str(entry)
            for entry in desk.get(where, {"validity": state}).context["cl"].result_list
        ]
        for state in ("over", "soon", "later", "now")
    }
    assert listed == {
        "over": ["上月活动"],
        "soon": ["本月活动"],
        "later": ["下月活动"],
        "now": ["一直有效"],
    }
    page = desk.get(where).text
    assert '<span class="badge bad">已过期</span>' in page
    assert '<span class="badge warn">即将过期</span>' in page
    assert desk.get(where, {"validity": "x"}).status_code == 200


def test_group_with_members_cannot_be_deleted(
    client: Client, root: User, editor: User
) -> None:
    client.force_login(root)
    group = editor.groups.get()
    address = f"/admin/auth/group/{group.pk}/delete/"
    page = client.get(address).content.decode()
    assert "还在用，不能删除" in page
    assert f"用户：{editor}" in page
    client.post(address, {"post": "yes"})
    chosen = {"action": "delete_selected", "_selected_action": [group.pk]}
    client.post("/admin/auth/group/", {**chosen, "post": "yes"})
    assert Group.objects.filter(pk=group.pk).exists()
    editor.groups.clear()
    client.post(address, {"post": "yes"})
    assert not Group.objects.filter(pk=group.pk).exists()


def test_deletion_page_is_in_chinese(
    client: Client, root: User, make_entry: MakeEntry
) -> None:
    tag = Tag.objects.create(name="运费")
    make_entry().tags.add(tag)
    client.force_login(root)
    page = client.get(f"/admin/kb/tag/{tag.pk}/delete/").content.decode()
    assert "确定删除标签「运费」吗？" in page
    assert "object (" not in page
    assert "relationship" not in page
    page = client.get(f"/admin/kb/user/{root.pk}/password/").content.decode()
    assert "If disabled" not in page
    assert "现在的密码会作废" in page
