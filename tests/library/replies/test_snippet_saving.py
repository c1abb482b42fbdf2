"""Snippets: included by replies, refreshed everywhere, never in a cycle."""

from __future__ import annotations

from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.test import Client

from kb import search
from kb.index import sync
from kb.library import replies
from kb.models import Reply, Snippet, User
from kb.text.placeholders import snippets
from tests.conftest import MakeEntry

pytestmark = pytest.mark.django_db
CANARY = "麤靐密语"


def create_snippet(name: str, body: str) -> Snippet:
    return replies.save_snippet(Snippet(name=name, body=body))


def change_snippet(snippet: Snippet, **columns: str) -> Snippet:
    snippet = Snippet.objects.get(pk=snippet.pk)
    for column, value in columns.items():
        setattr(snippet, column, value)
    return replies.save_snippet(snippet)


@pytest.mark.parametrize(
    ("body", "expanded"),
    [
        ("寄到 {{> 地址}}。", "寄到 杭州 1 号，{{收件人}} 收。"),
        ("{{>地址}}{{ > 地址 }}", "杭州 1 号，{{收件人}} 收" * 2),
        ("{{> 没有}}和{{地址}}", "{{> 没有}}和{{地址}}"),
        ("{{> 外}}", "见：杭州 1 号，{{收件人}} 收"),
        ("{{> 环}}", "{{> 环}}"),
        ("没有片段", "没有片段"),
    ],
)
def test_include_is_replaced_by_the_snippet(body: str, expanded: str) -> None:
    bodies = {
        "地址": "杭州 1 号，{{收件人}} 收",
        "外": "见：{{> 地址}}",
        "环": "{{> 环}}",
    }
    assert snippets.expand_snippets(body, bodies) == expanded


def test_exponential_expansion_is_refused() -> None:
    bodies = {f"s{n}": f"{{{{> s{n + 1}}}}}" * 9 for n in range(40)} | {"s40": "亲"}
    with pytest.raises(snippets.ExpansionTooLongError):
        snippets.expand_snippets("{{> s0}}", bodies)


def test_text_of_a_reply_contains_its_snippets(
    make_entry: MakeEntry, agent: User
) -> None:
    create_snippet("售后地址", "杭州滨江 1 号")
    entry = make_entry(replies=["请寄到 {{> 售后地址}}，写上 {{订单号}}"])
    (reply,) = entry.replies.all()
    assert reply.text == "请寄到 杭州滨江 1 号，写上 {{订单号}}"
    assert [hit.entry for hit in search.search_entries("滨江", user=agent).hits] == [
        entry
    ]


def test_changed_snippet_updates_replies_and_index(
    make_entry: MakeEntry, agent: User
) -> None:
    inner = create_snippet("门牌", "1 号")
    create_snippet("地址", "杭州 {{> 门牌}}")
    entry = make_entry(replies=["寄到 {{> 地址}}"])
    plain = make_entry("别的问题？", replies=["没有片段"])
    change_snippet(inner, body="鲲鹏大厦")
    assert entry.replies.get().text == "寄到 杭州 鲲鹏大厦"
    sync.sync_all_marks()
    assert [h.entry for h in search.search_entries("鲲鹏", user=agent).hits] == [entry]
    assert [r.text for r in entry.replies.get().revisions.all()] == ["寄到 杭州 1 号"]
    assert not plain.replies.get().revisions.exists()


def test_include_cycle_is_refused_with_its_path() -> None:
    first = create_snippet("甲", "亲")
    create_snippet("乙", "{{> 甲}}")
    create_snippet("丙", "{{> 乙}}")
    with pytest.raises(ValidationError, match="甲 → 丙 → 乙 → 甲"):
        change_snippet(first, body="{{> 丙}}")
    with pytest.raises(ValidationError, match="丁 → 丁"):
        create_snippet("丁", "{{> 丁}}")
    assert Snippet.objects.get(pk=first.pk).body == "亲"


@pytest.mark.parametrize("name", ["", "a|b", "a}b", "a>b", "   "])
def test_snippet_name_must_be_includable(name: str) -> None:
    with pytest.raises(ValidationError):
        create_snippet(name, "亲")


