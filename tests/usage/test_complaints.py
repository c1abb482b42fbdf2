"""Complaints (没帮助) without a reason count like those with one."""

from __future__ import annotations

import pytest
from django.test import Client

from kb import usage
from kb.models import Entry, SearchSide, User, Vote
from kb.quality import work_queue
from kb.usage import VoteReason
from tests.conftest import MakeEntry

pytestmark = pytest.mark.django_db


@pytest.fixture
def entry(make_entry: MakeEntry) -> Entry:
    return make_entry()


def complain(
    entry: Entry, person: str = "a", why: VoteReason = usage.NO_REASON
) -> Vote:
    side = SearchSide.PUBLIC
    return usage.record_vote(
        entry, helpful=False, words="退货", person=person, side=side, reason=why
    )


def test_complaint_without_reason_is_counted_in_the_queue(
    client: Client, editor: User, entry: Entry
) -> None:
    complain(entry)
    assert work_queue.count_waiting_work(editor)["unhelpful"] == 1
    client.force_login(editor)
    page = client.get("/desk/unhelpful/").text
    assert entry.question in page
    assert "1 人" in page
    assert "没说原因 1" in page


def test_complaints_with_a_reason_are_shown_first(entry: Entry) -> None:
    complain(entry, "first", VoteReason("unclear", "看不懂第二步"))
    for number in range(15):
        complain(entry, f"p{number}")
    (complaint,) = usage.list_complaints(10)
    assert (complaint.count, complaint.without_reason) == (16, 15)
    assert [vote.note for vote in complaint.votes] == ["看不懂第二步"]
    assert (
        complaint.newest_at == Vote.objects.latest("created_at").created_at.isoformat()
    )


def test_complaints_of_an_entry_are_handled_together_with_undo(
    client: Client, editor: User, entry: Entry
) -> None:
    complain(entry, "a", VoteReason("unclear"))
    complain(entry, "b")
    client.force_login(editor)
    (complaint,) = usage.list_complaints(10)
    url = f"/desk/unhelpful/{entry.pk}/"
    client.post(url, {"do": "done", "upto": complaint.newest_at})
    assert usage.list_complaints(10) == []
    page = client.get("/desk/unhelpful/")
    assert "撤销：处理完" in page.text
    at = page.context["undo"].handled_at.isoformat()
    client.post(url, {"do": "back", "at": at})
    assert usage.list_complaints(10)[0].count == 2


def test_undo_keeps_complaints_handled_earlier(editor: User, entry: Entry) -> None:
    first = complain(entry, "a")
    usage.mark_complaints_handled(entry, upto=first.created_at, by=editor)
    second = complain(entry, "b")
    usage.mark_complaints_handled(entry, upto=second.created_at, by=editor)
    last = Vote.objects.get(pk=second.pk)
    assert usage.reopen_complaints(entry, handled_at=last.handled_at) == 1
    assert Vote.objects.get(pk=first.pk).handled_at is not None


def test_repeated_complaint_is_open_again_with_its_reason(
    editor: User, entry: Entry
) -> None:
    vote = complain(entry, "a", VoteReason("outdated", "改版了"))
    usage.mark_complaints_handled(entry, upto=vote.created_at, by=editor)
    complain(entry, "a")
    vote.refresh_from_db()
    assert (vote.handled_at, vote.reason, vote.note) == (None, "outdated", "改版了")
    assert work_queue.count_waiting_work(editor)["unhelpful"] == 1
