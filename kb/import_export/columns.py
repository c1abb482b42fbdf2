"""Which column of a file is which field: by its heading, in any order, never guessed.

The columns of each kind of row are declared in `kb.import_export.rows`.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from django.core.exceptions import ValidationError

from kb.import_export import cells
from kb.import_export.row_outcome import RefusalReason
from kb.import_export.table import Table, TableRow
from kb.text.chinese import normalize

REFUSAL_COLUMNS = ("行号", "原因")  # the columns that a file of refused rows adds
_BRACKETED_TEXT = re.compile(r"[(（\[【].*?[)）\]】]")  # 问题（必填）
FieldsByHeading = Mapping[str, str]  # folded headings to fields; "" is not read
NO_HEADINGS: FieldsByHeading = {}
MAX_NAMED_COLUMNS = 20  # headings that a message lists
# Headings of running numbers, folded. They give the position of a row in its file
# and are not read: every file numbers its rows from 1.
RUNNING_NUMBER_HEADINGS = frozenset("序号 序 顺序号 项次 no sn seq".split())
IDENTIFIER_FIELDS = frozenset({"external_id", "entry_id"})
# Fields whose text is one line, whatever the kind.
SINGLE_LINE_FIELDS = frozenset({"external_id", "source", "entry_source", "entry_id"})


@dataclass(frozen=True, slots=True)
class KindColumns:
    """The columns that one kind of file may have.

    `headings_by_field` lists the headings of a field, the one for messages first.
    A file needs one field of each group in `required_groups`. The text of a field in
    `single_line` is put on one line; a field in `separators` holds several values.
    """

    headings_by_field: Mapping[str, Sequence[str]]
    required_groups: Sequence[Sequence[str]]
    single_line: Collection[str] = ()
    separators: Mapping[str, str] = field(default_factory=dict)

    def count_known_headings(
        self, headings: Sequence[str], saved_names: FieldsByHeading = NO_HEADINGS
    ) -> int:
        """Return how many of `headings` name a field, or are in `saved_names`."""
        known = {
            **dict.fromkeys(RUNNING_NUMBER_HEADINGS),
            **saved_names,
            **self._map_headings(),
        }
        return sum(1 for heading in headings if fold_heading(heading[:50]) in known)

    def match_header(
        self, table: Table, saved_names: FieldsByHeading = NO_HEADINGS
    ) -> ColumnLayout:
        """Return where the fields are; raises ValidationError naming the columns.

        `saved_names` says which field a heading means that is not in the list.
        """
        known = {**saved_names, **self._map_headings()}
        positions: dict[str, int] = {}
        unknown, running_numbers = [], []
        headings = table.header.cells
        for position, heading in enumerate(headings):
            folded = fold_heading(heading)
            name = known.get(folded)
            is_identifier = not name or name in IDENTIFIER_FIELDS
            if folded in RUNNING_NUMBER_HEADINGS and is_identifier:
                running_numbers.append(heading)
            elif name is None:
                unknown.append(heading)
            elif name in positions:
                first = cells.shorten_for_message(headings[positions[name]])
                second = cells.shorten_for_message(heading)
                raise ValidationError(
                    f"「{first}」和「{second}」是同一列，请只留一列。", code="columns"
                )
            elif name:
                positions[name] = position
        self._check_required(positions, table)
        titles = {
            name: cells.shorten_for_message(headings[position])
            for name, position in positions.items()
        }
        return ColumnLayout(
            self,
            positions,
            titles,
            _shorten_headings(unknown),
            _shorten_headings(running_numbers),
        )

    def _map_headings(self) -> dict[str, str]:
        return {
            fold_heading(heading): name
            for name, headings in self.headings_by_field.items()
            for heading in headings
        }

    def _check_required(self, positions: Mapping[str, int], table: Table) -> None:
        for group in self.required_groups:
            if not any(name in positions for name in group):
                missing = "或".join(
                    f"「{self.headings_by_field[name][0]}」" for name in group[:2]
                )
                present = "、".join(_shorten_headings(table.header.cells)) or "无"
                message = f"缺少{missing}列。文件里的列：{present}。"
                raise ValidationError(message, code="columns")


@dataclass(frozen=True, slots=True)
class ColumnLayout:
    """Where the fields of a kind are in one file."""

    columns: KindColumns
    positions: Mapping[str, int]
    titles: Mapping[str, str]
    unknown_headings: Sequence[str]
    running_number_headings: Sequence[str] = ()  # of columns that are not read

    def read_values(self, row: TableRow) -> dict[str, str]:
        """Return {field: clean text} of the cells of `row` that are not blank."""
        values: dict[str, str] = {}
        for name, position in self.positions.items():
            text = (
                cells.clean_cell(row.cells[position])
                if position < len(row.cells)
                else ""
            )
            if name in SINGLE_LINE_FIELDS or name in self.columns.single_line:
                text = normalize.clean_single_line(text)
            if text:
                values[name] = text
        return values

    def split_values(self, values: Mapping[str, str]) -> dict[str, list[str]]:
        """Return {field: its values} for the fields that hold several."""
        return {
            name: cells.split_cell(separators, values.get(name, ""))
            for name, separators in self.columns.separators.items()
        }

    def find_flaws(self, row: TableRow, width: int) -> list[RefusalReason]:
        """Return what makes `row` unreadable: damaged cells, too many or too few.

        `width` is how many cells the header has.
        """
        titles = {
            position: self.titles[name] for name, position in self.positions.items()
        }
        damaged = [(i, flaw) for i, flaw in row.flaws.items() if i in titles]
        damaged += [
            (i, "有损坏的字符（�）")
            for i in titles
            if i < len(row.cells) and "\ufffd" in row.cells[i]
        ]
        reasons = [
            RefusalReason(titles[i], flaw, cells.shorten_for_message(row.cells[i]))
            for i, flaw in damaged
        ]
        for number, extra in enumerate(row.cells[width:], width + 1):
            if extra.strip():
                text = "表头没有这一列，可能是前面的逗号没有加引号"
                value = cells.shorten_for_message(extra)
                reasons.append(RefusalReason(f"第 {number} 列", text, value))
        if row.line_count > 1 and len(row.cells) < width:
            text = f"这一行占了 {row.line_count} 行却缺列，引号可能不成对"
            reasons.append(RefusalReason("整行", text))
        return reasons


def fold_heading(heading: str) -> str:
    """Return the letters and digits of `heading`, by which headings are compared."""
    spelling = normalize.normalize_text(_BRACKETED_TEXT.sub("", heading))
    return "".join(c for c in spelling if c.isalnum())


def _shorten_headings(headings: Iterable[str]) -> list[str]:
    """Return the first of `headings` for a message, without REFUSAL_COLUMNS."""
    shown = [
        cells.shorten_for_message(heading, 20)
        for heading in headings
        if heading.strip() and heading not in REFUSAL_COLUMNS
    ]
    if len(shown) > MAX_NAMED_COLUMNS:
        return [*shown[:MAX_NAMED_COLUMNS], f"等 {len(shown)} 列"]
    return shown
