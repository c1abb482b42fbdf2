"""The fast URLs of rows are those of Django's `reverse`."""

from __future__ import annotations

import pytest
from django.urls import NoReverseMatch, reverse
from django.utils import translation

from kb.system.page_urls import build_page_url


@pytest.mark.parametrize("language", ["zh-hans", "zh-hant", "en"])
@pytest.mark.parametrize(
    "slug", ["", "退款", "a-b", "100%", "a/b", "é~:@!$&'()*+,;=", '?#<>"', "空 格"]
)
def test_a_page_url_equals_reverse(language: str, slug: str) -> None:
    with translation.override(language):
        for short, named in (
            ("faq:entry-short", "faq:entry"),
            ("faq:category", "faq:category-named"),
        ):
            name, args = (named, [1207, slug]) if slug else (short, [1207])
            try:
                expected = reverse(name, args=args)
            except NoReverseMatch:  # slugs are never like that
                continue
            assert build_page_url(name, 1207, slug) == expected
