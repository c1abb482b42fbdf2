"""没帮助: customers vote with a reason, editors read it at the desk and mark it handled."""

from __future__ import annotations

from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.test import Client
from django.utils import timezone

from kb import usage
from kb.models import Entry, SearchSide, User, Vote
from tests.conftest import MakeEntry
from tests.web.faq.test_votes import form

pytestmark = pytest.mark.django_db
Reason = Vote.Reason


@pytest.fixture
def entry(make_entry: MakeEntry) -> Entry:
    return make_entry()


def judge(entry: Entry, address: str = "198.51.100.7", **sent: str) -> Any:
    client = Client(REMOTE_ADDR=address, enforce_csrf_checks=True)
    fields = form(client, entry, "要自己付邮费吗") | {"helpful": "no"} | sent
    return client.post(f"/vote/{entry.pk}/", fields)


# Saying why -------------------------------------------------------------------------


def test_unhelpful_vote_asks_for_a_reason(entry: Entry) -> None:
    page = judge(entry).text
    for reason in Reason:
        assert f'value="{reason.value}"' in page
        assert str(reason.label) in page
    assert 'name="token"' in page
    assert judge(entry, helpful="yes").text.count("reason") == 0


def test_reason_is_stored_with_the_search(entry: Entry) -> None:
    judge(entry)
    page = judge(entry, reason="unsolved", note="电话 13812345678 打不通")
    assert "转给编辑" in page.text
    assert page.cookies == {}
    row = Vote.objects.get()
    assert (row.helpful, row.reason, row.words) == (False, "unsolved", "要自己付邮费吗")
    assert row.note == "电话 *** 打不通"


def test_second_vote_keeps_the_reason_and_yes_clears_it(entry: Entry) -> None:
    judge(entry, reason="outdated")
    judge(entry)
    assert Vote.objects.get().reason == "outdated"
    judge(entry, reason="unclear", note="太长")
    assert (Vote.objects.get().reason, Vote.objects.get().note) == ("unclear", "太长")
    judge(entry, helpful="yes", reason="unclear", note="太长")
    row = Vote.objects.get()
    assert (row.helpful, row.reason, row.note) == (True, "", "")


@pytest.mark.parametrize("reason", ["", "nonsense", "'; drop", "unclear" * 50])
def test_forged_reason_is_ignored(entry: Entry, reason: str) -> None:
    assert judge(entry, reason=reason, note="看不懂图").status_code == 200
    row = Vote.objects.get()
    assert (row.reason, row.note) == ("", "看不懂图")


def test_note_is_cut_and_cleaned(entry: Entry) -> None:
    judge(entry, note="\u202e\x00退" * 5000)
    assert Vote.objects.get().note == "退" * 200


def test_script_gets_a_fragment(entry: Entry) -> None:
    for sent, text in (
        ({"helpful": "yes"}, "很高兴"),
        ({"helpful": "no"}, 'name="reason"'),
        ({"helpful": "no", "reason": "unclear"}, "转给编辑"),
    ):
        part = judge(entry, part="1", **sent).text
        assert text in part
        assert "<html" not in part
    stale = judge(entry, part="1", token="x")
    assert (stale.status_code, "没有记下" in stale.text) == (400, True)
    assert "<html" not in stale.text


def test_constraint_refuses_a_reason_for_a_helpful_vote(entry: Entry) -> None:
    with pytest.raises(IntegrityError), transaction.atomic():
        Vote.objects.create(entry=entry, person="a", helpful=True, reason="unclear")
    with pytest.raises(ValidationError):
        Vote(entry=entry, person="a", helpful=False, reason="mad").full_clean()


# At the desk ------------------------------------------------------------------------


def complain(
    entry: Entry, person: str, reason: str = "unclear", note: str = ""
) -> Vote:
    return usage.record_vote(
        entry,
        helpful=False,
        words="邮费",
        person=person,
        side=SearchSide.PUBLIC,
        reason=usage.VoteReason(reason, note),
    )


def test_entries_with_most_complaints_come_first(
    client: Client, editor: User, entry: Entry, make_entry: MakeEntry
) -> None:
    other = make_entry("发票怎么开？")
    complain(entry, "a")
    for person in "bcd":
        complain(other, person, "outdated", "<b>过期了</b>")
    usage.record_vote(
        entry, helpful=False, words="", person="z", side=SearchSide.PUBLIC
    )
    client.force_login(editor)
    page = client.get("/desk/unhelpful/")
    assert [c.entry for c in page.context["complaints"]] == [other, entry]
    assert [c.count for c in page.context["complaints"]] == [3, 2]
    assert page.context["complaints"][0].reasons == [("信息过时", 3)]
    for text in ("&lt;b&gt;过期了", "搜的是“邮费”", f"/entry/{other.pk}/change/"):
        assert text in page.text
    nav = client.get("/desk/inbox/").text
    assert '没帮助 <span class="number">2</span>' in nav


def test_newer_complaints_stay_open(client: Client, editor: User, entry: Entry) -> None:
    complain(entry, "a")
    client.force_login(editor)
    (seen,) = client.get("/desk/unhelpful/").context["complaints"]
    late = complain(entry, "b")
    url = f"/desk/unhelpful/{entry.pk}/"
    client.post(url, {"do": "done", "upto": seen.newest_at})
    assert list(Vote.objects.unhandled()) == [late]
    assert Vote.objects.get(person="a").handled_by == editor
    client.post(url, {"do": "done", "upto": "nonsense"})
    assert usage.query_entries_with_complaints().count() == 0
    page = client.get("/desk/unhelpful/?show=done")
    assert [c.count for c in page.context["complaints"]] == [2]
    client.post(url, {"do": "back"})
    assert Vote.objects.unhandled().count() == 2


def test_new_complaint_of_the_same_reader_is_open_again(entry: Entry) -> None:
    complain(entry, "a")
    usage.mark_complaints_handled(entry, upto=timezone.now(), by=None)
    assert usage.query_entries_with_complaints().count() == 0
    complain(entry, "a", "unsolved")
    assert usage.query_entries_with_complaints().count() == 1
    usage.record_vote(entry, helpful=True, words="", person="a", side=SearchSide.PUBLIC)
    assert usage.query_entries_with_complaints().count() == 0


def test_complaints_require_permission_to_change_entries(
    client: Client, agent: User, entry: Entry
) -> None:
    complain(entry, "a", note="鹦鹉螺")
    urls = ["/desk/unhelpful/", f"/desk/unhelpful/{entry.pk}/"]
    for url in urls:
        assert client.get(url).status_code in {302, 405}
    client.force_login(agent)
    assert client.get(urls[0]).status_code == 403
    assert client.post(urls[1], {"do": "done"}).status_code == 403
    assert usage.query_entries_with_complaints().count() == 1
    assert "鹦鹉螺" not in Client().get(entry.get_absolute_url()).text


def test_deleted_entry_shows_a_message(client: Client, editor: User) -> None:
    client.force_login(editor)
    page = client.post("/desk/unhelpful/999999/", {"do": "done"}, follow=True)
    assert "已经不在了" in page.text
