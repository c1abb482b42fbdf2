"""What an import would do, row by row, in words."""

from __future__ import annotations

import csv
import hashlib
import io
from collections import Counter
from collections.abc import Container, Iterator, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cached_property
from typing import Any

from django.core.exceptions import ValidationError

from kb.import_export import cells
from kb.import_export.table import Table, TableRow
from kb.models import Entry, ImportBatch

REFUSAL_COLUMNS = ("行号", "原因")  # the columns that a file of refused rows adds


def describe_column_error(name: str, error: ValidationError) -> str:
    """Return what is wrong with a column, as we say it rather than Django."""
    told = []
    for one in getattr(error, "error_list", [error]):
        params = one.params or {}
        if one.code == "max_length":
            limit, length = params["limit_value"], params["show_value"]
            told.append(f"最长 {limit:,} 个字，这里有 {length:,} 个")
        elif one.code in {"blank", "null"}:
            told.append("不能为空")
        elif (name, one.code) == ("slug", "invalid"):
            told.append("只能用文字、数字、- 和 _")
        else:
            told += one.messages
    return "".join(told).rstrip("。")


class RowAction(StrEnum):
    CREATE = "新建"
    CHANGE = "修改"
    SAME = "不变"
    REFUSE = "拒绝"
    REPLACE = "替换"
    MERGE = "并入"
    SKIP = "跳过"


# What every summary counts; the others only where there are any.
ALWAYS_COUNTED_ACTIONS = (
    RowAction.CREATE,
    RowAction.CHANGE,
    RowAction.SAME,
    RowAction.REFUSE,
)
WRITING_ACTIONS = (
    RowAction.CREATE,
    RowAction.CHANGE,
    RowAction.REPLACE,
    RowAction.MERGE,
)


class RowConcern(StrEnum):
    """Why a person should decide about a row before it is written."""

    REPLACED = "换成了另一个问题"
    DUPLICATE = "库里已有几乎相同的问题"
    LIVE = "已发布，修改马上生效"


@dataclass(frozen=True, slots=True)
class RelatedEntry:
    """The row of the database that a concern is about.

    `number` is its external id, `score` how similar the row of the file is.
    """

    pk: int
    question: str
    status: str = ""
    similarity: float = 0.0
    external_id: str = ""

    @property
    def is_exact(self) -> bool:
        return self.similarity >= 1

    @property
    def similarity_percent(self) -> int:
        return round(self.similarity * 100)

    @property
    def status_label(self) -> str:
        """Return the status as people read it."""
        return str(Entry.Status(self.status).label)


@dataclass(frozen=True, slots=True)
class RefusalReason:
    """Why a row is refused: its column, what is wrong, and the value."""

    column: str
    text: str
    value: str = ""

    def __str__(self) -> str:
        value = f"「{self.value}」" if self.value else ""
        return f"{self.column}{value}：{self.text}"


@dataclass(frozen=True, slots=True)
class PlannedRow:
    """What happens to one row; `columns` are those that change.

    `notes` say what is done otherwise than the file wants it.
    """

    row: TableRow
    action: RowAction
    title: str
    changed_columns: Sequence[str] = ()
    reasons: Sequence[RefusalReason] = ()
    notes: Sequence[str] = ()
    concern: RowConcern | None = None
    related_entry: RelatedEntry | None = None
    duplicate_action: str = ""  # what was chosen for a duplicate
    is_live: bool = False  # whether readers get what it writes at once

    @property
    def detail(self) -> str:
        if self.reasons:
            return "；".join(map(str, self.reasons))
        return "；".join(filter(None, ["、".join(self.changed_columns), *self.notes]))

    def __str__(self) -> str:
        detail = f"（{self.detail}）" if self.detail else ""
        return f"第 {self.row.number} 行　{self.action}　{self.title}{detail}"


@dataclass
class ImportPlan:
    """All steps of an import, and the work that `apply` will write."""

    table: Table
    planned_rows: list[PlannedRow]
    notes: list[str]
    row_kind: Any  # of the kind's own module
    batch: ImportBatch | None = None  # once it is carried out
    # What the plan was based on, whatever was chosen: rows, matches, versions.
    evidence: Sequence[object] = field(default_factory=list)

    @cached_property
    def fingerprint(self) -> str:
        """Return a digest of the file and of the rows of the database that it meets.

        It changes when somebody saves one of them: then the preview is stale.
        """
        digest = hashlib.sha256(repr(self.row_kind.options.source).encode())
        for row in (self.table.header, *self.table.rows):
            digest.update(repr((row.number, list(row.cells))).encode())
        digest.update(repr(list(self.evidence)).encode())
        return digest.hexdigest()

    @property
    def replaced_rows(self) -> list[PlannedRow]:
        return [
            step for step in self.planned_rows if step.concern is RowConcern.REPLACED
        ]

    @property
    def duplicate_rows(self) -> list[PlannedRow]:
        return [
            step for step in self.planned_rows if step.concern is RowConcern.DUPLICATE
        ]

    @property
    def live_rows(self) -> list[PlannedRow]:
        """Rows that change what is published."""
        return [
            step
            for step in self.planned_rows
            if step.is_live or step.concern is RowConcern.LIVE
        ]

    @property
    def skipped_rows(self) -> list[PlannedRow]:
        return [step for step in self.planned_rows if step.action is RowAction.SKIP]

    @property
    def refused_rows(self) -> list[PlannedRow]:
        return [step for step in self.planned_rows if step.action is RowAction.REFUSE]

    @property
    def written_row_count(self) -> int:
        counts = self.counts_by_action
        return sum(counts[action] for action in WRITING_ACTIONS)

    @property
    def counts_by_action(self) -> Counter[RowAction]:
        return Counter(step.action for step in self.planned_rows)

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
    """Yield a CSV file of the rows that are not imported, and why, part by part.

    It begins with a byte order mark, holds no formula, and can be mended and
    imported again.
    """
    heads = plan.table.header.cells
    ours = {place for place, head in enumerate(heads) if head in REFUSAL_COLUMNS}
    yield "\ufeff" + _format_guarded_csv_line(
        [*REFUSAL_COLUMNS, *_drop_columns(heads, ours)]
    )
    for step in plan.planned_rows:
        if step.action not in {RowAction.REFUSE, RowAction.SKIP}:
            continue
        number = str(step.row.number)
        yield _format_guarded_csv_line(
            [number, step.detail, *_drop_columns(step.row.cells, ours)]
        )


def iter_plan_csv(plan: ImportPlan) -> Iterator[str]:
    """Yield a CSV file of what would happen to every row, and why."""
    yield "\ufeff" + _format_guarded_csv_line(
        ["行号", "结果", "内容", "修改的列、拒绝的原因或提醒"]
    )
    for step in plan.planned_rows:
        yield _format_guarded_csv_line(
            [str(step.row.number), step.action, step.title, step.detail]
        )


def _drop_columns(values: Sequence[str], places: Container[int]) -> list[str]:
    return [value for place, value in enumerate(values) if place not in places]


def _format_guarded_csv_line(values: Sequence[str]) -> str:
    text = io.StringIO()
    csv.writer(text).writerow(
        [cells.escape_formula(cells.unescape_formula(v)) for v in values]
    )
    return text.getvalue()
