"""Source and external id change hands in one step, so that no two rows share a number."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from django.db.models import Model

from kb.import_export.plan.planner import LOOKUP_BATCH_ROWS, ParsedRow
from kb.import_export.plan.row_matching import ExistingRow, RowMatcher

IdAssignment = tuple[
    Any, ParsedRow
]  # a row of the database to be written, and its row in the file


class ExternalIdAssigner:
    """Who gets which number of a file, and who gives one up.

    `vacating` are the ids of rows that lose their number by what is written; the
    owners of a number that are not in the file any more are `released`.
    """

    def __init__(self, matcher: RowMatcher) -> None:
        self.matcher = matcher
        self.vacating_ids: set[int] = set()
        self.released_rows: dict[int, ExistingRow] = {}
        self.assignments: list[IdAssignment] = []

    def settle_assignments(self) -> None:
        """Decide, once it is known which rows are written.

        A row that is not written keeps its number. Who was to get it stays with the
        number of before, or gets none; that may concern a third row, and so on.
        """
        waiting, is_settled = self.assignments, False
        while not is_settled:
            stuck = [one for one in waiting if not self._can_take_id(*one)]
            for row, wish in stuck:
                self._keep_old_id(row, wish)
            left = {id(wish) for _, wish in stuck}
            waiting = [one for one in waiting if id(one[1]) not in left]
            is_settled = not stuck

    def _can_take_id(self, row: Any, wish: ParsedRow) -> bool:
        held = self.matcher.rows_by_external_id.get((row.source, row.external_id))
        if held is None or held.pk == row.pk or held.pk in self.vacating_ids:
            return True
        if held.pk in self.matcher.claimed_rows:
            return False
        if held.pk not in self.released_rows:
            self.released_rows[held.pk] = held
            wish.notes.append(
                f"编号 {row.external_id} 原来是「{held.text[:40]}」，"
                "它不在这个文件里，会失去编号"
            )
        return True

    def _keep_old_id(self, row: Any, wish: ParsedRow) -> None:
        other = self.matcher.claimed_rows[
            self.matcher.rows_by_external_id[row.source, row.external_id].pk
        ]
        wish.notes.append(f"第 {other} 行没有导入，编号 {row.external_id} 仍归它")
        old = self.matcher.row_kind.old_values.get(id(row), {})
        row.source = old.get("source", row.source)
        row.external_id = old.get("external_id", "")
        self.vacating_ids.discard(row.pk)

    def free_external_ids(self) -> None:
        """Free the numbers in the database, in the transaction that gives them anew."""
        model: type[Model] = self.matcher.row_kind.model
        ids = sorted(self.vacating_ids | self.released_rows.keys())
        for some in _split_id_batches(ids):
            model._default_manager.filter(pk__in=some).update(external_id="")


def _split_id_batches(ids: Sequence[int]) -> Iterable[Sequence[int]]:
    for start in range(0, len(ids), LOOKUP_BATCH_ROWS):
        yield ids[start : start + LOOKUP_BATCH_ROWS]
