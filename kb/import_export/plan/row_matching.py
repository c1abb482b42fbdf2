"""Which database row each row of a file means; an external id alone is not enough.

Every file numbers its rows from 1. So a row is identified by its source, its number and
its question together. Where number and question disagree, either the file was
renumbered, or the number belongs to another question now: the latter must be confirmed
before it is written.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any, Protocol

from django.db.models import Model, QuerySet

from kb.import_export.plan.question_similarity import (
    SAME_QUESTION_SIMILARITY,
    compute_question_similarity,
)
from kb.import_export.plan.row_kind import LOOKUP_BATCH_ROWS, ParsedRow, RowKind
from kb.import_export.row_outcome import RelatedEntry, RowConcern

RENUMBERED_NOTE = "同一个问题换了编号"
ANY_SOURCE = "\n"  # means every source; no source has a line end
ExternalId = tuple[str, str]  # source and external id


@dataclass(frozen=True, slots=True)
class ExistingRow:
    """The columns of a database row by which it is recognised."""

    pk: int
    external_id: ExternalId
    text: str
    text_key: str
    status: str


class WordingSource(Protocol):
    """What a kind supplies so that its rows can be matched."""

    def get_row_wordings(self, parsed: ParsedRow) -> list[str]:
        """Return the other wordings of its question that a row of the file has."""

    def load_wordings(self, pks: Collection[int]) -> Mapping[int, list[str]]:
        """Return the other wordings that database rows have, by their ids."""


# {(source, text key): database rows}
RowsByText = Mapping[ExternalId, list[ExistingRow]]


class RowMatcher:
    """Recognises rows of a model that has a source, an external id and a question.

    `text_key_column` names the column with the spelling key of the question. With
    `by_text`, a question is unique in its source, so it is recognised under any number.
    """

    def __init__(
        self,
        kind: RowKind,
        wordings: WordingSource,
        *,
        text_key_column: str,
        by_text: bool,
    ) -> None:
        self.row_kind, self.wording_source = kind, wordings
        self.matches_by_text, self._text_key_column = by_text, text_key_column
        # The owners of the numbers in the file.
        self.rows_by_external_id: dict[ExternalId, ExistingRow] = {}
        # {id of the database row: number of the row in the file that means it}
        self.claimed_rows: dict[int, int] = {}
        self._renumbered_ids: set[int] = set()  # database rows that get another number

    def match_rows(self, rows: Sequence[ParsedRow]) -> list[ParsedRow]:
        """Set the key of each row to what it means; return the rows that are new."""
        valid = [row for row in rows if not row.reasons]
        numbered = [row for row in valid if row.key[0] == "id"]
        plain = [row for row in valid if row.key[0] == "text"]
        self._load_holders(numbered)
        self._claim_marked_rows(row for row in valid if row.key[0] == "pk")
        rest = [row for row in numbered if not self._try_claim_by_number(row)]
        by_text = self._load_by_text([*rest, *plain]) if self.matches_by_text else {}
        new = [
            row
            for row in plain
            if self.matches_by_text and self._is_new_text(row, by_text)
        ]
        rest = [row for row in rest if not self._try_claim_by_text(row, by_text)]
        new += [row for row in rest if self._is_new_number(row)]
        suspects = [
            row for row in rest if row.key[0] == "id" and self._find_holder(row)
        ]
        self._flag_replaced_rows([row for row in suspects if not row.reasons])
        return new

    # Claims: a row of the file means a database row ----------------------------------

    def _claim_row(self, parsed: ParsedRow, holder: ExistingRow) -> None:
        number = self.claimed_rows.setdefault(holder.pk, parsed.row.number)
        if number != parsed.row.number:
            text = f"与第 {number} 行是同一条"
            self.row_kind.refuse_row(parsed, self.row_kind.text_field, text)

    def _claim_marked_rows(self, rows: Iterable[ParsedRow]) -> None:
        for parsed in rows:
            self.claimed_rows[int(parsed.key[1])] = parsed.row.number

    def _try_claim_by_number(self, parsed: ParsedRow) -> bool:
        """Claim the owner of the number if it has the same question."""
        holder = self._find_holder(parsed)
        if holder is not None:
            if holder.text_key != parsed.text_key:
                return False
            self._claim_row(parsed, holder)
            return True
        holder = self._find_sourceless_holder(parsed)
        if holder is None or holder.pk in self.claimed_rows:
            return False
        if holder.text_key != parsed.text_key:
            return False
        self._take_over_row(parsed, holder)
        return True

    def _try_claim_by_text(self, parsed: ParsedRow, by_text: RowsByText) -> bool:
        """Claim the row of the source that has the same question and another number."""
        twins = by_text.get((parsed.source, parsed.text_key), [])
        free = [twin for twin in twins if twin.pk not in self.claimed_rows]
        if len(free) != 1:
            return False
        self._take_over_row(parsed, free[0])
        return True

    def _take_over_row(self, parsed: ParsedRow, holder: ExistingRow) -> None:
        """Claim `holder`, and let it get the source and number of the row."""
        self._claim_row(parsed, holder)
        source, number = _get_external_id(parsed)
        old_number = holder.external_id[1]
        if old_number != number:
            change = f"（{old_number or '无'} → {number}）"
            parsed.notes.append(f"{RENUMBERED_NOTE}{change}，按问题认出")
        else:
            parsed.notes.append(f"以前导入时没有记来源，现在记为「{source}」")
        parsed.key, parsed.new_external_id = ("pk", str(holder.pk)), (source, number)
        self._renumbered_ids.add(holder.pk)

    def _is_new_text(self, parsed: ParsedRow, by_text: RowsByText) -> bool:
        """Return whether no database row has the question of a row without a number.

        Database rows without a number are looked up in every source, those with one in
        the row's own.
        """
        if unnumbered := by_text.get((ANY_SOURCE, parsed.text_key), []):
            if len(unnumbered) == 1:
                self._claim_row(parsed, unnumbered[0])
            return False
        sources = {parsed.source}
        if self.row_kind.options.is_source_default:
            sources.add("")
        twins = [
            twin
            for source in sources
            for twin in by_text.get((source, parsed.text_key), [])
        ]
        free = [twin for twin in twins if twin.pk not in self.claimed_rows]
        if len(free) > 1:
            ids = "、".join(f"#{twin.pk}" for twin in free)
            text = f"库里有几条相同的问题（{ids}），请用编号区分"
            self.row_kind.refuse_row(parsed, self.row_kind.text_field, text)
        elif free:
            self._claim_row(parsed, free[0])
            parsed.key = ("pk", str(free[0].pk))
        return not free

    def _is_new_number(self, parsed: ParsedRow) -> bool:
        """Return whether the number is free, or its owner gets another one."""
        holder = self._find_holder(parsed)
        if holder is None:
            return True
        if holder.pk in self._renumbered_ids:
            parsed.new_external_id = _get_external_id(parsed)
            parsed.key = ("row", str(parsed.row.number))
            return True
        self._claim_row(parsed, holder)
        return False

    # Another question under the same number -------------------------------------------

    def _flag_replaced_rows(self, suspects: Sequence[ParsedRow]) -> None:
        """Mark the rows whose number belongs to a database row with another question."""
        rest = iter(suspects)
        while batch := list(islice(rest, LOOKUP_BATCH_ROWS)):
            pairs = [
                (parsed, self.rows_by_external_id[_get_external_id(parsed)])
                for parsed in batch
            ]
            wordings = self.wording_source.load_wordings(
                [holder.pk for _, holder in pairs]
            )
            for parsed, holder in pairs:
                new_texts = [
                    parsed.values[self.row_kind.text_field],
                    *self.wording_source.get_row_wordings(parsed),
                ]
                old_texts = [holder.text, *wordings.get(holder.pk, ())]
                similarity = compute_question_similarity(new_texts, old_texts)
                if similarity < SAME_QUESTION_SIMILARITY:
                    parsed.concern = RowConcern.REPLACED
                    parsed.related_entry = RelatedEntry(
                        holder.pk,
                        holder.text,
                        holder.status,
                        external_id=holder.external_id[1],
                    )
                    parsed.new_external_id = _get_external_id(parsed)
                    parsed.key = ("pk", str(holder.pk))

    # The database ----------------------------------------------------------------------

    def _find_holder(self, parsed: ParsedRow) -> ExistingRow | None:
        return self.rows_by_external_id.get(_get_external_id(parsed))

    def _find_sourceless_holder(self, parsed: ParsedRow) -> ExistingRow | None:
        """Return the owner of the number from when the file had no default source."""
        options = self.row_kind.options
        if not options.is_source_default or parsed.source != options.source:
            return None
        return self.rows_by_external_id.get(("", parsed.external_id))

    def _load_holders(self, rows: Iterable[ParsedRow]) -> None:
        wanted = {_get_external_id(parsed) for parsed in rows}
        if self.row_kind.options.is_source_default:
            wanted |= {("", number) for _, number in wanted}
        sources = {source for source, _ in wanted}
        numbers = {number for _, number in wanted}
        queryset = self._select_rows().filter(source__in=sources)
        queryset = queryset.exclude(external_id="")
        for row in self._iter_existing_rows(queryset, "external_id", numbers):
            if row.external_id in wanted:
                self.rows_by_external_id[row.external_id] = row

    def _load_by_text(self, rows: Sequence[ParsedRow]) -> RowsByText:
        """Return {(source, text key): rows}; ANY_SOURCE has those without a number."""
        sources = {parsed.source for parsed in rows} | {""}
        text_keys = {parsed.text_key for parsed in rows}
        rows_by_text: defaultdict[ExternalId, list[ExistingRow]] = defaultdict(list)
        for row in self._iter_existing_rows(
            self._select_rows(), self._text_key_column, text_keys
        ):
            source, number = row.external_id
            if not number:
                rows_by_text[ANY_SOURCE, row.text_key].append(row)
            if source in sources:
                rows_by_text[source, row.text_key].append(row)
        return rows_by_text

    def _select_rows(self) -> QuerySet[Any]:
        model: type[Model] = self.row_kind.model
        return model._default_manager.order_by("pk")

    def _iter_existing_rows(
        self, queryset: QuerySet[Any], column: str, values: Collection[str]
    ) -> Iterator[ExistingRow]:
        """Yield the rows whose `column` is among `values`, in batches."""
        identity = ("pk", "source", "external_id")
        names = (*identity, self.row_kind.text_field, self._text_key_column, "status")
        rest = iter(sorted(values))
        while batch := list(islice(rest, LOOKUP_BATCH_ROWS)):
            rows = queryset.filter(**{f"{column}__in": batch})
            for pk, source, number, *columns in rows.values_list(*names):
                yield ExistingRow(pk, (source, number), *columns)


def _get_external_id(parsed: ParsedRow) -> ExternalId:
    return parsed.new_external_id or (parsed.source, parsed.external_id)
