"""The frame of public pages in 繁體 and English: nothing is left in 简体."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import polib
import pytest
from django.contrib import admin
from django.contrib.auth import password_validation
from django.test import Client
from django.utils.translation.template import templatize

from kb.models import Category
from tests.conftest import MakeEntry

ROOT = Path(__file__).resolve().parent.parent
LOCALE = ROOT / "kb" / "locale"
DJANGOS = "locale/zh_Hans/LC_MESSAGES/django.po"
HAN = re.compile("[\u4e00-\u9fff]")
IN_TEMPLATE = re.compile(
    r"""\b(?:n?gettext|_)\((u?'(?:[^'\\]|\\.)*'|u?"(?:[^"\\]|\\.)*")"""
)
CALLS = {"_", "lazy", "gettext", "gettext_lazy", "ngettext"}
# How the widget is put into a page: read by editors alone, as the view sees to.
INSIDE = set(ROOT.glob("templates/faq/widget_demo/*"))
PUBLIC = sorted(set(ROOT.glob("templates/faq/**/*.*")) - INSIDE)
PUBLIC.append(ROOT / "templates/404.html")


def messages() -> Iterator[str]:
    """Yield what templates and code ask to be translated."""
    for path in (ROOT / "templates").rglob("*.html"):
        for match in IN_TEMPLATE.finditer(templatize(path.read_text("utf-8"))):
            yield str(ast.literal_eval(match[1]))
    for path in (ROOT / "kb").rglob("*.py"):
        if "django.utils.translation import" in (text := path.read_text("utf-8")):
            yield from called(ast.parse(text))


def called(tree: ast.AST) -> Iterator[str]:
    """Yield the texts that code hands to gettext."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and getattr(node.func, "id", "") in CALLS:
            first = node.args[0]
            if isinstance(first, ast.Constant) and isinstance(first.value, str):
                yield first.value


@pytest.mark.parametrize("code", ["en", "zh_Hant"])
def test_everything_is_translated_and_compiled(code: str) -> None:
    """`.mo` stand beside `.po`, so that no set-up needs gettext's tools."""
    folder = LOCALE / code / "LC_MESSAGES"
    source = polib.pofile(str(folder / "django.po"))
    told = {entry.msgid: entry for entry in source}
    wanted = set(messages())
    assert len(wanted) > 60
    assert wanted - told.keys() == set(), "run makemessages, translate, compile"
    assert {e.msgid for e in source if not e.translated()} == set()
    for entry in source:
        names = set(re.findall(r"%\(\w+\)[sd]|\{n\}", entry.msgid))
        for text in [entry.msgstr, *entry.msgstr_plural.values()]:
            assert not text or set(re.findall(r"%\(\w+\)[sd]|\{n\}", text)) <= names
    assert (folder / "django.mo").read_bytes() == source.to_binary()


@pytest.mark.parametrize("path", PUBLIC, ids=lambda p: p.relative_to(ROOT).as_posix())
def test_public_templates_say_nothing_past_the_catalogue(path: Path) -> None:
    """Only what people who work here read stays as it is."""
    for line in path.read_text("utf-8").splitlines():
        if (
            "perms.kb" in line
            or "kb_entry_add" in line
            or "notice warn no-print" in line
        ):
            continue
        bare = re.sub(
            r"{% blocktranslate.*?endblocktranslate %}|{[%{].*?[%}]}", "", line
        )
        assert not HAN.search(bare), f"{path.name}: {line.strip()}"


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("prefix", "lang", "words"),
    [
        ("", "zh-Hans", ["需要什么帮助？", "网络", "搜索问题"]),
        ("/zh-hant", "zh-Hant", ["需要什麼幫助？", "網路", "搜尋問題"]),
        ("/en", "en", ["How can we help?", "网络", "Search questions"]),
    ],
)
def test_a_page_is_read_in_the_script_of_its_address(
    client: Client, make_entry: MakeEntry, prefix: str, lang: str, words: list[str]
) -> None:
    shelf = Category.objects.create(name="网络")
    made = make_entry("网络断了怎么办？", "重启路由器。", category=shelf)
    page = client.get(f"{prefix}/")
    assert f'<html lang="{lang}">' in page.text
    assert page["Content-Language"] == lang
    assert not [word for word in words if word not in page.text]
    assert f'href="{prefix}{made.get_absolute_url()}"' in page.text
    for address in (
        made.get_absolute_url(),
        shelf.get_absolute_url(),
        "/search/?q=网络",
    ):
        shown = client.get(f"{prefix}{address}")
        assert shown.status_code == 200
        assert words[1] in re.sub("<[^>]*>", "", shown.text)
        assert f'<html lang="{lang}">' in shown.text


