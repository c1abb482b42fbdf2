"""Source and external id change hands in one step, so that no two rows share a number."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from django.db.models import Model

from kb.transfer.matching import Held, Matcher
from kb.transfer.planning import BATCH, Wish

Taking = tuple[
    Any, Wish
]  # a row of the database to be written, and its row in the file


class Numbering:
    """Who gets which number of a file, and who gives one up.

    `vacating` are the ids of rows that lose their number by what is written; the
    owners of a number that are not in the file any more are `released`.
    """

    def __init__(self, matcher: Matcher) -> None:
        self.matcher = matcher
        self.vacating: set[int] = set()
        self.released: dict[int, Held] = {}
        self.taking: list[Taking] = []

    def settle(self) -> None:
        """Decide, once it is known which rows are written.

        A row that is not written keeps its number. Who was to get it stays with the
        number of before, or gets none; that may concern a third row, and so on.
        """
        waiting, is_settled = self.taking, False
        while not is_settled:
            stuck = [one for one in waiting if not self._can_take(*one)]
            for row, wish in stuck:
                self._keep_number(row, wish)
            left = {id(wish) for _, wish in stuck}
            waiting = [one for one in waiting if id(one[1]) not in left]
            is_settled = not stuck

    def _can_take(self, row: Any, wish: Wish) -> bool:
        held = self.matcher.holders.get((row.source, row.external_id))
        if held is None or held.pk == row.pk or held.pk in self.vacating:
            return True
        if held.pk in self.matcher.claimed:
            return False
        if held.pk not in self.released:
            self.released[held.pk] = held
            wish.notes.append(
                f"编号 {row.external_id} 原来是「{held.text[:40]}」，"
                "它不在这个文件里，会失去编号"
            )
        return True

    def _keep_number(self, row: Any, wish: Wish) -> None:
        other = self.matcher.claimed[
            self.matcher.holders[row.source, row.external_id].pk
        ]
        wish.notes.append(f"第 {other} 行没有导入，编号 {row.external_id} 仍归它")
        old = self.matcher.kind.old.get(id(row), {})
        row.source = old.get("source", row.source)
        row.external_id = old.get("external_id", "")
        self.vacating.discard(row.pk)

    def vacate(self) -> None:
        """Free the numbers in the database, in the transaction that gives them anew."""
        model: type[Model] = self.matcher.kind.model
        ids = sorted(self.vacating | self.released.keys())
        for some in _parts(ids):
            model._default_manager.filter(pk__in=some).update(external_id="")


def _parts(ids: Sequence[int]) -> Iterable[Sequence[int]]:
    for start in range(0, len(ids), BATCH):
        yield ids[start : start + BATCH]
