"""Whatever is put into the forms for customers: no fault, and what is kept is clean."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterable
from pathlib import Path
from time import process_time
from typing import Any

import pytest
from django.core.cache import cache
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from kb import triage
from kb.faq import asking, votes
from kb.models import Enclosure, Inquiry, Question, Vote
from kb.text import normalize, segment
from tests.conftest import MakeEntry
from tests.test_hostile_inputs import (
    SAMPLE,
    SLOWEST,
    Case,
    collection,
    quoted,
    sample,
    value,
)

pytestmark = pytest.mark.django_db
FORM = "application/x-www-form-urlencoded"
TOGETHER = (("text",), ("words", "page"), ("contact", "module", "website", "stamp"))
LONGEST = 100_000


def judged(client: Client, url: str, body: str, name: str) -> int:
    cache.clear()  # nobody is merely told to wait
    start = process_time()
    status = client.post(url, body, FORM).status_code
    took = process_time() - start
    assert status < 500, name
    assert status != 429, name
    assert took <= SLOWEST, f"{name}: {took:.1f} s"
    return int(status)


def _asks(cases: Iterable[Case], *urls: str) -> None:
    segment.warm()
    for case in cases:
        text = quoted(value(case)[:LONGEST])
        for url in urls:
            for fields in TOGETHER:
                sent = {"text": quoted("怎么退货"), "stamp": quoted(asking.stamp())}
                sent |= dict.fromkeys(fields, text) | {"send": "1"}
                body = "&".join(f"{name}={given}" for name, given in sent.items())
                client = Client(headers={"Origin": "http://testserver"})
                judged(client, url, body, f"{url} {fields} {case['id']}")
    for inquiry in Inquiry.objects.select_related("question"):
        question = inquiry.question
        assert question.text == normalize.clean(question.text).strip()
        assert 0 < len(question.text) <= asking.LONGEST
        assert Client().get(f"/q/{inquiry.token}/").status_code == 200


@pytest.fixture(autouse=True)
def _a_person_took_some_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(asking, "SOON", -1)


def test_questions_take_the_sample() -> None:
    _asks(sample("text", "query"), "/ask/", "/widget/ask/")


@pytest.mark.data
def test_questions_take_the_collection(shared: Path) -> None:
    _asks(collection(shared, "text"), "/widget/ask/")


def test_pictures_take_the_sample() -> None:
    """What is no picture is refused with its number; nothing is stored, then."""
    lines = (SAMPLE / "images" / "images.jsonl").read_text("utf-8").splitlines()
    for case in map(json.loads, lines):
        cache.clear()
        upload = SimpleUploadedFile(case["id"], base64.b64decode(case["base64"]))
        sent = {"text": "看图", "stamp": asking.stamp(), "pictures": [upload]}
        client = Client(headers={"Origin": "http://testserver"})
        before = Inquiry.objects.count()
        answer = client.post("/widget/ask/", sent)
        taken = answer.status_code == 201
        assert taken or answer.status_code == 400, case["id"]
        assert taken or "第 1 张" in answer.json()["detail"], case["id"]
        assert Inquiry.objects.count() == before + taken
    kept = [bytes(one.body) for one in Enclosure.objects.all()]
    assert kept
    assert {body[8:12] for body in kept} == {b"WEBP"}


def test_votes_and_ratings_take_the_sample(make_entry: MakeEntry) -> None:
    entry = make_entry()
    Client().post("/ask/", {"text": "怎么退货", "send": "1", "stamp": asking.stamp()})
    inquiry = Inquiry.objects.get()
    triage.answer(inquiry.question, answer="好了", by=None)
    for case in sample("text", "query"):
        text, name = quoted(value(case)[:LONGEST]), str(case["id"])
        token = quoted(votes.token(entry))
        for fields in (("note", "reason", "q", "part"), ("token",), ("helpful",)):
            sent = {"helpful": "no", "token": token} | dict.fromkeys(fields, text)
            body = "&".join(f"{key}={given}" for key, given in sent.items())
            judged(Client(), f"/vote/{entry.pk}/", body, f"vote {fields} {name}")
        rating = f"/q/{inquiry.token}/rate/"
        judged(Client(), rating, f"score=4&comment={text}", f"rate {name}")
        judged(Client(), rating, f"score={text}", f"score {name}")
    vote = Vote.objects.get()
    assert len(vote.note) <= 200
    assert Question.objects.count() == 1


def test_addresses_take_the_sample(make_entry: MakeEntry) -> None:
    entry = make_entry()
    pages = ["/ask/", "/ask/near/", "/widget/start/", "/widget/search/", "/widget/ask/"]
    pages += [f"/widget/entry/{entry.pk}/", "/embed/", "/site.css", "/widget.js"]
    for case in sample("params"):
        pair = f"{quoted(case['name'])}={quoted(value(case)[:LONGEST])}"
        more = [
            f"{n}={quoted(value(case)[:LONGEST])}"
            for n in ("category", "tag", "path", "entry", "lang", "v")
        ]
        for page in pages:
            for given in (pair, "&".join(more)):
                cache.clear()
                status = Client().get(f"{page}?{given}").status_code
                assert status in {200, 404}, f"{page} {case['id']}"


def test_the_desk_takes_the_sample(
    client: Client, editor: Any, make_entry: MakeEntry
) -> None:
    entry = make_entry()
    Client().post("/ask/", {"text": "怎么退货", "send": "1", "stamp": asking.stamp()})
    question = Question.objects.get()
    client.force_login(editor)
    for case in sample("text"):
        text = quoted(value(case)[:LONGEST])
        for body in (
            f"do={text}",
            f"do=entry-{text}",
            f"do=decline&reason={text}&note={text}",
        ):
            judged(client, f"/desk/asked/{question.pk}/", body, str(case["id"]))
        judged(
            client,
            f"/desk/unhelpful/{entry.pk}/",
            f"do=done&upto={text}",
            str(case["id"]),
        )
        assert client.get(f"/desk/asked/?question={text}").status_code == 200
    question.refresh_from_db()
    assert question.answer == ""
