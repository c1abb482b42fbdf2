"""The tree of categories in the admin."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import Permission
from django.test import Client

from kb.models import Category, User
from tests.admin_forms import post_change
from tests.conftest import MakeEntry

pytestmark = pytest.mark.django_db


@pytest.fixture
def tree(db: None) -> dict[str, Category]:
    names = ["售前", "售后", "账号"]
    nodes = {name: Category.objects.create(name=name) for name in names}
    nodes["运费"] = Category.objects.create(name="运费", parent=nodes["售后"])
    return nodes


def listed(client: Client) -> list[str]:
    page = client.get("/admin/kb/category/")
    return [node.name for node in page.context["cl"].result_list]


def shift(client: Client, node: Category, way: str) -> Any:
    return client.post(f"/admin/kb/category/{node.pk}/move/{way}/")


def test_categories_are_listed_as_a_tree(
    desk: Client, tree: dict[str, Category]
) -> None:
    assert listed(desk) == ["售前", "售后", "运费", "账号"]
    assert (
        'class="tree depth-1">运费' in desk.get("/admin/kb/category/").content.decode()
    )


def test_a_category_moves_among_its_siblings(
    desk: Client, tree: dict[str, Category]
) -> None:
    shift(desk, tree["账号"], "up")
    assert listed(desk) == ["售前", "账号", "售后", "运费"]
    shift(desk, tree["账号"], "up")
    shift(desk, tree["账号"], "up")  # it is the first already
    assert listed(desk) == ["账号", "售前", "售后", "运费"]
    shift(desk, tree["账号"], "down")
    assert listed(desk) == ["售前", "账号", "售后", "运费"]


def test_moving_a_category_requires_post_and_permission(
    client: Client,
    make_user: Callable[..., User],
    desk: Client,
    tree: dict[str, Category],
) -> None:
    assert desk.get(f"/admin/kb/category/{tree['账号'].pk}/move/up/").status_code == 405
    assert shift(desk, tree["账号"], "sideways").status_code == 404
    looker = make_user("looker", is_staff=True)
    looker.user_permissions.set(Permission.objects.filter(codename="view_category"))
    client.force_login(looker)
    assert shift(client, tree["账号"], "up").status_code == 403
    assert listed(client) == ["售前", "售后", "运费", "账号"]


def test_category_cannot_be_its_own_ancestor(
    desk: Client, tree: dict[str, Category]
) -> None:
    page = post_change(desk, tree["售后"], parent=tree["运费"].pk)
    assert page.status_code == 200
    assert Category.objects.get(name="售后").parent is None


def test_category_with_entries_cannot_be_deleted(
    desk: Client, tree: dict[str, Category], make_entry: MakeEntry
) -> None:
    make_entry(category=tree["运费"])
    page = desk.post(f"/admin/kb/category/{tree['运费'].pk}/delete/", {"post": "yes"})
    assert page.status_code == 200
    assert Category.objects.filter(name="运费").exists()
