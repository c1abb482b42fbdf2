"""A form that maps unknown headings of a file to our columns; choices are stored."""

from __future__ import annotations

from typing import Any

from django import forms
from django.core.exceptions import ValidationError

from kb import import_export
from kb.import_export import Table, cells
from kb.import_export.columns import (
    REFUSAL_COLUMNS,
    RUNNING_NUMBER_HEADINGS,
    fold_heading,
)

SAMPLE_ROWS = 50  # in which a value is looked for that explains a column


class ColumnMappingForm(forms.Form):
    """One choice for each heading that is not known."""

    def __init__(self, kind: str, table: Table, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        columns = import_export.ROW_KINDS[kind].columns
        self.headings_by_field = columns.headings_by_field
        fields_by_heading = {
            fold_heading(name): field
            for field, names in self.headings_by_field.items()
            for name in names
        }
        stored_fields = import_export.load_column_names(kind)
        headings = [
            (index, heading)
            for index, heading in enumerate(table.header.cells)
            if heading.strip()
        ]
        self.known_headings = [
            heading
            for _, heading in headings
            if fold_heading(heading) in fields_by_heading
        ]
        taken = {fields_by_heading[fold_heading(name)] for name in self.known_headings}
        choices = [
            (field, names[0])
            for field, names in self.headings_by_field.items()
            if field not in taken
        ]
        if not self.known_headings:
            self.fields["bare"] = forms.BooleanField(
                label="文件没有表头，第一行也是数据", required=False
            )
        self.headings_by_form_field: dict[str, str] = {}
        for index, heading in headings:
            folded = fold_heading(heading)
            is_known = folded in fields_by_heading or folded in RUNNING_NUMBER_HEADINGS
            if is_known or heading in REFUSAL_COLUMNS:
                continue
            self.headings_by_form_field[f"column_{index}"] = heading
            self.fields[f"column_{index}"] = forms.ChoiceField(
                label=cells.shorten_for_message(heading),
                choices=[("", "不读这一列"), *choices],
                required=False,
                initial=stored_fields.get(folded, ""),
                help_text=_describe_sample_value(table, index),
            )

    def clean(self) -> dict[str, Any]:
        """Refuse two columns for one field."""
        fields = [field for field in self.get_fields_by_heading().values() if field]
        if len(fields) != len(set(fields)):
            raise ValidationError("两列对应了同一项，请只留一列。")
        return self.cleaned_data

    def get_fields_by_heading(self) -> dict[str, str]:
        """Return {heading: chosen field, "" to leave the column out}."""
        values = self.cleaned_data
        return {
            heading: values[name]
            for name, heading in self.headings_by_form_field.items()
            if name in values
        }

    def list_own_headings(self, width: int) -> list[str]:
        """Return our heading for each of `width` columns of a file without a header."""
        fields = (self.cleaned_data.get(f"column_{n}", "") for n in range(width))
        return [self.headings_by_field[field][0] if field else "" for field in fields]


def _describe_sample_value(table: Table, index: int) -> str:
    rows = table.rows[:SAMPLE_ROWS]
    values = (row.cells[index] for row in rows if index < len(row.cells))
    first = next((value for value in values if value.strip()), "")
    return f"例如：{cells.shorten_for_message(first)}" if first else "这一列是空的"
