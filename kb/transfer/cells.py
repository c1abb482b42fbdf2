"""One cell: made clean, guarded against spreadsheets, or understood as a date."""

from __future__ import annotations

import re
import unicodedata
from datetime import UTC, datetime, timedelta, timezone

from django.utils import timezone as clock

from kb.text import normalize

# What a spreadsheet would take for a formula, and what we have guarded already.
_FORMULA = re.compile(r"'*\s*[=+\-@＝＋－＠\t\r\n]")
_SCIENTIFIC = re.compile(r"[+-]?\d+(\.\d+)?e\+?\d+", re.IGNORECASE)
_MOMENT = re.compile(
    r"(?P<year>\d{4})\s*[-/.年]\s*(?P<month>\d{1,2})\s*[-/.月]\s*(?P<day>\d{1,2})\s*日?"
    r"(?:[T\s]*(?P<hour>\d{1,2})\s*[:时点]\s*(?P<minute>\d{1,2})"
    r"(?:\s*[:分]\s*(?P<second>\d{1,2})(?:\.(?P<part>\d{1,6})\d*)?)?\s*[分秒]?)?"
    r"\s*(?P<zone>Z|[+-]\d{2}:?\d{2})?",
    re.ASCII,
)
_COMPACT = re.compile(
    r"(?P<year>\d{4})(?P<month>\d\d)(?P<day>\d\d)"
    r"(?:T?(?P<hour>\d\d)(?P<minute>\d\d)(?P<second>\d\d)?)?(?P<zone>)(?P<part>)",
    re.ASCII,
)
_SERIAL = re.compile(r"\d{5}(\.\d+)?", re.ASCII)  # days as Excel counts them
_EXCEL_ZERO = datetime(1899, 12, 30)  # noqa: DTZ001 - local time, zone set by its user
_OLDEST = 1990  # an older year is a slip of the pen


def guard(text: str) -> str:
    """Return `text` so that no spreadsheet runs it; `unguard` takes it back."""
    return f"'{text}" if _FORMULA.match(text) else text


def unguard(text: str) -> str:
    """Return `text` without the apostrophe that `guard` puts before a formula."""
    guarded = text.startswith("'") and _FORMULA.match(text[1:])
    return text[1:] if guarded else text


def clean(raw: str) -> str:
    """Return the text of a cell as we store it: visible, one kind of line end."""
    return unify(normalize.clean(unguard(raw))).strip()


def unify(text: str) -> str:
    """Return `text` with line feeds only."""
    return text.replace("\r\n", "\n").replace("\r", "\n")


def brief(text: str, length: int = 40) -> str:
    """Return the beginning of `text` on one line, fit for a message."""
    shown = normalize.line(text[: length * 4])
    return shown if len(shown) <= length else shown[: length - 1] + "…"


def is_scientific(text: str) -> bool:
    """Tell whether a spreadsheet has turned a long number into 1.23E+15."""
    return bool(_SCIENTIFIC.fullmatch(text))


def told(when: datetime | None) -> str:
    """Return a time as `moment` reads it, exactly; nothing for none."""
    if when is None:
        return ""
    local = clock.localtime(when)
    return local.replace(tzinfo=None).isoformat(" ", "auto")


def moment(text: str, *, future: bool = False) -> datetime:
    """Return the time that `text` names, Shanghai time unless it says otherwise.

    Raises ValueError with a sentence when it names none, or one that cannot be.
    """
    spelling = unicodedata.normalize("NFKC", text).strip()
    if _SERIAL.fullmatch(spelling):
        seconds = round(float(spelling) * 86_400)
        when = clock.make_aware(_EXCEL_ZERO + timedelta(seconds=seconds))
    else:
        match = _MOMENT.fullmatch(spelling) or _COMPACT.fullmatch(spelling)
        if match is None:
            raise ValueError("看不懂这个时间，请写成 2024-01-05 或 2024-01-05 13:30")
        when = _composed(match)
    if when.year < _OLDEST or (not future and when > clock.now() + timedelta(days=1)):
        raise ValueError(f"时间应在 {_OLDEST} 年以后，也不能在将来")
    return when


def _composed(match: re.Match[str]) -> datetime:
    names = ("year", "month", "day", "hour", "minute", "second")
    parts = {name: int(match[name] or 0) for name in names}
    parts["microsecond"] = int(f"{match['part'] or '0':0<6}")
    try:
        when = datetime(**parts)  # type: ignore[arg-type]  # noqa: DTZ001
        return (
            when.replace(tzinfo=_zone(match["zone"])) if match["zone"] else _local(when)
        )
    except (ValueError, OverflowError):
        raise ValueError("没有这样的日期或时间") from None


def _local(when: datetime) -> datetime:
    return clock.make_aware(when)


def _zone(spelling: str) -> timezone:
    if spelling == "Z":
        return UTC
    sign = -1 if spelling[0] == "-" else 1
    digits = spelling[1:].replace(":", "")
    return timezone(sign * timedelta(hours=int(digits[:2]), minutes=int(digits[2:])))
