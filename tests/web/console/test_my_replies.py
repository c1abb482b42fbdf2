"""我的话术: private replies and proposals, and the editors' page that judges these."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from kb.index import sync
from kb.library import entries, replies
from kb.models import (
    ROLE_AGENT,
    ROLE_LEAD,
    Entry,
    Reply,
    ReplyProposal,
    Snippet,
    Team,
    User,
)
from tests.conftest import MakeEntry

pytestmark = pytest.mark.django_db
MINE = reverse("console:own-replies")
WRITTEN = {"title": "催发货", "body": "亲，{{订单号}} 在路上了", "tone": "standard"}
CANARY = "麤靐密语"


@pytest.fixture
def team() -> Team:
    return Team.objects.create(name="售后组")


@pytest.fixture
def mate(make_user: Callable[..., User], team: Team) -> User:
    return make_user("mate", ROLE_AGENT, name="小圆", team=team)


@pytest.fixture
def chief(make_user: Callable[..., User], team: Team) -> User:
    return make_user("chief", ROLE_LEAD, team=team, is_staff=True)


def enter(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


def write(
    client: Client, where: str = "console:own-reply-new", *args: Any, **more: Any
) -> Any:
    return client.post(reverse(where, args=args), {**WRITTEN, **more}, follow=True)


def test_an_agent_adds_changes_and_deletes(agent: User) -> None:
    client = enter(agent)
    page = write(client, keywords=" cfh ").text
    assert "已保存「催发货」。" in page
    reply = Reply.objects.get()
    assert (reply.owner, reply.keywords, reply.entry) == (agent, "cfh", None)
    assert "改了" in write(client, "console:own-reply-edit", reply.pk, body="改了").text
    page = client.post(
        reverse("console:own-reply-action", args=[reply.pk, "delete"]), follow=True
    )
    assert "已删除「催发货」" in page.text
    assert not Reply.objects.exists()


def test_the_form_names_the_snippets_there_are(agent: User) -> None:
    replies.save_snippet(Snippet(name="售后地址", body="杭州"))
    page = enter(agent).get(reverse("console:own-reply-new")).text
    assert "{{&gt; 售后地址}}" in page


@pytest.mark.parametrize(
    ("field", "value", "said"),
    [
        ("title", " ", "该字段是必填项"),
        ("title", "长" * 61, "60"),
        ("body", "", "该字段是必填项"),
        ("body", "长" * 4001, "4000"),
        ("body", "{{> 没有}}", "没有叫「没有」的片段。"),
        ("channel", "x", "x"),
        ("segment", "999999", "选择"),
        ("tone", "loud", "loud"),
    ],
)
def test_an_invalid_reply_is_not_saved_and_its_field_is_marked(
    agent: User, field: str, value: str, said: str
) -> None:
    answer = write(enter(agent), **{field: value})
    assert said in str(answer.context["form"].errors[field])
    assert not Reply.objects.exists()


def test_unknown_form_fields_are_ignored(
    agent: User, mate: User, make_entry: MakeEntry
) -> None:
    entry = make_entry()
    forged: dict[str, Any] = {
        "owner": mate.pk,
        "team": mate.team_id,
        "entry": entry.pk,
        "order": 9,
    }
    write(enter(agent), **forged)
    reply = Reply.objects.get()
    assert (reply.owner, reply.team, reply.entry) == (agent, None, None)


def test_replies_of_others_are_404(
    agent: User, mate: User, chief: User, editor: User
) -> None:
    mine = replies.save_private_reply(
        Reply(owner=agent, title=CANARY, body=CANARY), by=agent
    )
    ours = replies.save_private_reply(
        Reply(team=chief.team, title="团队", body="亲"), by=chief
    )
    never = ours.pk + 9000
    for user, reply in ((mate, mine), (editor, mine), (chief, mine), (mate, ours)):
        client = enter(user)
        assert CANARY not in client.get(MINE).text
        for where in [("console:own-reply-edit", ())] + [
            ("console:own-reply-action", (what,))
            for what in ("delete", "propose", "withdraw")
        ]:
            name, more = where
            answers = [
                client.post(reverse(name, args=[pk, *more]), WRITTEN)
                for pk in (reply.pk, never)
            ]
            assert [a.status_code for a in answers] == [404, 404]
            assert CANARY not in answers[0].text
        assert (
            client.get(reverse("console:own-reply-edit", args=[reply.pk])).status_code
            == 404
        )
    mine.refresh_from_db()
    ours.refresh_from_db()
    assert (mine.body, ours.body) == (CANARY, "亲")
    assert not ReplyProposal.objects.exists()


def test_my_replies_need_an_agent(make_user: Callable[..., User], agent: User) -> None:
    reply = replies.save_private_reply(
        Reply(owner=agent, title="t", body="亲"), by=agent
    )
    stranger = enter(make_user("guest"))
    pages = [
        MINE,
        reverse("console:own-reply-new"),
        reverse("console:own-reply-edit", args=[reply.pk]),
    ]
    for url in pages:
        assert Client().get(url).status_code == 302
        assert stranger.get(url).status_code == 403
    for url in (
        reverse("console:own-reply-copy"),
        reverse("console:own-reply-action", args=[reply.pk, "delete"]),
    ):
        assert Client().post(url).status_code in (302, 403)
        assert stranger.post(url).status_code == 403
        assert enter(agent).get(url).status_code == 405
    assert Reply.objects.exists()


def test_a_lead_writes_for_the_team_and_the_team_reads(
    chief: User, mate: User, agent: User
) -> None:
    address = f"{reverse('console:own-reply-new')}?for=team"
    for user in (mate, agent):
        assert enter(user).get(address).status_code == 403
    enter(chief).post(address, {**WRITTEN, "title": "团队的话"})
    assert Reply.objects.get().team == chief.team
    assert "团队的话" in enter(mate).get(MINE).text
    assert "团队的话" not in enter(agent).get(MINE).text


def test_a_shown_reply_is_copied_and_opened_for_a_change(
    agent: User, make_entry: MakeEntry
) -> None:
    entry = make_entry("退货运费谁承担？", replies=["亲，我们承担"])
    client, shared = enter(agent), entry.replies.get()
    sent = {"entry": entry.pk, "reply": shared.pk}
    page = client.post(reverse("console:own-reply-copy"), sent, follow=True)
    own = replies.list_own_replies(agent).get()
    assert page.redirect_chain == [
        (reverse("console:own-reply-edit", args=[own.pk]), 302)
    ]
    assert "跟随条目「退货运费谁承担？」" in page.text
    assert (
        "一模一样"
        in client.post(reverse("console:own-reply-copy"), sent, follow=True).text
    )
    write(client, "console:own-reply-edit", own.pk, follows="on")
    assert replies.list_own_replies(agent).get().entry == entry
    write(client, "console:own-reply-edit", own.pk)
    assert replies.list_own_replies(agent).get().entry is None


def test_a_reply_of_another_cannot_be_copied(
    agent: User, mate: User, make_entry: MakeEntry
) -> None:
    entry = make_entry()
    reply = replies.save_private_reply(
        Reply(owner=mate, entry=entry, title=CANARY, body=CANARY), by=mate
    )
    client = enter(agent)
    for sent in (
        {"entry": entry.pk, "reply": reply.pk},
        {"entry": entry.pk, "reply": reply.pk + 9000},
        {"entry": entry.pk + 9000},
        {"entry": "x"},
        {},
    ):
        assert client.post(reverse("console:own-reply-copy"), sent).status_code == 404
    assert not replies.list_own_replies(agent).exists()


def test_a_reply_of_a_hidden_entry_is_marked_without_the_entrys_text(
    agent: User, make_entry: MakeEntry
) -> None:
    entry = make_entry("旧的问题？")
    own, _ = replies.copy_to_own_replies(entry, by=agent)
    client = enter(agent)
    Entry.objects.filter(pk=entry.pk).update(valid_until=timezone.now())
    assert "原条目已过期" in client.get(MINE).text
    entries.retire_entry(entry, by=None)
    Entry.objects.filter(pk=entry.pk).update(question=CANARY)
    for url in (MINE, reverse("console:own-reply-edit", args=[own.pk])):
        page = client.get(url).text
        assert "原条目已下线" in page
        assert CANARY not in page


# The desk -----------------------------------------------------------------------------


@pytest.fixture
def proposal(mate: User, make_entry: MakeEntry) -> ReplyProposal:
    entry = make_entry("什么时候发货？", replies=["标准"])
    reply = replies.save_private_reply(
        Reply(owner=mate, entry=entry, title="催发货", body="亲，在路上了"), by=mate
    )
    return replies.propose_reply(reply, by=mate)


def judge(client: Client, proposal: ReplyProposal, **sent: Any) -> str:
    where = reverse("desk:judge-proposal", args=[proposal.pk])
    return str(client.post(where, sent, follow=True).text)


def test_only_editors_judge_proposals(proposal: ReplyProposal, agent: User) -> None:
    url = reverse("desk:proposals")
    assert Client().get(url).status_code == 302
    assert enter(agent).get(url).status_code == 403
    where = reverse("desk:judge-proposal", args=[proposal.pk])
    assert enter(agent).post(where, {"do": "accept"}).status_code == 403


def test_the_editor_sees_what_is_proposed_and_by_whom(
    proposal: ReplyProposal, editor: User
) -> None:
    Reply.objects.create(owner=proposal.by, title=CANARY, body=CANARY)
    client = enter(editor)
    page = client.get(reverse("desk:proposals")).text
    for said in ("催发货", "亲，在路上了", "小圆", "什么时候发货？"):
        assert said in page
    assert CANARY not in page
    assert '共用提议 <span class="number">1</span>' in client.get("/desk/inbox/").text


def test_an_accepted_proposal_is_shared_under_its_authors_name(
    proposal: ReplyProposal, editor: User, mate: User, agent: User
) -> None:
    entry = proposal.reply.entry
    assert entry is not None
    seen = proposal.reply.updated_at.isoformat()
    said = judge(enter(editor), proposal, do="accept", entry=entry.pk, seen=seen)
    assert "署名 小圆" in said
    sync.sync_all_marks()
    assert "亲，在路上了" in enter(agent).get(f"/console/?entry={entry.pk}").text
    assert "已收为共用" in enter(mate).get(MINE).text
    assert "已经有人处理" in judge(enter(editor), proposal, do="accept", entry="new")


def test_a_returned_proposal_shows_its_reason_to_the_agent(
    proposal: ReplyProposal, editor: User, mate: User, agent: User
) -> None:
    client = enter(editor)
    assert "请写明退回的原因" in judge(client, proposal, do="return")
    judge(client, proposal, do="return", reason="语气太随便")
    assert "没有收为共用：语气太随便" in enter(mate).get(MINE).text
    assert "语气太随便" not in enter(agent).get(MINE).text


@pytest.mark.parametrize(
    ("sent", "said"),
    [
        ({"entry": "x"}, "请选一个条目，或者填条目编号。"),
        ({"entry": ""}, "请选一个条目，或者填条目编号。"),
        ({"number": "999999"}, "没有编号 999999 的条目。"),
        ({"number": "9" * 40}, "请选一个条目，或者填条目编号。"),
        ({"do": "x", "entry": "new"}, "已经有人处理"),
        ({"entry": "new", "seen": "2020-01-01T00:00:00Z"}, "作者刚改过"),
        ({"entry": "new", "seen": "9999-99-99T99:99:99Z"}, "作者刚改过"),
    ],
)
def test_a_forged_decision_changes_nothing(
    proposal: ReplyProposal, editor: User, sent: dict[str, str], said: str
) -> None:
    assert said in judge(enter(editor), proposal, **{"do": "accept", **sent})
    proposal.refresh_from_db()
    assert (proposal.state, proposal.reply.is_shared) == ("waiting", False)
    assert Entry.objects.count() == 1
