"""How tests drive the agents' console."""

from __future__ import annotations

import gzip
import re
from importlib.resources import files
from typing import Any

from playwright.sync_api import Page, expect

AXE = files("axe_playwright_python").joinpath("axe.min.js").read_text("utf-8")


def opened(page: Page, address: str = "/console/") -> Page:
    page.goto(address)
    expect(page.locator("html.scripted")).to_be_attached()
    return page


def box(page: Page) -> Any:
    return page.get_by_role("combobox", name="客户说了什么")


def found(page: Page) -> Any:
    return page.get_by_role("listbox").get_by_role("option")


def chosen(page: Page) -> Any:
    return page.get_by_role("listbox").get_by_role("option", selected=True)


def said(page: Page) -> Any:
    return page.locator("#status-message")


def find(page: Page, words: str, question: str) -> None:
    """Give `words` and wait until `question` is what they found first."""
    with page.expect_response(re.compile("fragment=results")):
        box(page).fill(words)
    expect(page.locator("#panes")).not_to_have_attribute("aria-busy", "true")
    expect(chosen(page)).to_contain_text(question)
    expect(page.get_by_role("heading", name=question)).to_be_visible()


def clipboard(page: Page) -> str:
    return str(page.evaluate("navigator.clipboard.readText()"))


def empty_clipboard(page: Page) -> None:
    page.evaluate("navigator.clipboard.writeText('nothing')")


def violations(page: Page) -> list[str]:
    """Return the violations that axe-core finds on the current page.

    Not in frames: these are pages of their own, and no script runs in some. Nor
    does axe read style sheets anew: it would write them into the page.
    """
    page.evaluate(AXE)
    result = page.evaluate(
        "axe.run(document,"
        " { resultTypes: ['violations'], iframes: false, preload: false })"
    )
    return [
        f"{one['id']}: {node['target']} {node['failureSummary'][:200]}"
        for one in result["violations"]
        for node in one["nodes"]
    ]


def compressed(body: bytes) -> int:
    """Return how many bytes of `body` go over the wire."""
    return len(gzip.compress(body, 6))
