"""A file becomes a table: by its content, whatever its name promises."""

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
    """Return the table in `data`; `score` counts the headings that a row has.

    Raises ValidationError when the file cannot be understood for certain.
    """
    ending = PurePath(name).suffix.lower()
    _check_file_type(ending, data)
    if data.startswith(_ZIP_SIGNATURE):
        found, notes = xlsx_reader.read_xlsx_rows(data)
        return _build_table(name, iter(found), score, notes)
    if ending == ".xlsx":
        raise ValidationError("名字是 .xlsx，内容却不是 Excel 文件。")
    text, spelling = encodings.decode_file(data, encoding)
    rows, delimiter = csv_reader.read_csv_rows(text, score)
    return _build_table(name, rows, score, [f"编码 {spelling}，分隔符是{delimiter}"])


def _check_file_type(ending: str, data: bytes) -> None:
    """Refuse what is no table, each kind with its own sentence."""
    if len(data) > MAX_FILE_BYTES:
        raise ValidationError(f"文件超过 {MAX_FILE_BYTES >> 20} MB，请分成几个文件。")
    if not data.strip():
        raise ValidationError("文件是空的。")
    if data.startswith(_OLE_SIGNATURE):
        if ending == ".xlsx" or _ENCRYPTED_MARKER in data:
            raise ValidationError("文件有密码保护，请去掉密码再导入。")
        raise ValidationError("这是旧版 .xls 文件，请在 Excel 里另存为 .xlsx。")
    if ending not in ALLOWED_SUFFIXES:
        raise ValidationError("只能导入 CSV 和 XLSX 文件。")
    if data[:500].lstrip(b"\xef\xbb\xbf \t\r\n").lower().startswith(_MARKUP_STARTS):
        raise ValidationError("这是网页或 XML，不是表格，请另存为 CSV 或 XLSX。")


def _build_table(
    name: str, rows: Iterator[TableRow], score: HeadingScore, notes: list[str]
) -> Table:
    head = list(islice(rows, HEADER_SEARCH_ROWS))
    if not head:
        raise ValidationError("文件里没有内容。")
    at = _find_header(head, score)
    notes += [f"第 {row.number} 行像是标题，已跳过" for row in head[:at]]
    header, body = head[at], _collect_body(chain(head[at + 1 :], rows))
    if sum(1 for cell in header.cells if cell.strip()) > MAX_FILE_COLUMNS:
        raise ValidationError(f"超过 {MAX_FILE_COLUMNS} 列。")
    return Table(name, header, body, notes)


def _find_header(head: list[TableRow], score: HeadingScore) -> int:
    """Return which of the first rows is the header.

    Above it only rows with a single cell may stand: the title of a sheet.
    """
    scores = [score(row.cells) for row in head]
    at = scores.index(max(scores))
    above = (sum(1 for cell in row.cells if cell.strip()) for row in head[:at])
    return at if all(count == 1 for count in above) else 0


def _collect_body(rows: Iterable[TableRow]) -> list[TableRow]:
    body: list[TableRow] = []
    for row in rows:
        if is_blank_row(row.cells) and not row.flaws:
            continue
        if len(body) == MAX_FILE_ROWS:
            raise ValidationError(f"超过 {MAX_FILE_ROWS:,} 行，请分成几个文件。")
        body.append(row)
    return body
