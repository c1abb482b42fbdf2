"""What becomes of one row of a file: its action, and the reasons and notes to show."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from django.core.exceptions import ValidationError

from kb.import_export.table import TableRow
from kb.models import Entry


class RowAction(StrEnum):
    """What is done with a row; the value is shown to the user."""

    CREATE = "新建"
    CHANGE = "修改"
    SAME = "不变"
    REFUSE = "拒绝"
    REPLACE = "替换"
    MERGE = "并入"
    SKIP = "跳过"


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
    """The database row that a concern is about.

    `similarity` (0 to 1) compares its question with that of the row of the file.
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
        """Return the status in the words of the pages."""
        return str(Entry.Status(self.status).label)


@dataclass(frozen=True, slots=True)
class RefusalReason:
    """Why a row is refused: the column, what is wrong, and the value there."""

    column: str
    text: str
    value: str = ""

    def __str__(self) -> str:
        value = f"「{self.value}」" if self.value else ""
        return f"{self.column}{value}：{self.text}"


@dataclass(frozen=True, slots=True)
class PlannedRow:
    """What happens to one row of the file.

    `notes` tell the user what is done differently from what the row asks for.
    """

    row: TableRow
    action: RowAction
    title: str
    changed_columns: Sequence[str] = ()
    reasons: Sequence[RefusalReason] = ()
    notes: Sequence[str] = ()
    concern: RowConcern | None = None
    related_entry: RelatedEntry | None = None
    duplicate_action: str = ""  # one of DUPLICATE_ACTIONS, for a duplicate
    is_live: bool = False  # whether readers see what it writes at once

    @property
    def detail(self) -> str:
        """Return why the row is refused, or else what changes, with the notes."""
        if self.reasons:
            return "；".join(map(str, self.reasons))
        return "；".join(filter(None, ["、".join(self.changed_columns), *self.notes]))

    def __str__(self) -> str:
        detail = f"（{self.detail}）" if self.detail else ""
        return f"第 {self.row.number} 行　{self.action}　{self.title}{detail}"


def describe_column_error(name: str, error: ValidationError) -> str:
    """Return what is wrong with the column `name`, in wording shorter than Django's."""
    messages = []
    for single_error in getattr(error, "error_list", [error]):
        params = single_error.params or {}
        if single_error.code == "max_length":
            limit, length = params["limit_value"], params["show_value"]
            messages.append(f"最长 {limit:,} 个字，这里有 {length:,} 个")
        elif single_error.code in {"blank", "null"}:
            messages.append("不能为空")
        elif (name, single_error.code) == ("slug", "invalid"):
            messages.append("只能用文字、数字、- 和 _")
        else:
            messages += single_error.messages
    return "".join(messages).rstrip("。")
