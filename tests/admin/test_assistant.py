"""Preview and checks of the entry form: nothing that is typed is saved."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.apps import apps
from django.test import Client
from django.urls import reverse

from kb.language import style_rules
from kb.models import Entry, EntryTranslation, IndexQueue, User
from kb.publishing import translations
from tests.conftest import MakeEntry
from tests.test_hostile_inputs import collection, sample, value

pytestmark = pytest.mark.django_db
PREVIEW, LOOK = reverse("admin:kb_entry_preview"), reverse("admin:kb_entry_look")


@pytest.fixture
def desk(client: Client, editor: User) -> Client:
    client.force_login(editor)
    style_rules.load_starter_rules()
    return client


def page(client: Client, answer: str, **typed: Any) -> str:
    response = client.post(PREVIEW, {"question": "怎么退货", "answer": answer, **typed})
    assert response.status_code == 200
    return response.content.decode()


# Preview -----------------------------------------------------------------------------


def test_preview_equals_the_page_of_the_entry(
    desk: Client, make_entry: MakeEntry
) -> None:
    answer = "三天到账。\n\n## 一\n\n1. 点**退款**\n\n## 二\n\n好\n\n## 三\n\n> [!提示]\n> 留好单号"
    entry = make_entry("怎么退货", answer=answer)
    live = desk.get(entry.get_absolute_url()).content.decode()
    shown = page(desk, answer)
    begin, end = shown.index("<h1>"), shown.index("</article>")
    for line in filter(None, map(str.strip, shown[begin:end].splitlines())):
        assert line in live
    assert 'id="contents"' in shown


def test_preview_converts_to_traditional(desk: Client) -> None:
    shown = page(desk, "网络断线时，联系客服。", script="zh-hant")
    assert "網路斷線時，聯絡客服。" in shown
    assert 'lang="zh-Hant"' in shown
    assert "怎麼退貨" in shown


def test_preview_uses_the_manual_translation(
    desk: Client, make_entry: MakeEntry
) -> None:
    entry = make_entry()
    translations.store_translations([entry.pk])
    translations.write_manual_translation(
        EntryTranslation.objects.get(), question="", answer="人工寫的"
    )
    assert "人工寫的" in page(desk, "自动的", script="zh-hant", entry=entry.pk)
    assert "人工寫的" not in page(desk, "自动的", entry=entry.pk)


def test_preview_does_not_depend_on_the_user(desk: Client) -> None:
    shown = page(desk, "<script>alert(1)</script>[x](javascript:1)")
    assert "<script" not in shown
    assert "javascript:" not in shown.replace("[x](javascript:1)", "")
    assert "退出" not in shown


@pytest.mark.parametrize("address", [PREVIEW, LOOK])
def test_preview_and_checks_require_permission_to_write(
    client: Client, agent: User, make_user: Callable[..., User], address: str
) -> None:
    assert client.post(address).status_code == 302  # to the login page
    client.force_login(agent)
    assert client.post(address).status_code in {302, 403}
    client.force_login(make_user("guest", is_staff=True))
    assert client.post(address, {"answer": "x"}).status_code == 403


def test_preview_and_checks_require_post(desk: Client) -> None:
    assert desk.get(PREVIEW).status_code == desk.get(LOOK).status_code == 405


def test_too_long_text_is_refused_with_a_reason(desk: Client) -> None:
    response = desk.post(PREVIEW, {"answer": "长" * 65_537})
    assert response.status_code == 400
    assert "答案：" in response.content.decode()
    assert (
        desk.post(LOOK, {"question": "长" * 201}).json()["error"].startswith("标准问题")
    )


# Look --------------------------------------------------------------------------------


def look(client: Client, **typed: Any) -> dict[str, Any]:
    response = client.post(LOOK, typed)
    assert response.status_code == 200, response.content
    return dict(response.json())


def test_findings_have_the_name_of_the_form_field(desk: Client) -> None:
    result = look(
        desk,
        question="退货",
        answer="第一行\r\n打 13812345678",
        place=["replies-3-body"],
        label=["标准"],
        reply=["亲，随你便"],
    )
    fields = [(row["field"], row["words"], row["error"]) for row in result["findings"]]
    assert fields == [
        ("answer", "13812345678", True),
        ("replies-3-body", "随你便", True),
    ]
    assert result["findings"][0]["start"] == len("第一行\n打 ")
    assert result["errors"] == 2


def test_internal_answer_may_contain_placeholders(desk: Client) -> None:
    assert look(desk, answer="{{单号}}", audience="internal")["errors"] == 0
    assert look(desk, answer="{{单号}}", audience="public")["errors"] == 1


def test_replies_are_split_at_blanks(desk: Client) -> None:
    result = look(desk, place=["a"], label=[""], reply=["亲{{订单号}}，{{坏"])
    assert result["replies"] == [
        {
            "field": "a",
            "pieces": [["亲", ""], ["{{订单号}}", "订单号"], ["，{{坏", ""]],
            "length": 10,
        }
    ]
    assert result["findings"][0]["reason"] == "的花括号没有成对。"


def test_similar_entries_include_drafts_but_not_the_entry_itself(
    desk: Client, make_entry: MakeEntry
) -> None:
    live = make_entry("退货运费谁承担？")
    draft = make_entry("退货的运费谁承担", status="draft")
    make_entry("发票抬头怎么改")
    near = look(desk, question="退货运费谁承担", entry=live.pk)["near"]
    assert [(row["id"], row["status"], row["same"]) for row in near] == [
        (draft.pk, "草稿", True)
    ]
    assert {row["id"] for row in look(desk, question="退货运费谁承担")["near"]} == {
        live.pk,
        draft.pk,
    }
    assert look(desk, question="  ")["near"] == []


def test_saved_entry_shows_findings_without_a_script(
    desk: Client, make_entry: MakeEntry
) -> None:
    entry = make_entry(answer="我们的服务全国第一")
    shown = desk.get(reverse("admin:kb_entry_change", args=[entry.pk])).content.decode()
    assert "FAQ 答案「全国第一」：没法证明。" in shown


def test_author_owns_a_new_entry(desk: Client, editor: User, agent: User) -> None:
    form = desk.get(reverse("admin:kb_entry_add")).context["adminform"].form
    assert form["owner"].value() == editor.pk
    assert agent not in form.fields["owner"].queryset


# Hostile -----------------------------------------------------------------------------


def test_any_input_gets_a_response_and_nothing_is_saved(
    desk: Client, make_entry: MakeEntry
) -> None:
    make_entry()
    texts = [value(case) for case in sample("text")]
    texts += [
        "[" * 50_000,
        "{{" * 30_000,
        "![" * 20_000,
        "](/q/" * 10_000,
        "\x00\ud800",
    ]
    before = [
        list(m._default_manager.order_by("pk").values()) for m in apps.get_models()
    ]
    for text in texts:
        typed = {"question": text[:200], "answer": text, "reply": text, "place": "a"}
        typed |= {"label": text, "phrasings": text, "entry": text[:30]}
        typed = {
            k: v.encode("utf-8", "surrogatepass").decode("utf-8", "replace")
            for k, v in typed.items()
        }
        for address in (PREVIEW, LOOK):
            assert desk.post(address, typed).status_code in {200, 400}
    after = [
        list(m._default_manager.order_by("pk").values()) for m in apps.get_models()
    ]
    assert before == after


def test_preview_of_the_whole_collection_is_fast(
    desk: Client, shared: Any, make_entry: MakeEntry
) -> None:
    from time import process_time

    make_entry()
    for case in collection(shared, "markdown", "text"):
        text = value(case).encode("utf-8", "surrogatepass").decode("utf-8", "replace")
        for address in (PREVIEW, LOOK):
            start = process_time()
            status = desk.post(
                address, {"answer": text, "question": text[:200]}
            ).status_code
            assert status in {200, 400}, case["id"]
            assert process_time() - start < 2, case["id"]
    assert not IndexQueue.objects.exists()
    assert Entry.objects.count() == 1
