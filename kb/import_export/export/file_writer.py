"""Writing rows to CSV or XLSX, with no cell that a spreadsheet runs as a formula."""

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

UTF8_BOM = "\ufeff"  # without it, Excel does not read UTF-8
MAX_EXCEL_CELL_CHARS = 32_767  # a limit of Excel
_ESCAPE_LOOKALIKE = re.compile("_(?=x[0-9A-Fa-f]{4}_)")
_NONCHARACTERS = re.compile("[\ufffe\uffff]")


def iter_csv_lines(
    headings: Sequence[str], rows: Iterable[Sequence[str]]
) -> Iterator[str]:
    """Yield the lines of a CSV file with formulas escaped."""
    yield UTF8_BOM + _format_csv_line(headings)
    for row in rows:
        yield _format_csv_line([cells.escape_formula(cell) for cell in row])


def write_workbook(
    headings: Sequence[str], rows: Iterable[Sequence[str]], file: IO[bytes], title: str
) -> int:
    """Write a workbook of text cells; return how many rows it has below the header.

    Raises ValidationError when a text is too long for a cell.
    """
    book = Workbook(write_only=True)
    sheet: Any = book.create_sheet(title)
    sheet.append([_make_text_cell(sheet, heading) for heading in headings])
    number = 1
    try:
        for number, row in enumerate(rows, 2):
            _check_cell_lengths(number, headings, row)
            sheet.append(
                [_make_text_cell(sheet, cell) if cell else None for cell in row]
            )
    except ValidationError:
        sheet.close()
        raise
    book.save(file)
    return number - 1


def _check_cell_lengths(
    number: int, headings: Sequence[str], row: Sequence[str]
) -> None:
    for heading, cell in zip(headings, row, strict=True):
        if len(cell) > MAX_EXCEL_CELL_CHARS:
            raise ValidationError(
                f"第 {number} 行「{heading}」超过 {MAX_EXCEL_CELL_CHARS:,} 个字，Excel 存不下，"
                "请导出 CSV。"
            )


def _make_text_cell(sheet: Any, text: str) -> Any:
    """Return a cell of type string, escaped as the file format asks for."""
    escaped = _ESCAPE_LOOKALIKE.sub("_x005F_", cells.escape_formula(text))
    value = _NONCHARACTERS.sub(lambda match: f"_x{ord(match[0]):04X}_", escaped)
    cell: Any = WriteOnlyCell(sheet, value)
    cell.data_type = "s"
    return cell


def _format_csv_line(values: Sequence[str]) -> str:
    text = io.StringIO()
    csv.writer(text).writerow(values)
    return text.getvalue()
