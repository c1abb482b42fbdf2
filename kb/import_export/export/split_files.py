"""An export as files that one import each can read: a single file, or an archive."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain, groupby

from django.core.exceptions import ValidationError

from kb.import_export.export.export_rows import ExportKind
from kb.import_export.export.file_writer import iter_csv_lines, write_workbook
from kb.import_export.table import MAX_FILE_BYTES, MAX_FILE_ROWS

# Of a part as CSV. The size is estimated row by row, so some room is left.
MAX_PART_BYTES = MAX_FILE_BYTES * 95 // 100
CELL_OVERHEAD_BYTES = 4  # around a cell: a comma, two quotes, an apostrophe
ExportRows = Sequence[Sequence[str]]


def split_rows(
    export: ExportKind, max_rows: int = MAX_FILE_ROWS
) -> Iterator[ExportRows]:
    """Yield the rows of an export in parts of at most `max_rows` that one import reads.

    A group of rows stays in one part even if it has more than `max_rows`, unless it is
    too large for an import.
    """
    part: list[Sequence[str]] = []
    part_bytes = 0
    for group in _iter_groups(export):
        sizes = [_estimate_row_bytes(row) for row in group]
        is_full = (
            len(part) + len(group) > max_rows
            or part_bytes + sum(sizes) > MAX_PART_BYTES
        )
        if part and is_full:
            yield part
            part, part_bytes = [], 0
        for row, row_bytes in zip(group, sizes, strict=True):
            if part and (
                len(part) >= MAX_FILE_ROWS or part_bytes + row_bytes > MAX_PART_BYTES
            ):
                yield part
                part, part_bytes = [], 0
            part.append(row)
            part_bytes += row_bytes
    if part:
        yield part


def _iter_groups(export: ExportKind) -> Iterator[ExportRows]:
    if not export.group_field:
        yield from ([row] for row in export.iter_lines())
        return
    index = export.fields.index(export.group_field)
    for _, group in groupby(export.iter_lines(), key=lambda row: row[index]):
        yield list(group)


def _estimate_row_bytes(row: Sequence[str]) -> int:
    return sum(
        len(cell.encode()) + cell.count('"') + CELL_OVERHEAD_BYTES for cell in row
    )


def build_export_file(
    export: ExportKind, headings: Sequence[str], file_format: str
) -> tuple[str, Iterator[bytes]]:
    """Return the suffix of a file, and its bytes, made while they are read.

    `file_format` is "csv" or "xlsx"; more than one import can read becomes a "zip" of
    several. Raises ValidationError when a single workbook cannot hold a text.
    """
    parts = split_rows(export)
    first = next(parts, ())
    second = next(parts, None)
    if second is None:
        file = _build_part_file(export, headings, file_format, first)
        return file_format, iter([file])
    all_parts = chain([first, second], parts)
    return "zip", _iter_archive(export, headings, file_format, all_parts)


def _build_part_file(
    export: ExportKind, headings: Sequence[str], file_format: str, rows: ExportRows
) -> bytes:
    if file_format == "csv":
        return "".join(iter_csv_lines(headings, rows)).encode()
    file = io.BytesIO()
    write_workbook(headings, rows, file, export.label)
    return file.getvalue()


class _ArchiveBuffer(io.RawIOBase):
    """Collects what an archive writes until `take_bytes` removes it."""

    def __init__(self) -> None:
        super().__init__()
        self.pending_bytes = bytearray()

    def writable(self) -> bool:
        return True

    def write(self, data: bytes) -> int:  # type: ignore[override]
        self.pending_bytes += data
        return len(data)

    def take_bytes(self) -> bytes:
        data, self.pending_bytes = bytes(self.pending_bytes), bytearray()
        return data


def _iter_archive(
    export: ExportKind,
    headings: Sequence[str],
    file_format: str,
    parts: Iterable[ExportRows],
) -> Iterator[bytes]:
    """Yield an archive piece by piece; a part that Excel cannot hold is CSV in it."""
    buffer = _ArchiveBuffer()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for number, rows in enumerate(parts, 1):
            suffix = file_format
            try:
                file = _build_part_file(export, headings, suffix, rows)
            except ValidationError:
                suffix = "csv"
                file = _build_part_file(export, headings, suffix, rows)
            archive.writestr(f"{export.label}-{number}.{suffix}", file)
            yield buffer.take_bytes()
    yield buffer.take_bytes()
