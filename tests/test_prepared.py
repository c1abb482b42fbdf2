"""A query that was put together before tells what one made now would tell."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.contrib.auth.models import AnonymousUser
from django.db.models import Subquery
from django.urls import NoReverseMatch, reverse
from django.utils import timezone, translation

from kb.models import Category, Entry, User
from kb.models.address import address
from kb.prepared import Prepared
from tests.conftest import MakeEntry

pytestmark = pytest.mark.django_db
HOUR = timedelta(hours=1)


def wanted(reader: Any, ids: list[int]) -> Any:
    return Entry.objects.published_to(reader).filter(pk__in=ids)


@pytest.fixture
def library(make_entry: MakeEntry) -> dict[str, Entry]:
    now = timezone.now()
    shelf = Category.objects.create(name="售后")
    made = {
        "plain": make_entry("一？"),
        "shelved": make_entry("二？", category=shelf),
        "inside": make_entry("三？", audience="internal"),
        "ends": make_entry("四？", valid_until=now + HOUR),
        "begins": make_entry("五？", valid_from=now + HOUR),
    }
    for state in ("draft", "review", "retired"):
        made[state] = make_entry(f"{state}？", status=state)
    return made


def stranger(shown: frozenset[int] | None = None) -> AnonymousUser:
    reader = AnonymousUser()
    reader.shown = shown  # type: ignore[attr-defined]
    return reader


def test_every_reader_gets_what_he_would_get_anew(
    library: dict[str, Entry], agent: User, editor: User
) -> None:
    prepared = Prepared(wanted)
    shelf = library["shelved"].category_id
    assert shelf
    parts = [None, frozenset({shelf}), frozenset({shelf + 9}), frozenset[int]()]
    readers: list[Any] = [*map(stranger, parts), agent, editor] * 2
    ids = [one.pk for one in library.values()]
    for reader in readers:
        for given in (ids, ids[::-1], ids[:2], ids[3:5]):
            anew = list(wanted(reader, given))
            assert prepared.rows(reader, given) == anew
    assert len(prepared.rows(agent, ids)) > len(prepared.rows(stranger(), ids)) == 3


def test_now_is_the_moment_of_asking(library: dict[str, Entry]) -> None:
    prepared, ids = Prepared(wanted), [one.pk for one in library.values()]
    now = timezone.now()
    for hours, there in ((0, "ends"), (2, "begins"), (0, "ends")):
        with time_machine.travel(now + hours * HOUR):
            found = prepared.rows(stranger(), ids)
            assert found == list(wanted(stranger(), ids))
            assert library[there] in found


def test_what_is_left_out_is_read_when_it_is_needed(
    library: dict[str, Entry], django_assert_num_queries: Any
) -> None:
    prepared = Prepared(lambda reader, pk: Entry.objects.filter(pk=pk).defer("answer"))
    pk = library["plain"].pk
    with django_assert_num_queries(2):
        (one,) = prepared.rows(stranger(), pk)
        assert one.answer == library["plain"].answer
    assert prepared.rows(stranger(), pk + 999) == []


def test_what_is_added_and_read_of_the_database_is_as_django_reads_it(
    library: dict[str, Entry], django_assert_num_queries: Any
) -> None:
    def shelved(reader: Any, pk: int) -> Any:
        rows = Entry.objects.visible_to(reader).for_lists()
        return rows.annotate(after=Subquery(rows.filter(pk=pk).values("valid_until")))

    prepared, pk = Prepared(shelved), library["ends"].pk
    plain = [vars(one) for one in shelved(stranger(), pk)]
    told = [vars(one) for one in prepared.rows(stranger(), pk)]
    assert [(one.pop("_state").db, one) for one in told] == [
        (one.pop("_state").db, one) for one in plain
    ]
    assert told[0]["after"] == library["ends"].valid_until
    with django_assert_num_queries(1):
        for one in prepared.rows(stranger(), pk):
            assert str(one.pk) in one.get_absolute_url()
            assert one.excerpt


def test_a_day_and_numbers_have_their_places(library: dict[str, Entry]) -> None:
    prepared = Prepared(
        lambda reader, day, pk: (
            Entry.objects.published_to(reader)
            .filter(updated_at__date__gte=day, pk__gte=pk)
            .order_by("pk")
            .values_list("pk", "version")
        )
    )
    today, first = timezone.localdate(), library["plain"].pk
    public = [library[name].pk for name in ("plain", "shelved", "ends")]
    for day in (today, today - timedelta(1)):
        told = prepared.tuples(stranger(), day, first)
        assert [pk for pk, _ in told] == public
    assert prepared.tuples(stranger(), today + timedelta(2), first) == []
    assert prepared.tuples(stranger(), today, first + 1) == told[1:]


@pytest.mark.parametrize("language", ["zh-hans", "zh-hant", "en"])
@pytest.mark.parametrize(
    "slug", ["", "退款", "a-b", "100%", "a/b", "é~:@!$&'()*+,;=", '?#<>"', "空 格"]
)
def test_an_address_is_what_reverse_says(language: str, slug: str) -> None:
    with translation.override(language):
        for short, named in (
            ("faq:entry-short", "faq:entry"),
            ("faq:category", "faq:category-named"),
        ):
            name, args = (named, [1207, slug]) if slug else (short, [1207])
            try:
                expected = reverse(name, args=args)
            except NoReverseMatch:  # no slug of ours is like that
                continue
            assert address(name, 1207, slug) == expected
