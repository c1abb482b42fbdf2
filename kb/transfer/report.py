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

from kb.models import Entry, Import
from kb.transfer import cells
from kb.transfer.table import Row, Table

OWN = ("行号", "原因")  # the columns that a file of refused rows adds


def sentence(name: str, error: ValidationError) -> str:
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


class Action(StrEnum):
    CREATE = "新建"
    CHANGE = "修改"
    SAME = "不变"
    REFUSE = "拒绝"
    REPLACE = "替换"
    MERGE = "并入"
    SKIP = "跳过"


# What every summary counts; the others only where there are any.
COUNTED = (Action.CREATE, Action.CHANGE, Action.SAME, Action.REFUSE)
WRITING = (Action.CREATE, Action.CHANGE, Action.REPLACE, Action.MERGE)


class Concern(StrEnum):
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
    text: str
    status: str = ""
    score: float = 0.0
    number: str = ""

    @property
    def is_exact(self) -> bool:
        return self.score >= 1

    @property
    def percent(self) -> int:
        return round(self.score * 100)

    @property
    def label(self) -> str:
        """Return the status as people read it."""
        return str(Entry.Status(self.status).label)


@dataclass(frozen=True, slots=True)
class Reason:
    """Why a row is refused: its column, what is wrong, and the value."""

    column: str
    text: str
    value: str = ""

    def __str__(self) -> str:
        value = f"「{self.value}」" if self.value else ""
        return f"{self.column}{value}：{self.text}"


@dataclass(frozen=True, slots=True)
class Step:
    """What happens to one row; `columns` are those that change.

    `notes` say what is done otherwise than the file wants it.
    """

    row: Row
    action: Action
    title: str
    columns: Sequence[str] = ()
    reasons: Sequence[Reason] = ()
    notes: Sequence[str] = ()
    concern: Concern | None = None
    related: RelatedEntry | None = None
    choice: str = ""  # what was chosen for a duplicate
    is_live: bool = False  # whether readers get what it writes at once

    @property
    def detail(self) -> str:
        if self.reasons:
            return "；".join(map(str, self.reasons))
        return "；".join(filter(None, ["、".join(self.columns), *self.notes]))

    def __str__(self) -> str:
        detail = f"（{self.detail}）" if self.detail else ""
        return f"第 {self.row.number} 行　{self.action}　{self.title}{detail}"


@dataclass
class Plan:
    """All steps of an import, and the work that `apply` will write."""

    table: Table
    steps: list[Step]
    notes: list[str]
    work: Any  # of the kind's own module
    batch: Import | None = None  # once it is carried out
    # What the plan was based on, whatever was chosen: rows, matches, versions.
    evidence: Sequence[object] = field(default_factory=list)

    @cached_property
    def fingerprint(self) -> str:
        """Return a digest of the file and of the rows of the database that it meets.

        It changes when somebody saves one of them: then the preview is stale.
        """
        digest = hashlib.sha256(repr(self.work.options.source).encode())
        for row in (self.table.header, *self.table.rows):
            digest.update(repr((row.number, list(row.cells))).encode())
        digest.update(repr(list(self.evidence)).encode())
        return digest.hexdigest()

    @property
    def replaced(self) -> list[Step]:
        return [step for step in self.steps if step.concern is Concern.REPLACED]

    @property
    def duplicates(self) -> list[Step]:
        return [step for step in self.steps if step.concern is Concern.DUPLICATE]

    @property
    def live(self) -> list[Step]:
        """Rows that change what is published."""
        return [
            step for step in self.steps if step.is_live or step.concern is Concern.LIVE
        ]

    @property
    def skipped(self) -> list[Step]:
        return [step for step in self.steps if step.action is Action.SKIP]

    @property
    def refused(self) -> list[Step]:
        return [step for step in self.steps if step.action is Action.REFUSE]

    @property
    def writes(self) -> int:
        counts = self.counts
        return sum(counts[action] for action in WRITING)

    @property
    def counts(self) -> Counter[Action]:
        return Counter(step.action for step in self.steps)

    @property
    def summary(self) -> str:
        counts = self.counts
        parts = "，".join(
            f"{action} {counts[action]:,} 行"
            for action in Action
            if action in COUNTED or counts[action]
        )
        return f"共 {len(self.steps):,} 行：{parts}。"


def rejects(plan: Plan) -> Iterator[str]:
    """Yield a CSV file of the rows that are not imported, and why, part by part.

    It begins with a byte order mark, holds no formula, and can be mended and
    imported again.
    """
    heads = plan.table.header.cells
    ours = {place for place, head in enumerate(heads) if head in OWN}
    yield "\ufeff" + _line([*OWN, *_without(heads, ours)])
    for step in plan.steps:
        if step.action not in {Action.REFUSE, Action.SKIP}:
            continue
        number = str(step.row.number)
        yield _line([number, step.detail, *_without(step.row.cells, ours)])


def report(plan: Plan) -> Iterator[str]:
    """Yield a CSV file of what would happen to every row, and why."""
    yield "\ufeff" + _line(["行号", "结果", "内容", "修改的列、拒绝的原因或提醒"])
    for step in plan.steps:
        yield _line([str(step.row.number), step.action, step.title, step.detail])


def _without(values: Sequence[str], places: Container[int]) -> list[str]:
    return [value for place, value in enumerate(values) if place not in places]


def _line(values: Sequence[str]) -> str:
    text = io.StringIO()
    csv.writer(text).writerow([cells.guard(cells.unguard(v)) for v in values])
    return text.getvalue()
