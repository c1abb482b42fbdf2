"""What a file holds once it is read: a header and numbered rows of text."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace

# Limits of a file; see also kb.transfer.workbook.
MAX_FILE_BYTES = 10 * 1024 * 1024
MAX_FILE_ROWS = 20_000
MAX_FILE_COLUMNS = 60
MAX_CELL_CHARS = 131_072  # characters
HEADER_SEARCH_ROWS = 5  # rows among which the header must stand

HeadingScore = Callable[
    [Sequence[str]], int
]  # how many headings a row has that we know


@dataclass(frozen=True, slots=True)
class TableRow:
    """One row: its number in the file, its cells, and which cells are damaged."""

    number: int
    cells: Sequence[str]
    flaws: dict[int, str] = field(default_factory=dict)
    line_count: int = 1  # that it takes in the file


@dataclass(frozen=True, slots=True)
class Table:
    """A file's header and rows, and what its user should know of the reading."""

    name: str
    header: TableRow
    rows: list[TableRow]
    notes: list[str]
    source: str = ""  # of rows of which nobody says where they come from


def add_header_row(table: Table, heads: Sequence[str]) -> Table:
    """Return a table whose first row is no header, with `heads` above it."""
    return replace(
        table,
        header=TableRow(0, list(heads)),
        rows=[table.header, *table.rows],
        notes=[*table.notes, "文件没有表头，第一行也导入"],
    )


def is_blank_row(cells: Iterable[str]) -> bool:
    return not any(cell.strip() for cell in cells)
