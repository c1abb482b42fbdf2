"""What an import would do, row by row, and the files that report it."""

from __future__ import annotations

import csv
import hashlib
import io
from collections import Counter
from collections.abc import Container, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property

from kb.import_export import cells
from kb.import_export.columns import REFUSAL_COLUMNS
from kb.import_export.plan.row_kind import RowKind
from kb.import_export.row_outcome import (
    WRITING_ACTIONS,
    PlannedRow,
    RowAction,
    RowConcern,
)
from kb.import_export.table import Table
from kb.models import ImportBatch

# Every summary counts these; the other actions only where there are any.
ALWAYS_COUNTED_ACTIONS = (
    RowAction.CREATE,
    RowAction.CHANGE,
    RowAction.SAME,
    RowAction.REFUSE,
)


@dataclass
class ImportPlan:
    """What happens to every row of a file; `apply_import` writes `row_kind`'s rows."""

    table: Table
    planned_rows: list[PlannedRow]
    notes: list[str]
    row_kind: RowKind
    batch: ImportBatch | None = None  # once it is written
    # What the plan is based on, whatever the user decides: rows, matches, versions.
    evidence: Sequence[object] = field(default_factory=list)

    @cached_property
    def fingerprint(self) -> str:
        """Return a digest of the file and of the database rows that it concerns.

        It changes when one of them is saved: then the preview is out of date.
        """
        digest = hashlib.sha256(repr(self.row_kind.options.source).encode())
        for row in (self.table.header, *self.table.rows):
            digest.update(repr((row.number, list(row.cells))).encode())
        digest.update(repr(list(self.evidence)).encode())
        return digest.hexdigest()

    @property
    def replaced_rows(self) -> list[PlannedRow]:
        return [row for row in self.planned_rows if row.concern is RowConcern.REPLACED]

    @property
    def duplicate_rows(self) -> list[PlannedRow]:
        return [row for row in self.planned_rows if row.concern is RowConcern.DUPLICATE]

    @property
    def live_rows(self) -> list[PlannedRow]:
        """Return the rows that change what is published."""
        return [
            row
            for row in self.planned_rows
            if row.is_live or row.concern is RowConcern.LIVE
        ]

    @property
    def skipped_rows(self) -> list[PlannedRow]:
        return [row for row in self.planned_rows if row.action is RowAction.SKIP]

    @property
    def refused_rows(self) -> list[PlannedRow]:
        return [row for row in self.planned_rows if row.action is RowAction.REFUSE]

    @property
    def written_row_count(self) -> int:
        counts = self.counts_by_action
        return sum(counts[action] for action in WRITING_ACTIONS)

    @property
    def counts_by_action(self) -> Counter[RowAction]:
        return Counter(row.action for row in self.planned_rows)

    @property
    def summary(self) -> str:
        counts = self.counts_by_action
        parts = "，".join(
            f"{action} {counts[action]:,} 行"
            for action in RowAction
            if action in ALWAYS_COUNTED_ACTIONS or counts[action]
        )
        return f"共 {len(self.planned_rows):,} 行：{parts}。"


def iter_refused_csv(plan: ImportPlan) -> Iterator[str]:
    """Yield, line by line, a CSV file of the rows that are not imported, and why.

    It begins with a byte order mark, contains no formula, and can be corrected and
    imported again.
    """
    headings = plan.table.header.cells
    dropped = {i for i, heading in enumerate(headings) if heading in REFUSAL_COLUMNS}
    yield "\ufeff" + _format_guarded_csv_line(
        [*REFUSAL_COLUMNS, *_drop_columns(headings, dropped)]
    )
    for row in plan.planned_rows:
        if row.action not in {RowAction.REFUSE, RowAction.SKIP}:
            continue
        number = str(row.row.number)
        yield _format_guarded_csv_line(
            [number, row.detail, *_drop_columns(row.row.cells, dropped)]
        )


def iter_plan_csv(plan: ImportPlan) -> Iterator[str]:
    """Yield a CSV file of what would happen to every row, and why."""
    yield "\ufeff" + _format_guarded_csv_line(
        ["行号", "结果", "内容", "修改的列、拒绝的原因或提醒"]
    )
    for row in plan.planned_rows:
        yield _format_guarded_csv_line(
            [str(row.row.number), row.action, row.title, row.detail]
        )


def _drop_columns(values: Sequence[str], dropped: Container[int]) -> list[str]:
    return [value for i, value in enumerate(values) if i not in dropped]


def _format_guarded_csv_line(values: Sequence[str]) -> str:
    text = io.StringIO()
    csv.writer(text).writerow(
        [cells.escape_formula(cells.unescape_formula(v)) for v in values]
    )
    return text.getvalue()
