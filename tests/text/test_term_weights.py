"""Weights of terms, carrier phrases and synonyms of a query."""

from __future__ import annotations

import pytest

from kb.search import analyze_query
from kb.text.chinese import (
    term_weights,
)
from kb.text.chinese.lexicon import EMPTY_LEXICON, Lexicon
from kb.text.chinese.synonyms import SynonymGroup


def test_words_that_only_ask_weigh_little() -> None:
    found = term_weights.weigh_terms("请问什么时候可以发货呢")
    assert found.words["发货"] == 1
    assert (
        found.words["什么"]
        == found.words["呢"]
        == pytest.approx(term_weights.DEFAULT_TERM_WEIGHTS.question_word)
    )
    assert found.bigrams["时候"] == pytest.approx(
        term_weights.DEFAULT_TERM_WEIGHTS.question_word
    )


@pytest.mark.parametrize(
    ("text", "terms", "lone", "whole"),
    [
        ("请问怎么退货", {"请问", "问怎", "怎么", "么退"}, (), True),
        ("怎么退", {"怎么", "么退"}, ("退",), True),
        ("能退货吗", {"能", "能退", "货吗", "吗"}, (), True),
        ("我想退", {"我", "想", "我想", "想退"}, ("退",), True),
        ("猫不吃饭了", {"不", "猫不", "不吃", "饭了", "了"}, (), False),
        ("退货运费", set(), (), True),
        ("请问thyf", {"请问"}, (), True),
        ("海外的问题", {"外的", "的问", "问题", "的"}, (), True),
        ("请问" + "退货运费" * 5, set(), (), False),
    ],
)
def test_the_carrier_phrase_of_a_question(
    text: str, terms: set[str], lone: tuple[str, ...], whole: bool
) -> None:
    assert analyze_query(
        text, EMPTY_LEXICON
    ).carrier_phrase == term_weights.CarrierPhrase(frozenset(terms), lone, whole)


def test_a_bigram_of_half_a_question_word_weighs_in_between() -> None:
    assert (
        term_weights.DEFAULT_TERM_WEIGHTS.question_word
        < term_weights.weigh_terms("怎么退货").bigrams["么退"]
        < 1
    )


def test_synonym_coverage_is_at_most_one() -> None:
    sets = [SynonymGroup(("mail", "邮件")), SynonymGroup(("email", "邮箱"))]
    lexicon = Lexicon.from_vocabulary(sets, [], [])
    assert analyze_query("e-mail", lexicon).synonym_coverage == 1
    assert 0 < analyze_query("e-mail收不到", lexicon).synonym_coverage < 1


@pytest.mark.parametrize("cry", ["呵呵", "嘿嘿嘿！", "hhhhhh", "发发发发", "啊 啊 啊"])
def test_an_interjection_has_no_terms(cry: str) -> None:
    assert not term_weights.weigh_terms(cry)


@pytest.mark.parametrize("words", ["www", "1111", "12345", "滴滴", "哈哈镜", "嗯"])
def test_words_like_interjections_have_terms(words: str) -> None:
    assert term_weights.weigh_terms(words)
