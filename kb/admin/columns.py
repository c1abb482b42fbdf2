"""Which column of ours a heading is that we do not know: told once, remembered."""

from __future__ import annotations

from typing import Any

from django import forms
from django.core.exceptions import ValidationError

from kb import transfer
from kb.transfer import Table, cells
from kb.transfer.columns import SERIALS, fold
from kb.transfer.report import OWN


class ColumnsForm(forms.Form):
    """One choice for every heading that is none of ours; the others are taken."""

    def __init__(self, kind: str, table: Table, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.names = names = transfer.KINDS[kind].columns.names
        ours = {fold(name): field for field, many in names.items() for name in many}
        told = transfer.told(kind)
        heads = [
            (at, head) for at, head in enumerate(table.header.cells) if head.strip()
        ]
        self.known = [h for _, h in heads if fold(h) in ours]
        taken = {ours[fold(head)] for head in self.known}
        free = [(field, many[0]) for field, many in names.items() if field not in taken]
        if not self.known:
            self.fields["bare"] = forms.BooleanField(
                label="文件没有表头，第一行也是数据", required=False
            )
        self.heads: dict[str, str] = {}
        for at, head in heads:
            if fold(head) in ours or fold(head) in SERIALS or head in OWN:
                continue
            self.heads[f"column_{at}"] = head
            self.fields[f"column_{at}"] = forms.ChoiceField(
                label=cells.brief(head),
                choices=[("", "不读这一列"), *free],
                required=False,
                initial=told.get(fold(head), ""),
                help_text=_sample(table, at),
            )

    def clean(self) -> dict[str, Any]:
        """Refuse two columns for one, and a file that lacks what it needs."""
        given = [field for field in self.meanings().values() if field]
        if len(given) != len(set(given)):
            raise ValidationError("两列对应了同一项，请只留一列。")
        return self.cleaned_data

    def meanings(self) -> dict[str, str]:
        """Return {heading: field} as it was told."""
        said = self.cleaned_data
        return {head: said[name] for name, head in self.heads.items() if name in said}

    def headings(self, width: int) -> list[str]:
        """Return our heading for each of `width` columns of a file without a header."""
        said = (self.cleaned_data.get(f"column_{at}", "") for at in range(width))
        return [self.names[field][0] if field else "" for field in said]


def _sample(table: Table, at: int) -> str:
    values = (row.cells[at] for row in table.rows[:50] if at < len(row.cells))
    first = next((value for value in values if value.strip()), "")
    return f"例如：{cells.brief(first)}" if first else "这一列是空的"
