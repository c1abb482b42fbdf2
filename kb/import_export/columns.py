"""Which column of a file is which of ours: by name, in any order, never by guess."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from django.core.exceptions import ValidationError

from kb.import_export import cells
from kb.import_export.import_plan import REFUSAL_COLUMNS, RefusalReason
from kb.import_export.table import Table, TableRow
from kb.text.chinese import normalize

_BRACKETED_TEXT = re.compile(r"[(（\[【].*?[)）\]】]")  # 问题（必填）
FieldsByHeading = Mapping[str, str]  # folded headings to fields
NO_HEADINGS: FieldsByHeading = {}
MAX_NAMED_COLUMNS = 20  # names that a message lists
# Headings of running numbers, folded. They say where a row stands in its file, so
# they are read as nothing: every file numbers its rows from 1.
RUNNING_NUMBER_HEADINGS = frozenset("序号 序 顺序号 项次 no sn seq".split())
IDENTIFIER_FIELDS = frozenset({"external_id", "entry_id"})


@dataclass(frozen=True, slots=True)
class KindColumns:
    """The columns that one kind of file may have.

    `names` lists the headings of a field, the one for messages first. Of each
    group in `required` a file needs one field.
    """

    headings_by_field: Mapping[str, Sequence[str]]
    required_groups: Sequence[Sequence[str]]

    def count_known_headings(
        self, heads: Sequence[str], told: FieldsByHeading = NO_HEADINGS
    ) -> int:
        """Return how many of `heads` are headings of ours, or were told us."""
        known = {
            **dict.fromkeys(RUNNING_NUMBER_HEADINGS),
            **told,
            **self._map_headings(),
        }
        return sum(1 for head in heads if fold_heading(head[:50]) in known)

    def match_header(
        self, table: Table, told: FieldsByHeading = NO_HEADINGS
    ) -> ColumnLayout:
        """Find the fields in a header; raises ValidationError with what was found.

        `told` says which field a heading means that is none of ours; "" is none.
        """
        known = {**told, **self._map_headings()}
        places: dict[str, int] = {}
        unknown, serials = [], []
        for place, head in enumerate(table.header.cells):
            field = known.get(fold_heading(head))
            if fold_heading(head) in RUNNING_NUMBER_HEADINGS and (
                not field or field in IDENTIFIER_FIELDS
            ):
                serials.append(head)
            elif field is None:
                unknown.append(head)
            elif not field:
                continue
            elif field in places:
                first = table.header.cells[places[field]]
                raise ValidationError(
                    f"「{cells.shorten_for_message(first)}」和「{cells.shorten_for_message(head)}」是同一列，请只留一列。",
                    code="columns",
                )
            else:
                places[field] = place
        self._check_required(places, table)
        titles = {
            f: cells.shorten_for_message(table.header.cells[p])
            for f, p in places.items()
        }
        return ColumnLayout(
            places, titles, _shorten_headings(unknown), _shorten_headings(serials)
        )

    def _map_headings(self) -> dict[str, str]:
        return {
            fold_heading(name): field
            for field, names in self.headings_by_field.items()
            for name in names
        }

    def _check_required(self, places: Mapping[str, int], table: Table) -> None:
        for group in self.required_groups:
            if not any(field in places for field in group):
                wanted = "或".join(
                    f"「{self.headings_by_field[field][0]}」" for field in group[:2]
                )
                found = "、".join(_shorten_headings(table.header.cells)) or "无"
                told = f"缺少{wanted}列。文件里的列：{found}。"
                raise ValidationError(told, code="columns")


@dataclass(frozen=True, slots=True)
class ColumnLayout:
    """Where the fields stand in one file."""

    positions: Mapping[str, int]
    titles: Mapping[str, str]
    unknown_headings: Sequence[str]
    running_number_headings: Sequence[
        str
    ] = ()  # columns of running numbers, which are not read

    def read_values(self, row: TableRow) -> dict[str, str]:
        """Return the clean text of every field of `row`, blank ones as ""."""
        return {
            field: cells.clean_cell(row.cells[place]) if place < len(row.cells) else ""
            for field, place in self.positions.items()
        }

    def find_flaws(self, row: TableRow, width: int) -> list[RefusalReason]:
        """Return what is wrong with `row` before its meaning is looked at."""
        titles = {place: self.titles[field] for field, place in self.positions.items()}
        found = [
            RefusalReason(
                titles[place], flaw, cells.shorten_for_message(row.cells[place])
            )
            for place, flaw in row.flaws.items()
            if place in titles
        ]
        found += [
            RefusalReason(
                titles[place],
                "有损坏的字符（�）",
                cells.shorten_for_message(row.cells[place]),
            )
            for place in titles
            if place < len(row.cells) and "\ufffd" in row.cells[place]
        ]
        for place, extra in enumerate(row.cells[width:], width + 1):
            if extra.strip():
                text = "表头没有这一列，可能是前面的逗号没有加引号"
                found.append(
                    RefusalReason(
                        f"第 {place} 列", text, cells.shorten_for_message(extra)
                    )
                )
        if row.line_count > 1 and len(row.cells) < width:
            text = f"这一行占了 {row.line_count} 行却缺列，引号可能不成对"
            found.append(RefusalReason("整行", text))
        return found


def fold_heading(heading: str) -> str:
    """Return the spelling that headings are compared in: letters and digits."""
    spelling = normalize.normalize_text(_BRACKETED_TEXT.sub("", heading))
    return "".join(c for c in spelling if c.isalnum())


def _shorten_headings(heads: Iterable[str]) -> list[str]:
    """Return the first of `heads`, fit for a message; ours are left out."""
    named = [
        cells.shorten_for_message(head, 20)
        for head in heads
        if head.strip() and head not in REFUSAL_COLUMNS
    ]
    return (
        named
        if len(named) <= MAX_NAMED_COLUMNS
        else [*named[:MAX_NAMED_COLUMNS], f"等 {len(named)} 列"]
    )
