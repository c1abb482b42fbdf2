"""Reads a workbook on stdin and writes its rows to stdout, in a process with limits.

This script imports nothing of the site. Each line of the output is a JSON list:
["row", number, cells, flaws], ["error", message], and at the end ["end", facts].
Its arguments are the limits: rows, columns and characters of a cell.
"""

from __future__ import annotations

import io
import json
import math
import re
import resource
import sys
import warnings
from collections.abc import Iterator
from datetime import date, datetime, time
from typing import Any, NoReturn

sys.modules["numpy"] = None  # type: ignore[assignment]  # not needed, and slow to load

import openpyxl  # noqa: E402
from openpyxl.worksheet._read_only import ReadOnlyWorksheet  # noqa: E402
from openpyxl.worksheet._reader import FORMULA_TAG, VALUE_TAG, WorkSheetParser  # noqa: E402

MAX_MEMORY_BYTES = 400 * 1024 * 1024  # of address space
MAX_CPU_SECONDS = 15
# Of all cells together: a single shared string may be repeated in every cell.
MAX_TEXT_CHARS = 12_000_000
MAX_BLANK_ROWS = 20_000  # after so many blank rows the rest is not read
MAX_MERGED_RANGES = 2000
MAX_EXACT_NUMBER = 10**15  # spreadsheets store 15 significant digits
_CHARACTER_ESCAPE = re.compile(r"_x([0-9A-Fa-f]{4})_")

SheetRow = tuple[int, list[str], dict[int, str]]  # number, cells, {index: flaw}


class SheetParser(WorkSheetParser):
    """Openpyxl's parser of a sheet, which reports damaged cells as error cells."""

    def parse_cell(self, element: Any) -> Any:
        try:
            cell = super().parse_cell(element)
        except (ValueError, IndexError, OverflowError):
            return self._make_error_cell(element)
        # A negative index of a shared string is an error, but Python would accept it.
        if element.get("t") == "s" and (element.findtext(VALUE_TAG) or "0")[0] == "-":
            return self._make_error_cell(element)
        if cell["value"] is None and element.find(FORMULA_TAG) is not None:
            cell["data_type"] = "f"
        return cell

    def _make_error_cell(self, element: Any) -> dict[str, Any]:
        value = (element.findtext(VALUE_TAG) or "?")[:40]
        row, column = self.row_counter, self.col_counter
        return {"row": row, "column": column, "value": value, "data_type": "e"}


def main() -> None:
    set_resource_limit(resource.RLIMIT_CPU, MAX_CPU_SECONDS)
    set_resource_limit(resource.RLIMIT_AS, MAX_MEMORY_BYTES)
    warnings.simplefilter("ignore")
    if not openpyxl.DEFUSEDXML:
        exit_with_error("服务器缺少 defusedxml，不能读 Excel 文件。")
    try:
        _read_workbook(*map(int, sys.argv[1:4]))
    except MemoryError:
        exit_with_error("工作表太大，读取时内存不够。请另存为 CSV 再导入。")
    except Exception:  # noqa: BLE001 - openpyxl raises anything on a damaged file
        exit_with_error("不是完好的 Excel 文件，读不出内容。")


def set_resource_limit(limit: int, value: int) -> None:
    """Set a limit of this process, RLIMIT_…, no higher than the hard limit."""
    _, hard = resource.getrlimit(limit)
    value = value if hard == resource.RLIM_INFINITY else min(value, hard)
    resource.setrlimit(limit, (value, value))


def exit_with_error(text: str) -> NoReturn:
    write_message("error", text)
    sys.stdout.flush()
    sys.exit(1)


def write_message(*message: Any) -> None:
    sys.stdout.write(json.dumps(message) + "\n")


