"""English pages have Chinese in their content only, error messages included."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.core import mail
from django.core.cache import cache
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from justhtml import JustHTML

from kb.models import Category, Entry, Inquiry, Module, Site, Tag
from kb.questions import triage
from kb.web.faq import ask_form, votes
from tests.conftest import MakeEntry
from tests.test_locale import CALLS, HAN, ROOT

pytestmark = pytest.mark.django_db
TEXT_ATTRIBUTES = ("alt", "aria-label", "placeholder", "title", "data-count-text")
OTHERS = {"script", "head", "textarea"}  # data, and what a customer wrote
# Modules with texts for customers; the rest of kb has texts for staff.
MODULES_WITH_TEXTS = [
    *ROOT.glob("kb/web/faq/*.py"),
    ROOT / "kb/questions/inquiries.py",
]
assert len(MODULES_WITH_TEXTS) > 10


def in_frame(page: str) -> Iterator[str]:
    """Yield the texts of `page` outside of elements that are marked as Chinese."""
    yield from _below(JustHTML(page, sanitize=False).root)


def _below(node: Any) -> Iterator[str]:
    attrs = getattr(node, "attrs", None) or {}
    if attrs.get("lang") in {"zh-Hans", "zh-Hant"} or node.name in OTHERS:
        return
    if node.name == "#text":
        yield node.data
    for name in TEXT_ATTRIBUTES:
        yield str(attrs.get(name) or "")
    for child in node.children or ():
        yield from _below(child)


def chinese(page: str) -> list[str]:
    """Return the Chinese texts; quoted names are left out."""
    said = (re.sub("“[^”]*”", "", text) for text in in_frame(page))
    return [text for text in said if HAN.search(text)]


@pytest.fixture(autouse=True)
def _an_english_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ask_form, "MIN_FORM_SECONDS", -1)
    Site.objects.update(name="Help Center")


@pytest.fixture
def entry(make_entry: MakeEntry) -> Entry:
    shelf = Category.objects.create(name="售后")
    Module.objects.create(name="Shipping", offered=True)
    made = make_entry(
        "退款多久到账？", "三天到账。\n\n## 一\n\n## 二\n\n## 三", category=shelf
    )
    make_entry("退款地址在哪里？", category=shelf)
    made.tags.add(Tag.objects.create(name="退款"))
    return made


def ask(**sent: Any) -> Any:
    cache.clear()
    given = {"text": "How?", "send": "1", "stamp": ask_form.make_form_stamp()} | sent
    return Client().post("/en/ask/", given)


def test_pages_are_in_english(client: Client, entry: Entry) -> None:
    tag, shelf = entry.tags.get(), entry.category
    assert shelf
    for address in (
        *(
            "/",
            "/search/",
            "/search/?q=退款",
            "/search/?q=qqqq",
            "/ask/",
            "/ask/?q=退款",
        ),
        *(f"/search/?tag={tag.pk}", entry.get_absolute_url(), "/q/999/", "/nowhere/"),
        *(shelf.get_absolute_url(), "/embed/", "/embed/?q=qqqq", "/embed/?q=退款"),
        f"/embed/?entry={entry.pk}",
    ):
        assert chinese(client.get(f"/en{address}").text) == [], address


def test_error_responses_are_in_english(entry: Entry, settings: Any) -> None:
    large = SimpleUploadedFile("a.png", bytes(3 * 1024 * 1024))
    none, empty = (SimpleUploadedFile("a.png", b) for b in (b"x", b""))
    for sent in (
        {"text": ""},
        {"text": "x" * 2001},
        {"contact": "nobody"},
        {"contact": "a@b@c"},
        {"module": "99"},
        {"website": "https://spam.example.com"},
        {"stamp": "x"},
        {"pictures": large},
        {"pictures": none},
        {"pictures": [SimpleUploadedFile("a.png", b"x") for _ in range(4)]},
    ):
        answer = ask(**sent)
        assert answer.status_code == 400, sent
        assert chinese(answer.text) == [], sent
    assert empty.size == 0
    settings.KB_WIDGET_ORIGINS = ["https://shop.example.com"]
    shop = Client(headers={"Origin": "https://shop.example.com"})
    for response in (
        shop.get("/widget/entry/999/?lang=en"),
        shop.post(f"/widget/vote/{entry.pk}/?lang=en", {}),
        shop.post("/widget/ask/?lang=en", {"stamp": "x"}),
        Client().post("/widget/ask/?lang=en", {}),
    ):
        assert response.status_code >= 400
        assert not HAN.search(response.json()["detail"])


def test_rate_limits_are_explained_in_english(entry: Entry, monkeypatch: Any) -> None:
    client = Client()
    for _ in range(11):
        answer = client.post(f"/en/vote/{entry.pk}/", {})
    assert answer.status_code == 429
    assert chinese(answer.text) == []
    for _ in range(6):
        sent = {"text": "How?", "send": "1", "stamp": ask_form.make_form_stamp()}
        answer = client.post("/en/ask/", sent)
    assert answer.status_code == 429
    assert chinese(answer.text) == []
    monkeypatch.setattr(ask_form, "MIN_FORM_SECONDS", 2)
    assert chinese(ask().text) == []


def test_votes_are_thanked_for_in_english(client: Client, entry: Entry) -> None:
    for more in (
        {"helpful": "yes"},
        {"helpful": "no"},
        {"helpful": "no", "reason": "unclear"},
        {"helpful": "no", "part": "1"},
        {"token": "stale"},
    ):
        sent = {"token": votes.make_vote_token(entry), **more}
        page = client.post(f"/en/vote/{entry.pk}/", sent).text
        assert chinese(page) == []


def test_the_inquiry_page_and_mail_are_in_english(
    settings: Any, django_capture_on_commit_callbacks: Any
) -> None:
    settings.KB_MAIL, settings.DEFAULT_FROM_EMAIL = True, "help@example.com"
    ask(contact="somebody@example.com")
    inquiry = Inquiry.objects.get()
    own = f"/en/q/{inquiry.token}/"
    assert chinese(Client().get(own).text) == []
    assert chinese(Client().post(f"{own}rate/", {"score": "5"}).text) == []
    with django_capture_on_commit_callbacks(execute=True):
        triage.answer_question(inquiry.question, answer="Like this.", by=None)
    assert chinese(Client().get(own).text) == []
    assert chinese(Client().post(f"{own}rate/", {"score": "9"}).text) == []
    (letter,) = mail.outbox
    assert not HAN.search(f"{letter.subject}{letter.body}")
    assert own in letter.body


@pytest.mark.parametrize("name", ["400", "403", "403_csrf", "500"])
def test_error_pages_are_in_english(client: Client, name: str) -> None:
    from django.template.loader import render_to_string
    from django.utils import translation

    with translation.override("en"):
        assert chinese(render_to_string(f"{name}.html")) == ["帮助中心", "帮助中心"]


@pytest.mark.parametrize("path", MODULES_WITH_TEXTS, ids=lambda p: p.name)
def test_messages_to_customers_are_translated(path: Path) -> None:
    tree = ast.parse(path.read_text("utf-8"))
    marked = {
        id(part)
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and getattr(node.func, "id", "") in CALLS
        for part in ast.walk(node)
    }
    docs = {
        id(node.body[0].value)
        for node in ast.walk(tree)
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef)
        and node.body
        and isinstance(node.body[0], ast.Expr)
    }
    wild = [
        node.value
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant)
        and isinstance(node.value, str)
        and HAN.search(node.value)
        and id(node) not in marked | docs
    ]
    assert wild == []


@pytest.mark.parametrize(
    "path", sorted(ROOT.glob("static/widget/src/*.js")), ids=lambda p: p.name
)
def test_the_widget_has_no_text_outside_of_the_catalogue(path: Path) -> None:
    """The scripts contain only the names of the languages."""
    code = re.sub(r"/\*.*?\*/|//[^\n]*", "", path.read_text("utf-8"), flags=re.S)
    assert not HAN.search(re.sub(r'"(?:简体|繁體)"', "", code))


@pytest.mark.parametrize(
    "path", sorted(ROOT.glob("static/faq/*.js")), ids=lambda p: p.name
)
def test_scripts_of_public_pages_have_no_text_of_their_own(path: Path) -> None:
    if path.name == "snippets.js":
        pytest.skip("only editors see the page that it belongs to")
    code = re.sub(r"/\*.*?\*/|//[^\n]*", "", path.read_text("utf-8"), flags=re.S)
    assert not HAN.search(code)
