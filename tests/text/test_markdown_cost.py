"""Markdown that would take seconds to show is refused, or shown as it is written."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.test import Client
from django.utils import timezone

from kb.models import Announcement, Entry, EntryTranslation, User
from kb.text.markup import markdown
from tests.conftest import MakeEntry

HOSTILE = {
    "pictures": "![" * 25_000,
    "brackets": "<![" * 10_000,
    "table": "|a|b|\n|-|-|\n" + "|x|y|\n" * 5_000,
    "headings": "# a\n" * 16_000,
    "list": "- a\n" * 16_000,
    "stars": "*_" * 30_000,
}
hostile = pytest.mark.parametrize("source", HOSTILE.values(), ids=HOSTILE)


@hostile
def test_it_is_not_parsed(source: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail() -> None:
        raise AssertionError("this would take seconds")

    monkeypatch.setattr(markdown, "_build_parser", fail)
    shown = markdown.render_markdown(source + "<script>")
    assert "<script>" not in shown
    assert "&lt;script&gt;" in shown
    assert markdown.count_pictures_without_alt(source) == 0
    assert markdown.extract_link_urls(source) == set()


def test_it_is_shown_as_it_is_written() -> None:
    source = "退款说明\n" + "|甲|乙|\n" * 5_000
    assert markdown.extract_plain_text(markdown.render_markdown(source)).startswith(
        "退款说明\n|甲|乙|\n"
    )
    assert "退款說明" in markdown.render_markdown(
        source, lambda t: t.replace("说", "說")
    )


def test_a_long_honest_answer_is_not_too_complex() -> None:
    rows = "|顺丰|次日达|江浙沪包邮|\n" * 800
    answer = (
        "# 运费\n\n" + "退货运费由我们承担。\n\n" * 1_000 + "|a|b|c|\n|-|-|-|\n" + rows
    )
    assert not markdown.is_too_complex(answer)
    assert markdown.render_markdown(answer).count("<tr>") == 801


@hostile
@pytest.mark.parametrize("script", ["", "zh-hant"])
@pytest.mark.parametrize("page", ["preview", "look"])
def test_the_preview_refuses_it(
    client: Client, editor: User, source: str, script: str, page: str
) -> None:
    client.force_login(editor)
    sent = {"question": "退货", "answer": source, "script": script}
    refused = client.post(f"/admin/kb/entry/{page}/", sent)
    assert refused.status_code == 400
    said = refused.json()["error"] if page == "look" else refused.text
    assert "最多 12000 个" in said


def test_the_preview_renders_once(
    client: Client, editor: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls = []
    real = markdown.render_markdown

    def counted(*args: Any) -> str:
        calls.append(args)
        return real(*args)

    monkeypatch.setattr(markdown, "render_markdown", counted)
    client.force_login(editor)
    for script in ("zh-hans", "zh-hant"):
        calls.clear()
        sent = {"question": "退货", "answer": "**说明**", "script": script}
        assert client.post("/admin/kb/entry/preview/", sent).status_code == 200
        assert len(calls) == 1, script


@hostile
def test_it_is_not_saved_in_any_table(make_entry: MakeEntry, source: str) -> None:
    entry = make_entry()
    entry.answer = source
    now = timezone.now()
    notice = Announcement(
        title="公告", body=source, starts_at=now, ends_at=now + timedelta(days=1)
    )
    for row, field in (
        (entry, "answer"),
        (EntryTranslation(entry=entry, own_answer=source), "own_answer"),
        (notice, "body"),
    ):
        with pytest.raises(ValidationError) as refused:
            row.clean()
        assert "Markdown 符号" in refused.value.message_dict[field][0]


def test_an_editor_who_saves_it_is_told_and_keeps_the_text(
    client: Client, editor: User
) -> None:
    client.force_login(editor)
    page = client.get("/admin/kb/entry/add/")
    sent = {
        field.html_name: field.value() or ""
        for form in (
            page.context["adminform"].form,
            *(f.formset.management_form for f in page.context["inline_admin_formsets"]),
        )
        for field in form
    }
    refused = client.post(
        "/admin/kb/entry/add/", sent | {"question": "退货", "answer": "![" * 25_000}
    )
    assert refused.status_code == 200
    assert "Markdown 符号" in refused.text
    assert "![![![" in refused.text
    assert not Entry.objects.exists()


def test_many_headings_of_one_name_have_anchors_of_their_own() -> None:
    source = "# 退货\n" * 50 + "# 退货 2\n" + "# 退货\n"
    anchors = [
        heading.anchor
        for heading in markdown.extract_headings(markdown.render_markdown(source))
    ]
    assert anchors[:3] == ["s-退货", "s-退货-2", "s-退货-3"]
    assert len(set(anchors)) == len(anchors) == 52
