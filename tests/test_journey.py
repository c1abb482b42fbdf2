"""One question through every stage of the loop, over HTTP, on the real engine."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse

from kb.index import sync
from kb.models import Entry, IndexQueue, Question, User
from tests.importing import confirm

SHEET = """编号,客户问题,客服回答,渠道,提问时间
1,杯子收到就碎了 寄回去运费谁出啊,亲，破损的运费由我们承担，请把{{运单号}}发给我。,千牛,2026-11-01 10:00
2,碎了的杯子退货郵費算誰的,亲，破损的运费由我们承担。,微信,2026-11-02 11:00
3,我的订单 88321 怎么还没到,亲，我帮您催一下。,App,2026-11-03 12:00
"""
ANSWER = "破损属于质量问题，退货运费由我们承担。"
pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def whoosh(settings: Any, tmp_path: Path) -> None:
    settings.KB_ENGINE = {
        "BACKEND": "kb.index.engines.whoosh.WhooshEngine",
        "PATH": tmp_path / "index",
    }
    sync.rebuild_index()


def enter(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


def text_of(response: Any) -> str:
    assert response.status_code == 200, response.status_code
    return str(response.content.decode())


@pytest.fixture
def finds(agent: User) -> Callable[[str], tuple[bool, bool]]:
    """Return a function: do a customer and an agent find the entry by `words`?"""

    def look(words: str) -> tuple[bool, bool]:
        title = "破损商品退货，运费谁承担？"
        customer = Client().get(reverse("faq:search"), {"q": words})
        found = [hit.entry.question for hit in customer.context["results"].hits]
        api = Client().get(reverse("api:search"), {"q": words}).json()
        assert [hit["question"] for hit in api["results"]] == found
        console = text_of(enter(agent).get(reverse("console:home"), {"q": words}))
        plain = console.replace("<mark>", "").replace("</mark>", "")
        return title in found, title in plain

    return look


def import_sheet(editor: Client) -> None:
    file = SimpleUploadedFile("questions.csv", SHEET.encode("gb18030"))
    facts = {"kind": "questions", "file": file, "status": "draft", "source": "客服系统"}
    preview = editor.post(reverse("admin:kb_import"), facts, follow=True)
    assert "杯子收到就碎了" in text_of(preview)
    assert not Question.objects.exists()
    confirm(editor, preview.redirect_chain[-1][0])


def test_a_question_is_imported_sorted_published_found_and_retired(  # noqa: PLR0915
    whoosh: None, editor: User, finds: Callable[[str], tuple[bool, bool]]
) -> None:
    desk = enter(editor)
    import_sheet(desk)
    first, second, third = Question.objects.order_by("external_id")

    # The inbox shows the oldest, with what the agent answered.
    page = text_of(desk.get(reverse("desk:inbox")))
    assert first.text in page
    assert "{{运单号}}" in page

    # A new entry from the first; the form is filled in, the answer only shaped.
    assert 'name="new-answer"' in page
    facts = {
        "new-question": "破损商品退货，运费谁承担？",
        "new-phrasing": first.text,
        "new-answer": ANSWER,
        "new-reply": first.answer,
        "new-label": "标准",
        "new-audience": "public",
        "do": "draft",
    }
    desk.post(reverse("desk:create", args=[first.pk]), facts)
    entry = Entry.objects.get()
    assert entry.status == "draft"
    assert finds("碎了运费谁出") == (False, False)
    assert Client().get(entry.get_absolute_url()).status_code == 404

    # Published, and found by both at once, in their own words and scripts.
    desk.post(reverse("desk:move", args=[entry.pk, "publish"]))
    for words in ("退货运费", "杯子碎了", "運費誰承擔"):
        assert finds(words) == (True, True), words
    entry.refresh_from_db()
    article = text_of(Client().get(entry.get_absolute_url()))
    assert ANSWER in article
    assert "运单号" not in article

    # The second question is the same one in other words: they are learnt.
    near = text_of(desk.get(reverse("desk:inbox"), {"question": second.pk}))
    assert entry.question in near
    assert finds("郵費") == (False, False)
    desk.post(
        reverse("desk:merge", args=[second.pk]),
        {"entry": entry.pk, "phrasing": second.text},
    )
    assert finds("郵費") == (True, True)
    assert entry.questions.count() == 2

    # The third is one order's affair.
    desk.post(
        reverse("desk:decline", args=[third.pk]),
        {"reason": "个别订单问题", "note": ""},
    )
    assert not Question.objects.awaiting_triage().exists()

    # Retired: found by nobody, opened by nobody, and nothing is left to do.
    entry.refresh_from_db()
    retired = {"action": "retire", "_selected_action": [entry.pk], "post": "yes"}
    desk.post(reverse("admin:kb_entry_changelist"), retired)
    entry.refresh_from_db()
    assert entry.status == "retired"
    for words in ("退货运费", "杯子碎了", "郵費"):
        assert finds(words) == (False, False), words
    assert Client().get(entry.get_absolute_url()).status_code == 404
    assert not IndexQueue.objects.exists()
    assert sync.audit_indexed_entries() == set()
