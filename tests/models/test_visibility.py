"""Constraints of rows, and which entries a reader may see."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from itertools import product
from typing import Any

import pytest
from django.contrib.auth.models import AnonymousUser
from django.core.exceptions import ValidationError
from django.db import IntegrityError, connection, transaction
from django.test import RequestFactory
from django.urls import reverse

from kb.models import (
    Category,
    Entry,
    Phrasing,
    Question,
    Reader,
    Reply,
    Tag,
    User,
)
from kb.models.category import make_slug
from kb.models.entry import OFTEN_READ_COLUMNS, RARELY_READ_COLUMNS
from tests.conftest import MakeEntry

pytestmark = pytest.mark.django_db


# Who may see -----------------------------------------------------------------------


@pytest.fixture
def readers(
    agent: User, editor: User, lead: User, make_user: Callable[..., User]
) -> dict[str, Reader]:
    return {
        "anonymous": AnonymousUser(),
        "stranger": make_user("stranger"),
        "agent": agent,
        "editor": editor,
        "lead": lead,
        "superuser": make_user("root", is_superuser=True),
        "left": make_user("left", "编辑", is_active=False),
    }


def test_the_queryset_and_the_row_agree_for_every_reader(
    make_entry: MakeEntry, readers: dict[str, Reader]
) -> None:
    entries = [
        make_entry(f"{status} {audience}", status=status, audience=audience)
        for status, audience in product(Entry.Status.values, Entry.Audience.values)
    ]
    for name, reader in readers.items():
        seen = set(Entry.objects.visible_to(reader))
        assert seen == {e for e in entries if e.is_visible_to(reader)}, name


@pytest.mark.parametrize(
    ("name", "count"),
    [
        ("anonymous", 1),
        ("stranger", 1),
        ("left", 1),
        ("agent", 2),
        ("editor", 8),
        ("lead", 8),
        ("superuser", 8),
    ],
)
def test_each_role_sees_its_share(
    make_entry: MakeEntry, readers: dict[str, Reader], name: str, count: int
) -> None:
    for status, audience in product(Entry.Status.values, Entry.Audience.values):
        make_entry(f"{status} {audience}", status=status, audience=audience)
    assert Entry.objects.visible_to(readers[name]).count() == count


def test_rows_read_by_id_are_what_a_queryset_reads(
    make_entry: MakeEntry, django_assert_num_queries: Any
) -> None:
    category = Category.objects.create(name="售后")
    until = datetime(2031, 6, 18, 12, 30, 15, 250_000, tzinfo=UTC)
    one = make_entry("退货", category=category, valid_until=until)
    two = make_entry("换货", status="draft")
    ids = [two.pk, one.pk, 999_999]
    with django_assert_num_queries(2):
        found = Entry.load_by_ids(ids)
        assert found[one.pk].category == category
        assert found[two.pk].category is None
    for entry in Entry.objects.filter(pk__in=ids):
        read = found.pop(entry.pk)
        assert read.get_deferred_fields() == RARELY_READ_COLUMNS
        for name in OFTEN_READ_COLUMNS:
            assert getattr(read, name) == getattr(entry, name), name
    assert found == {}


def test_rows_read_by_id_defer_what_lists_seldom_show(
    make_entry: MakeEntry, django_assert_num_queries: Any
) -> None:
    entry = make_entry("退货", source="faq.csv")
    with django_assert_num_queries(1):
        read = Entry.load_by_ids([entry.pk])[entry.pk]
        assert read.question == "退货"
    with django_assert_num_queries(1):
        assert read.source == "faq.csv"


def test_what_is_published_is_all_that_is_searched(
    make_entry: MakeEntry, editor: User
) -> None:
    make_entry("草稿", status="draft")
    live = make_entry("已发布")
    assert list(Entry.objects.published_to(editor)) == [live]


# What follows from other columns ------------------------------------------------------


def test_found_entries_are_authorised_by_their_ids(db: None) -> None:
    """Not by a walk through all that is published, which grows with the library."""
    if connection.vendor != "sqlite":
        pytest.skip("other databases weigh an index by what is in it")
    found = Entry.objects.published_to(AnonymousUser()).filter(pk__in=range(1, 101))
    for rows in (found, found.values_list("pk")):
        assert "PRIMARY KEY" in rows.order_by().explain()


def test_the_answer_is_stored_rendered_and_safe(make_entry: MakeEntry) -> None:
    entry = make_entry(answer="先看**这里**：<script>alert(1)</script>\n\n1. 打开订单")
    assert "<strong>这里</strong>" in entry.answer_html
    assert "<script" not in entry.answer_html
    assert entry.excerpt == "先看这里：<script>alert(1)</script> 打开订单"


def test_what_follows_is_saved_with_the_columns_it_follows_from(
    make_entry: MakeEntry,
) -> None:
    entry = make_entry(answer="旧答案")
    entry.answer = "新答案"
    entry.save(update_fields=["answer"])
    entry.refresh_from_db()
    assert entry.excerpt == entry.answer_text == "新答案"
    assert "新答案" in entry.answer_html


def test_a_long_answer_is_excerpted(make_entry: MakeEntry) -> None:
    entry = make_entry(answer="很长" * 500)
    assert len(entry.excerpt) == 160
    assert entry.excerpt.endswith("…")


# Addresses ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("question", "slug"),
    [
        ("退货运费谁承担？", "退货运费谁承担"),
        ("Wi-Fi 连不上 怎么办", "wi-fi-连不上-怎么办"),
        ("😀？！", ""),
        ("../../etc/passwd", "etcpasswd"),
        ("啊" * 200, "啊" * 60),
    ],
)
def test_a_slug_keeps_chinese_readable(question: str, slug: str) -> None:
    assert make_slug(question) == slug


def test_a_slug_does_not_change_with_the_question(make_entry: MakeEntry) -> None:
    entry = make_entry("退货运费谁承担")
    entry.question = "谁付退货的运费"
    entry.save()
    assert entry.slug == "退货运费谁承担"


def test_an_entry_without_letters_has_an_address(make_entry: MakeEntry) -> None:
    entry = make_entry("？？？")
    assert entry.get_absolute_url() == reverse("faq:entry-short", args=[entry.pk])
    assert RequestFactory().get(entry.get_absolute_url()).path.endswith(f"/{entry.pk}/")


# What the database refuses -----------------------------------------------------------------


@pytest.mark.parametrize(
    "columns",
    [
        {"question": ""},
        {"status": "live"},
        {"audience": "everyone"},
        {"status": "published", "audience": "public", "answer": ""},
    ],
)
def test_the_database_refuses_a_wrong_entry(
    make_entry: MakeEntry, columns: dict[str, str]
) -> None:
    entry = make_entry()
    with pytest.raises(IntegrityError), transaction.atomic():
        Entry.objects.filter(pk=entry.pk).update(**columns)


@pytest.mark.parametrize(
    "columns",
    [
        {"text": ""},
        {"answer": ""},
        {"status": "settled"},
        {"status": "declined"},
    ],
)
def test_the_database_refuses_a_wrong_question(columns: dict[str, str]) -> None:
    question = Question.objects.create(text="问", answer="答", status="answered")
    with pytest.raises(IntegrityError), transaction.atomic():
        Question.objects.filter(pk=question.pk).update(**columns)


def test_an_external_id_is_unique_within_its_source(make_entry: MakeEntry) -> None:
    make_entry("一", source="旧系统", external_id="7")
    make_entry("二", source="新系统", external_id="7")
    with pytest.raises(ValidationError, match="外部编号"):
        make_entry("三", source="旧系统", external_id="7")


def test_a_phrasing_is_unique_in_an_entry(make_entry: MakeEntry) -> None:
    entry = make_entry(phrasings=["运费谁出"])
    with pytest.raises(IntegrityError), transaction.atomic():
        Phrasing.objects.create(entry=entry, text="運費誰出？")


def test_a_reply_needs_words(make_entry: MakeEntry) -> None:
    with pytest.raises(IntegrityError), transaction.atomic():
        Reply.objects.create(entry=make_entry(), body="")


def test_names_are_unique_where_they_stand() -> None:
    Tag.objects.create(name="运费")
    after = Category.objects.create(name="售后")
    Category.objects.create(name="退货", parent=after)
    for make in (
        lambda: Tag.objects.create(name="运费"),
        lambda: Category.objects.create(name="售后"),
        lambda: Category.objects.create(name="退货", parent=after),
    ):
        with pytest.raises(IntegrityError), transaction.atomic():
            make()


def test_a_category_cannot_stand_below_itself() -> None:
    top = Category.objects.create(name="售后")
    below = Category.objects.create(name="退货", parent=top)
    top.parent = below
    with pytest.raises(ValidationError):
        top.full_clean()


def test_a_tree_is_at_most_five_levels_deep() -> None:
    parent: Category | None = None
    for level in range(5):
        parent = Category.objects.create(name=f"第{level}级", parent=parent)
    with pytest.raises(ValidationError, match="最多 5 级"):
        Category(name="太深", parent=parent).full_clean()


def test_a_branch_is_not_moved_too_deep() -> None:
    deep: Category | None = None
    for level in range(4):
        deep = Category.objects.create(name=f"第{level}级", parent=deep)
    branch = Category.objects.create(name="枝")
    Category.objects.create(name="叶", parent=branch)
    branch.parent = deep
    with pytest.raises(ValidationError, match="最多 5 级"):
        branch.full_clean()
