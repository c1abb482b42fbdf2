"""Placeholders of canned replies: found, named and filled in."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kb.text.placeholders import blanks

BLANK_CASES = json.loads(
    (Path(__file__).parent.parent / "blank_cases.json").read_text()
)
ANY_TEXT = st.text(alphabet=st.characters(codec=None, categories=None), max_size=60)


def test_a_blank_is_found_whatever_its_spaces() -> None:
    assert blanks.list_blank_names("亲 {{ 称呼 }}，单号{{单号}}，{{称呼}}") == [
        "称呼",
        "单号",
    ]


def test_a_filled_value_is_never_scanned_again() -> None:
    filled = blanks.fill_blanks("{{甲}}{{乙}}", {"甲": "{{乙}}", "乙": "好"})
    assert filled == "{{乙}}好"


def test_an_unfilled_blank_stays_visible() -> None:
    assert blanks.fill_blanks("单号{{单号}}", {"单号": "  "}) == "单号〔单号〕"


def as_json(piece: blanks.BodyPiece) -> str | dict[str, Any]:
    """Return `piece` as static/console/blanks.js has it."""
    if not (blank := piece.blank):
        return piece.text
    return {
        "name": blank.name,
        "kind": blank.kind,
        "initial": blank.default,
        "choices": list(blank.choices),
        "optional": blank.is_optional,
    }


@pytest.mark.parametrize("case", BLANK_CASES, ids=lambda case: case["body"][:20])
def test_blanks_are_filled_as_the_table_says(case: dict[str, Any]) -> None:
    body, values = case["body"], case["values"]
    assert [as_json(piece) for piece in blanks.split_body(body)] == case["pieces"]
    assert blanks.fill_blanks(body, values) == case["filled"]
    assert blanks.list_missing_blanks(body, values) == case["missed"]


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ("单号{{单号", "「{{单号」的花括号没有成对。"),
        ("单号 单号}}", "「}}」前面少了 {{。"),
        ("{{}}", "「{{}}」里没有名称。"),
        ("{{{单号}}}", "「{{{单号}}}」多了花括号。"),
        ("｛｛单号｝｝", "「｛｛单号｝｝」请用半角的花括号 {{ }}。"),
        ("{{快递|顺丰}}", "「{{快递|顺丰}}」至少要有两个选项。"),
        ("{{快递|顺丰||中通}}", "「{{快递|顺丰||中通}}」有空着或重复的选项。"),
        ("{{快递=韵达|顺丰|中通}}", "「{{快递=韵达|顺丰|中通}}」默认值不在选项里。"),
        ("{{称呼=}}", "「{{称呼=}}」等号后面没有默认值。"),
        ("{{天数:数字}}", "「{{天数:数字}}」冒号后面只能写“日期”或“文字”。"),
        ("{{日期=明天}}", "「{{日期=明天}}」日期的默认值要写成 2026-01-31 这样。"),
        ("{{" + "长" * 31 + "}}", "名称太长，最多 30 个字。"),
    ],
)
def test_a_malformed_blank_is_named_with_the_reason(body: str, said: str) -> None:
    assert any(
        said in fault
        for fault in blanks.describe_blank_faults(f"亲，{{{{好}}}} {body}")
    )


@pytest.mark.parametrize("body", ["亲", "{{a}} {b} } {", "{{> 售后地址}}", "{{a?}}"])
def test_what_is_well_written_has_no_fault(body: str) -> None:
    assert blanks.describe_blank_faults(body) == []


@pytest.mark.parametrize(
    "body",
    ["{{}}", "{{ }}", "{{\t}}", "{{a|b}}", "{{\n}}", "{单号}", "{{" + "长" * 31 + "}}"],
)
def test_what_is_no_blank_is_plain_text(body: str) -> None:
    assert blanks.list_blank_names(body) == []


@given(ANY_TEXT)
def test_pieces_joined_are_the_body(body: str) -> None:
    assert "".join(piece.text for piece in blanks.split_body(body)) == body
