"""One spelling for texts that differ in case, width, script and invisible characters."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from kb.text.chinese import (
    normalize,
)

ANY_TEXT = st.text(alphabet=st.characters(codec=None, categories=None), max_size=60)


@pytest.mark.parametrize(
    "text",
    [
        "ＶＩＰ會員退貨",
        "vip会员退货",
        "VIP会员退\u200b货",
        "V\u00adIP会员退\ufe0f货\x00",
    ],
)
def test_spellings_of_one_text_are_one(text: str) -> None:
    assert normalize.normalize_text(text) == "vip会员退货"


def test_folding_keeps_the_number_of_characters() -> None:
    text = "網路斷線，訂單無法取消，請問發票怎麼開？"
    assert len(normalize.normalize_text(text)) == len(text)


def test_clean_keeps_what_people_see() -> None:
    text = "第一行\n\t第二行 👨\u200d👩\u200d👧 café 𠮷"
    assert normalize.clean_text(text) == text


def test_clean_drops_what_nobody_sees() -> None:
    assert normalize.clean_text("a\x00b\u202ec\ud800d\u200be\ufefff") == "abcdef"


def test_key_ignores_case_width_script_spaces_and_marks() -> None:
    same = ["退貨運費，誰承擔？", "退货运费谁承担", " 退货 运费 谁承担 ?? "]
    assert len({normalize.compute_spelling_key(text) for text in same}) == 1
    assert normalize.compute_spelling_key(
        "退货运费谁承担"
    ) != normalize.compute_spelling_key("退货运费我承担")


def test_key_of_marks_alone_tells_them_apart() -> None:
    assert normalize.compute_spelling_key("？？") != normalize.compute_spelling_key(
        "！！"
    )


@given(ANY_TEXT)
@example("\u110e\x92\u116f")
@example("ｱﾞ\u0301ﬁ㈱ß")
def test_aligned_is_normalize_with_places(text: str) -> None:
    spelling, at = normalize.normalize_with_offsets(text)
    assert spelling == normalize.normalize_text(text)
    assert len(at) == len(spelling) + 1
    assert at == sorted(at)
    assert at[-1] == len(text)
