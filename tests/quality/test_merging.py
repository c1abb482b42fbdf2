"""Merging entries: related rows move, and the merge can be undone."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth.models import AnonymousUser
from django.core.exceptions import PermissionDenied, ValidationError
from django.test import Client
from django.urls import reverse

from kb import search, usage
from kb.index import sync
from kb.language import style_rules
from kb.library import entries
from kb.models import (
    Entry,
    EntryMerge,
    Evidence,
    Favorite,
    FollowUp,
    Pick,
    Reply,
    SearchSide,
    User,
)
from kb.quality import merging
from kb.questions import to_entries
from tests.conftest import MakeEntry, MakeQuestion

pytestmark = pytest.mark.django_db
ANYONE = AnonymousUser()


@pytest.fixture
def two(make_entry: MakeEntry) -> tuple[Entry, Entry]:
    one = make_entry(
        "退货运费谁承担？", replies=["亲，我们出"], phrasings=["寄回去谁出钱"]
    )
    other = make_entry(
        "退货的邮费谁付",
        replies=["亲，我们出", "亲，运费险出"],
        phrasings=["邮费谁付", "寄回去谁出钱"],
        keywords="yf",
    )
    return one, other


def list_phrasings(entry: Entry) -> list[str]:
    return sorted(entry.phrasings.values_list("text", flat=True))


def list_reply_bodies(entry: Entry) -> list[str]:
    return list(entry.replies.shared().values_list("body", flat=True))


def dump_rows() -> dict[str, Any]:
    """Return all rows that a merge moves, by entry."""
    return {
        entry.question: (
            list_phrasings(entry),
            list_reply_bodies(entry),
            sorted(entry.questions.values_list("text", flat=True)),
            sorted(entry.picks.values_list("words", "person")),
            sorted(entry.evidence.values_list("words", "level", "people")),
            sorted(entry.follow_ups.values_list("then__question", flat=True)),
            sorted(Favorite.objects.filter(entry=entry).values_list("user", flat=True)),
            entry.status,
        )
        for entry in Entry.objects.all()
    }


def test_merge_moves_related_rows(
    two: tuple[Entry, Entry], make_question: MakeQuestion, lead: User
) -> None:
    one, other = two
    question = make_question("邮费到底谁付呀")
    to_entries.add_question_to_entry(other, question=question, by=lead)
    merging.merge_entries(one, other, by=lead)
    other.refresh_from_db()
    assert other.status == Entry.Status.RETIRED
    assert list_phrasings(one) == sorted(
        ["寄回去谁出钱", "退货的邮费谁付", "邮费谁付", "邮费到底谁付呀"]
    )
    assert list_reply_bodies(one) == ["亲，我们出", "亲，运费险出"]
    assert list_reply_bodies(other) == ["亲，我们出"]
    question.refresh_from_db()
    assert question.entry == one
    sync.sync_all_marks()
    hits = search.search_entries("邮费谁付", user=ANYONE).hits
    assert [hit.entry for hit in hits] == [one]


def test_merge_moves_picks(two: tuple[Entry, Entry], agent: User, lead: User) -> None:
    one, other = two
    for entry, people in ((one, "ab"), (other, "bcd")):
        for person in people:
            Pick.objects.create(
                entry=entry,
                side=SearchSide.STAFF,
                person=person,
                words="谁付钱",
                kind="copied",
            )
        usage.evidence.update_evidence(
            [(entry.pk, SearchSide.STAFF, Pick.objects.latest("pk").words_key)]
        )
    merging.merge_entries(one, other, by=lead)
    row = Evidence.objects.get(entry=one)
    assert row.people == 4
    assert not Evidence.objects.filter(entry=other, level__gt=row.level).exists()


def test_merge_moves_private_replies_and_favourites(
    two: tuple[Entry, Entry], agent: User, lead: User
) -> None:
    one, other = two
    own = Reply.objects.create(entry=other, owner=agent, title="我的", body="我的话")
    Favorite.objects.create(user=agent, entry=other)
    merging.merge_entries(one, other, by=lead)
    own.refresh_from_db()
    assert own.entry == one
    assert Favorite.objects.get().entry == one


def test_merge_moves_follow_ups(
    two: tuple[Entry, Entry], make_entry: MakeEntry, lead: User
) -> None:
    one, other = two
    before, after = make_entry("怎么退货"), make_entry("多久到账")
    FollowUp.objects.create(entry=before, then=other)
    FollowUp.objects.create(entry=other, then=after)
    FollowUp.objects.create(entry=other, then=one)
    merging.merge_entries(one, other, by=lead)
    assert list(Entry.objects.follow_ups_of(before)) == [one]
    assert list(Entry.objects.follow_ups_of(one)) == [after]


def test_merge_can_be_undone(
    two: tuple[Entry, Entry],
    make_question: MakeQuestion,
    make_entry: MakeEntry,
    agent: User,
    lead: User,
) -> None:
    one, other = two
    before, after = make_entry("怎么退货"), make_entry("多久到账")
    FollowUp.objects.create(entry=before, then=other)
    FollowUp.objects.create(entry=other, then=after)
    to_entries.add_question_to_entry(
        other, question=make_question("邮费到底谁付呀"), by=lead
    )
    Favorite.objects.create(user=agent, entry=other)
    for person in "abc":
        Pick.objects.create(
            entry=other,
            side=SearchSide.STAFF,
            person=person,
            words="谁付",
            kind="copied",
        )
    usage.evidence.update_evidence(
        [(other.pk, SearchSide.STAFF, Pick.objects.all()[0].words_key)]
    )
    was = dump_rows()
    merge = merging.merge_entries(one, other, by=lead)
    assert dump_rows() != was
    merging.undo_merge(merge, by=lead)
    assert dump_rows() == was
    assert not EntryMerge.objects.exists()


def test_address_of_a_merged_entry_redirects(
    client: Client, two: tuple[Entry, Entry], make_entry: MakeEntry, lead: User
) -> None:
    one, other = two
    address = other.get_absolute_url()
    assert client.get(address).status_code == 200
    merge = merging.merge_entries(one, other, by=lead)
    assert client.get(address).headers["Location"] == one.get_absolute_url()
    third = make_entry("运费的事")
    merging.merge_entries(third, one, by=lead)
    for gone in (other, one):
        where = client.get(gone.get_absolute_url()).headers["Location"]
        assert where == third.get_absolute_url()
    entries.retire_entry(third, by=lead)
    assert client.get(address).status_code == 404
    merge.refresh_from_db()
    entries.restore_entry(third, by=lead)
    merging.undo_merge(merge, by=lead)
    assert client.get(address).status_code == 200


def test_merge_without_rights_moves_nothing(
    two: tuple[Entry, Entry], agent: User, lead: User, make_entry: MakeEntry
) -> None:
    one, other = two
    with pytest.raises(PermissionDenied):
        merging.merge_entries(one, other, by=agent)
    with pytest.raises(ValidationError, match="自己"):
        merging.merge_entries(one, one, by=lead)
    gone = make_entry("旧的", status="retired")
    with pytest.raises(ValidationError, match="已经下线"):
        merging.merge_entries(one, gone, by=lead)
    assert list_reply_bodies(one) == ["亲，我们出"]


def test_merge_refuses_text_that_breaks_a_style_rule(
    two: tuple[Entry, Entry], make_entry: MakeEntry, lead: User
) -> None:
    style_rules.load_starter_rules()
    draft = make_entry("草稿", status="draft", replies=["随你便"])
    with pytest.raises(ValidationError, match="像在赌气"):
        merging.merge_entries(two[0], draft, by=lead)
    assert list_reply_bodies(two[0]) == ["亲，我们出"]


def test_page_previews_merges_and_undoes(
    client: Client, two: tuple[Entry, Entry], make_entry: MakeEntry, lead: User
) -> None:
    one, other = two
    make_entry("退货运费谁来承担")
    client.force_login(lead)
    page = reverse("admin:kb_entry_merge", args=[one.pk])
    assert "退货运费谁来承担" in client.get(page).content.decode()  # it is alike
    shown = client.get(f"{page}?other={other.pk}").content.decode()
    for words in ("邮费谁付", "亲，运费险出", "一样的 1 条留在原处", other.answer):
        assert words in shown
    for wrong in ("x", "99999", str(one.pk)):
        assert client.get(f"{page}?other={wrong}").status_code == 200
        client.post(f"{page}?other={wrong}")
    assert not EntryMerge.objects.exists()
    response = client.post(f"{page}?other={other.pk}", follow=True)
    assert "已并入本条并下线" in response.content.decode()
    undo = reverse("admin:kb_entry_part", args=[other.pk])
    assert undo in response.content.decode()
    assert "分出来" in client.get(undo).content.decode()
    response = client.post(undo, follow=True)
    assert "现在是已发布" in response.content.decode()
    assert client.post(undo, follow=True).status_code == 200
