"""Reading CSV: detects the delimiter, keeps line numbers, refuses unmatched quotes."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator

from django.core.exceptions import ValidationError

from kb.import_export.table import (
    HEADER_SEARCH_ROWS,
    HeadingScore,
    TableRow,
    is_blank_row,
)

DELIMITER_NAMES = {
    ",": "逗号",
    "\t": "制表符",
    ";": "分号",
    "|": "竖线",
    "，": "中文逗号",
}
_SEP_LINE = re.compile(r'\ufeff?"?sep=(.)"?[ \t,;]*(?:\r\n|\r|\n)', re.IGNORECASE)


def read_csv_rows(text: str, score: HeadingScore) -> tuple[Iterator[TableRow], str]:
    """Return the rows of `text`, read lazily, and the name of the delimiter.

    The delimiter is the one that yields the most known headings in the first lines.
    Reading raises ValidationError, with the line number, where quotes do not match.
    """
    text = text.removeprefix("\ufeff")
    if match := _SEP_LINE.match(text):
        delimiter, skipped_lines = match[1], 1
        text = text[match.end() :]
    else:
        delimiter, skipped_lines = _detect_delimiter(text, score), 0
    if delimiter in '"\\\r\n':
        raise ValidationError("第 1 行：sep= 指定的分隔符不能用。")
    name = DELIMITER_NAMES.get(delimiter, f"「{delimiter}」")
    return _iter_csv_rows(text, delimiter, skipped_lines), name


def _detect_delimiter(text: str, score: HeadingScore) -> str:
    beginning = io.StringIO(text[:100_000], newline=None).readlines()
    first_lines = [line for line in beginning if line.strip()][:HEADER_SEARCH_ROWS]

    def score_delimiter(delimiter: str) -> tuple[int, int]:
        """Return how many known headings and how many columns it yields."""
        lines = [line.rstrip("\n").split(delimiter) for line in first_lines]
        return max(map(score, lines), default=0), min(map(len, lines), default=0)

    return max(DELIMITER_NAMES, key=score_delimiter)


def _iter_csv_rows(text: str, delimiter: str, skipped_lines: int) -> Iterator[TableRow]:
    """Yield the rows that are not blank; `skipped_lines` were cut off before `text`."""
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    while True:
        line = skipped_lines + reader.line_num + 1
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            raise ValidationError(
                f"第 {line} 行：{_describe_csv_error(error)}"
            ) from None
        if not is_blank_row(cells):
            yield TableRow(
                line, cells, line_count=skipped_lines + reader.line_num - line + 1
            )


def _describe_csv_error(error: csv.Error) -> str:
    if "field limit" in str(error):
        return f"有单元格超过 {csv.field_size_limit():,} 个字符。"
    return "引号不成对，或引号后面有多余的字。"
