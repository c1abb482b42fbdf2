"""Private replies and those of a team: writing, finding, sharing by review, changes."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.utils import timezone

from kb import search, usage
from kb.index import sync
from kb.index.engines import get_engine
from kb.library import entries, replies
from kb.library.replies import private_replies
from kb.models import (
    ROLE_AGENT,
    CopyEvent,
    CustomerSegment,
    Entry,
    IndexQueue,
    Reply,
    ReplyProposal,
    Team,
    User,
)
from kb.publishing import edition
from kb.text.markup import text_diff
from tests.conftest import MakeEntry

pytestmark = pytest.mark.django_db


@pytest.fixture
def team() -> Team:
    return Team.objects.create(name="售后组")


@pytest.fixture
def mate(make_user: Callable[..., User], team: Team) -> User:
    return make_user("mate", ROLE_AGENT, team=team)


def mine(
    user: User, title: str = "催发货", body: str = "亲，在路上了", **more: Any
) -> Reply:
    return replies.save_private_reply(
        Reply(owner=user, title=title, body=body, **more), by=user
    )


def titles(words: str, user: User) -> list[str]:
    return [reply.title for reply in replies.search_private_replies(words, user=user)]


# Writing -----------------------------------------------------------------------------------


def test_agents_write_only_their_own_replies(
    agent: User, mate: User, lead: User, team: Team
) -> None:
    reply = mine(agent)
    with pytest.raises(PermissionDenied):
        replies.save_private_reply(reply, by=mate)
    with pytest.raises(PermissionDenied):
        replies.delete_private_reply(reply, by=lead)
    ours = Reply(team=team, title="t", body="亲")
    for user in (mate, lead):  # neither a lead nor in a team
        with pytest.raises(PermissionDenied):
            replies.save_private_reply(ours, by=user)
    lead.team = team
    lead.save()
    assert (
        replies.save_private_reply(ours, by=User.objects.get(pk=lead.pk)).author == lead
    )
    assert list(replies.list_team_replies(mate)) == [ours]
    assert list(replies.list_team_replies(agent)) == []


def test_the_number_of_private_replies_is_limited(
    agent: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(private_replies, "MAX_PRIVATE_REPLIES", 1)
    reply = mine(agent)
    with pytest.raises(ValidationError, match="最多存 1 条"):
        mine(agent)
    reply.body = "改了"
    replies.save_private_reply(reply, by=agent)


def test_a_shared_reply_is_copied_once(make_entry: MakeEntry, agent: User) -> None:
    vip = CustomerSegment.objects.create(name="高净值")
    entry = make_entry()
    shared = Reply.objects.create(
        entry=entry, body="亲", tone="formal", channel="sms", segment=vip
    )
    copy, new = replies.copy_to_own_replies(entry, reply=shared, by=agent)
    assert new
    assert (copy.owner, copy.entry, copy.title) == (agent, entry, entry.question)
    assert (copy.tone, copy.channel, copy.segment) == ("formal", "sms", vip)
    assert replies.copy_to_own_replies(entry, reply=shared, by=agent) == (copy, False)
    answer, _ = replies.copy_to_own_replies(entry, by=agent)
    assert answer.body == "质量问题由我们承担，个人原因由您承担。"


# Search ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "words",
    ["催发货", "cfh", "cuifahuo", "催发", "CFH2", "在路上了吗", "請問在路上了嗎"],
)
def test_private_replies_are_found_by_title_code_pinyin_and_words(
    agent: User, words: str
) -> None:
    mine(agent, keywords="cfh2")
    mine(agent, title="道歉", body="非常抱歉")
    assert titles(words, agent) == ["催发货"]


def test_a_weak_match_is_not_found(agent: User) -> None:
    mine(agent)
    for words in ("发票抬头怎么改", "你好", "请问", "的", "", "x"):
        assert titles(words, agent) == []


def test_private_replies_of_others_are_not_found(
    agent: User, mate: User, team: Team, lead: User
) -> None:
    mine(agent)
    Reply.objects.create(team=team, title="催发货", body="亲")
    assert titles("催发货", mate) == ["催发货"]
    assert replies.search_private_replies("催发货", user=mate)[0].team == team
    assert [r.owner for r in replies.search_private_replies("催发货", user=agent)] == [
        agent
    ]
    assert titles("催发货", lead) == []


def test_a_reply_of_an_entry_is_usable_as_long_as_the_entry(
    make_entry: MakeEntry, agent: User
) -> None:
    entry = make_entry()
    reply = mine(agent, entry=entry)
    assert titles("催发货", agent) == ["催发货"]
    Entry.objects.filter(pk=entry.pk).update(valid_until=timezone.now())
    assert titles("催发货", agent) == []
    Entry.objects.filter(pk=entry.pk).update(valid_until=None)
    entries.retire_entry(entry, by=None)
    assert titles("催发货", agent) == []
    assert list(replies.list_own_replies(agent)) == [reply]
    reply.entry = None
    replies.save_private_reply(reply, by=agent)
    assert titles("催发货", agent) == ["催发货"]


def test_deleting_an_entry_keeps_private_replies(
    make_entry: MakeEntry, agent: User
) -> None:
    entry = make_entry(replies=["共用"])
    reply = mine(agent, entry=entry)
    entry.delete()
    assert list(Reply.objects.all()) == [reply]
    assert titles("催发货", agent) == ["催发货"]


# Order ---------------------------------------------------------------------------


def test_replies_for_the_customer_segment_come_first(
    make_entry: MakeEntry, agent: User, team: Team
) -> None:
    vip, new = (
        CustomerSegment.objects.create(name=name) for name in ("高净值", "新客")
    )
    entry = make_entry()

    def make(label: str, order: int, **columns: Any) -> Reply:
        return Reply.objects.create(
            entry=entry, label=label, body=label, order=order, **columns
        )

    made = [
        make("标准", 0),
        make("短信", 1, channel="sms"),
        make("高净值", 2, segment=vip),
        make("高净值短信", 3, segment=vip, channel="sms"),
        make("新客", 4, segment=new),
        make("我的", 5, owner=agent, title="t"),
        make("团队", 6, team=team, title="t"),
    ]

    def order(**asked: Any) -> list[str]:
        return [reply.label for reply in replies.sort_replies_by_fit(made, **asked)]

    assert order()[:3] == ["我的", "团队", "标准"]
    assert order(segment=vip.pk)[:2] == ["高净值", "高净值短信"]
    assert order(segment=vip.pk)[-1] == "新客"
    assert order(segment=vip.pk, channel="sms")[0] == "高净值短信"
    assert order(channel="wechat")[-2:] == ["短信", "高净值短信"]


# Shared by review ---------------------------------------------------------------------------


def test_an_accepted_proposal_is_shared_and_names_its_author(
    make_entry: MakeEntry, agent: User, mate: User, editor: User
) -> None:
    entry = make_entry(replies=["标准"])
    reply = mine(agent, entry=entry, keywords="cfh")
    proposal = replies.propose_reply(reply, by=agent)
    assert replies.propose_reply(reply, by=agent) == proposal
    assert list(replies.list_waiting_reply_proposals()) == [proposal]
    replies.accept_reply_proposal(
        proposal, by=editor, entry=entry, seen_updated_at=reply.updated_at.isoformat()
    )
    reply.refresh_from_db()
    assert reply.is_shared
    assert (reply.author, reply.order, reply.keywords) == (agent, 1, "")
    assert reply.is_readable_by(mate)
    assert Entry.objects.get(pk=entry.pk).version == entry.version + 1
    sync.sync_all_marks()
    assert [h.entry for h in search.search_entries("在路上了", user=mate).hits] == [
        entry
    ]
    assert list(replies.list_waiting_reply_proposals()) == []


def test_a_reply_without_entry_gets_a_new_entry(agent: User, editor: User) -> None:
    sync.rebuild_index()
    proposal = replies.propose_reply(mine(agent), by=agent)
    reply = replies.accept_reply_proposal(proposal, by=editor, entry=None)
    assert reply.entry is not None
    assert (reply.entry.question, reply.entry.status) == ("催发货", "published")
    assert reply.entry.audience == "internal"


def test_a_returned_proposal_has_a_reason_and_stays_private(
    agent: User, editor: User
) -> None:
    reply = mine(agent)
    proposal = replies.propose_reply(reply, by=agent)
    with pytest.raises(ValidationError, match="请写明退回的原因"):
        replies.return_reply_proposal(proposal, by=editor, reason=" ")
    replies.return_reply_proposal(proposal, by=editor, reason="太长，请分两条")
    reply.refresh_from_db()
    assert reply.owner == agent
    assert [p.reason for p in reply.proposals.all()] == ["太长，请分两条"]
    with pytest.raises(ValidationError, match="已经有人处理"):
        replies.accept_reply_proposal(proposal, by=editor, entry=None)


def test_a_proposal_changed_meanwhile_is_not_accepted_unseen(
    agent: User, editor: User, make_entry: MakeEntry
) -> None:
    reply = mine(agent)
    proposal, seen = (
        replies.propose_reply(reply, by=agent),
        reply.updated_at.isoformat(),
    )
    reply.body = "骂人的话"
    replies.save_private_reply(reply, by=agent)
    with pytest.raises(ValidationError, match="作者刚改过"):
        replies.accept_reply_proposal(
            proposal, by=editor, entry=make_entry(), seen_updated_at=seen
        )
    assert Reply.objects.get(pk=reply.pk).owner == agent


def test_who_may_propose_and_who_may_judge(agent: User, mate: User) -> None:
    reply = mine(agent)
    with pytest.raises(PermissionDenied):
        replies.propose_reply(reply, by=mate)
    proposal = replies.propose_reply(reply, by=agent)
    for act in (
        lambda: replies.accept_reply_proposal(proposal, by=mate, entry=None),
        lambda: replies.return_reply_proposal(proposal, by=mate, reason="不"),
    ):
        with pytest.raises(PermissionDenied):
            act()
    assert not replies.withdraw_reply_proposal(reply, by=mate)
    assert replies.withdraw_reply_proposal(reply, by=agent)
    assert not ReplyProposal.objects.exists()


# Changes ------------------------------------------------------------------------------


def copied(reply: Reply, user: User) -> None:
    assert reply.entry is not None
    usage.record_copy(reply.entry, by=user, reply=reply, kind=CopyEvent.Kind.REPLY)


def test_changes_since_the_last_copy_are_shown_word_by_word(
    make_entry: MakeEntry, agent: User, mate: User
) -> None:
    (reply,) = make_entry(replies=["运费 10 元，三天内退回"]).replies.all()
    assert replies.find_changes_since_copied([reply], user=agent) == {}
    copied(reply, agent)
    assert replies.find_changes_since_copied([reply], user=agent) == {}
    for body in ("运费 12 元，三天内退回", "运费 12 元，七天内退回"):
        reply.body = body
        reply.save()
    change = replies.find_changes_since_copied([reply], user=agent)[reply.pk]
    shown = [(part.kind, part.text) for part in change.parts]
    assert shown == [
        ("same", "运费 "),
        ("gone", "10"),
        ("new", "12"),
        ("same", " 元，"),
        ("gone", "三"),
        ("new", "七"),
        ("same", "天内退回"),
    ]
    assert replies.find_changes_since_copied([reply], user=mate) == {}
    copied(reply, agent)
    assert replies.find_changes_since_copied([reply], user=agent) == {}


def test_a_reverted_change_is_not_shown(make_entry: MakeEntry, agent: User) -> None:
    (reply,) = make_entry(replies=["一"]).replies.all()
    copied(reply, agent)
    for body in ("二", "一"):
        reply.body = body
        reply.save()
    assert replies.find_changes_since_copied([reply], user=agent) == {}


def test_a_small_change_of_a_long_text_is_shown_small() -> None:
    old = "开头" + "一二三四五六七八九十" * 300
    new = old.replace("开头", "开始") + "完"
    parts = text_diff.diff_excerpts(old, new)
    assert [p.kind for p in parts] == [
        "same",
        "gone",
        "new",
        "same",
        "cut",
        "same",
        "new",
    ]
    assert sum(len(part.text) for part in parts) < 60


@pytest.mark.parametrize(
    ("old", "new"),
    [("", ""), ("", "亲"), ("亲", ""), ("a b", "a c"), ("甲乙丙", "丙乙甲")],
)
def test_the_parts_of_a_diff_make_both_texts(old: str, new: str) -> None:
    parts = text_diff.diff_tokens(old, new)
    assert "".join(p.text for p in parts if p.kind != "new") == old
    assert "".join(p.text for p in parts if p.kind != "gone") == new


# Validity in the index ----------------------------------------------------------------------


def test_an_expired_entry_leaves_the_public_index(
    make_entry: MakeEntry, monkeypatch: pytest.MonkeyPatch
) -> None:
    end = timezone.now() + timedelta(days=3)
    entry = make_entry(valid_until=end)
    (mark,) = IndexQueue.objects.all()
    assert (mark.entry_id, mark.due_at) == (entry.pk, end)
    assert sync.sync_marked_entries() == 0
    before, shown = get_engine().load_digests()[entry.pk], edition.get_edition()
    now = timezone.now
    monkeypatch.setattr(timezone, "now", lambda: now() + timedelta(days=4))
    assert sync.sync_all_marks() == 1
    assert get_engine().load_digests()[entry.pk] != before
    assert not IndexQueue.objects.exists()
    assert sync.audit_indexed_entries() == set()
    assert edition.get_edition() != shown  # no copy of a page still shows it


def test_an_entry_is_queued_once_for_its_next_validity_change(
    make_entry: MakeEntry,
) -> None:
    now, day = timezone.now(), timedelta(days=1)
    entry = make_entry(valid_from=now + day, valid_until=now + 2 * day)
    for _ in range(2):
        entry.refresh_from_db()
        entries.update_entry(entry, by=None, based_on=entry.version, keywords="x")
        sync.sync_all_marks()
    assert [mark.due_at for mark in IndexQueue.objects.all()] == [now + day]
    sync.rebuild_index()
    assert [mark.due_at for mark in IndexQueue.objects.all()] == [now + day]
