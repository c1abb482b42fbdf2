"""Validity: entries come into force and expire on time, by themselves, also if the clock jumps."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.contrib.auth.models import AnonymousUser
from django.core import mail
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import connection
from django.db.models import ProtectedError
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from kb import search
from kb.index import sync
from kb.library import entries, review_reminders
from kb.models import (
    AuditEvent,
    CampaignPeriod,
    Category,
    Entry,
    PageView,
    ReplyFeedback,
    User,
    Vote,
)
from tests.admin_forms import read_form as filled
from tests.conftest import MakeEntry

pytestmark = pytest.mark.django_db
MORNING = datetime(2030, 6, 17, 2, 0, tzinfo=UTC)  # ten in Shanghai
MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
Turn = Callable[[datetime], None]


@pytest.fixture
def turn(monkeypatch: pytest.MonkeyPatch) -> Turn:
    """Return a function that sets the clock; it does not advance by itself."""

    def set_to(moment: datetime) -> None:
        monkeypatch.setattr(timezone, "now", lambda: moment)

    set_to(MORNING)
    return set_to


def found(words: str = "退货运费") -> list[str]:
    hits = search.search_entries(words, user=AnonymousUser()).hits
    return [hit.entry.question for hit in hits]


# To the minute ------------------------------------------------------------------------


def test_a_kept_page_ends_with_its_entry(
    client: Client, turn: Turn, make_entry: MakeEntry
) -> None:
    entry = make_entry(valid_until=MORNING + 10 * MINUTE)
    address = entry.get_absolute_url()
    turn(MORNING + 9 * MINUTE)
    assert client.get(address).status_code == 200
    turn(MORNING + 10 * MINUTE)  # without any sync
    assert client.get(address).status_code == 404
    assert found() == []


def test_what_is_published_for_later_appears_then(
    client: Client, turn: Turn, make_entry: MakeEntry
) -> None:
    entry = make_entry(valid_from=MORNING + 10 * MINUTE)
    address = entry.get_absolute_url()
    assert client.get(address).status_code == 404
    assert found() == []
    published = entry.published_at
    turn(MORNING + 10 * MINUTE)
    sync.sync_all_marks()  # as the thread does every few seconds
    assert client.get(address).status_code == 200
    assert found() == [entry.question]
    entry.refresh_from_db()
    assert entry.published_at == published


def test_a_clock_that_jumps_publishes_nothing_twice_and_loses_nothing(
    client: Client, turn: Turn, make_entry: MakeEntry
) -> None:
    entry = make_entry(
        valid_from=MORNING + 10 * MINUTE, valid_until=MORNING + 20 * MINUTE
    )
    deeds, version = AuditEvent.objects.count(), entry.version
    shown = []
    for minutes in (0, 15, 60, 15, 5, 15, 60, 0, 15):
        turn(MORNING + minutes * MINUTE)
        sync.sync_all_marks()
        page = client.get(entry.get_absolute_url()).status_code
        shown.append((minutes, page, len(found())))
    assert shown == [
        (m, 200, 1) if m == 15 else (m, 404, 0)
        for m in (0, 15, 60, 15, 5, 15, 60, 0, 15)
    ]
    entry.refresh_from_db()
    assert (entry.status, entry.version) == ("published", version)
    assert AuditEvent.objects.count() == deeds


# Windows ----------------------------------------------------------------------------


def test_a_campaign_period_moves_all_its_entries(
    client: Client, turn: Turn, make_entry: MakeEntry
) -> None:
    period = CampaignPeriod(
        name="618", starts_at=MORNING + DAY, ends_at=MORNING + 3 * DAY
    )
    entries.save_campaign_period(period)
    made = [make_entry(f"退货运费{n}？", window=period) for n in "一二三"]
    alone = make_entry("退货运费四？")
    assert [e.valid_from for e in made] == [period.starts_at] * 3
    assert found() == [alone.question]
    versions = [e.version for e in made]
    period.starts_at = MORNING - DAY
    assert entries.save_campaign_period(period) == 3
    sync.sync_all_marks()
    assert len(found()) == 4
    for entry, version in zip(made, versions, strict=True):
        entry.refresh_from_db()
        assert (entry.valid_from, entry.version) == (MORNING - DAY, version)
    period.ends_at = MORNING
    entries.save_campaign_period(period)
    sync.sync_all_marks()
    assert found() == [alone.question]
    assert client.get(made[0].get_absolute_url()).status_code == 404


def test_an_entry_of_a_period_has_no_times_of_its_own(
    turn: Turn, make_entry: MakeEntry
) -> None:
    period = CampaignPeriod(name="春节", starts_at=MORNING, ends_at=MORNING + DAY)
    entries.save_campaign_period(period)
    entry = make_entry(window=period, valid_until=MORNING + 9 * DAY)
    assert entry.valid_until == MORNING + DAY
    with pytest.raises(ProtectedError):
        period.delete()


def test_a_period_moves_with_a_fixed_number_of_queries(
    turn: Turn, make_entry: MakeEntry
) -> None:
    period = CampaignPeriod(name="618", starts_at=MORNING)
    entries.save_campaign_period(period)

    def queries() -> int:
        with CaptureQueriesContext(connection) as asked:
            entries.save_campaign_period(period)
        return len(asked)

    make_entry("一？", window=period)
    few = queries()
    for number in range(8):
        make_entry(f"条目{number}？", window=period)
    assert queries() == few


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        ({}, "至少要填一个"),
        ({"starts_at": MORNING, "ends_at": MORNING}, "结束时间要在开始时间之后"),
        ({"name": " \u200b", "starts_at": MORNING}, "name"),
    ],
)
def test_an_invalid_period_is_refused(columns: dict[str, Any], message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        entries.save_campaign_period(CampaignPeriod(**{"name": "空", **columns}))


def test_the_admin_moves_a_period(
    client: Client, editor: User, make_entry: MakeEntry
) -> None:
    now = timezone.now().replace(second=0, microsecond=0)
    period = CampaignPeriod(name="618", starts_at=now + DAY)
    entries.save_campaign_period(period)
    entry = make_entry(window=period)
    client.force_login(editor)
    address = f"/admin/kb/campaignperiod/{period.pk}/change/"
    earlier = timezone.localtime(now - DAY)
    client.post(
        address,
        {
            "name": "618",
            "starts_at_0": earlier.date(),
            "starts_at_1": earlier.time(),
            "ends_at_0": "",
            "ends_at_1": "",
        },
    )
    entry.refresh_from_db()
    assert entry.valid_from == now - DAY
    assert "618" in client.get("/admin/kb/campaignperiod/").content.decode()


# What is due -----------------------------------------------------------------------


def test_an_entry_is_due_by_its_date_or_as_often_as_its_category_says(
    turn: Turn, make_entry: MakeEntry
) -> None:
    top = Category.objects.create(name="售后", review_every=30)
    below = Category.objects.create(name="退货", parent=top)
    rare = Category.objects.create(name="发票", parent=top, review_every=365)
    often = make_entry("常看？", category=below)
    make_entry("少看？", category=rare)
    make_entry("不看？")
    own = make_entry("自己定？", review_at=timezone.localdate() + 5 * DAY)
    make_entry("草稿？", category=below, status="draft")
    assert not entries.list_due_entries().exists()
    turn(MORNING + 5 * DAY)
    assert list(entries.list_due_entries()) == [own]
    turn(MORNING + 31 * DAY)
    assert set(entries.list_due_entries()) == {own, often}


def test_what_is_late_read_and_complained_of_comes_first(
    turn: Turn, make_entry: MakeEntry, agent: User
) -> None:
    today = timezone.localdate()
    made = [
        make_entry(f"第{n}条？", review_at=today - 2 * DAY, replies=["亲"])
        for n in range(5)
    ]
    quiet, read, voted, remarked, late = made
    Entry.objects.filter(pk=late.pk).update(review_at=today - 5 * DAY)
    PageView.objects.create(entry=read, day=today, count=50)
    PageView.objects.create(entry=quiet, day=today - timedelta(days=200), count=900)
    for person in "abc":
        Vote.objects.create(entry=voted, person=person, helpful=False)
    Vote.objects.create(entry=quiet, person="d", helpful=True)
    ReplyFeedback.objects.create(entry=remarked, reason="wrong", by=agent)
    order = entries.rank_due_entries(entries.list_due_entries())
    assert [one.entry_id for one in order] == [
        read.pk,
        voted.pk,
        late.pk,
        remarked.pk,
        quiet.pk,
    ]
    assert (
        order[0].recent_use_count,
        order[1].open_complaint_count,
        order[2].days_overdue,
    ) == (50, 3, 5)


def test_confirming_moves_the_date_and_writes_nothing(
    turn: Turn, make_entry: MakeEntry, editor: User
) -> None:
    category = Category.objects.create(name="售后", review_every=30)
    entry = make_entry(category=category)
    turn(MORNING + 31 * DAY)
    version, updated = entry.version, entry.updated_at
    entries.confirm_entry(entry, by=editor)
    assert not entries.list_due_entries().exists()
    entry.refresh_from_db()
    assert (entry.version, entry.updated_at) == (version, updated)
    turn(MORNING + 62 * DAY)
    assert list(entries.list_due_entries()) == [entry]
    entries.confirm_entry(entry, by=editor, next_in_days=90)
    turn(MORNING + 100 * DAY)
    assert not entries.list_due_entries().exists()
    assert AuditEvent.objects.filter(act="confirmed").count() == 2


def test_agents_confirm_nothing(make_entry: MakeEntry, agent: User) -> None:
    entry = make_entry()
    with pytest.raises(PermissionDenied):
        entries.confirm_entry(entry, by=agent)


def test_the_page_lists_what_is_mine_and_confirms_it(
    client: Client, editor: User, lead: User, make_entry: MakeEntry
) -> None:
    today = timezone.localdate()
    mine = make_entry("我的？", review_at=today, owner=editor)
    make_entry("别人的？", review_at=today, owner=lead)
    client.force_login(editor)
    page = client.get("/desk/due/?show=all").content.decode()
    assert "我的？" in page
    assert "别人的？" in page
    for show in ("", "mine", "nothing"):
        only = client.get(f"/desk/due/?show={show}").content.decode()
        assert "我的？" in only
        assert "别人的？" not in only
    for wrong in ("0", "99999", "x", "-1", "9" * 40):
        client.post(f"/desk/due/{mine.pk}/", {"again": wrong})
        mine.refresh_from_db()
        assert mine.review_at == today, wrong
    client.post(f"/desk/due/{mine.pk}/", {"again": "30", "show": "mine"})
    mine.refresh_from_db()
    assert mine.review_at == today + 30 * DAY
    assert client.post("/desk/due/999999999/", {}).status_code == 302


def test_the_page_asks_a_fixed_number_of_times(
    client: Client, editor: User, make_entry: MakeEntry
) -> None:
    client.force_login(editor)
    today = timezone.localdate()

    def queries() -> int:
        with CaptureQueriesContext(connection) as asked:
            client.get("/desk/due/")
        return len(asked)

    make_entry("一？", review_at=today, category=Category.objects.create(name="一"))
    few = queries()
    for number in range(9):
        place = Category.objects.create(name=f"类{number}", review_every=number + 1)
        make_entry(f"条目{number}？", review_at=today, category=place)
    assert queries() == few


def test_agents_do_not_come_in(client: Client, agent: User) -> None:
    client.force_login(agent)
    assert client.get("/desk/due/").status_code == 403
    assert client.post("/desk/due/1/").status_code == 403


# Mail ------------------------------------------------------------------------------


def test_an_owner_hears_once_a_day(
    settings: Any, turn: Turn, make_entry: MakeEntry, editor: User, lead: User
) -> None:
    settings.KB_MAIL = settings.HTTPS = True
    settings.ALLOWED_HOSTS = ["localhost", ".example.com", "faq.example.com"]
    User.objects.filter(pk=editor.pk).update(email="a@example.com")
    User.objects.filter(pk=lead.pk).update(email="b@example.com", is_active=False)
    today = timezone.localdate()
    for number in range(3):
        make_entry(f"第{number}条？", review_at=today, owner=editor)
    make_entry("不在职的？", review_at=today, owner=lead)
    make_entry("没人管的？", review_at=today)
    assert [review_reminders.send_review_reminders() for _ in range(2)] == [1, 0]
    (sent,) = mail.outbox
    assert sent.to == ["a@example.com"]
    assert "3 条" in sent.subject
    assert "第2条？" in sent.body
    assert "处理：https://faq.example.com/desk/due/。" in sent.body
    turn(MORNING - 2 * DAY)  # a clock that goes back
    assert review_reminders.send_review_reminders() == 0
    turn(MORNING + DAY)
    assert review_reminders.send_review_reminders() == 1


def test_without_mail_no_reminder_is_sent(
    settings: Any, make_entry: MakeEntry, editor: User
) -> None:
    settings.KB_MAIL = False
    User.objects.filter(pk=editor.pk).update(email="a@example.com")
    make_entry(review_at=timezone.localdate(), owner=editor)
    assert review_reminders.send_review_reminders() == 0
    assert mail.outbox == []


def test_the_form_of_an_entry_takes_a_period(
    client: Client, editor: User, make_entry: MakeEntry
) -> None:
    period = CampaignPeriod(name="618", starts_at=MORNING)
    entries.save_campaign_period(period)
    entry = make_entry()
    client.force_login(editor)
    address = f"/admin/kb/entry/{entry.pk}/change/"
    client.post(address, {**filled(client, address), "window": period.pk})
    entry.refresh_from_db()
    assert (entry.window, entry.valid_from) == (period, MORNING)
