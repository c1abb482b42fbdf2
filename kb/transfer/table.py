"""What a file holds once it is read: a header and numbered rows of text."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field

# Limits of a file; see also kb.transfer.workbook.
MAX_BYTES = 10 * 1024 * 1024
MAX_ROWS = 20_000
MAX_COLUMNS = 60
MAX_CELL = 131_072  # characters
HEAD = 5  # rows among which the header must stand

Score = Callable[[Sequence[str]], int]  # how many headings a row has that we know


@dataclass(frozen=True, slots=True)
class Row:
    """One row: its number in the file, its cells, and which cells are damaged."""

    number: int
    cells: Sequence[str]
    flaws: dict[int, str] = field(default_factory=dict)
    lines: int = 1  # that it takes in the file


@dataclass(frozen=True, slots=True)
class Table:
    """A file's header and rows, and what its user should know of the reading."""

    name: str
    header: Row
    rows: list[Row]
    notes: list[str]


def is_blank(cells: Iterable[str]) -> bool:
    return not any(cell.strip() for cell in cells)
