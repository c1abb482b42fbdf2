"""An export in files that an import takes back: one, or an archive of several."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterable, Iterator, Sequence

from django.core.exceptions import ValidationError

from kb.import_export.export.export_rows import ExportKind
from kb.import_export.export.file_writer import iter_csv_lines, write_workbook
from kb.import_export.table import MAX_FILE_BYTES, MAX_FILE_ROWS

MAX_PART_BYTES = (
    MAX_FILE_BYTES * 95 // 100
)  # of a part as CSV: counted row by row, not exactly
CELL_OVERHEAD_BYTES = 4  # bytes around a cell: a comma, quotes, an apostrophe
ExportRows = Sequence[Sequence[str]]


def split_rows(
    rows: Iterable[Sequence[str]], most: int = MAX_FILE_ROWS
) -> Iterator[ExportRows]:
    """Yield rows, as many at a time as one import takes; none where there are none."""
    part: list[Sequence[str]] = []
    size = 0
    for row in rows:
        more = sum(
            len(cell.encode()) + cell.count('"') + CELL_OVERHEAD_BYTES for cell in row
        )
        if part and (len(part) == most or size + more > MAX_PART_BYTES):
            yield part
            part, size = [], 0
        part.append(row)
        size += more
    if part:
        yield part


def build_export_file(
    made: ExportKind, heads: Sequence[str], form: str
) -> tuple[str, Iterator[bytes]]:
    """Return the ending of a file, and its bytes while they are made.

    `form` is "csv" or "xlsx"; what one import does not take becomes a "zip" of
    several. Raises ValidationError where one workbook cannot hold a text.
    """
    several = split_rows(made.iter_lines())
    first = next(several, ())
    second = next(several, None)
    if second is None:
        return form, iter([_build_part_file(made, heads, form, first)])
    return "zip", _iter_archive(made, heads, form, _chain_parts(first, second, several))


def _chain_parts(
    first: ExportRows, second: ExportRows, rest: Iterator[ExportRows]
) -> Iterator[ExportRows]:
    yield first
    yield second
    yield from rest


def _build_part_file(
    made: ExportKind, heads: Sequence[str], form: str, rows: ExportRows
) -> bytes:
    if form == "csv":
        return "".join(iter_csv_lines(heads, rows)).encode()
    file = io.BytesIO()
    write_workbook(heads, rows, file, made.label)
    return file.getvalue()


class _ArchiveBuffer(io.RawIOBase):
    """Holds what an archive has written until somebody fetches it."""

    def __init__(self) -> None:
        super().__init__()
        self.pending_bytes = bytearray()

    def writable(self) -> bool:
        return True

    def write(self, data: bytes) -> int:  # type: ignore[override]
        self.pending_bytes += data
        return len(data)

    def take_bytes(self) -> bytes:
        held, self.pending_bytes = bytes(self.pending_bytes), bytearray()
        return held


def _iter_archive(
    made: ExportKind, heads: Sequence[str], form: str, several: Iterable[ExportRows]
) -> Iterator[bytes]:
    """Yield an archive part by part; what Excel cannot hold is CSV in it."""
    stream = _ArchiveBuffer()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        for number, rows in enumerate(several, 1):
            ending = form
            try:
                file = _build_part_file(made, heads, form, rows)
            except ValidationError:
                file, ending = _build_part_file(made, heads, "csv", rows), "csv"
            archive.writestr(f"{made.label}-{number}.{ending}", file)
            yield stream.take_bytes()
    yield stream.take_bytes()
