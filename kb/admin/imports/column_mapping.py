"""Which column of ours a heading is that we do not know: told once, remembered."""

from __future__ import annotations

from typing import Any

from django import forms
from django.core.exceptions import ValidationError

from kb import import_export
from kb.import_export import Table, cells
from kb.import_export.columns import RUNNING_NUMBER_HEADINGS, fold_heading
from kb.import_export.import_plan import REFUSAL_COLUMNS


class ColumnMappingForm(forms.Form):
    """One choice for every heading that is none of ours; the others are taken."""

    def __init__(self, kind: str, table: Table, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.headings_by_field = names = import_export.ROW_KINDS[
            kind
        ].columns.headings_by_field
        ours = {
            fold_heading(name): field for field, many in names.items() for name in many
        }
        told = import_export.load_column_names(kind)
        heads = [
            (at, head) for at, head in enumerate(table.header.cells) if head.strip()
        ]
        self.known_headings = [h for _, h in heads if fold_heading(h) in ours]
        taken = {ours[fold_heading(head)] for head in self.known_headings}
        free = [(field, many[0]) for field, many in names.items() if field not in taken]
        if not self.known_headings:
            self.fields["bare"] = forms.BooleanField(
                label="文件没有表头，第一行也是数据", required=False
            )
        self.headings_by_form_field: dict[str, str] = {}
        for at, head in heads:
            if (
                fold_heading(head) in ours
                or fold_heading(head) in RUNNING_NUMBER_HEADINGS
                or head in REFUSAL_COLUMNS
            ):
                continue
            self.headings_by_form_field[f"column_{at}"] = head
            self.fields[f"column_{at}"] = forms.ChoiceField(
                label=cells.shorten_for_message(head),
                choices=[("", "不读这一列"), *free],
                required=False,
                initial=told.get(fold_heading(head), ""),
                help_text=_describe_sample_value(table, at),
            )

    def clean(self) -> dict[str, Any]:
        """Refuse two columns for one, and a file that lacks what it needs."""
        given = [field for field in self.get_fields_by_heading().values() if field]
        if len(given) != len(set(given)):
            raise ValidationError("两列对应了同一项，请只留一列。")
        return self.cleaned_data

    def get_fields_by_heading(self) -> dict[str, str]:
        """Return {heading: field} as it was told."""
        said = self.cleaned_data
        return {
            head: said[name]
            for name, head in self.headings_by_form_field.items()
            if name in said
        }

    def list_own_headings(self, width: int) -> list[str]:
        """Return our heading for each of `width` columns of a file without a header."""
        said = (self.cleaned_data.get(f"column_{at}", "") for at in range(width))
        return [self.headings_by_field[field][0] if field else "" for field in said]


def _describe_sample_value(table: Table, at: int) -> str:
    values = (row.cells[at] for row in table.rows[:50] if at < len(row.cells))
    first = next((value for value in values if value.strip()), "")
    return f"例如：{cells.shorten_for_message(first)}" if first else "这一列是空的"
