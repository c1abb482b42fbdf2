"""A deleted reply of an agent is restored with one key."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any
from unittest import mock

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from kb.library import replies
from kb.models import ROLE_AGENT, CustomerSegment, Reply, ReplyProposal, Team, User
from tests.conftest import MakeEntry

pytestmark = pytest.mark.django_db
MINE, RESTORE = reverse("console:own-replies"), reverse("console:own-reply-restore")


@pytest.fixture
def desk(client: Client, agent: User) -> Client:
    client.force_login(agent)
    return client


def delete(client: Client, reply: Reply) -> Any:
    address = reverse("console:own-reply-action", args=[reply.pk, "delete"])
    return client.post(address, follow=True)


def test_a_deleted_reply_comes_back_as_it_was(
    desk: Client, agent: User, make_entry: MakeEntry
) -> None:
    segment = CustomerSegment.objects.create(name="高净值")
    made = Reply(
        owner=agent,
        title="催派送",
        body="亲，{{单号}}\n催了",
        keywords="cps",
        label="我的",
        channel="wechat",
        tone="short",
        segment=segment,
        entry=make_entry(),
    )
    reply = replies.save_private_reply(made, by=agent)
    replies.propose_reply(reply, by=agent)
    columns = ("title", "body", "keywords", "label", "channel", "tone", "text")
    before = [getattr(reply, name) for name in columns]
    page = delete(desk, reply)
    assert not Reply.objects.filter(owner=agent).exists()
    assert "已删除「催派送」，半小时内可以撤销" in page.text
    page = desk.post(RESTORE, follow=True)
    assert "已恢复「催派送」。" in page.text
    restored = Reply.objects.get(owner=agent)
    assert [getattr(restored, name) for name in columns] == before
    assert (restored.segment, restored.entry) == (segment, reply.entry)
    assert restored.proposals.get().state == ReplyProposal.State.WAITING
    assert "没有可以撤销的删除" in desk.post(RESTORE, follow=True).text


def test_several_come_back_the_last_first(desk: Client, agent: User) -> None:
    for title in ("一", "二"):
        delete(
            desk,
            replies.save_private_reply(
                Reply(owner=agent, title=title, body="好"), by=agent
            ),
        )
    assert "已恢复「二」。" in desk.post(RESTORE, follow=True).text
    assert "已恢复「一」。" in desk.post(RESTORE, follow=True).text


def test_what_it_hung_on_may_be_gone(desk: Client, agent: User) -> None:
    segment = CustomerSegment.objects.create(name="高净值")
    made = Reply(owner=agent, title="一", body="好", segment=segment)
    delete(desk, replies.save_private_reply(made, by=agent))
    segment.delete()
    desk.post(RESTORE)
    assert Reply.objects.get().segment is None


def test_after_half_an_hour_it_is_gone(desk: Client, agent: User) -> None:
    delete(
        desk,
        replies.save_private_reply(Reply(owner=agent, title="一", body="好"), by=agent),
    )
    later = timezone.now() + timedelta(minutes=31)
    with mock.patch("kb.web.console.my_replies.timezone.now", return_value=later):
        assert "可以撤销" not in desk.get(MINE).text
        desk.post(RESTORE)
    assert not Reply.objects.exists()


def test_a_former_lead_cannot_restore_a_team_reply(client: Client, lead: User) -> None:
    lead.team = Team.objects.create(name="售后组")
    lead.save()
    client.force_login(lead)
    delete(
        client,
        replies.save_private_reply(
            Reply(team=lead.team, title="一", body="好"), by=lead
        ),
    )
    lead.team = None
    lead.save()
    assert client.post(RESTORE).status_code == 403
    assert not Reply.objects.exists()


def test_another_person_sees_nothing_of_it(
    desk: Client, agent: User, make_user: Callable[..., User]
) -> None:
    delete(
        desk,
        replies.save_private_reply(
            Reply(owner=agent, title="秘密", body="好"), by=agent
        ),
    )
    desk.force_login(make_user("other", ROLE_AGENT))
    assert "秘密" not in desk.get(MINE).text
    desk.post(RESTORE)
    assert not Reply.objects.exists()
