"""Which row gets which external id: all are assigned in one step, none to two rows."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from django.db.models import Model

from kb.import_export.plan.row_kind import LOOKUP_BATCH_ROWS, ParsedRow
from kb.import_export.plan.row_matching import ExistingRow, RowMatcher

# A database row that will be written, and the row of the file that gives its number.
IdAssignment = tuple[Any, ParsedRow]


class ExternalIdAssigner:
    """Collects which database rows get and lose an external id, and settles conflicts.

    `vacating_ids` are rows that lose their number because they get another one or are
    replaced. `released_rows` own a number that goes to a row of the file, and are not
    in the file themselves.
    """

    def __init__(self, matcher: RowMatcher) -> None:
        self.matcher = matcher
        self.vacating_ids: set[int] = set()
        self.released_rows: dict[int, ExistingRow] = {}
        self.assignments: list[IdAssignment] = []

    def settle_assignments(self) -> None:
        """Decide which assignments are possible, once all rows are planned.

        A row that is not written keeps its number. The row that should get the number
        keeps its old one, or gets none; that may block a third row, and so on.
        """
        assignments, is_settled = self.assignments, False
        while not is_settled:
            blocked = [pair for pair in assignments if not self._can_take_id(*pair)]
            for row, parsed in blocked:
                self._keep_old_id(row, parsed)
            blocked_ids = {id(parsed) for _, parsed in blocked}
            assignments = [
                pair for pair in assignments if id(pair[1]) not in blocked_ids
            ]
            is_settled = not blocked

    def _can_take_id(self, row: Any, parsed: ParsedRow) -> bool:
        holder = self.matcher.rows_by_external_id.get((row.source, row.external_id))
        if holder is None or holder.pk == row.pk or holder.pk in self.vacating_ids:
            return True
        if holder.pk in self.matcher.claimed_rows:
            return False
        if holder.pk not in self.released_rows:
            self.released_rows[holder.pk] = holder
            parsed.notes.append(
                f"编号 {row.external_id} 原来是「{holder.text[:40]}」，"
                "它不在这个文件里，会失去编号"
            )
        return True

    def _keep_old_id(self, row: Any, parsed: ParsedRow) -> None:
        holder = self.matcher.rows_by_external_id[row.source, row.external_id]
        number = self.matcher.claimed_rows[holder.pk]
        parsed.notes.append(f"第 {number} 行没有导入，编号 {row.external_id} 仍归它")
        before = self.matcher.row_kind.old_values.get(id(row), {})
        row.source = before.get("source", row.source)
        row.external_id = before.get("external_id", "")
        self.vacating_ids.discard(row.pk)

    def free_external_ids(self) -> None:
        """Clear the numbers that change hands, in the transaction that assigns them."""
        model: type[Model] = self.matcher.row_kind.model
        ids = sorted(self.vacating_ids | self.released_rows.keys())
        for batch in _split_id_batches(ids):
            model._default_manager.filter(pk__in=batch).update(external_id="")


def _split_id_batches(ids: Sequence[int]) -> Iterator[Sequence[int]]:
    for start in range(0, len(ids), LOOKUP_BATCH_ROWS):
        yield ids[start : start + LOOKUP_BATCH_ROWS]