def _read_workbook(max_rows: int, max_columns: int, max_cell: int) -> None:
    # Otherwise openpyxl reads a sheet without stated dimensions twice.
    ReadOnlyWorksheet._get_size = lambda sheet: None  # type: ignore[attr-defined]
    data = io.BytesIO(sys.stdin.buffer.read())
    book: Any = openpyxl.load_workbook(
        data, read_only=True, data_only=True, keep_links=False
    )
    visible = [sheet for sheet in book.worksheets if sheet.sheet_state == "visible"]
    if not visible:
        exit_with_error("没有可见的工作表。")
    sheet: Any = visible[0]
    with sheet._get_source() as source:
        parser = SheetParser(
            source,
            sheet._shared_strings,
            data_only=True,
            epoch=book.epoch,
            date_formats=book._date_formats,
            timedelta_formats=book._timedelta_formats,
        )
        gap = _write_rows(parser, max_rows, max_columns, max_cell)
        facts = {"sheet": sheet.title, "others": len(visible) - 1, "gap": gap}
        write_message("end", facts | _describe_hidden_parts(parser))


def _write_rows(
    parser: SheetParser, max_rows: int, max_columns: int, max_cell: int
) -> int:
    """Write the rows that are not blank; return the row before a long gap, or 0."""
    rows = characters = blank = last = 0
    for number, cells, flaws in _iter_sheet_rows(parser, max_columns):
        if not cells:
            blank += 1
            if blank >= MAX_BLANK_ROWS:
                return last
            continue
        rows, blank, last = rows + 1, 0, number
        characters += sum(map(len, cells))
        if rows > max_rows + 5:  # the header, and what may stand above it
            exit_with_error(f"超过 {max_rows:,} 行，请分成几个文件。")
        if characters > MAX_TEXT_CHARS:
            exit_with_error(f"文字超过 {MAX_TEXT_CHARS:,} 个字符，请分成几个文件。")
        if max(map(len, cells)) > max_cell:
            exit_with_error(f"第 {number} 行：有单元格超过 {max_cell:,} 个字符。")
        write_message("row", number, cells, flaws)
    return 0


def _iter_sheet_rows(parser: SheetParser, max_columns: int) -> Iterator[SheetRow]:
    """Yield (number, cells, flaws) of every row; a blank one has no cells."""
    for number, raw in parser.parse():
        cells: list[str] = []
        flaws: dict[int, str] = {}
        for cell in raw:
            text, flaw = _format_cell(cell["value"], cell["data_type"])
            if not text.strip() and not flaw:
                continue
            column = cell["column"] - 1
            if column >= max_columns:
                exit_with_error(f"第 {number} 行：内容超过 {max_columns} 列。")
            cells += [""] * (column + 1 - len(cells))
            cells[column] = text
            if flaw:
                flaws[column] = flaw
        yield number, cells, flaws


def _format_cell(value: Any, kind: str) -> tuple[str, str]:
    """Return the text of a cell, and why it is damaged, or ""."""
    if kind == "f":
        return "", "公式没有算好的结果，请在 Excel 里打开并保存一次"
    if kind == "e":
        return str(value), "单元格是错误值"
    if isinstance(value, int | float) and not isinstance(value, bool):
        return _format_number(value)
    return _format_plain_value(value), ""


def _format_plain_value(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(value).upper()
    if isinstance(value, date | time):
        return _format_date(value)
    return _CHARACTER_ESCAPE.sub(lambda match: chr(int(match[1], 16)), str(value))


def _format_number(value: float) -> tuple[str, str]:
    if not math.isfinite(value):
        return str(value), "数字太大"
    if abs(value) >= MAX_EXACT_NUMBER:
        return f"{value:.6G}", "超过 15 位的数字已被 Excel 改动，请把这一列设为文本"
    return (str(int(value)) if value == int(value) else f"{value:.15g}"), ""


def _format_date(value: date | time) -> str:
    if isinstance(value, datetime) and value.time() == time():
        value = value.date()
    return value.isoformat(" ") if isinstance(value, datetime) else value.isoformat()


def _describe_hidden_parts(parser: SheetParser) -> dict[str, Any]:
    """Return the number of hidden rows and the merged ranges of a sheet."""
    hidden = sum(
        attributes.get("hidden") in {"1", "true"}
        for attributes in parser.row_dimensions.values()
    )
    merged: Any = parser.merged_cells
    references = [cell.ref for cell in merged.mergeCell] if merged else []
    return {"hidden": hidden, "merges": references[:MAX_MERGED_RANGES]}


if __name__ == "__main__":
    main()
