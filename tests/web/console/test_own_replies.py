"""The console lists private replies, those for the customer segment first, and changes."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any
from urllib.parse import quote

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from kb import usage
from kb.library import replies
from kb.models import (
    ROLE_AGENT,
    CopyEvent,
    CustomerSegment,
    Entry,
    Pick,
    Reply,
    Team,
    User,
)
from tests.conftest import MakeEntry

pytestmark = pytest.mark.django_db
HOME = reverse("console:home")
CANARY = "麤靐密语"


@pytest.fixture
def team() -> Team:
    return Team.objects.create(name="售后组")


@pytest.fixture
def mate(make_user: Callable[..., User], team: Team) -> User:
    return make_user("mate", ROLE_AGENT, team=team)


@pytest.fixture
def console(client: Client, mate: User) -> Client:
    client.force_login(mate)
    return client


def mine(
    user: User, title: str = "催派送", body: str = "亲，催过了", **more: Any
) -> Reply:
    return replies.save_private_reply(
        Reply(owner=user, title=title, body=body, **more), by=user
    )


def listed(client: Client, **asked: Any) -> list[str]:
    """Return the keys of the list in their order."""
    listing = client.get(HOME, asked).context["listing"]
    own_keys = [row.row_key for row in listing.own_replies]
    return own_keys + [str(row.entry.pk) for row in listing.rows]


def variants(client: Client, **asked: Any) -> list[str]:
    chosen = client.get(HOME, asked).context["chosen"]
    return [reply.label for reply in chosen.variants]


# Own replies above the results -----------------------------------------------------------


def test_own_replies_are_listed_above_results_and_selected(
    console: Client, mate: User, make_entry: MakeEntry
) -> None:
    entry = make_entry("催派送要多久？")
    reply = mine(mate)
    assert listed(console, q="催派送") == [f"r{reply.pk}", str(entry.pk)]
    page = console.get(HOME, {"q": "催派送"})
    assert page.context["chosen"].reply == reply
    assert f'data-entry="r{reply.pk}"' in page.text
    assert "亲，催过了" in page.text
    preview = console.get(HOME, {"fragment": "preview", "entry": f"r{reply.pk}"}).text
    assert f'data-reply="{reply.pk}"' in preview


def test_an_own_reply_of_a_listed_entry_is_among_its_variants(
    console: Client, mate: User, make_entry: MakeEntry
) -> None:
    entry = make_entry("催派送要多久？", replies=["标准"])
    mine(mate, entry=entry, label="我的")
    assert listed(console, q="催派送") == [str(entry.pk)]
    assert variants(console, q="催派送") == ["我的", "标准"]


def test_the_answer_can_be_sent_beside_an_own_reply(
    console: Client, mate: User, make_entry: MakeEntry
) -> None:
    entry = make_entry()
    mine(mate, entry=entry, label="我的")
    assert variants(console, entry=entry.pk) == ["我的", "FAQ 答案"]


def test_a_filter_excludes_private_replies(console: Client, mate: User) -> None:
    reply = mine(mate, channel="sms")
    assert listed(console, q="催派送", channel="sms") == [f"r{reply.pk}"]
    for narrowed in (
        {"scope": "public"},
        {"channel": "wechat"},
        {"page": 1, "scope": "internal"},
    ):
        assert listed(console, q="催派送", **narrowed) == []


def test_private_replies_of_others_are_not_listed_opened_or_counted(
    console: Client, agent: User, make_entry: MakeEntry
) -> None:
    entry = make_entry("催派送要多久？")
    foreign = Team.objects.create(name="售前组")
    hidden = [
        mine(agent, title=CANARY, body=CANARY),
        mine(agent, title=CANARY, body=CANARY, entry=entry),
        Reply.objects.create(team=foreign, title=CANARY, body=CANARY, entry=entry),
    ]
    unknown = "龘龘龘龘"
    without_reply, with_reply = (
        console.get(HOME, {"q": word}).text.replace(word, "…").replace(quote(word), "…")
        for word in (unknown, CANARY)
    )
    token = r"(token|csrfmiddlewaretoken)[^>]*"
    assert _untokened(with_reply, token) == _untokened(without_reply, token)
    for reply in hidden:
        never = f"r{reply.pk + 9000}"
        answers = [
            console.get(HOME, {"fragment": "preview", "entry": key})
            for key in (f"r{reply.pk}", never)
        ]
        assert [answer.status_code for answer in answers] == [404, 404]
        sent = {"q": "催", "entry": f"r{reply.pk}"}
        assert console.post(reverse("console:pick"), sent).status_code == 400
        assert CANARY not in console.get(HOME, {"entry": f"r{reply.pk}"}).text
    assert CANARY not in console.get(HOME, {"entry": entry.pk}).text
    assert not CopyEvent.objects.exists()


def _untokened(page: str, pattern: str) -> str:
    import re

    return re.sub(pattern, "", page)


@pytest.mark.parametrize(
    "key", ["r0", "r", "rx", "r-1", "r99999999999999999999", "ｒ1"]
)
def test_a_forged_key_counts_as_not_given(console: Client, key: str) -> None:
    assert console.get(HOME, {"entry": key}).status_code == 200
    answer = console.get(HOME, {"entry": key, "fragment": "preview"})
    assert answer.status_code == 404


def test_copying_a_reply_is_a_pick_of_its_entry(
    console: Client, mate: User, make_entry: MakeEntry
) -> None:
    entry = make_entry()
    hung, alone = mine(mate, entry=entry), mine(mate)
    for reply in (hung, alone):
        sent = {"q": "催派送", "entry": f"r{reply.pk}", "rank": 1, "total": 0}
        assert console.post(reverse("console:pick"), sent).status_code == 204
    kept = {(copy.entry, copy.reply) for copy in CopyEvent.objects.all()}
    assert kept == {(entry, hung), (None, alone)}
    assert [pick.entry for pick in Pick.objects.all()] == [entry]


# Customer segments ----------------------------------------------------------------------


def test_replies_for_the_customer_segment_come_first(
    console: Client, make_entry: MakeEntry
) -> None:
    vip = CustomerSegment.objects.create(name="高净值")
    entry = make_entry(replies=["标准"])
    Reply.objects.create(
        entry=entry, label="尊享", body="您好", segment=vip, order=5, tone="formal"
    )
    assert variants(console, entry=entry.pk) == ["标准", "尊享"]
    assert variants(console, entry=entry.pk, segment=vip.pk) == ["尊享", "标准"]
    assert variants(console, entry=entry.pk, segment="x") == ["标准", "尊享"]
    page = console.get(HOME, {"entry": entry.pk, "segment": vip.pk}).text
    assert f'<option value="{vip.pk}" selected>高净值</option>' in page
    assert '<span class="badge">高净值</span> <span class="badge">正式</span>' in page


# Changes and validity -------------------------------------------------------------------


def test_changes_since_the_last_copy_are_marked(
    console: Client, mate: User, make_entry: MakeEntry
) -> None:
    entry = make_entry(replies=["运费 10 元 <b>"])
    reply = entry.replies.get()
    usage.record_copy(entry, by=mate, reply=reply, kind=CopyEvent.Kind.REPLY)
    assert "你上次用后改过" not in console.get(HOME, {"entry": entry.pk}).text
    reply.body = "运费 12 元 <b>"
    reply.save()
    page = console.get(HOME, {"entry": entry.pk}).text
    assert "你上次用后改过" in page
    assert "运费 <del>10</del><ins>12</ins> 元 &lt;b&gt;" in page


def test_an_expired_entry_is_marked_and_cannot_be_copied(
    console: Client, make_entry: MakeEntry
) -> None:
    now, day = timezone.now(), timedelta(days=1)
    entry = make_entry(replies=["旧活动"], valid_until=now - day)
    page = console.get(HOME, {"entry": entry.pk}).text
    assert "已过期</span>" in page
    assert "已过期，不能复制" in page
    assert "data-copy disabled" in page
    assert "data-copy-link" not in page
    sent = {"q": "活动", "entry": entry.pk, "reply": entry.replies.get().pk}
    assert console.post(reverse("console:pick"), sent).status_code == 404
    assert not CopyEvent.objects.exists()
    Entry.objects.filter(pk=entry.pk).update(valid_until=None, valid_from=now + day)
    assert "才生效，现在不能复制" in console.get(HOME, {"entry": entry.pk}).text
    Entry.objects.filter(pk=entry.pk).update(valid_until=now + day, valid_from=None)
    page = console.get(HOME, {"entry": entry.pk}).text
    assert "即将过期</span>" in page
    assert "data-copy disabled" not in page


def test_a_shared_reply_names_the_colleague_who_wrote_it(
    console: Client, agent: User, make_entry: MakeEntry
) -> None:
    agent.name = "小茶"
    agent.save()
    entry = make_entry()
    Reply.objects.create(entry=entry, body="亲", author=agent)
    assert "小茶 写的" in console.get(HOME, {"entry": entry.pk}).text
