"""Reading XLSX: checked as a zip archive, then parsed in a child process with limits."""

from __future__ import annotations

import io
import json
import os
import re
import subprocess
import sys
import zipfile
from bisect import bisect_left, bisect_right
from pathlib import Path
from typing import Any

from django.core.exceptions import ValidationError

from kb.import_export.table import (
    MAX_CELL_CHARS,
    MAX_FILE_COLUMNS,
    MAX_FILE_ROWS,
    TableRow,
)

MAX_UNZIPPED_BYTES = 50 * 1024 * 1024
MAX_COMPRESSION_RATIO = 100
MAX_ZIP_MEMBERS = 200
WORKER_TIMEOUT_SECONDS = 20
_MERGED_RANGE = re.compile(r"([A-Z]{1,3})(\d{1,7}):[A-Z]{1,3}(\d{1,7})")
_DAMAGED_MESSAGE = "不是完好的 Excel 文件，读不出内容。"


def read_xlsx_rows(data: bytes) -> tuple[list[TableRow], list[str]]:
    """Return the rows of the first visible sheet that are not blank, and notes.

    Raises ValidationError for files that are damaged, encrypted or too large.
    """
    _check_zip_limits(data)
    rows: list[TableRow] = []
    for kind, *rest in _run_worker(data):
        if kind == "error":
            raise ValidationError(rest[0])
        if kind == "end":
            facts = rest[0]
            return _fill_merged_ranges(rows, facts["merges"]), _describe_reading(facts)
        number, cells, flaws = rest
        rows.append(TableRow(number, cells, {int(k): v for k, v in flaws.items()}))
    raise ValidationError(_DAMAGED_MESSAGE)


def _check_zip_limits(data: bytes) -> None:
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            members = archive.infolist()
    except (zipfile.BadZipFile, ValueError, NotImplementedError, OSError):
        raise ValidationError(_DAMAGED_MESSAGE) from None
    if any(member.flag_bits & 1 for member in members):
        raise ValidationError("文件有密码保护，请去掉密码再导入。")
    unzipped = sum(member.file_size for member in members)
    if len(members) > MAX_ZIP_MEMBERS or unzipped > MAX_UNZIPPED_BYTES:
        raise ValidationError(
            "Excel 文件里的内容太大，请只保留要导入的工作表，或另存为 CSV。"
        )
    if unzipped > MAX_COMPRESSION_RATIO * len(data):
        raise ValidationError("Excel 文件的压缩比异常，请另存为 CSV 再导入。")


def _run_worker(data: bytes) -> list[list[Any]]:
    """Run xlsx_worker.py on `data`; return the messages it wrote."""
    script = str(Path(__file__).with_name("xlsx_worker.py"))
    limits = map(str, (MAX_FILE_ROWS, MAX_FILE_COLUMNS, MAX_CELL_CHARS))
    environment = {
        "PYTHONPATH": os.pathsep.join(filter(None, sys.path)),
        "OPENPYXL_DEFUSEDXML": "True",
        "OPENPYXL_LXML": "False",
    }
    try:
        result = subprocess.run(  # noqa: S603 - our own script, no shell
            [sys.executable, "-P", script, *limits],
            input=data,
            capture_output=True,
            check=False,
            timeout=WORKER_TIMEOUT_SECONDS,
            env=environment,
        )
    except subprocess.TimeoutExpired:
        raise ValidationError(
            f"{WORKER_TIMEOUT_SECONDS} 秒没有读完，请另存为 CSV 再导入。"
        ) from None
    lines = result.stdout.decode("ascii", "replace").splitlines()
    try:
        return [json.loads(line) for line in lines]
    except ValueError:  # the child was killed in the middle of a line
        raise ValidationError(_DAMAGED_MESSAGE) from None


def _fill_merged_ranges(rows: list[TableRow], merges: list[str]) -> list[TableRow]:
    """Fill cells that are merged downwards with the value of the topmost."""
    numbers = [row.number for row in rows]
    for match in filter(None, map(_MERGED_RANGE.fullmatch, merges)):
        column = _parse_column_letters(match[1])
        top, bottom = int(match[2]), int(match[3])
        start, end = bisect_left(numbers, top), bisect_right(numbers, bottom)
        if start == end or numbers[start] != top or column >= len(rows[start].cells):
            continue
        for row in rows[start + 1 : end]:
            _fill_cell(row, column, rows[start].cells[column])
    return rows


def _fill_cell(row: TableRow, column: int, text: str) -> None:
    cells = row.cells
    assert isinstance(cells, list)  # noqa: S101 - made by json.loads
    cells += [""] * (column + 1 - len(cells))
    cells[column] = cells[column] or text


def _parse_column_letters(letters: str) -> int:
    """Return the index of a column: A is 0, AA is 26."""
    column = 0
    for letter in letters:
        column = column * 26 + ord(letter) - ord("A") + 1
    return column - 1


def _describe_reading(facts: dict[str, Any]) -> list[str]:
    """Return notes on what of the workbook was read, and how."""
    notes = [f"读取工作表「{facts['sheet']}」"]
    if facts["others"]:
        notes.append(f"另有 {facts['others']} 个工作表没有读")
    if facts["merges"]:
        notes.append("有合并单元格，按左上角的内容填到下面各行")
    if facts["hidden"]:
        notes.append(f"有 {facts['hidden']} 个隐藏行，也会导入")
    if facts["gap"]:
        notes.append(f"第 {facts['gap']} 行以后有大片空白，再往后没有读")
    return notes
