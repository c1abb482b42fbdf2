"""Similarity of a query and the wordings of an entry."""

from __future__ import annotations

import pytest

from kb.text.chinese.similarity import (
    SimilarityTerms,
    Wording,
    analyze_learned_wordings,
    compare_wordings,
)


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("ssd云盘", "essd云盘", 4 / 11),
        ("17号线", "18号线", 4 / 8),
        ("17号线", "17号线停运", 8 / 10),
        ("wi-fi密码", "wifi密码", 1.0),
        ("iphone15", "iphone 15", 1.0),
        ("", "", 0.0),
    ],
)
def test_latin_words_and_numbers_are_compared_whole(
    one: str, other: str, same: float
) -> None:
    ways = Wording.from_spelling(one), Wording.from_spelling(other)
    found = compare_wordings(ways[:1], SimilarityTerms.from_terms([]), ways[1:])
    assert found.indel_ratio == pytest.approx(same)


@pytest.mark.parametrize(
    ("term", "wording", "is_match"),
    [
        ("ssd", "essd 云盘怎么选", False),
        ("ssd", "ssd 云盘怎么选", True),
        ("e", "email 怎么改", False),
        ("win", "windows 怎么装", True),
        ("wifi", "wi-fi 连不上", True),
        ("15", "iphone15 几时到", True),
        ("5", "15 天到吗", False),
        ("c++", "c++ 怎么学", True),
        ("运费险", "退货运费险", True),
    ],
)
def test_latin_terms_match_whole_words_or_prefixes(
    term: str, wording: str, is_match: bool
) -> None:
    like = compare_wordings(
        [Wording.from_spelling(term)],
        SimilarityTerms.from_terms([term]),
        [Wording.from_spelling(wording)],
    )
    assert (term in like.matched_terms, like.asked_content_share > 0) == (
        is_match,
        is_match,
    )


def test_learned_wordings_are_not_own_wordings() -> None:
    """They tell how sure an entry is; in the order they would draw other queries."""
    terms, query = (
        SimilarityTerms.from_terms(["退款", "多久"]),
        [Wording.from_spelling("退款多久")],
    )
    like = compare_wordings(
        query,
        terms,
        [Wording.from_spelling("发票多久寄"), *analyze_learned_wordings("退款多久")],
    )
    assert (like.matched_terms, like.own_matched_terms) == ({"退款", "多久"}, {"多久"})
    assert like.learned_letter_coverage > like.letter_coverage
