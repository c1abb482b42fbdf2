"""Hostile input to the forms for customers causes no error, and what is stored is clean."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Iterable
from pathlib import Path
from time import process_time
from typing import Any
from xml.etree import ElementTree as ET

import pytest
from django.core.cache import cache
from django.core.exceptions import ValidationError
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from justhtml import JustHTML

from kb.models import Category, Entry, Inquiry, InquiryAttachment, Question, Vote
from kb.publishing import page_cache
from kb.questions import triage
from kb.text.chinese import normalize, tokenizer
from kb.text.markup import markdown
from kb.web.faq import ask_form, votes
from tests.conftest import MakeEntry
from tests.test_hostile_inputs import (
    SAMPLE,
    SLOWEST,
    Case,
    collection,
    quoted,
    rows,
    sample,
    value,
)

pytestmark = pytest.mark.django_db
FORM = "application/x-www-form-urlencoded"
TOGETHER = (("text",), ("words", "page"), ("contact", "module", "website", "stamp"))
LONGEST = 100_000


def judged(client: Client, url: str, body: str, name: str) -> int:
    cache.clear()  # the rate limit must not hide an error
    start = process_time()
    status = client.post(url, body, FORM).status_code
    took = process_time() - start
    assert status < 500, name
    assert status != 429, name
    assert took <= SLOWEST, f"{name}: {took:.1f} s"
    return int(status)


def _asks(cases: Iterable[Case], *urls: str) -> None:
    tokenizer.load_tokenizer_dictionaries()
    for case in cases:
        text = quoted(value(case)[:LONGEST])
        for url in urls:
            for fields in TOGETHER:
                sent = {
                    "text": quoted("怎么退货"),
                    "stamp": quoted(ask_form.make_form_stamp()),
                }
                sent |= dict.fromkeys(fields, text) | {"send": "1"}
                body = "&".join(f"{name}={given}" for name, given in sent.items())
                client = Client(headers={"Origin": "http://testserver"})
                judged(client, url, body, f"{url} {fields} {case['id']}")
    for inquiry in Inquiry.objects.select_related("question"):
        question = inquiry.question
        assert question.text == normalize.clean_text(question.text).strip()
        assert 0 < len(question.text) <= ask_form.MAX_QUESTION_CHARS
        assert Client().get(f"/q/{inquiry.token}/").status_code == 200


@pytest.fixture(autouse=True)
def _a_person_took_some_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ask_form, "MIN_FORM_SECONDS", -1)


def test_questions_take_the_sample() -> None:
    _asks(sample("text", "query"), "/ask/", "/widget/ask/")


@pytest.mark.data
def test_questions_take_the_collection(shared: Path) -> None:
    _asks(collection(shared, "text"), "/widget/ask/")


def test_pictures_take_the_sample() -> None:
    """An invalid picture is refused with its number, and nothing is stored."""
    lines = (SAMPLE / "images" / "images.jsonl").read_text("utf-8").splitlines()
    for case in map(json.loads, lines):
        cache.clear()
        upload = SimpleUploadedFile(case["id"], base64.b64decode(case["base64"]))
        sent = {
            "text": "看图",
            "stamp": ask_form.make_form_stamp(),
            "pictures": [upload],
        }
        client = Client(headers={"Origin": "http://testserver"})
        before = Inquiry.objects.count()
        answer = client.post("/widget/ask/", sent)
        taken = answer.status_code == 201
        assert taken or answer.status_code == 400, case["id"]
        assert taken or "第 1 张" in answer.json()["detail"], case["id"]
        assert Inquiry.objects.count() == before + taken
    kept = [bytes(one.body) for one in InquiryAttachment.objects.all()]
    assert kept
    assert {body[8:12] for body in kept} == {b"WEBP"}


def test_votes_and_ratings_take_the_sample(make_entry: MakeEntry) -> None:
    _judge(make_entry(), sample("text", "query"))


def _judge(entry: Entry, cases: Iterable[Case]) -> None:
    Client().post(
        "/ask/", {"text": "怎么退货", "send": "1", "stamp": ask_form.make_form_stamp()}
    )
    inquiry = Inquiry.objects.get()
    triage.answer_question(inquiry.question, answer="好了", by=None)
    for case in cases:
        text, name = quoted(value(case)[:LONGEST]), str(case["id"])
        token = quoted(votes.make_vote_token(entry))
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
    Client().post(
        "/ask/", {"text": "怎么退货", "send": "1", "stamp": ask_form.make_form_stamp()}
    )
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


# The whole collection, through every public address ---------------------------------

PREFIXES = ("", "/zh-hant", "/en")


def public_pages(entry: Any) -> list[str]:
    """Return every public address that reads its query string."""
    shelf = entry.category_id
    pages = ["/", "/search/", "/suggest/", "/feed/", "/opensearch.xml", "/embed/"]
    pages += ["/ask/", "/ask/near/", f"/c/{shelf}/", f"/c/{shelf}/feed/"]
    pages += [f"/q/{entry.pk}/", entry.get_absolute_url()]
    pages = [f"{prefix}{page}" for prefix in PREFIXES for page in pages]
    pages += ["/sitemap.xml", "/sitemap-entries.xml", "/robots.txt", "/widget.js"]
    pages += ["/site.css", "/widget/start/", "/widget/search/", "/widget/ask/"]
    return [*pages, f"/widget/entry/{entry.pk}/"]


def _read(pages: list[str], queries: Iterable[tuple[str, str]]) -> None:
    """Request every page with every query; only searches are stored."""
    tokenizer.load_tokenizer_dictionaries()
    before = rows()
    for name, query in queries:
        for page in pages:
            cache.clear()
            start = process_time()
            answer = Client().get(f"{page}?{query}")
            took = process_time() - start
            assert answer.status_code in {200, 301, 404}, f"{page} {name}"
            assert took <= SLOWEST, f"{page} {name}: {took:.1f} s"
            assert answer.cookies == {}, f"{page} {name}"
            if answer["Content-Type"].startswith("text/html"):
                assert "<script>" not in answer.text, f"{page} {name}"
    assert rows() == before, "something was stored"


def _pairs(cases: Iterable[Case]) -> Iterable[tuple[str, str]]:
    for case in cases:
        most = (
            LONGEST if "name" in case else LONGEST // 10
        )  # it is on the page nine times
        text = quoted(value(case)[:most])
        names = ("q", "page", "tag", "c", "path", "entry", "lang", "category", "v")
        named = [case["name"]] if "name" in case else names
        yield case["id"], "&".join(f"{quoted(name)}={text}" for name in named)


@pytest.fixture
def shelved(make_entry: MakeEntry) -> Any:
    return make_entry(category=Category.objects.create(name="售后"))


def test_every_public_page_takes_the_sample(shelved: Any) -> None:
    some = [*sample("params")[::9], *sample("text")[::9], *sample("query")[::9]]
    _read(public_pages(shelved)[::2], _pairs(some))


@pytest.mark.data
def test_every_public_page_takes_the_collection(shared: Path, shelved: Any) -> None:
    pages = public_pages(shelved)
    _read(pages[::3], _pairs(collection(shared, "params")))
    _read(pages[2::5], _pairs(collection(shared, "text", "query")))


@pytest.mark.data
def test_votes_and_ratings_take_the_collection(
    make_entry: MakeEntry, shared: Path
) -> None:
    _judge(make_entry(), collection(shared, "text"))


def markdowns(shared: Path) -> Iterable[Case]:
    return collection(shared, "markdown")


EXECUTING = re.compile(
    r"<(?!/?(?:p|br|hr|h[1-6]|ul|ol|li|blockquote|pre|code|em|strong|s|a|img|div|table"
    r"|thead|tbody|tr|th|td)\b)|\son\w+=|javascript:|data:text|style=",
    re.I,
)


@pytest.mark.data
def test_hostile_markdown_is_text_on_every_public_page(
    make_entry: MakeEntry, shared: Path
) -> None:
    """An editor's Markdown is public as HTML, as structured data and as a tree."""
    tokenizer.load_tokenizer_dictionaries()
    for case in markdowns(shared):
        cache.clear()
        page_cache.public_page_cache.clear()
        try:
            made = make_entry("怎么退货？", value(case)[: markdown.MAX_MARKDOWN_CHARS])
        except ValidationError:
            continue  # a picture without words
        for prefix in PREFIXES:
            page = Client().get(f"{prefix}{made.get_absolute_url()}").text
            (data,) = re.findall(
                r'<script type="application/ld\+json">(.*?)</script>', page
            )
            json.loads(data)
            JustHTML(page, strict=True)
            feed = Client().get(f"{prefix}/feed/").content
            assert ET.fromstring(feed).tag.endswith("feed"), case["id"]
        shown = made.answer_html
        tags = "".join(re.findall(r"<[^>]*>", shown))
        assert not EXECUTING.search(tags), case["id"]
        response = Client().get(f"/widget/entry/{made.pk}/")
        assert response.status_code == (200 if shown else 404), case["id"]
        made.delete()
