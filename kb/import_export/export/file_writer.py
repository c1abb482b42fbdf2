"""Rows become a file that no spreadsheet runs: CSV as it is read, or a workbook."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Iterator, Sequence
from typing import IO, Any

from django.core.exceptions import ValidationError
from openpyxl import Workbook
from openpyxl.cell import WriteOnlyCell

from kb.import_export import cells

UTF8_BOM = "\ufeff"  # by which Excel knows UTF-8
MAX_EXCEL_CELL_CHARS = 32_767  # characters that a cell of Excel holds
_ESCAPE_LOOKALIKE = re.compile("_(?=x[0-9A-Fa-f]{4}_)")
_NONCHARACTERS = re.compile("[\ufffe\uffff]")


def iter_csv_lines(
    heads: Sequence[str], rows: Iterable[Sequence[str]]
) -> Iterator[str]:
    """Yield a CSV file line by line; no cell of it is a formula."""
    yield UTF8_BOM + _format_csv_line(heads)
    for row in rows:
        yield _format_csv_line([cells.escape_formula(cell) for cell in row])


def write_workbook(
    heads: Sequence[str], rows: Iterable[Sequence[str]], file: IO[bytes], title: str
) -> int:
    """Write a workbook whose cells are all text; return how many rows it has.

    Raises ValidationError where a text is longer than a cell can hold.
    """
    book = Workbook(write_only=True)
    sheet: Any = book.create_sheet(title)
    sheet.append([_make_text_cell(sheet, head) for head in heads])
    number = 1
    try:
        for number, row in enumerate(rows, 2):
            _check_cell_lengths(number, heads, row)
            sheet.append(
                [_make_text_cell(sheet, cell) if cell else None for cell in row]
            )
    except ValidationError:
        sheet.close()
        raise
    book.save(file)
    return number - 1


def _check_cell_lengths(number: int, heads: Sequence[str], row: Sequence[str]) -> None:
    for head, cell in zip(heads, row, strict=True):
        if len(cell) > MAX_EXCEL_CELL_CHARS:
            raise ValidationError(
                f"第 {number} 行「{head}」超过 {MAX_EXCEL_CELL_CHARS:,} 个字，Excel 存不下，"
                "请导出 CSV。"
            )


def _make_text_cell(sheet: Any, text: str) -> Any:
    """Return a cell that is a string, whatever it begins with."""
    escaped = _ESCAPE_LOOKALIKE.sub("_x005F_", cells.escape_formula(text))
    said = _NONCHARACTERS.sub(lambda found: f"_x{ord(found[0]):04X}_", escaped)
    cell: Any = WriteOnlyCell(sheet, said)
    cell.data_type = "s"
    return cell


def _format_csv_line(values: Sequence[str]) -> str:
    text = io.StringIO()
    csv.writer(text).writerow(values)
    return text.getvalue()
