"""Rows that are snippets (片段): text that replies, and other snippets, include by name."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from django.core.exceptions import ValidationError

from kb.import_export.columns import ColumnLayout, KindColumns
from kb.import_export.plan.row_kind import ImportOptions, ParsedRow, RowKey
from kb.import_export.row_outcome import describe_column_error
from kb.import_export.rows.vocabulary_rows import SmallTableRows
from kb.library import replies, text_gate
from kb.models import Snippet, User
from kb.models.snippet import expand_includes
from kb.text.placeholders import snippets


class SnippetRows(SmallTableRows):
    """Snippets, identified by mark or name. A row may include snippets of other rows."""

    columns = KindColumns(
        {
            "mark": ["库内号", "mark"],
            "name": ["片段", "名称", "片段名称", "name"],
            "body": ["内容", "body"],
        },
        required_groups=[["name"], ["body"]],
        single_line=("name",),
    )
    name, model, text_field = "snippets", Snippet, "name"
    compared_columns = ("name", "body")

    def __init__(self, options: ImportOptions, layout: ColumnLayout) -> None:
        super().__init__(options, layout)
        self._planned: list[tuple[ParsedRow, Snippet]] = []

    def make_file_key(self, parsed: ParsedRow) -> RowKey:
        return ("own", parsed.values["name"])

    def make_database_key(self, row: Snippet) -> RowKey:
        return ("own", row.name)

    def collect_values(self, parsed: ParsedRow) -> dict[str, Any]:
        if "body" not in parsed.values:
            self.refuse_row(parsed, "body", "不能为空")
        return {key: parsed.values.get(key, "") for key in ("name", "body")}

    def plan_row(self, parsed: ParsedRow, existing: Sequence[Any]) -> Sequence[str]:
        changed = super().plan_row(parsed, existing)
        if not parsed.reasons and (changed or not existing):
            row = self.changed_rows[-1] if existing else self.new_rows[-1]
            for column, text in text_gate.find_text_problems(row, by=self.options.by):
                self.refuse_row(parsed, column or self.text_field, text.rstrip("。"))
            self._planned.append((parsed, row))
        return changed

    def clean_row(self, row: Snippet) -> None:
        """Check a snippet by itself; `finish_planning` checks what it includes."""
        row.clean_fields()
        row.validate_unique()
        if not snippets.is_snippet_name(row.name):
            raise ValidationError({"name": "名称里不能有 { } | >。"})

    def finish_planning(self) -> None:
        """Refuse rows that include what is unknown, themselves, or too much.

        A refused row may be included by others, so this repeats until nothing changes.
        """
        is_settled = False
        while not is_settled:
            valid = [pair for pair in self._planned if not pair[0].reasons]
            bodies = self._load_planned_bodies(valid)
            for parsed, row in valid:
                self._check_includes(parsed, row, bodies)
            is_settled = not any(parsed.reasons for parsed, _ in valid)
        accepted = {id(row) for _, row in valid}
        self.new_rows = [row for row in self.new_rows if id(row) in accepted]
        self.changed_rows = [row for row in self.changed_rows if id(row) in accepted]

    def _load_planned_bodies(
        self, planned: Sequence[tuple[ParsedRow, Snippet]]
    ) -> dict[str, str]:
        """Return {name: body} of all snippets as they will be."""
        replaced = [row.pk for _, row in planned if row.pk]
        bodies = Snippet.objects.exclude(pk__in=replaced).bodies_by_name()
        return bodies | {row.name: row.body for _, row in planned}

    def _check_includes(
        self, parsed: ParsedRow, row: Snippet, bodies: dict[str, str]
    ) -> None:
        try:
            expand_includes(row.body, bodies, "body")
        except ValidationError as error:
            for problem in error.error_dict["body"]:
                self.refuse_row(parsed, "body", describe_column_error("body", problem))
            return
        if cycle := snippets.find_include_cycle(row.name, bodies):
            path = " → ".join(cycle)
            self.refuse_row(parsed, "body", f"片段互相套住了，没有尽头：{path}")

    def store_rows(self, by: User | None) -> None:
        """Save the snippets, each after those that it includes."""
        ordered = list(_iter_included_first([*self.new_rows, *self.changed_rows]))
        for row in ordered:
            self.save_row(row, by=by)
        # An undo deletes the last first: those that include before the included.
        new = {id(row) for row in self.new_rows}
        self.new_rows = [row for row in ordered if id(row) in new]

    @classmethod
    def save_row(cls, row: Snippet, *, by: User | None) -> None:
        replies.save_snippet(row, by=by)

    @classmethod
    def delete_row(cls, row: Snippet, *, by: User | None) -> None:
        replies.delete_snippet(row, by=by)


def _iter_included_first(rows: Sequence[Snippet]) -> Iterator[Snippet]:
    """Yield each snippet once, those that it includes before it. There is no cycle."""
    rest = {row.name: row for row in rows}

    def visit(row: Snippet) -> Iterator[Snippet]:
        for name in snippets.list_included_snippets(row.body):
            if included := rest.pop(name, None):
                yield from visit(included)
        yield row

    while rest:
        yield from visit(rest.pop(next(iter(rest))))
