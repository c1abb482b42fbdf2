"""Metadata of entry pages for search engines, and what they must not reveal."""

from __future__ import annotations

import json
import re
from typing import Any
from urllib.parse import unquote

import pytest
from django.test import Client
from django.utils import timezone

from kb.models import (
    Category,
    FollowUp,
    PageView,
    RelatedEntries,
    Tag,
)
from tests.conftest import MakeEntry

pytestmark = pytest.mark.django_db
HIDDEN = [("draft", "public"), ("retired", "public"), ("published", "internal")]
CANARY = "鹦鹉螺暗号"
PICTURE = f"/media/{'0a' * 16}-800x600.webp"
LONG = f"""三天到账。

## 怎么申请

1. 打开订单
   ![订单页]({PICTURE})
2. 点退款

> [!警告]
> 不要把验证码给别人。

## 多久到账

| 方式 | 时间 |
|---|---|
| 微信 | 一天 |

## 没到账怎么办

联系客服。
"""


@pytest.fixture
def shelf(db: None) -> Category:
    made: Category = Category.objects.create(name="售后")
    return made


def data_of(page: str) -> dict[str, Any]:
    (text,) = re.findall(r'<script type="application/ld\+json">(.*?)</script>', page)
    return {node["@type"]: node for node in json.loads(text)["@graph"]}


def test_an_entry_page_begins_with_the_short_answer(
    client: Client, make_entry: MakeEntry
) -> None:
    made = make_entry("退款多久到账？", LONG)
    page = client.get(made.get_absolute_url()).text
    short, contents, steps = (
        page.index(words)
        for words in ("<p>三天到账。</p>", 'id="contents"', 'id="s-怎么申请"')
    )
    assert short < contents < steps
    assert 'href="#s-没到账怎么办"' in page
    assert (
        "contents" not in client.get(make_entry("短", "短。").get_absolute_url()).text
    )


def test_an_entry_page_has_structured_data(
    client: Client, make_entry: MakeEntry, shelf: Category
) -> None:
    made = make_entry(
        '"</script><b>退款</b>', f"三天<到账>。\n\n{LONG}", category=shelf
    )
    page = client.get(f"/zh-hant{made.get_absolute_url()}?q=退").text
    nodes = data_of(page)
    (question,) = nodes["FAQPage"]["mainEntity"]
    assert question["name"] == '"</script><b>退款</b>'
    assert question["acceptedAnswer"]["text"].startswith(
        "三天<到賬>".replace("賬", "帳")
    )
    crumbs = nodes["BreadcrumbList"]["itemListElement"]
    assert [crumb["name"] for crumb in crumbs][:2] == ["首頁", "售後"]
    assert "<b>退款" not in page
    where = f"http://testserver/zh-hant{made.get_absolute_url()}"
    assert f'<link rel="canonical" href="{where}">' in page
    assert f'property="og:image" content="http://testserver{PICTURE}"' in page
    assert 'hreflang="zh-Hans" href="http://testserver/q/' in page
    assert 'property="og:locale" content="zh_TW"' in page


def test_an_english_page_is_not_listed_by_itself(
    client: Client, make_entry: MakeEntry
) -> None:
    where = make_entry().get_absolute_url()
    page = client.get(f"/en{where}").text
    assert f'<link rel="canonical" href="http://testserver{where}">' in page
    assert "<article" in page
    assert 'class="entry" lang="zh-Hans"' in page


def test_addresses_survive_renaming(
    client: Client, make_entry: MakeEntry, shelf: Category
) -> None:
    make_entry(category=shelf)
    old = shelf.get_absolute_url()
    assert unquote(old) == f"/c/{shelf.pk}/售后/"
    assert client.get(old).status_code == 200
    shelf.name = "退换货"
    shelf.save()
    moved = client.get(old)
    assert moved.status_code == 301
    assert moved["Location"] == shelf.get_absolute_url()
    there = client.get(f"/zh-hant{moved['Location']}")
    assert (there.status_code, "退換貨" in there.text) == (200, True)


@pytest.mark.parametrize(("status", "audience"), HIDDEN)
def test_hidden_entries_are_in_no_public_output(
    client: Client,
    make_entry: MakeEntry,
    shelf: Category,
    status: str,
    audience: str,
) -> None:
    shown = make_entry("退货寄到哪里？", category=shelf)
    lost: Category = Category.objects.create(name=CANARY)
    tag = Tag.objects.create(name=CANARY)
    hidden = make_entry(
        f"退货{CANARY}", CANARY, status=status, audience=audience, category=lost
    )
    hidden.tags.add(tag)
    FollowUp.objects.create(entry=shown, then=hidden)
    PageView.objects.create(entry=hidden, day=timezone.localdate(), count=99)
    RelatedEntries.objects.create(
        entry=shown,
        ids={"all": [hidden.pk]},
        version=shown.version,
        found_at=timezone.now(),
    )
    pages = ["/", "/feed/", "/sitemap.xml", "/opensearch.xml", shown.get_absolute_url()]
    pages += [f"/c/{shelf.pk}/feed/", "/search/?q=退货", f"/search/?tag={tag.pk}"]
    pages += [f"/search/?q=退货&c={lost.pk}&tag={tag.pk}", "/sitemap-entries.xml"]
    for prefix in ("", "/zh-hant"):
        for address in pages:
            if prefix and "sitemap" in address:
                continue
            body = client.get(f"{prefix}{address}").text
            assert CANARY not in body, address
            assert "鸚鵡螺" not in body, address
            assert f"/q/{hidden.pk}/" not in body, address
        for address in (f"/c/{lost.pk}/", f"/c/{lost.pk}/feed/", f"/q/{hidden.pk}/x/"):
            gone = client.get(f"{prefix}{address}")
            assert gone.status_code == 404
            assert CANARY not in gone.text + str(gone.headers)
