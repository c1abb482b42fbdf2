"""One cell: its text cleaned, escaped for spreadsheets, split, or read as a time."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta, timezone

from django.utils import timezone as clock

from kb.text.chinese import normalize

# What a spreadsheet would run as a formula, with or without our own apostrophe.
_FORMULA_START = re.compile(r"'*\s*[=+\-@＝＋－＠\t\r\n]")
_SCIENTIFIC_NUMBER = re.compile(r"[+-]?\d+(\.\d+)?e\+?\d+", re.IGNORECASE)
_DATE_TIME = re.compile(
    r"(?P<year>\d{4})\s*[-/.年]\s*(?P<month>\d{1,2})\s*[-/.月]\s*(?P<day>\d{1,2})\s*日?"
    r"(?:[T\s]*(?P<hour>\d{1,2})\s*[:时点]\s*(?P<minute>\d{1,2})"
    r"(?:\s*[:分]\s*(?P<second>\d{1,2})(?:\.(?P<part>\d{1,6})\d*)?)?\s*[分秒]?)?"
    r"\s*(?P<zone>Z|[+-]\d{2}:?\d{2})?",
    re.ASCII,
)
_COMPACT_DATE_TIME = re.compile(
    r"(?P<year>\d{4})(?P<month>\d\d)(?P<day>\d\d)"
    r"(?:T?(?P<hour>\d\d)(?P<minute>\d\d)(?P<second>\d\d)?)?(?P<zone>)(?P<part>)",
    re.ASCII,
)
# A time as Excel stores it: days since 1899-12-30, in local time.
_EXCEL_DAY_NUMBER = re.compile(r"\d{5}(\.\d+)?", re.ASCII)
_EXCEL_EPOCH = datetime(1899, 12, 30)  # noqa: DTZ001 - the zone is added on use
_MIN_YEAR = 1990  # an earlier year is a typing error

# What separates several values in one cell.
PHRASING_SEPARATORS = "\n;；|｜"
TAG_SEPARATORS = "\n;；|｜,，、"
SYNONYM_SEPARATORS = "\n;；|｜,，、=＝"
CATEGORY_PATH_SEPARATORS = "\n/／>＞›"  # between a category and its subcategory


def escape_formula(text: str) -> str:
    """Return `text` with an apostrophe before a formula; see `unescape_formula`."""
    return f"'{text}" if _FORMULA_START.match(text) else text


def unescape_formula(text: str) -> str:
    """Return `text` without the apostrophe that `escape_formula` adds."""
    is_escaped = text.startswith("'") and _FORMULA_START.match(text[1:])
    return text[1:] if is_escaped else text


def clean_cell(raw: str) -> str:
    """Return the text of a cell as it is stored: no invisible characters, `\\n` line ends."""
    return normalize_line_ends(normalize.clean_text(unescape_formula(raw))).strip()


def normalize_line_ends(text: str) -> str:
    """Return `text` with line feeds only."""
    return text.replace("\r\n", "\n").replace("\r", "\n")


def shorten_for_message(text: str, length: int = 40) -> str:
    """Return at most `length` characters of `text`, on one line, for a message."""
    shown = normalize.clean_single_line(text[: length * 4])
    return shown if len(shown) <= length else shown[: length - 1] + "…"


def is_scientific_number(text: str) -> bool:
    """Tell whether a spreadsheet has turned a long number into 1.23E+15."""
    return bool(_SCIENTIFIC_NUMBER.fullmatch(text))


def format_time_cell(when: datetime | None) -> str:
    """Return a time in the local zone, as `parse_time_cell` reads it; "" for None."""
    if when is None:
        return ""
    local = clock.localtime(when)
    return local.replace(tzinfo=None).isoformat(" ", "auto")


def parse_time_cell(text: str, *, future: bool = False) -> datetime:
    """Return the time written in `text`, in the site's zone unless it names another.

    Raises ValueError with a message for the user when there is no valid time, when it
    is before 1990, or, without `future`, more than a day ahead.
    """
    spelling = unicodedata.normalize("NFKC", text).strip()
    if _EXCEL_DAY_NUMBER.fullmatch(spelling):
        seconds = round(float(spelling) * 86_400)
        when = clock.make_aware(_EXCEL_EPOCH + timedelta(seconds=seconds))
    else:
        match = _DATE_TIME.fullmatch(spelling) or _COMPACT_DATE_TIME.fullmatch(spelling)
        if match is None:
            raise ValueError("看不懂这个时间，请写成 2024-01-05 或 2024-01-05 13:30")
        when = _build_time(match)
    if when.year < _MIN_YEAR or (not future and when > clock.now() + timedelta(days=1)):
        raise ValueError(f"时间应在 {_MIN_YEAR} 年以后，也不能在将来")
    return when


def _build_time(match: re.Match[str]) -> datetime:
    names = ("year", "month", "day", "hour", "minute", "second")
    parts = {name: int(match[name] or 0) for name in names}
    parts["microsecond"] = int(f"{match['part'] or '0':0<6}")
    try:
        when = datetime(**parts)  # type: ignore[arg-type]  # noqa: DTZ001
        return (
            when.replace(tzinfo=_parse_utc_offset(match["zone"]))
            if match["zone"]
            else clock.make_aware(when)
        )
    except (ValueError, OverflowError):
        raise ValueError("没有这样的日期或时间") from None


def _parse_utc_offset(spelling: str) -> timezone:
    if spelling == "Z":
        return UTC
    sign = -1 if spelling[0] == "-" else 1
    digits = spelling[1:].replace(":", "")
    return timezone(sign * timedelta(hours=int(digits[:2]), minutes=int(digits[2:])))


def split_cell(separators: str, text: str) -> list[str]:
    r"""Return the values in `text`, each on one line; `\` escapes a separator."""
    values, value, characters = [], "", iter(text)
    for character in characters:
        if character == "\\":
            escaped = next(characters, "")
            is_special = escaped and escaped in f"{separators}\\"
            value += escaped if is_special else character + escaped
        elif character in separators:
            values.append(value)
            value = ""
        else:
            value += character
    lines = (normalize.clean_single_line(value) for value in [*values, value])
    return [line for line in lines if line]


def join_cell(separators: str, values: Iterable[str], by: str = "\n") -> str:
    """Return the text of a cell that `split_cell` takes apart into `values`."""
    special = re.compile(f"[{re.escape(separators)}\\\\]")
    return by.join(special.sub(r"\\\g<0>", value) for value in values)