@pytest.mark.django_db
def test_an_answer_is_read_in_its_script_beside_others(
    client: Client, make_entry: MakeEntry
) -> None:
    make_entry("网络慢怎么办？")
    made = make_entry("网络断了怎么办？", "重启路由器。")
    page = client.get(f"/zh-hant{made.get_absolute_url()}")
    assert page.context["related_entries"]
    assert "<p>重啟路由器。</p>" in page.text
    assert "网" not in page.text.replace("简体", "")


@pytest.mark.django_db
@pytest.mark.parametrize("asked", ["网络断了", "網路斷了", "網絡斷了", "wangluo"])
def test_marks_stand_right_in_both_scripts(
    client: Client, make_entry: MakeEntry, asked: str
) -> None:
    make_entry("网络断了怎么办？", "先检查网络。")
    here = client.get("/search/", {"q": asked}).text
    there = client.get("/zh-hant/search/", {"q": asked}).text
    assert re.search("<mark>网络(断了?)?</mark>", here)
    assert re.search("<mark>網路(斷了?)?</mark>", there)
    assert "檢查<mark>網路</mark>。" in there
    told = client.get("/zh-hant/suggest/", {"q": asked}).text
    assert re.search("<mark>網路(斷了?)?</mark>", told)
    assert 'href="/zh-hant/q/' in told


@pytest.mark.django_db
def test_the_switch_keeps_the_place(client: Client, make_entry: MakeEntry) -> None:
    made = make_entry("网络断了怎么办？")
    page = client.get(f"/zh-hant{made.get_absolute_url()}", {"q": "断网"}).text
    kept = f"{made.get_absolute_url()}?q=%E6%96%AD%E7%BD%91"
    assert f'hreflang="zh-Hans" href="{kept}"' in page
    assert f'hreflang="en" href="/en{kept}"' in page


@pytest.mark.django_db
def test_a_missing_page_is_told_in_its_script(client: Client) -> None:
    assert "找不到這一頁" in client.get("/zh-hant/q/99/").text
    assert "Page not found" in client.get("/en/nowhere/").text
    assert client.get("/zh-hans/").status_code == 404


def test_what_djangos_admin_says_is_said_in_natural_chinese() -> None:
    """Our catalogue for 简体 has Django's own messages, and no English in them."""
    folder = LOCALE / "zh_Hans" / "LC_MESSAGES"
    ours = polib.pofile(str(folder / "django.po"))
    django = Path(admin.__file__).parent
    known = {entry.msgid for entry in polib.pofile(str(django / DJANGOS))}
    for template in django.rglob("*.html"):
        text = templatize(template.read_text("utf-8"))
        known |= {ast.literal_eval(m[1]) for m in IN_TEMPLATE.finditer(text)}
    validators = ast.parse(Path(password_validation.__file__).read_text("utf-8"))
    known |= {
        node.value
        for node in ast.walk(validators)
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    }
    assert {entry.msgid for entry in ours} - known == set()
    for entry in ours:
        for text in [entry.msgstr, *entry.msgstr_plural.values()]:
            bare = re.sub(r"%\(\w+\)[sd]|\{\w+\}|%[sd]", "", text)
            assert not re.search("[A-Za-z]", bare), text
    assert (folder / "django.mo").read_bytes() == ours.to_binary()
