"""Filters of the search page."""

from __future__ import annotations

import pytest
from django.test import Client

from kb.models import (
    Category,
    Tag,
)
from tests.conftest import MakeEntry

pytestmark = pytest.mark.django_db


@pytest.fixture
def shelf(db: None) -> Category:
    made: Category = Category.objects.create(name="售后")
    return made


def test_a_search_is_filtered_by_category_and_tag(
    client: Client, make_entry: MakeEntry, shelf: Category
) -> None:
    pay: Category = Category.objects.create(name="支付")
    tag = Tag.objects.create(name="时效")
    one = make_entry("退款多久到账？", category=shelf)
    make_entry("退款怎么付？", category=pay)
    one.tags.add(tag)
    page = client.get("/search/", {"q": "退款"})
    assert page.context["total"] == 2
    choices = {choice.name: choice for choice in page.context["category_choices"]}
    assert (choices["售后"].count, choices["支付"].count) == (1, 1)
    inside = client.get(f"/search/{choices['售后'].query_string}")
    assert [entry.pk for entry, _ in inside.context["rows"]] == [one.pk]
    assert 'aria-current="true">售后' in inside.text
    tagged = client.get("/search/", {"q": "退款", "tag": tag.pk, "c": pay.pk})
    assert tagged.context["total"] == 0
    assert "看全部结果" in tagged.text
    listed = client.get("/search/", {"tag": tag.pk})
    assert "退款多久到账？" in listed.text


@pytest.mark.parametrize("value", ["x", "-1", "9" * 30, "1.5", "", "\x00", "１"])
def test_an_invalid_filter_is_ignored(
    client: Client, make_entry: MakeEntry, value: str
) -> None:
    make_entry("退款多久到账？")
    page = client.get("/search/", {"q": "退款", "c": value, "tag": value})
    assert page.status_code == 200
    assert page.context["total"] == 1
