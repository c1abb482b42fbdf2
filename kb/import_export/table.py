"""The content of a file once it is read: a header and numbered rows of text."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace

# Limits of one file. `read.xlsx_worker` has those of memory and CPU time.
MAX_FILE_BYTES = 10 * 1024 * 1024
MAX_FILE_ROWS = 20_000
MAX_FILE_COLUMNS = 60
MAX_CELL_CHARS = 131_072
HEADER_SEARCH_ROWS = 5  # the header is one of the first rows

# Returns how many cells of a row are known headings.
HeadingScore = Callable[[Sequence[str]], int]


@dataclass(frozen=True, slots=True)
class TableRow:
    """One row: its number in the file, its cells, and {cell index: why it is damaged}."""

    number: int
    cells: Sequence[str]
    flaws: dict[int, str] = field(default_factory=dict)
    line_count: int = 1  # lines of the file that it takes


@dataclass(frozen=True, slots=True)
class Table:
    """A file's header and rows; `notes` tell the user how the file was read."""

    name: str
    header: TableRow
    rows: list[TableRow]
    notes: list[str]
    source: str = ""  # default source of the rows, for exports of other tools


def add_header_row(table: Table, headings: Sequence[str]) -> Table:
    """Return `table` with `headings` as header; its first row becomes data."""
    return replace(
        table,
        header=TableRow(0, list(headings)),
        rows=[table.header, *table.rows],
        notes=[*table.notes, "文件没有表头，第一行也导入"],
    )


def is_blank_row(cells: Iterable[str]) -> bool:
    return not any(cell.strip() for cell in cells)
