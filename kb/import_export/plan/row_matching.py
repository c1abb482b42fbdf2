"""Which row of the database each row of a file means: a number alone is not enough.

Every file is numbered from 1. So a row is known by its source, its number and its
question together. Where number and question disagree, either the file was renumbered,
or the number has got another question: that is not written before it is confirmed.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any, Protocol

from django.db.models import Model, QuerySet

from kb.import_export.import_plan import RelatedEntry, RowConcern
from kb.import_export.plan.planner import LOOKUP_BATCH_ROWS, ParsedRow, RowKey, RowKind
from kb.import_export.plan.question_similarity import (
    SAME_QUESTION_SIMILARITY,
    compute_question_similarity,
)
from kb.text.chinese import normalize

ExternalId = tuple[str, str]  # source and external id


@dataclass(frozen=True, slots=True)
class ExistingRow:
    """A row of the database, as far as it is needed to recognise it."""

    pk: int
    external_id: ExternalId
    text: str
    text_key: str  # digest of the text
    status: str


class WordingSource(Protocol):
    """What a kind supplies to have its rows matched."""

    def get_row_wordings(self, wish: ParsedRow) -> list[str]:
        """Return the other wordings of its question that a row of the file has."""

    def load_wordings(self, pks: Collection[int]) -> Mapping[int, list[str]]:
        """Return the other wordings that rows of the database have, by their ids."""


class RowMatcher:
    """Recognises rows of a model that has a source, an external id and a question.

    `key` names the column with the digest of the question. With `by_text`, a
    question stands once in each source, so it is known under any number there.
    """

    def __init__(
        self, kind: RowKind, texts: WordingSource, *, key: str, by_text: bool
    ) -> None:
        self.row_kind, self.wording_source, self.matches_by_text = kind, texts, by_text
        self._text_key_column = key
        self.rows_by_external_id: dict[
            ExternalId, ExistingRow
        ] = {}  # who has a number of the file now
        self.claimed_rows: dict[
            int, int
        ] = {}  # {id: the row of the file that means it}
        self._renumbered_ids: set[int] = set()  # ids of those that get another number

    def match_rows(self, wishes: Sequence[ParsedRow]) -> list[ParsedRow]:
        """Set the key of each row to what it means; return the rows that are new."""
        sound = [wish for wish in wishes if not wish.reasons]
        numbered = [wish for wish in sound if wish.key[0] == "id"]
        plain = [wish for wish in sound if wish.key[0] == "text"]
        self._load_holders(numbered)
        self._claim_marked_rows(wish for wish in sound if wish.key[0] == "pk")
        rest = [wish for wish in numbered if not self._try_claim_by_number(wish)]
        by_text = self._load_by_text([*rest, *plain]) if self.matches_by_text else {}
        new = [
            w for w in plain if self.matches_by_text and self._is_new_text(w, by_text)
        ]
        rest = [wish for wish in rest if not self._try_claim_by_text(wish, by_text)]
        new += [wish for wish in rest if self._is_new_number(wish)]
        suspects = [w for w in rest if w.key[0] == "id" and self._find_holder(w)]
        self._flag_replaced_rows([w for w in suspects if not w.reasons])
        return new

    # Claims: a row of the file means a row of the database -------------------------

    def _claim_row(self, wish: ParsedRow, held: ExistingRow) -> None:
        other = self.claimed_rows.setdefault(held.pk, wish.row.number)
        if other != wish.row.number:
            self.row_kind.refuse_row(
                wish, self.row_kind.text_field, f"与第 {other} 行是同一条"
            )

    def _claim_marked_rows(self, wishes: Iterable[ParsedRow]) -> None:
        for wish in wishes:
            self.claimed_rows[int(wish.key[1])] = wish.row.number

    def _try_claim_by_number(self, wish: ParsedRow) -> bool:
        """Claim who has the number, if it asks the same as the row."""
        digest = self._compute_text_key(wish)
        if (held := self._find_holder(wish)) and held.text_key == digest:
            self._claim_row(wish, held)
            return True
        held = None if self._find_holder(wish) else self._find_sourceless_holder(wish)
        if held is None or held.text_key != digest or held.pk in self.claimed_rows:
            return False
        self._take_over_row(wish, held)
        return True

    def _try_claim_by_text(
        self, wish: ParsedRow, by_text: Mapping[ExternalId, list[ExistingRow]]
    ) -> bool:
        """Claim the one of the source that asks the same under another number."""
        twins = by_text.get((wish.key[1], self._compute_text_key(wish)), [])
        free = [held for held in twins if held.pk not in self.claimed_rows]
        if len(free) != 1:
            return False
        self._take_over_row(wish, free[0])
        return True

    def _take_over_row(self, wish: ParsedRow, held: ExistingRow) -> None:
        """Let the row mean `held`, which gets the row's source and number."""
        self._claim_row(wish, held)
        number = _get_external_id(wish)
        if held.external_id[1] != number[1]:
            before = held.external_id[1] or "无"
            wish.notes.append(
                f"{RENUMBERED_NOTE}（{before} → {number[1]}），按问题认出"
            )
        else:
            wish.notes.append(f"以前导入时没有记来源，现在记为「{number[0]}」")
        wish.key, wish.new_external_id = ("pk", str(held.pk)), number
        self._renumbered_ids.add(held.pk)

    def _is_new_text(
        self, wish: ParsedRow, by_text: Mapping[ExternalId, list[ExistingRow]]
    ) -> bool:
        """Tell whether nobody asks what a row without a number asks.

        Rows without a number are looked for everywhere, those with one in the source.
        """
        digest = self._compute_text_key(wish)
        if unnumbered := by_text.get((ANY_SOURCE, digest), []):
            if len(unnumbered) == 1:
                self._claim_row(wish, unnumbered[0])
            return False
        sources = {resolve_row_source(self.row_kind, wish)}
        if self.row_kind.options.is_source_default:
            sources.add("")
        twins = [
            held for source in sources for held in by_text.get((source, digest), [])
        ]
        free = [held for held in twins if held.pk not in self.claimed_rows]
        if len(free) > 1:
            ids = "、".join(f"#{held.pk}" for held in free)
            told = f"库里有几条相同的问题（{ids}），请用编号区分"
            self.row_kind.refuse_row(wish, self.row_kind.text_field, told)
        elif free:
            self._claim_row(wish, free[0])
            wish.key = ("pk", str(free[0].pk))
        return not free

    def _is_new_number(self, wish: ParsedRow) -> bool:
        """Tell whether nobody has the number, or its owner is getting another one."""
        held = self._find_holder(wish)
        if held is None:
            return True
        if held.pk in self._renumbered_ids:
            wish.key, wish.new_external_id = (
                ("row", str(wish.row.number)),
                _get_external_id(wish),
            )
            return True
        self._claim_row(wish, held)
        return False

    # Another question ------------------------------------------------------------------

    def _flag_replaced_rows(self, suspects: Sequence[ParsedRow]) -> None:
        """Mark the rows whose number belongs to an entry with another question."""
        waiting = iter(suspects)
        while batch := list(islice(waiting, LOOKUP_BATCH_ROWS)):
            pairs = [
                (wish, self.rows_by_external_id[_get_external_id(wish)])
                for wish in batch
            ]
            wordings = self.wording_source.load_wordings([held.pk for _, held in pairs])
            for wish, held in pairs:
                ours = [
                    wish.values[self.row_kind.text_field],
                    *self.wording_source.get_row_wordings(wish),
                ]
                theirs = [held.text, *wordings.get(held.pk, ())]
                if compute_question_similarity(ours, theirs) < SAME_QUESTION_SIMILARITY:
                    wish.concern = RowConcern.REPLACED
                    wish.related_entry = RelatedEntry(
                        held.pk, held.text, held.status, external_id=held.external_id[1]
                    )
                    wish.new_external_id = _get_external_id(wish)
                    wish.key = ("pk", str(held.pk))

    # The database ------------------------------------------------------------------------

    def _compute_text_key(self, wish: ParsedRow) -> str:
        return normalize.compute_spelling_key(wish.values[self.row_kind.text_field])

    def _find_holder(self, wish: ParsedRow) -> ExistingRow | None:
        return self.rows_by_external_id.get(_get_external_id(wish))

    def _find_sourceless_holder(self, wish: ParsedRow) -> ExistingRow | None:
        """Return who had the number when a file without a source left it empty."""
        options = self.row_kind.options
        if not options.is_source_default or wish.key[1] != options.source:
            return None
        return self.rows_by_external_id.get(("", wish.key[2]))

    def _load_holders(self, wishes: Iterable[ParsedRow]) -> None:
        wanted = {_get_external_id(wish) for wish in wishes}
        if self.row_kind.options.is_source_default:
            wanted |= {("", number) for _, number in wanted}
        sources = {source for source, _ in wanted}
        numbers = {number for _, number in wanted}
        rows = self._select_rows().filter(source__in=sources).exclude(external_id="")
        for held in self._iter_existing_rows(rows, "external_id", numbers):
            if held.external_id in wanted:
                self.rows_by_external_id[held.external_id] = held

    def _load_by_text(
        self, wishes: Sequence[ParsedRow]
    ) -> dict[ExternalId, list[ExistingRow]]:
        """Return {(source, digest): rows}; those without a number are ANYWHERE, too."""
        sources = {resolve_row_source(self.row_kind, wish) for wish in wishes} | {""}
        found: defaultdict[ExternalId, list[ExistingRow]] = defaultdict(list)
        digests = {self._compute_text_key(wish) for wish in wishes}
        for held in self._iter_existing_rows(
            self._select_rows(), self._text_key_column, digests
        ):
            if not held.external_id[1]:
                found[ANY_SOURCE, held.text_key].append(held)
            if held.external_id[0] in sources:
                found[held.external_id[0], held.text_key].append(held)
        return found

    def _select_rows(self) -> QuerySet[Any]:
        model: type[Model] = self.row_kind.model
        return model._default_manager.order_by("pk")

    def _iter_existing_rows(
        self, rows: QuerySet[Any], column: str, values: Collection[str]
    ) -> Iterator[ExistingRow]:
        names = (
            "pk",
            "source",
            "external_id",
            self.row_kind.text_field,
            self._text_key_column,
            "status",
        )
        waiting = iter(sorted(values))
        while some := list(islice(waiting, LOOKUP_BATCH_ROWS)):
            for pk, source, number, *rest in rows.filter(
                **{f"{column}__in": some}
            ).values_list(*names):
                yield ExistingRow(pk, (source, number), *rest)


RENUMBERED_NOTE = "同一个问题换了编号"
ANY_SOURCE = "\n"  # no source: those are on one line


def resolve_row_source(kind: RowKind, wish: ParsedRow) -> str:
    """Return the source of a row, as the file or the default says."""
    return (
        normalize.clean_single_line(wish.values.get("source", ""))
        or kind.options.source
    )


def _get_external_id(wish: ParsedRow) -> ExternalId:
    if wish.new_external_id is not None:
        return wish.new_external_id
    key: RowKey = wish.key
    return key[1], key[2]
