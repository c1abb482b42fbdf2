"""A file becomes a table: by its content, whatever its name promises."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import chain, islice
from pathlib import PurePath

from django.core.exceptions import ValidationError

from kb.transfer import delimited, encodings, workbook
from kb.transfer.table import (
    HEAD,
    MAX_BYTES,
    MAX_COLUMNS,
    MAX_ROWS,
    Row,
    Score,
    Table,
    is_blank,
)

ENDINGS = {"", ".csv", ".tsv", ".txt", ".xlsx"}
_ZIP = b"PK"
_OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"  # .xls, and .xlsx with a password
_ENCRYPTED = "EncryptedPackage".encode("utf-16-le")
_MARKUP = (b"<!doctype", b"<html", b"<table", b"<?xml", b"<script", b"<svg")


def read(name: str, data: bytes, *, score: Score, encoding: str = "") -> Table:
    """Return the table in `data`; `score` counts the headings that a row has.

    Raises ValidationError when the file cannot be understood for certain.
    """
    ending = PurePath(name).suffix.lower()
    _check_kind(ending, data)
    if data.startswith(_ZIP):
        found, notes = workbook.rows(data)
        return _table(name, iter(found), score, notes)
    if ending == ".xlsx":
        raise ValidationError("名字是 .xlsx，内容却不是 Excel 文件。")
    text, spelling = encodings.decode(data, encoding)
    rows, delimiter = delimited.rows(text, score)
    return _table(name, rows, score, [f"编码 {spelling}，分隔符是{delimiter}"])


def _check_kind(ending: str, data: bytes) -> None:
    """Refuse what is no table, each kind with its own sentence."""
    if len(data) > MAX_BYTES:
        raise ValidationError(f"文件超过 {MAX_BYTES >> 20} MB，请分成几个文件。")
    if not data.strip():
        raise ValidationError("文件是空的。")
    if data.startswith(_OLE):
        if ending == ".xlsx" or _ENCRYPTED in data:
            raise ValidationError("文件有密码保护，请去掉密码再导入。")
        raise ValidationError("这是旧版 .xls 文件，请在 Excel 里另存为 .xlsx。")
    if ending not in ENDINGS:
        raise ValidationError("只能导入 CSV 和 XLSX 文件。")
    if data[:500].lstrip(b"\xef\xbb\xbf \t\r\n").lower().startswith(_MARKUP):
        raise ValidationError("这是网页或 XML，不是表格，请另存为 CSV 或 XLSX。")


def _table(name: str, rows: Iterator[Row], score: Score, notes: list[str]) -> Table:
    head = list(islice(rows, HEAD))
    if not head:
        raise ValidationError("文件里没有内容。")
    at = _header(head, score)
    notes += [f"第 {row.number} 行像是标题，已跳过" for row in head[:at]]
    header, body = head[at], _body(chain(head[at + 1 :], rows))
    if sum(1 for cell in header.cells if cell.strip()) > MAX_COLUMNS:
        raise ValidationError(f"超过 {MAX_COLUMNS} 列。")
    return Table(name, header, body, notes)


def _header(head: list[Row], score: Score) -> int:
    """Return which of the first rows is the header.

    Above it only rows with a single cell may stand: the title of a sheet.
    """
    scores = [score(row.cells) for row in head]
    at = scores.index(max(scores))
    above = (sum(1 for cell in row.cells if cell.strip()) for row in head[:at])
    return at if all(count == 1 for count in above) else 0


def _body(rows: Iterable[Row]) -> list[Row]:
    body: list[Row] = []
    for row in rows:
        if is_blank(row.cells) and not row.flaws:
            continue
        if len(body) == MAX_ROWS:
            raise ValidationError(f"超过 {MAX_ROWS:,} 行，请分成几个文件。")
        body.append(row)
    return body
