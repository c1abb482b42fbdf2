"""An export in files that an import takes back: one, or an archive of several."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterable, Iterator, Sequence

from django.core.exceptions import ValidationError

from kb.transfer.leaving import Export
from kb.transfer.table import MAX_BYTES, MAX_ROWS
from kb.transfer.writing import csv_lines, write_workbook

BYTES = MAX_BYTES * 95 // 100  # of a part as CSV: counted row by row, not exactly
AROUND = 4  # bytes around a cell: a comma, quotes, an apostrophe
Rows = Sequence[Sequence[str]]


def parts(rows: Iterable[Sequence[str]], most: int = MAX_ROWS) -> Iterator[Rows]:
    """Yield rows, as many at a time as one import takes; none where there are none."""
    part: list[Sequence[str]] = []
    size = 0
    for row in rows:
        more = sum(len(cell.encode()) + cell.count('"') + AROUND for cell in row)
        if part and (len(part) == most or size + more > BYTES):
            yield part
            part, size = [], 0
        part.append(row)
        size += more
    if part:
        yield part


def bundle(
    made: Export, heads: Sequence[str], form: str
) -> tuple[str, Iterator[bytes]]:
    """Return the ending of a file, and its bytes while they are made.

    `form` is "csv" or "xlsx"; what one import does not take becomes a "zip" of
    several. Raises ValidationError where one workbook cannot hold a text.
    """
    several = parts(made.lines())
    first = next(several, ())
    second = next(several, None)
    if second is None:
        return form, iter([_file(made, heads, form, first)])
    return "zip", _zipped(made, heads, form, _chained(first, second, several))


def _chained(first: Rows, second: Rows, rest: Iterator[Rows]) -> Iterator[Rows]:
    yield first
    yield second
    yield from rest


def _file(made: Export, heads: Sequence[str], form: str, rows: Rows) -> bytes:
    if form == "csv":
        return "".join(csv_lines(heads, rows)).encode()
    file = io.BytesIO()
    write_workbook(heads, rows, file, made.label)
    return file.getvalue()


class _Stream(io.RawIOBase):
    """Holds what an archive has written until somebody fetches it."""

    def __init__(self) -> None:
        super().__init__()
        self.held = bytearray()

    def writable(self) -> bool:
        return True

    def write(self, data: bytes) -> int:  # type: ignore[override]
        self.held += data
        return len(data)

    def fetched(self) -> bytes:
        held, self.held = bytes(self.held), bytearray()
        return held


def _zipped(
    made: Export, heads: Sequence[str], form: str, several: Iterable[Rows]
) -> Iterator[bytes]:
    """Yield an archive part by part; what Excel cannot hold is CSV in it."""
    stream = _Stream()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        for number, rows in enumerate(several, 1):
            ending = form
            try:
                file = _file(made, heads, form, rows)
            except ValidationError:
                file, ending = _file(made, heads, "csv", rows), "csv"
            archive.writestr(f"{made.label}-{number}.{ending}", file)
            yield stream.fetched()
    yield stream.fetched()
