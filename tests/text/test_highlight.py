"""Marks of search terms in a text."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from kb.text.chinese import (
    normalize,
)
from kb.text.markup import highlight

ANY_TEXT = st.text(alphabet=st.characters(codec=None, categories=None), max_size=60)


def test_marks_stand_in_the_original_spelling() -> None:
    marked = highlight.highlight_terms("ＶＩＰ會員怎麼退貨？", ["vip", "退货"])
    assert marked == "<mark>ＶＩＰ</mark>會員怎麼<mark>退貨</mark>？"


def test_overlapping_terms_make_one_mark() -> None:
    assert (
        highlight.highlight_terms("退货运费", ["退货", "货运", "运费"])
        == "<mark>退货运费</mark>"
    )


def test_what_is_marked_and_what_is_not_is_escaped() -> None:
    assert (
        highlight.highlight_terms("<b>退</b>", ["退"])
        == "&lt;b&gt;<mark>退</mark>&lt;/b&gt;"
    )


@given(ANY_TEXT, st.lists(ANY_TEXT, max_size=3))
def test_marks_never_lose_a_character(text: str, terms: list[str]) -> None:
    spans = highlight.find_highlight_spans(text, map(normalize.normalize_text, terms))
    flat = [place for span in spans for place in span]
    assert flat == sorted(flat)
    assert all(0 <= place <= len(text) for place in flat)
