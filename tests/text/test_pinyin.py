"""Terms of sound of texts and of typed pinyin."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kb.text.chinese import (
    alternate_forms,
    pinyin,
)

ANY_TEXT = st.text(alphabet=st.characters(codec=None, categories=None), max_size=60)


def test_sounds_are_pairs_of_syllables_and_initials() -> None:
    assert pinyin.list_phonetic_terms("退货费") == [
        "tui'huo",
        "huo'fei",
        "~th",
        "~hf",
        "~thf",
    ]


def test_characters_of_several_readings_are_read_in_their_word() -> None:
    assert pinyin.make_phonetic_term("银行") == "yin'han"
    assert pinyin.make_phonetic_term("行走") == "xin'zou"


@pytest.mark.parametrize(
    ("typed", "wanted"),
    [
        ("tuihuo yunfei", ["tui'huo", "huo'yun", "yun'fei"]),
        ("tuihuoyunfei", ["tui'huo", "huo'yun", "yun'fei"]),
        ("TuiHuo", ["tui'huo"]),
        ("退huo运费", ["tui'huo", "huo'yun"]),
        ("thyf", ["~thy", "~hyf"]),
        ("sf", ["~sf"]),
        ("wifi", []),
        ("退货运费", []),
        ("15", []),
    ],
)
def test_pinyin_is_understood_however_it_is_typed(
    typed: str, wanted: list[str]
) -> None:
    assert pinyin.list_typed_phonetic_terms(typed) == wanted


def test_letters_are_cut_into_the_fewest_syllables() -> None:
    assert pinyin.split_pinyin("xian") == ["xian"]
    assert pinyin.split_pinyin("fapiaotaitou") == ["fa", "piao", "tai", "tou"]
    assert pinyin.split_pinyin("python") is None


@given(ANY_TEXT)
def test_any_text_has_sounds_without_spaces(text: str) -> None:
    for term in alternate_forms.list_indexed_forms(
        text
    ) + alternate_forms.list_typed_forms(text):
        assert len(term.split()) == 1


def test_a_single_character_is_a_form_of_its_own() -> None:
    assert "·退" in alternate_forms.list_indexed_forms("退货")
    assert alternate_forms.list_typed_forms("退") == ["·退"]
    assert alternate_forms.list_typed_forms("退货") == []
