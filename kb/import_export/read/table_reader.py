"""Reading a file into a table; its content decides the format, not its name."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import chain, islice
from pathlib import PurePath

from django.core.exceptions import ValidationError

from kb.import_export.read import csv_reader, encodings, xlsx_reader
from kb.import_export.table import (
    HEADER_SEARCH_ROWS,
    MAX_FILE_BYTES,
    MAX_FILE_COLUMNS,
    MAX_FILE_ROWS,
    HeadingScore,
    Table,
    TableRow,
    is_blank_row,
)

ALLOWED_SUFFIXES = {"", ".csv", ".tsv", ".txt", ".xlsx"}
_ZIP_SIGNATURE = b"PK"
_OLE_SIGNATURE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"  # .xls, and .xlsx with a password
_ENCRYPTED_MARKER = "EncryptedPackage".encode("utf-16-le")
_MARKUP_STARTS = (b"<!doctype", b"<html", b"<table", b"<?xml", b"<script", b"<svg")


def read_table(
    name: str, data: bytes, *, score: HeadingScore, encoding: str = ""
) -> Table:
    """Return the table in `data`; `score` counts the known headings of a row.

    Raises ValidationError when the file cannot be read without guessing.
    """
    suffix = PurePath(name).suffix.lower()
    _check_file_type(suffix, data)
    if data.startswith(_ZIP_SIGNATURE):
        xlsx_rows, notes = xlsx_reader.read_xlsx_rows(data)
        return _build_table(name, iter(xlsx_rows), score, notes)
    if suffix == ".xlsx":
        raise ValidationError("名字是 .xlsx，内容却不是 Excel 文件。")
    text, encoding_name = encodings.decode_file(data, encoding)
    rows, delimiter = csv_reader.read_csv_rows(text, score)
    notes = [f"编码 {encoding_name}，分隔符是{delimiter}"]
    return _build_table(name, rows, score, notes)


def _check_file_type(suffix: str, data: bytes) -> None:
    """Raise ValidationError for files that are no table, with a message for each kind."""
    if len(data) > MAX_FILE_BYTES:
        raise ValidationError(f"文件超过 {MAX_FILE_BYTES >> 20} MB，请分成几个文件。")
    if not data.strip():
        raise ValidationError("文件是空的。")
    if data.startswith(_OLE_SIGNATURE):
        if suffix == ".xlsx" or _ENCRYPTED_MARKER in data:
            raise ValidationError("文件有密码保护，请去掉密码再导入。")
        raise ValidationError("这是旧版 .xls 文件，请在 Excel 里另存为 .xlsx。")
    if suffix not in ALLOWED_SUFFIXES:
        raise ValidationError("只能导入 CSV 和 XLSX 文件。")
    if data[:500].lstrip(b"\xef\xbb\xbf \t\r\n").lower().startswith(_MARKUP_STARTS):
        raise ValidationError("这是网页或 XML，不是表格，请另存为 CSV 或 XLSX。")


def _build_table(
    name: str, rows: Iterator[TableRow], score: HeadingScore, notes: list[str]
) -> Table:
    first_rows = list(islice(rows, HEADER_SEARCH_ROWS))
    if not first_rows:
        raise ValidationError("文件里没有内容。")
    i = _find_header(first_rows, score)
    notes += [f"第 {row.number} 行像是标题，已跳过" for row in first_rows[:i]]
    header, body = first_rows[i], _collect_body(chain(first_rows[i + 1 :], rows))
    if sum(1 for cell in header.cells if cell.strip()) > MAX_FILE_COLUMNS:
        raise ValidationError(f"超过 {MAX_FILE_COLUMNS} 列。")
    return Table(name, header, body, notes)


def _find_header(rows: list[TableRow], score: HeadingScore) -> int:
    """Return the index of the header among the first rows.

    Only rows with a single cell, such as the title of a sheet, may precede it.
    """
    scores = [score(row.cells) for row in rows]
    i = scores.index(max(scores))
    cell_counts = (sum(1 for cell in row.cells if cell.strip()) for row in rows[:i])
    return i if all(count == 1 for count in cell_counts) else 0


def _collect_body(rows: Iterable[TableRow]) -> list[TableRow]:
    body: list[TableRow] = []
    for row in rows:
        if is_blank_row(row.cells) and not row.flaws:
            continue
        if len(body) == MAX_FILE_ROWS:
            raise ValidationError(f"超过 {MAX_FILE_ROWS:,} 行，请分成几个文件。")
        body.append(row)
    return body
