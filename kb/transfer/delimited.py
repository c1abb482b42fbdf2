"""CSV and its relatives: every row with its line number, no row swallowed."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator

from django.core.exceptions import ValidationError

from kb.transfer.table import HEAD, Row, Score, is_blank

DELIMITERS = {",": "逗号", "\t": "制表符", ";": "分号", "|": "竖线", "，": "中文逗号"}
_TOLD = re.compile(r'\ufeff?"?sep=(.)"?[ \t,;]*(?:\r\n|\r|\n)', re.IGNORECASE)


def rows(text: str, score: Score) -> tuple[Iterator[Row], str]:
    """Return the rows of `text`, read lazily, and the name of the delimiter.

    The delimiter is what makes the most headings out of one of the first lines.
    Reading raises ValidationError, with the line, where quotes do not match.
    """
    text = text.removeprefix("\ufeff")
    if told := _TOLD.match(text):
        delimiter, lines = told[1], 1
        text = text[told.end() :]
    else:
        delimiter, lines = _delimiter(text, score), 0
    if delimiter in '"\\\r\n':
        raise ValidationError("第 1 行：sep= 指定的分隔符不能用。")
    name = DELIMITERS.get(delimiter, f"「{delimiter}」")
    return _rows(text, delimiter, lines), name


def _delimiter(text: str, score: Score) -> str:
    beginning = io.StringIO(text[:100_000], newline=None).readlines()
    head = [line for line in beginning if line.strip()][:HEAD]

    def fit(delimiter: str) -> tuple[int, int]:
        """How many headings it makes, or else how many columns all lines have."""
        lines = [line.rstrip("\n").split(delimiter) for line in head]
        return max(map(score, lines), default=0), min(map(len, lines), default=0)

    return max(DELIMITERS, key=fit)


def _rows(text: str, delimiter: str, before: int) -> Iterator[Row]:
    """Yield the rows that are not blank; `before` lines came before `text`."""
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    while True:
        line = before + reader.line_num + 1
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            raise ValidationError(f"第 {line} 行：{_meaning(error)}") from None
        if not is_blank(cells):
            yield Row(line, cells, lines=before + reader.line_num - line + 1)


def _meaning(error: csv.Error) -> str:
    if "field limit" in str(error):
        return f"有单元格超过 {csv.field_size_limit():,} 个字符。"
    return "引号不成对，或引号后面有多余的字。"
