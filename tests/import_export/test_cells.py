"""Cells are cleaned, unescaped and parsed, or refused with a reason."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kb import import_export
from kb.import_export import cells
from kb.models import Entry
from tests.importing import HEAD, actions, load, plan

pytestmark = pytest.mark.django_db
TABLES = Path(__file__).parent.parent / "bad_inputs" / "tables"


# Cells -------------------------------------------------------------------------


@given(st.text())
def test_guarding_a_formula_loses_nothing(text: str) -> None:
    guarded = cells.escape_formula(text)
    assert cells.unescape_formula(guarded) == text
    assert not guarded.lstrip(" \u3000").startswith(tuple("=+-@＝＋－＠\t\r\n"))


def test_a_guarded_formula_is_the_text_it_protects() -> None:
    load(HEAD + "'=1+1,'@SUM(1)\n'引用',\"' -5\"\n")
    pairs = set(Entry.objects.values_list("question", "answer"))
    assert pairs == {("=1+1", "@SUM(1)"), ("'引用'", "-5")}


def test_invisible_characters_are_not_stored() -> None:
    made = plan(HEAD + '退\0货\u200b \u3000怎么办,"  a\r\nb\x07  "\n\u200b,c\n')
    assert actions(made) == ["CREATE", "REFUSE"]
    assert "不能为空" in made.planned_rows[1].detail
    import_export.apply_import(made, by=None, skip_bad=True)
    entry = Entry.objects.get()
    assert (entry.question, entry.answer) == ("退货 怎么办", "a\nb")


def test_damaged_characters_are_refused() -> None:
    assert "有损坏的字符" in plan(HEAD + "退\ufffd货,可以\n").planned_rows[0].detail


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2024-01-05", datetime(2024, 1, 4, 16, tzinfo=UTC)),
        ("2024/1/5 9:30", datetime(2024, 1, 5, 1, 30, tzinfo=UTC)),
        ("2024.1.5", datetime(2024, 1, 4, 16, tzinfo=UTC)),
        ("２０２４年１月５日　９时３０分", datetime(2024, 1, 5, 1, 30, tzinfo=UTC)),
        ("20240105", datetime(2024, 1, 4, 16, tzinfo=UTC)),
        ("2024-01-05T09:30:15Z", datetime(2024, 1, 5, 9, 30, 15, tzinfo=UTC)),
        (  # an export writes the moment whole, and reads it again
            "2024-01-05 09:30:15.123+08:00",
            datetime(2024, 1, 5, 1, 30, 15, 123_000, tzinfo=UTC),
        ),
        ("45296", datetime(2024, 1, 4, 16, tzinfo=UTC)),
        ("45296.5", datetime(2024, 1, 5, 4, tzinfo=UTC)),
    ],
)
def test_a_time_is_understood_in_shanghai(text: str, expected: datetime) -> None:
    assert cells.parse_time_cell(text) == expected


@pytest.mark.parametrize(
    "text",
    "1月5日 0000-00-00 2024-13-45 2024-02-30 昨天 1/5/2024 99999 1899-01-01"
    " 2999-01-01 2024-01-05T25:00 45296.5.1 ９９９９９９９９".split(),
)
def test_a_time_that_is_none_is_refused_never_guessed(text: str) -> None:
    with pytest.raises(ValueError, match=r"时间|日期"):
        cells.parse_time_cell(text)
