"""The passage that is shown says what was asked about, whole and rightly marked."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from kb.search import analyze_query
from kb.text.chinese import term_weights
from kb.text.chinese.lexicon import Lexicon
from kb.text.chinese.normalize import normalize_text, normalize_with_offsets
from kb.text.chinese.synonyms import SynonymGroup, SynonymMatcher
from kb.text.markup import highlight
from kb.text.markup.passage import MAX_PASSAGE_CHARS, find_best_passage

ANY_TEXT = st.text(alphabet=st.characters(codec=None, categories=None), max_size=60)
PLAIN = st.text(
    alphabet="退貨运费Wi-Fi_15 ，。（…\u3000ﬁ㈱e\u0301\u200dＡ\n", max_size=40
)
FILL = "这一句讲的是别的事情，和问题没有关系。" * 12


def test_it_is_where_the_terms_are() -> None:
    found = find_best_passage(
        f"{FILL}退款会原路返回，三天内到账。{FILL}", ["退款", "到账"]
    )
    assert found.text.startswith("…退款会原路返回，三天内到账。")
    assert found.text.endswith("…")
    assert [found.text[a:b] for a, b in found.marks] == ["退款", "到账"]


def test_different_terms_count_more_than_one_repeated() -> None:
    text = f"退款退款退款退款。{FILL}退款到账要三天。{FILL}"
    assert find_best_passage(text, ["退款", "到账"]).text.startswith("…退款到账")


def test_heavier_terms_count_more() -> None:
    text = f"可以的可以的。{FILL}发票在这里。{FILL}"
    assert "发票" in find_best_passage(text, {"可以": 0.4, "发票": 1.0}).text


def test_it_begins_with_the_sentence_or_else_the_clause() -> None:
    text = f"{FILL}先打开订单，再点申请退款就行。{FILL}"
    assert find_best_passage(text, ["退款"]).text.startswith("…先打开订单，再点")
    long = f"{FILL}{'无关的话' * 40}，再点申请退款就行。{FILL}"
    assert find_best_passage(long, ["退款"]).text.startswith("…再点申请")


@pytest.mark.parametrize("terms", [[], ["没有的"], [""]])
def test_without_terms_it_is_the_beginning(terms: list[str]) -> None:
    found = find_best_passage(FILL, terms)
    assert (found.start, found.marks) == (0, ())
    assert found.text.startswith("这一句")
    assert found.text.endswith("…")


def test_a_short_text_is_whole_and_on_one_line() -> None:
    found = find_best_passage("第一行\n第二行退款", ["退款"])
    assert (found.text, found.marks) == ("第一行 第二行退款", ((7, 9),))
    assert find_best_passage("", ["退款"]).text == ""


@pytest.mark.parametrize(
    "whole", ["international", "👨\u200d👩\u200d👧", "👍🏽", "🇨🇳", "e\u0301"]
)
def test_no_cut_splits_a_word_or_a_picture(whole: str) -> None:
    for length in range(14, 30):
        shown = find_best_passage(f"{'字' * 12}{whole}{'字' * 200}", [], length).text
        assert whole in shown or not set(whole) & set(shown)


@given(st.lists(ANY_TEXT, max_size=12).map("".join), st.lists(ANY_TEXT, max_size=3))
@example("a" * 300 + "退款", ["退款"])
@example("\u0301" * 300, ["退"])
@example("㈱" * 200, ["株"])
def test_any_text_has_a_passage(text: str, asked: list[str]) -> None:
    terms = [normalize_text(term) for term in asked] + [normalize_text(text[3:5])]
    found = find_best_passage(text, terms)
    assert len(found.text) <= MAX_PASSAGE_CHARS + 2
    flat = [place for span in found.marks for place in span]
    assert flat == sorted(flat)
    assert all(0 <= place <= len(found.text) for place in flat)


@given(PLAIN | ANY_TEXT, st.data())
def test_marks_are_right_in_every_spelling(text: str, data: st.DataObject) -> None:
    spelling, _ = normalize_with_offsets(text)
    assert spelling == normalize_text(text)
    start = data.draw(st.integers(0, len(spelling)))
    term = spelling[start : start + data.draw(st.integers(1, 4))]
    found = highlight.find_term_matches(text, [term])
    for begin, end, _ in found:
        stretch = normalize_text(text[begin:end])
        assert term in stretch or term in stretch.replace("-", "").replace("_", "")
    if term and not any(letter.isascii() for letter in term):
        assert found
    spans = highlight.find_highlight_spans(text, [term])
    assert all(a < b for a, b in spans)
    assert all(b < c for (_, b), (c, _) in pairwise(spans))


@pytest.mark.parametrize(
    ("text", "term", "wanted"),
    [
        ("连不上 Wi-Fi 怎么办", "wifi", "连不上 <mark>Wi-Fi</mark> 怎么办"),
        ("USB_C 和 usb-c", "usbc", "<mark>USB_C</mark> 和 <mark>usb-c</mark>"),
        ("iPhone15", "15", "iPhone<mark>15</mark>"),
        ("㈱退款", "株", "<mark>㈱</mark>退款"),
        ("视频 video 的 ID", "id", "视频 video 的 <mark>ID</mark>"),
        ("2026 年 26 号", "26", "2026 年 <mark>26</mark> 号"),
        ("A&B<退款>", "退款", "A&amp;B&lt;<mark>退款</mark>&gt;"),
    ],
)
def test_marks_stand_on_whole_words(text: str, term: str, wanted: str) -> None:
    assert highlight.highlight_terms(text, [term]) == wanted


def test_what_means_the_same_may_be_marked_too() -> None:
    sets = [SynonymGroup(("怎么", "如何")), SynonymGroup(("退款", "退钱"))]
    terms = analyze_query(
        "怎么退钱", Lexicon(SynonymMatcher(sets))
    ).synonym_terms.list_terms_to_highlight(term_weights.DEFAULT_TERM_WEIGHTS.synonym)
    assert highlight.highlight_terms("如何退款", terms) == "如何<mark>退款</mark>"


def test_a_long_answer_is_no_trouble() -> None:
    for text in ("退款" * 32_768, "a" * 65_536, "a-" * 32_768, "\u0301" * 65_536):
        assert (
            len(find_best_passage(text, ["退", "款", "退款", "aa"]).text)
            <= MAX_PASSAGE_CHARS + 2
        )


def test_a_space_is_not_what_parts_joined_words() -> None:
    assert highlight.find_term_matches("x 1_1", [" "]) == [(1, 2, " ")]