def test_an_unknown_snippet_is_refused_when_a_reply_is_saved(
    make_entry: MakeEntry,
) -> None:
    with pytest.raises(ValidationError, match="没有叫「售后地址」的片段"):
        make_entry(replies=["寄到 {{> 售后地址}}"])
    with pytest.raises(ValidationError, match="没有叫「门牌」的片段"):
        create_snippet("地址", "{{> 门牌}}")


def test_snippet_in_use_cannot_be_renamed_or_deleted(
    make_entry: MakeEntry,
) -> None:
    snippet = create_snippet("售后地址", "杭州")
    create_snippet("外", "{{> 售后地址}}")
    make_entry("寄到哪里？", replies=["{{> 售后地址}}"])
    places = "条目「寄到哪里？」的话术「标准」、片段「外」"
    with pytest.raises(ValidationError, match=places):
        change_snippet(snippet, name="新地址")
    with pytest.raises(ValidationError, match=places):
        replies.delete_snippet(snippet)
    assert set(Snippet.objects.values_list("name", flat=True)) == {"售后地址", "外"}


def test_private_reply_keeps_the_text_of_a_deleted_snippet(
    agent: User,
) -> None:
    snippet = create_snippet("售后地址", "杭州")
    own = Reply(owner=agent, title=CANARY, body="寄到 {{> 售后地址}}")
    replies.save_private_reply(own, by=agent)
    assert replies.describe_snippet_uses(snippet) == ""
    snippet = change_snippet(snippet, name="地址")
    own.refresh_from_db()
    assert (own.body, own.text) == ("寄到 {{> 地址}}", "寄到 杭州")
    replies.delete_snippet(snippet)
    own.refresh_from_db()
    assert (own.body, own.text) == ("寄到 杭州", "寄到 杭州")


# In the admin -------------------------------------------------------------------------


@pytest.fixture
def desk(client: Client, editor: User) -> Client:
    client.force_login(editor)
    return client


def post_form(client: Client, where: str, **columns: str) -> Any:
    return client.post(f"/admin/kb/snippet/{where}/", columns, follow=True)


def test_editors_manage_snippets_in_the_admin(desk: Client) -> None:
    page = post_form(desk, "add", name="售后地址", body="杭州")
    assert page.status_code == 200
    snippet = Snippet.objects.get()
    page = post_form(
        desk, f"{snippet.pk}/change", name="售后地址", body="{{> 售后地址}}"
    )
    assert "片段互相套住了，没有尽头：售后地址 → 售后地址。" in page.text
    page = post_form(desk, f"{snippet.pk}/change", name="售后地址", body="{{> 门牌}}")
    assert "没有叫「门牌」的片段。" in page.text
    assert Snippet.objects.get().body == "杭州"


def test_admin_names_uses_before_deletion(
    desk: Client, make_entry: MakeEntry, agent: User
) -> None:
    snippet = create_snippet("售后地址", "杭州")
    entry = make_entry("寄到哪里？", replies=["{{> 售后地址}}"])
    replies.save_private_reply(
        Reply(owner=agent, title=CANARY, body="{{> 售后地址}}"), by=agent
    )
    address = f"/admin/kb/snippet/{snippet.pk}"
    page = desk.get(f"{address}/delete/").text
    assert "条目「寄到哪里？」的话术「标准」" in page
    assert CANARY not in page
    desk.post(f"{address}/delete/", {"post": "yes"})
    page = post_form(desk, f"{snippet.pk}/change", name="改名", body="杭州").text
    assert "正在使用，不能改名：条目「寄到哪里？」的话术「标准」。" in page
    assert Snippet.objects.get().name == "售后地址"
    entry.replies.all().delete()
    desk.post(f"{address}/delete/", {"post": "yes"})
    assert not Snippet.objects.exists()
    assert Reply.objects.get().text == "杭州"


def test_agents_cannot_change_snippets(client: Client, agent: User) -> None:
    client.force_login(agent)
    assert client.get("/admin/kb/snippet/").status_code == 302
