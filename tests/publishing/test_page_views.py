"""Popular entries by page views, and related entries."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from kb.models import (
    FollowUp,
    PageView,
    RelatedEntries,
    User,
)
from kb.publishing import page_cache, page_views
from kb.search import related
from tests.conftest import MakeEntry

pytestmark = pytest.mark.django_db


def test_the_most_opened_entries_are_on_the_home_page(
    client: Client, make_entry: MakeEntry
) -> None:
    rare, often = make_entry("退货地址？"), make_entry("运费谁出？")
    for entry, times in ((rare, 1), (often, 3)):
        for _ in range(times):
            client.get(entry.get_absolute_url())
    robot = {"User-Agent": "Googlebot/2.1"}
    for _ in range(9):
        client.get(rare.get_absolute_url(), headers=robot)
    page_views.flush_page_views()
    assert [one.pk for one in client.get("/").context["popular"]] == [often.pk, rare.pk]
    past = timezone.localdate() - timedelta(days=7)
    PageView.objects.filter(entry=often).update(day=past)
    page_cache.public_page_cache.clear()
    assert [one.pk for one in client.get("/").context["popular"]] == [rare.pk]
    PageView.objects.update(day=past - timedelta(days=90))
    assert page_views.delete_old_page_views() == 2


def test_views_of_staff_are_not_counted(
    client: Client, agent: User, make_entry: MakeEntry
) -> None:
    client.force_login(agent)
    client.get(make_entry().get_absolute_url())
    page_views.flush_page_views()
    assert not PageView.objects.exists()


def test_a_view_of_a_deleted_entry_is_dropped(make_entry: MakeEntry) -> None:
    made = make_entry(status="draft")
    page_views.count_page_view(made.pk)
    page_views.count_page_view(made.pk + 99)
    made.delete()
    page_views.flush_page_views()
    assert not PageView.objects.exists()


def test_follow_ups_come_before_similar_entries(make_entry: MakeEntry) -> None:
    here = make_entry("退货运费谁承担？")
    like = make_entry("退货地址在哪里？")
    chosen = make_entry("积分怎么用？", "下单时抵扣。")
    FollowUp.objects.create(entry=here, then=chosen)
    from django.contrib.auth.models import AnonymousUser

    found = related.list_related_entries(here, user=AnonymousUser())
    assert found == [chosen, like]
    kept = RelatedEntries.objects.get(entry=here)
    assert kept.ids == {"all": [like.pk]}
