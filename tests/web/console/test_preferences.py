"""Preferences, favourites and filters of agents, and the installed console."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from kb import usage
from kb.accounts import preferences
from kb.index import sync
from kb.models import (
    ROLE_AGENT,
    AgentProfile,
    Category,
    CopyEvent,
    Entry,
    Favorite,
    Reply,
    Tag,
    User,
)
from tests.conftest import MakeEntry

pytestmark = pytest.mark.django_db
HOME, SETTINGS, FAVOURITE = "/console/", "/console/settings/", "/console/favourite/"


@pytest.fixture
def console(client: Client, agent: User) -> Client:
    client.force_login(agent)
    return client


@pytest.fixture
def other(make_user: Callable[..., User]) -> Client:
    client = Client()
    client.force_login(make_user("other", ROLE_AGENT))
    return client


def page(client: Client, **asked: Any) -> str:
    answer = client.get(HOME, asked)
    assert answer.status_code == 200
    return answer.text


def listed(text: str) -> list[int]:
    return [int(pk) for pk in re.findall(r'id="option-(\d+)"', text)]


def groups(text: str) -> dict[str, list[int]]:
    parts = re.split(r'role="group" aria-label="(?!筛选)([^"]+)"', text)[1:]
    return {
        name: listed(part) for name, part in zip(parts[::2], parts[1::2], strict=True)
    }


# Settings ------------------------------------------------------------------------


def test_settings_are_saved_and_fill_reserved_blanks(
    console: Client, other: Client, make_entry: MakeEntry
) -> None:
    make_entry(replies=["{{问候语}}我是{{客服昵称}}。"])
    sent = {"shown_name": "小茶", "greeting": "{{客户称呼=亲}}，您好！"}
    answer = console.post(SETTINGS, sent, follow=True)
    assert "已保存" in answer.text
    text = page(console)
    assert 'data-blank="客户称呼"' in text
    assert "我是小茶。" in text
    assert 'data-fill="客服昵称"' not in text
    assert "小茶" not in page(other)
    assert 'data-fill="客服昵称"' in page(other)


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"greeting": "{{称呼"}, "花括号没有成对"),
        ({"closing": "{{结束语}}"}, "这里不能用 {{结束语}}"),
        ({"shown_name": "{{称呼}}"}, "昵称里不能有要填的空"),
        ({"signature": "长" * 101}, "100"),
        ({"channel": "fax"}, "fax"),
    ],
)
def test_an_invalid_profile_is_not_saved(
    console: Client, agent: User, wrong: dict[str, str], said: str
) -> None:
    preferences.save_agent_profile(agent, greeting="您好")
    answer = console.post(SETTINGS, {"greeting": "早上好"} | wrong)
    assert answer.status_code == 200
    assert said in answer.text.replace("&#x27;", "'")
    assert AgentProfile.objects.get().greeting == "您好"


def test_settings_are_for_agents(
    client: Client, make_user: Callable[..., User]
) -> None:
    assert client.get(SETTINGS).status_code == 302
    client.force_login(make_user("nobody"))
    for method in (client.get, client.post):
        assert method(SETTINGS).status_code == 403
    assert not AgentProfile.objects.exists()


def test_the_default_channel_is_left_out_of_addresses(
    console: Client, agent: User, make_entry: MakeEntry
) -> None:
    preferences.save_agent_profile(agent, channel="sms")
    entry = make_entry(replies=["长的说法", "短的说法"])
    Reply.objects.filter(body="短的说法").update(channel="sms")
    Reply.objects.filter(body="长的说法").update(channel="wechat")
    assert re.search('value="sms" selected', page(console))
    assert "长的说法" not in page(console)
    everywhere = page(console, channel="")
    assert "长的说法" in everywhere
    assert "channel=" in everywhere.split(f'id="option-{entry.pk}"')[1][:400]


# Favourites --------------------------------------------------------------------


def test_an_entry_is_marked_and_unmarked_as_favourite(
    console: Client, other: Client, make_entry: MakeEntry, agent: User
) -> None:
    entry = make_entry()
    for _ in range(2):
        kept = console.post(
            FAVOURITE, {"keep": entry.pk}, headers={"Accept": "application/json"}
        )
        assert kept.json() == {"kept": True}
    assert Favorite.objects.get().user == agent
    assert groups(page(console))["收藏"] == [entry.pk]
    assert "收藏" not in groups(page(other))
    answer = console.post(FAVOURITE, {"drop": entry.pk})
    assert answer["Location"] == f"/console/?entry={entry.pk}"
    assert not Favorite.objects.exists()


@pytest.mark.parametrize("sent", [{}, {"keep": "x"}, {"keep": 2**63}, {"drop": "-1"}])
def test_an_invalid_favourite_is_refused(console: Client, sent: dict[str, Any]) -> None:
    answer = console.post(FAVOURITE, sent)
    assert answer.status_code == 400
    assert answer.text.startswith("没有收藏")


def test_an_unpublished_entry_cannot_be_a_favourite(
    console: Client, make_entry: MakeEntry, agent: User
) -> None:
    draft = make_entry(status="draft")
    assert console.post(FAVOURITE, {"keep": draft.pk}).status_code == 404
    preferences.set_favorite(draft, user=agent, wanted=True)
    assert draft.question not in page(console)


def test_favourites_need_an_agent_and_post(
    client: Client, console: Client, make_entry: MakeEntry
) -> None:
    entry = make_entry()
    assert Client().post(FAVOURITE, {"keep": entry.pk}).status_code == 403
    assert console.get(FAVOURITE).status_code == 405


# Before a search ----------------------------------------------------------


def test_before_a_search_useful_entries_are_listed(
    console: Client, other: Client, agent: User, make_entry: MakeEntry
) -> None:
    names = ("收藏", "最近用过", "本周常用", "昨天以来更新的", "更早")
    kept, mine, often, fresh, old = (make_entry(name) for name in names)
    colleague = User.objects.get(username="other")
    preferences.set_favorite(kept, user=agent, wanted=True)
    for by, entry in ((agent, mine), (colleague, often), (colleague, often)):
        usage.record_copy(entry, by=by, kind=CopyEvent.Kind.REPLY)
    Entry.objects.filter(pk=old.pk).update(
        updated_at=timezone.now() - timedelta(days=3)
    )
    text = page(console)
    entries = (kept, mine, often, fresh, old)
    assert groups(text) == {n: [e.pk] for n, e in zip(names, entries, strict=True)}
    numbers = re.findall(r'<kbd aria-hidden="true">(\d)</kbd>', text)
    assert numbers == ["1", "2", "3", "4", "5"]
    assert groups(page(other))["最近用过"] == [often.pk]
    CopyEvent.objects.update(at=timezone.now() - timedelta(days=8))
    assert "本周常用" not in groups(page(console))


def test_useful_entries_are_filtered_too(
    console: Client, agent: User, make_entry: MakeEntry
) -> None:
    money = Category.objects.create(name="钱")
    inside, outside = make_entry("一", category=money), make_entry("二")
    for entry in (inside, outside):
        preferences.set_favorite(entry, user=agent, wanted=True)
    assert listed(page(console, category=money.pk)) == [inside.pk]


def test_a_retired_entry_is_not_listed_before_a_search(
    console: Client, agent: User, make_entry: MakeEntry
) -> None:
    entry = make_entry("退役", status="retired")
    preferences.set_favorite(entry, user=agent, wanted=True)
    usage.record_copy(entry, by=agent, kind=CopyEvent.Kind.REPLY)
    assert listed(page(console)) == []


# Filters ---------------------------------------------------------------------------


def test_filters_apply_to_results_and_stay_in_addresses(
    console: Client, make_entry: MakeEntry
) -> None:
    hot, cold = Tag.objects.create(name="热"), Tag.objects.create(name="冷")
    entry = make_entry("退货运费一", audience="internal", replies=["亲"])
    also = make_entry("退货运费二")
    entry.tags.add(hot)
    also.tags.add(cold)
    sync.sync_all_marks()
    for words in ("", "退货运费"):
        assert set(listed(page(console, q=words))) == {entry.pk, also.pk}
        text = page(console, q=words, tag=hot.pk)
        assert listed(text) == [entry.pk]
        assert f"tag={hot.pk}" in text.split('id="option-')[1][:400]
        assert listed(page(console, q=words, scope="public")) == [also.pk]
        assert listed(page(console, q=words, scope="public", tag=hot.pk)) == []
    assert f'<option value="{cold.pk}"' in page(console)


def test_a_channel_filter_keeps_entries_that_can_be_sent_there(
    console: Client, make_entry: MakeEntry
) -> None:
    wechat = make_entry("退货一", answer="", audience="internal", replies=["微信说法"])
    anywhere = make_entry("退货二", answer="", audience="internal", replies=["通用"])
    answered = make_entry("退货三", replies=["只给微信"])
    Reply.objects.filter(entry__in=[wechat, answered]).update(channel="wechat")
    for reply in Reply.objects.all():
        reply.save()
    sync.sync_all_marks()
    for words in ("", "退货"):
        found = listed(page(console, q=words, channel="sms"))
        assert set(found) == {anywhere.pk, answered.pk}
    text = page(console, entry=answered.pk, channel="sms")
    assert "只给微信" not in text
    assert "FAQ 答案" in text
    assert set(listed(page(console, channel="wechat"))) == {
        wechat.pk,
        anywhere.pk,
        answered.pk,
    }


def test_a_deleted_tag_is_no_filter(console: Client, make_entry: MakeEntry) -> None:
    tag = Tag.objects.create(name="热")
    entry = make_entry("退货运费")
    entry.tags.add(tag)
    sync.sync_all_marks()
    assert listed(page(console, q="退货运费", tag=tag.pk)) == [entry.pk]
    entry.tags.clear()
    sync.sync_all_marks()
    assert listed(page(console, q="退货运费", tag=tag.pk)) == []
    assert f'<option value="{tag.pk}"' not in page(console)


@pytest.mark.parametrize("name", ["tag", "scope", "channel"])
@pytest.mark.parametrize("value", ["0", "x", "9" * 30, "\x00", "<b>"])
def test_a_bad_filter_counts_as_not_given(
    console: Client, make_entry: MakeEntry, name: str, value: str
) -> None:
    entry = make_entry()
    assert listed(page(console, q="退货", **{name: value})) == [entry.pk]


# Numbers and codes ---------------------------------------------------------------


@pytest.mark.parametrize("typed", ["{}", "#{}", "＃{}", "# {}"])
def test_an_entry_is_found_by_its_number(
    console: Client, make_entry: MakeEntry, typed: str
) -> None:
    entry = make_entry("电子发票怎么开？")
    make_entry("订单 12 怎么改？")
    text = page(console, q=typed.format(entry.pk))
    assert listed(text)[0] == entry.pk
    assert "没有找到" not in text


def test_a_hidden_entry_is_not_found_by_its_number(
    console: Client, make_entry: MakeEntry
) -> None:
    hidden = make_entry("秘密", status="draft")
    text, unknown = page(console, q=f"#{hidden.pk}"), page(console, q="#999999")
    assert listed(text) == listed(unknown) == []
    assert "秘密" not in text


def test_a_short_code_finds_its_entry_first(
    console: Client, make_entry: MakeEntry
) -> None:
    entry = make_entry("退货的邮费由谁来付？", keywords="退运 THYF")
    make_entry("退运险怎么用？", replies=["退运险"])
    make_entry("退运", "退运的说明")
    for code in ("退运", "thyf", "THYF"):
        assert entry.pk in listed(page(console, q=code))[:2]
    assert listed(page(console, q="thyf"))[0] == entry.pk


# Web app and bookmarklet ---------------------------------------------------------------


def test_the_manifest_makes_it_an_application(console: Client) -> None:
    answer = console.get("/console/manifest.webmanifest")
    assert answer["Content-Type"] == "application/manifest+json"
    manifest = answer.json()
    assert (manifest["start_url"], manifest["display"]) == ("/console/", "standalone")
    sizes = {(icon["sizes"], icon["purpose"]) for icon in manifest["icons"]}
    assert {("192x192", "any"), ("512x512", "any"), ("512x512", "maskable")} == sizes
    assert 'rel="manifest" href="/console/manifest.webmanifest"' in page(console)


def test_the_bookmarklet_opens_this_site(console: Client) -> None:
    text = console.get("/console/install/").text
    assert 'href="javascript:void window.open(&#x27;http://testserver/console/' in text


def test_the_install_page_is_for_agents(
    client: Client, make_user: Callable[..., User]
) -> None:
    for url in ("/console/install/", "/console/manifest.webmanifest"):
        assert client.get(url).status_code == 302
    client.force_login(make_user("nobody"))
    for url in ("/console/install/", "/console/manifest.webmanifest"):
        assert client.get(url).status_code == 403
