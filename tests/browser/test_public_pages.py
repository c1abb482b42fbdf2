"""Reading public pages: phone and desktop, both scripts, without JavaScript too."""

from __future__ import annotations

import re
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.core.files.base import ContentFile
from PIL import Image
from playwright.sync_api import Page, expect

from kb.library import pictures
from kb.models import Category, Entry, Tag
from kb.publishing import page_views
from tests.conftest import MakeEntry

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
PREFIXES = ["", "/zh-hant", "/en"]
LONG = """质量问题由我们承担。

## 怎么申请

1. 打开订单，找到要退的商品。
   {picture}
2. 点「申请退款」。

> [!提示]
> 拍照更快。

> [!注意]
> 七天之内。

> [!警告]
> 不要把验证码给别人。

## 多久到账

| 付款方式 | 退款多久到账 | 到哪里去看 | 没到账找谁 | 备注 |
|---|---|---|---|---|
| 微信支付 | 一个工作日以内 | 微信钱包的账单里 | 在线客服 | 无 |

## 没到账怎么办

联系客服。
"""


@pytest.fixture
def entry(make_entry: MakeEntry, settings: Any, tmp_path: Path) -> Entry:
    settings.MEDIA_ROOT = tmp_path
    made = BytesIO()
    Image.new("RGB", (900, 1600), (220, 225, 235)).save(made, "PNG")
    kept = pictures.store_picture(
        ContentFile(made.getvalue(), "a.png"), alt="订单页", by=None
    )
    top = Category.objects.create(name="售后")
    shelf = Category.objects.create(name="退换货", parent=top)
    entry = make_entry(
        "退货运费谁承担？", LONG.format(picture=kept.build_markdown()), category=shelf
    )
    entry.tags.add(Tag.objects.create(name="运费"))
    make_entry("退货地址在哪里？", "仓库地址见订单。", category=top)
    page_views.count_page_view(entry.pk)
    page_views.flush_page_views()
    return entry


@pytest.fixture
def addresses(entry: Entry) -> list[str]:
    shelf = entry.category
    assert shelf is not None
    return [
        "/",
        "/search/?q=退货",
        "/search/?q=麒麟臂",
        shelf.get_absolute_url(),
        entry.get_absolute_url(),
        f"/search/?tag={entry.tags.get().pk}",
    ]


@pytest.fixture(params=["phone", "page"])
def screen(request: pytest.FixtureRequest) -> Page:
    found: Page = request.getfixturevalue(request.param)
    return found


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_page_is_accessible_and_fits(
    screen: Page, addresses: list[str], scheme: Any
) -> None:
    screen.emulate_media(color_scheme=scheme)
    for prefix in PREFIXES:
        for address in addresses:
            screen.goto(f"{prefix}{address}")
            found = Axe().run(screen).response["violations"]
            violations = [(v["id"], [n["html"] for n in v["nodes"]]) for v in found]
            assert violations == [], f"{prefix}{address}"
            wide = "document.documentElement.scrollWidth - innerWidth"
            assert screen.evaluate(wide) <= 0, f"{prefix}{address}"


SHIFT = """() => new Promise(done => {
    let sum = 0;
    new PerformanceObserver(list => {
        for (const entry of list.getEntries()) sum += entry.value;
    }).observe({ type: 'layout-shift', buffered: true });
    scrollTo(0, document.body.scrollHeight);
    requestAnimationFrame(() => requestAnimationFrame(() => done(sum)));
})"""


def test_nothing_jumps(screen: Page, addresses: list[str]) -> None:
    for address in addresses:
        screen.goto(address, wait_until="networkidle")
        assert screen.evaluate(SHIFT) == 0, address


@pytest.mark.parametrize("place", [0, 1], ids=["home", "search"])
def test_a_page_half_arrived_does_not_jump(
    screen: Page, addresses: list[str], place: int
) -> None:
    """On a slow line the icon of the search box is painted before its input."""
    response = screen.goto(addresses[place])
    assert response is not None
    html, icon = response.text(), screen.locator(".search-icon")
    whole = icon.bounding_box()
    cut = html[: html.index("</svg>", html.index("search-icon")) + len("</svg>")]
    screen.route(
        screen.url, lambda route: route.fulfill(body=cut, content_type="text/html")
    )
    screen.reload()
    expect(screen.get_by_role("searchbox")).to_have_count(0)
    assert icon.bounding_box() == whole


def test_a_picture_opens_large_and_closes(screen: Page, entry: Entry) -> None:
    screen.goto(entry.get_absolute_url())
    small = screen.locator(".prose a.picture img")
    small.scroll_into_view_if_needed()
    expect(small).to_have_attribute("width", "900")
    small.click()
    large = screen.locator("dialog#large img")
    expect(large).to_be_visible()
    expect(large).to_have_attribute("alt", "订单页")
    screen.keyboard.press("Escape")
    expect(large).to_be_hidden()


def test_the_switch_keeps_the_place_on_the_page(phone: Page, entry: Entry) -> None:
    phone.goto(f"{entry.get_absolute_url()}?q=退货#s-没到账怎么办")
    phone.get_by_role("link", name="繁體").click()
    expect(phone.get_by_role("heading", level=1)).to_have_text("退貨運費誰承擔？")
    expect(phone.locator("html")).to_have_attribute("lang", "zh-Hant")
    at = phone.evaluate(
        "decodeURIComponent(location.pathname + location.search + location.hash)"
    )
    assert at == f"/zh-hant/q/{entry.pk}/{entry.slug}/?q=退货#s-没到账怎么办"
    heading = phone.get_by_role("heading", name="沒到賬怎麼辦".replace("賬", "帳"))
    expect(heading).to_be_in_viewport()


def test_contents_lead_to_their_headings(page: Page, entry: Entry) -> None:
    page.goto(entry.get_absolute_url())
    page.get_by_role("navigation", name="目录").get_by_text("没到账怎么办").click()
    expect(page.get_by_role("heading", name="没到账怎么办")).to_be_in_viewport()


@pytest.fixture
def bare(browser: Any, live_site: str) -> Iterator[Page]:
    """Return a page of a browser that runs no script."""
    context = browser.new_context(
        viewport={"width": 360, "height": 740},
        base_url=live_site,
        java_script_enabled=False,
    )
    yield context.new_page()
    context.close()


def test_everything_is_found_and_read_without_a_script(
    bare: Page, entry: Entry
) -> None:
    bare.goto("/zh-hant/")
    bare.get_by_role("searchbox").fill("退貨運費")
    bare.get_by_role("button", name="搜尋").click()
    expect(bare).to_have_url(re.compile("/zh-hant/search/"))
    bare.locator(f'main a[href^="/zh-hant/q/{entry.pk}/"]').first.click()
    expect(bare.get_by_role("heading", level=1)).to_have_text("退貨運費誰承擔？")
    bare.get_by_role("link", name="訂單頁").click()
    assert bare.url.endswith(".webp")
    bare.goto(entry.get_absolute_url())
    bare.get_by_role("link", name="English").click()
    expect(bare.get_by_text("Was this helpful?")).to_be_visible()
    bare.get_by_role("link", name="简体").click()
    bare.get_by_role("navigation", name="所在位置").get_by_text("售后").click()
    expect(bare.get_by_role("heading", level=1)).to_have_text("售后")
