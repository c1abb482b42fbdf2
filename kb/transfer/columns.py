"""Which column of a file is which of ours: by name, in any order, never by guess."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from django.core.exceptions import ValidationError

from kb.text import normalize
from kb.transfer import cells
from kb.transfer.report import OWN, Reason
from kb.transfer.table import Row, Table

_ASIDE = re.compile(r"[(（\[【].*?[)）\]】]")  # 问题（必填）
Told = Mapping[str, str]  # folded headings to fields
NOTHING: Told = {}
MANY = 20  # names that a message lists
# Headings of running numbers, folded. They say where a row stands in its file, so
# they are read as nothing: every file numbers its rows from 1.
SERIALS = frozenset("序号 序 顺序号 项次 no sn seq".split())
IDENTIFIERS = frozenset({"external_id", "entry_id"})


@dataclass(frozen=True, slots=True)
class Columns:
    """The columns that one kind of file may have.

    `names` lists the headings of a field, the one for messages first. Of each
    group in `required` a file needs one field.
    """

    names: Mapping[str, Sequence[str]]
    required: Sequence[Sequence[str]]

    def score(self, heads: Sequence[str], told: Told = NOTHING) -> int:
        """Return how many of `heads` are headings of ours, or were told us."""
        known = {**dict.fromkeys(SERIALS), **told, **self._known()}
        return sum(1 for head in heads if fold(head[:50]) in known)

    def layout(self, table: Table, told: Told = NOTHING) -> Layout:
        """Find the fields in a header; raises ValidationError with what was found.

        `told` says which field a heading means that is none of ours; "" is none.
        """
        known = {**told, **self._known()}
        places: dict[str, int] = {}
        unknown, serials = [], []
        for place, head in enumerate(table.header.cells):
            field = known.get(fold(head))
            if fold(head) in SERIALS and (not field or field in IDENTIFIERS):
                serials.append(head)
            elif field is None:
                unknown.append(head)
            elif not field:
                continue
            elif field in places:
                first = table.header.cells[places[field]]
                raise ValidationError(
                    f"「{cells.brief(first)}」和「{cells.brief(head)}」是同一列，请只留一列。",
                    code="columns",
                )
            else:
                places[field] = place
        self._check_required(places, table)
        titles = {f: cells.brief(table.header.cells[p]) for f, p in places.items()}
        return Layout(places, titles, _named(unknown), _named(serials))

    def _known(self) -> dict[str, str]:
        return {
            fold(name): field for field, names in self.names.items() for name in names
        }

    def _check_required(self, places: Mapping[str, int], table: Table) -> None:
        for group in self.required:
            if not any(field in places for field in group):
                wanted = "或".join(f"「{self.names[field][0]}」" for field in group[:2])
                found = "、".join(_named(table.header.cells)) or "无"
                told = f"缺少{wanted}列。文件里的列：{found}。"
                raise ValidationError(told, code="columns")


@dataclass(frozen=True, slots=True)
class Layout:
    """Where the fields stand in one file."""

    places: Mapping[str, int]
    titles: Mapping[str, str]
    unknown: Sequence[str]
    serials: Sequence[str] = ()  # columns of running numbers, which are not read

    def values(self, row: Row) -> dict[str, str]:
        """Return the clean text of every field of `row`, blank ones as ""."""
        return {
            field: cells.clean(row.cells[place]) if place < len(row.cells) else ""
            for field, place in self.places.items()
        }

    def flaws(self, row: Row, width: int) -> list[Reason]:
        """Return what is wrong with `row` before its meaning is looked at."""
        titles = {place: self.titles[field] for field, place in self.places.items()}
        found = [
            Reason(titles[place], flaw, cells.brief(row.cells[place]))
            for place, flaw in row.flaws.items()
            if place in titles
        ]
        found += [
            Reason(titles[place], "有损坏的字符（�）", cells.brief(row.cells[place]))
            for place in titles
            if place < len(row.cells) and "\ufffd" in row.cells[place]
        ]
        for place, extra in enumerate(row.cells[width:], width + 1):
            if extra.strip():
                text = "表头没有这一列，可能是前面的逗号没有加引号"
                found.append(Reason(f"第 {place} 列", text, cells.brief(extra)))
        if row.lines > 1 and len(row.cells) < width:
            text = f"这一行占了 {row.lines} 行却缺列，引号可能不成对"
            found.append(Reason("整行", text))
        return found


def fold(heading: str) -> str:
    """Return the spelling that headings are compared in: letters and digits."""
    spelling = normalize.normalize(_ASIDE.sub("", heading))
    return "".join(c for c in spelling if c.isalnum())


def _named(heads: Iterable[str]) -> list[str]:
    """Return the first of `heads`, fit for a message; ours are left out."""
    named = [
        cells.brief(head, 20) for head in heads if head.strip() and head not in OWN
    ]
    return named if len(named) <= MANY else [*named[:MANY], f"等 {len(named)} 列"]
