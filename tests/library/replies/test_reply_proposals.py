"""Undoing the acceptance of a proposed reply."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from kb.library import entries, replies
from kb.models import AuditEvent, CopyEvent, Entry, Reply, ReplyProposal, User
from tests.conftest import MakeEntry

pytestmark = pytest.mark.django_db
PAGE = reverse("desk:proposals")
CONFLICT = "又有人改过或发布过，不能撤销"


@pytest.fixture
def desk(client: Client, editor: User) -> Client:
    client.force_login(editor)
    return client


@pytest.fixture
def proposal(agent: User) -> ReplyProposal:
    reply = Reply(
        owner=agent, title="催派送", keywords="cps", body="亲，{{单号}}", label="我的"
    )
    return replies.propose_reply(replies.save_private_reply(reply, by=agent), by=agent)


def post_judgement(client: Client, proposal: ReplyProposal, **sent: Any) -> str:
    address = reverse("desk:judge-proposal", args=[proposal.pk])
    reply = Reply.objects.filter(pk=proposal.reply_id).first()
    if reply and sent["do"] == "accept":
        sent["seen"] = reply.updated_at.isoformat()
    return str(client.post(address, sent, follow=True).text)


def get_state(reply: Reply) -> dict[str, Any]:
    now = Reply.objects.get(pk=reply.pk)
    names = [field.attname for field in Reply._meta.concrete_fields]
    return {name: getattr(now, name) for name in names if name != "updated_at"}


def test_undo_makes_the_reply_private_again(
    desk: Client, proposal: ReplyProposal, make_entry: MakeEntry, editor: User
) -> None:
    entry = make_entry(replies=["原来的"])
    before, snapshot = get_state(proposal.reply), entries.take_snapshot(entry)
    page = post_judgement(desk, proposal, do="accept", entry=entry.pk)
    assert "撤销：收下「催派送」" in page
    page = post_judgement(desk, proposal, do="undo")
    assert "已撤销收下：「催派送」。" in page
    assert "撤销：收下" not in page
    assert get_state(proposal.reply) == before
    assert entries.take_snapshot(entry) == snapshot
    entry.refresh_from_db()
    assert entry.status == "published"
    proposal.refresh_from_db()
    assert (proposal.state, proposal.judged_by) == ("waiting", None)
    assert AuditEvent.objects.filter(by=editor, act="reverted").exists()


def test_undo_deletes_the_entry_created_for_the_reply(
    desk: Client, proposal: ReplyProposal
) -> None:
    before = get_state(proposal.reply)
    post_judgement(desk, proposal, do="accept", entry="new")
    assert Entry.objects.get().status == "published"
    post_judgement(desk, proposal, do="undo")
    assert not Entry.objects.exists()
    assert get_state(proposal.reply) == before


def test_undo_retires_a_used_entry_created_for_the_reply(
    desk: Client, proposal: ReplyProposal, agent: User
) -> None:
    post_judgement(desk, proposal, do="accept", entry="new")
    CopyEvent.objects.create(entry=Entry.objects.get(), by=agent)
    assert "已撤销收下" in post_judgement(desk, proposal, do="undo")
    assert Entry.objects.get().status == "retired"


def test_undo_returns_a_published_draft_to_draft(
    desk: Client, proposal: ReplyProposal, make_entry: MakeEntry
) -> None:
    entry = make_entry(status="draft")
    post_judgement(desk, proposal, do="accept", entry=entry.pk)
    entry.refresh_from_db()
    assert entry.status == "published"
    post_judgement(desk, proposal, do="undo")
    entry.refresh_from_db()
    assert (entry.status, entry.published_at) == ("draft", None)


def test_undo_is_refused_after_a_change_of_the_entry(
    desk: Client, proposal: ReplyProposal, make_entry: MakeEntry, lead: User
) -> None:
    entry = make_entry()
    post_judgement(desk, proposal, do="accept", entry=entry.pk)
    entry.refresh_from_db()
    entries.update_entry(entry, by=lead, based_on=entry.version, keywords="新词")
    assert CONFLICT in post_judgement(desk, proposal, do="undo")
    assert Reply.objects.get().is_shared


def test_undo_is_refused_after_a_change_of_the_reply(
    desk: Client, proposal: ReplyProposal, make_entry: MakeEntry
) -> None:
    post_judgement(desk, proposal, do="accept", entry=make_entry().pk)
    Reply.objects.update(body="别人改过")
    assert CONFLICT in post_judgement(desk, proposal, do="undo")
    assert Reply.objects.get().body == "别人改过"


def test_undo_is_for_the_accepting_editor_only(
    desk: Client, proposal: ReplyProposal, make_entry: MakeEntry, lead: User
) -> None:
    post_judgement(desk, proposal, do="accept", entry=make_entry().pk)
    desk.force_login(lead)
    assert "撤销：收下" not in desk.get(PAGE).text
    assert "已经有人处理了" in post_judgement(desk, proposal, do="undo")
    assert Reply.objects.get().is_shared


def test_undo_is_refused_when_the_author_is_gone(
    desk: Client, proposal: ReplyProposal, make_entry: MakeEntry, agent: User
) -> None:
    post_judgement(desk, proposal, do="accept", entry=make_entry().pk)
    agent.delete()
    assert "作者的账号已经不在了" in post_judgement(desk, proposal, do="undo")
    assert Reply.objects.get().is_shared
