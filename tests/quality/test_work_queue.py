"""Waiting work is counted in one query, equal to the lists of its pages."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from kb.library import entries
from kb.models import ROLE_AGENT, ROLE_EDITOR, Category, CategoryPermission, User
from kb.quality import work_queue
from tests.conftest import MakeEntry, MakeQuestion

pytestmark = pytest.mark.django_db


def tabs(page: Any) -> dict[str, str]:
    """Return the tabs of a page of the desk, and the number at each."""
    nav = re.search('<nav class="tabs".*?</nav>', page.content.decode(), re.S)
    assert nav
    found = re.findall(
        r">([^<]+?)(?: <span class=\"number\">(\d+)</span>)?</a>", nav[0]
    )
    return dict(found)


def test_user_without_permissions_has_no_work(agent: User) -> None:
    assert set(work_queue.count_waiting_work(agent)) <= {"asked", "recorded", "ratings"}
    User.groups.through.objects.all().delete()
    assert work_queue.count_waiting_work(User.objects.get(pk=agent.pk)) == {}


def test_all_kinds_are_counted_in_one_query(
    editor: User, make_entry: MakeEntry, make_question: MakeQuestion
) -> None:
    def asked() -> int:
        with CaptureQueriesContext(connection) as captured:
            work_queue.count_waiting_work(User.objects.get(pk=editor.pk))
        return len(captured)

    few = asked()
    for number in range(3):
        make_question(f"问题{number}")
        make_entry(f"条目{number}？", review_at=timezone.localdate())
    assert asked() == few <= 7  # user, permissions, categories of the user, tree
    assert (
        work_queue.count_waiting_work(editor)["inbox"]
        == work_queue.count_waiting_work(editor)["due"]
        == 3
    )


def test_due_entry_is_work_of_its_owner_or_category_writers(
    make_user: Callable[..., User], editor: User, lead: User, make_entry: MakeEntry
) -> None:
    here, there = (Category.objects.create(name=name) for name in ("售后", "售前"))
    gone = make_user("gone", ROLE_EDITOR, is_active=False)
    restricted = make_user("held", ROLE_EDITOR)
    CategoryPermission.objects.create(user=restricted, category=here, right="write")
    today = timezone.localdate()
    for name, owner, place in (
        ("我的？", editor, there),
        ("主管的？", lead, here),
        ("没人的？", None, there),
        ("走了的人的？", gone, here),
        ("他的？", restricted, there),
    ):
        make_entry(name, review_at=today, owner=owner, category=place)

    def due(user: User) -> set[str]:
        return set(
            entries.list_due_entries_for(user).values_list("question", flat=True)
        )

    assert due(editor) == {"我的？", "没人的？", "走了的人的？"}
    assert due(lead) == {"主管的？", "没人的？", "走了的人的？"}
    assert due(restricted) == {"他的？", "走了的人的？"}


def test_counts_equal_the_lists_behind_them(
    client: Client, editor: User, lead: User, make_entry: MakeEntry
) -> None:
    today = timezone.localdate()
    make_entry("我的？", review_at=today, owner=editor)
    make_entry("主管的？", review_at=today, owner=lead)
    draft = entries.create_draft("草稿？", by=lead, answer="好")
    entries.submit_entry(draft, by=lead)
    own = entries.create_draft("自己的？", by=editor, answer="好")
    entries.submit_entry(own, by=editor)
    client.force_login(editor)
    page = client.get("/desk/due/")
    assert page.context["total"] == work_queue.count_waiting_work(editor)["due"] == 1
    assert (
        work_queue.count_waiting_work(editor)["reviews"] == 1
    )  # one's own waits for others
    assert tabs(page)["待复核"] == tabs(page)["审核"] == "1"


def test_agents_see_their_own_tabs_only(
    client: Client, make_user: Callable[..., User]
) -> None:
    client.force_login(make_user("kefu", ROLE_AGENT))
    assert tabs(client.get("/desk/asked/")) == {
        "待回复": "",
        "已回复": "",
        "低分评价": "",
        "待补答案": "",
    }
