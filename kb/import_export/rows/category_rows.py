"""Rows that are categories, each named by its path: their order, and empty ones too."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from kb.import_export.cells import CATEGORY_PATH_SEPARATORS
from kb.import_export.columns import KindColumns
from kb.import_export.plan.row_kind import ParsedRow, RowKey, StampsByKey
from kb.import_export.plan.taxonomy import fold_name
from kb.import_export.rows.vocabulary_rows import SmallTableRows
from kb.library import text_gate
from kb.library.entries import category_scopes
from kb.models import Category, User
from kb.models.category import MAX_CATEGORY_LEVELS


class CategoryRows(SmallTableRows):
    """Categories, identified by their path. Missing ones above are created with them."""

    columns = KindColumns(
        {
            "category": ["分类", "category"],
            "position": ["次序", "position"],
            "own_hant": ["繁體名称", "own_hant"],
            "review_every": ["复核间隔（天）", "review_every"],
        },
        required_groups=[["category"]],
        single_line=("own_hant",),
        separators={"category": CATEGORY_PATH_SEPARATORS},
    )
    name, model, text_field = "categories", Category, "category"
    compared_columns = ("position", "own_hant", "review_every")

    def make_file_key(self, parsed: ParsedRow) -> RowKey:
        return ("path", *map(fold_name, parsed.lists["category"]))

    def find_stamps(self, keys: Any) -> StampsByKey:
        stamps: StampsByKey = {}
        for path, row in self.taxonomy.load_category_paths().items():
            columns = tuple(getattr(row, name) for name in self.compared_columns)
            stamps["path", *path] = [(row.pk, columns)]
        return {key: stamps[key] for key in keys if key in stamps}

    def collect_values(self, parsed: ParsedRow) -> dict[str, Any]:
        values = {
            "position": self.parse_count(
                parsed, "position", "次序要写成 0 到 999999 的数字", max_digits=6
            ),
            "own_hant": parsed.values.get("own_hant"),
            "review_every": self.parse_count(
                parsed, "review_every", "要写成 1 到 3650 的天数"
            ),
        }
        return {key: value for key, value in values.items() if value is not None}

    def plan_row(self, parsed: ParsedRow, existing: Sequence[Any]) -> Sequence[str]:
        path = tuple(parsed.lists["category"])
        self._check_path(parsed, path)
        values = self.collect_values(parsed)
        if parsed.reasons:
            return []
        row = existing[0] if existing else Category(name=path[-1])
        changed = self.set_changed_values(row, values)
        self.validate_row(parsed, row, ("parent", "name"))
        if parsed.reasons or not (changed or not existing):
            return []
        if not existing:
            row.parent_id = self.taxonomy.find_nearest_category_id(path[:-1])
        if refusal := category_scopes.explain_scope_refusal(row, by=self.options.by):
            self.refuse_row(parsed, "category", refusal.rstrip("。"))
            return []
        if existing:
            self.changed_rows.append(row)
            return changed
        category = self.taxonomy.get_or_make_category(path)
        for name, value in values.items():
            setattr(category, name, value)
        self.new_rows.append(category)
        return []

    def _check_path(self, parsed: ParsedRow, path: Sequence[str]) -> None:
        if not path:
            self.refuse_row(parsed, "category", "不能为空")
        if len(path) > MAX_CATEGORY_LEVELS:
            self.refuse_row(parsed, "category", f"分类最多 {MAX_CATEGORY_LEVELS} 级")
        self.check_name_lengths(parsed, category=path)

    def store_rows(self, by: User | None) -> None:
        self.taxonomy.save_new_names(by)
        for row in self.changed_rows:
            self.save_row(row, by=by)

    @classmethod
    def save_row(cls, row: Category, *, by: User | None) -> None:
        text_gate.save_text_row(row, by=by)

    @classmethod
    def delete_row(cls, row: Category, *, by: User | None) -> None:
        text_gate.delete_text_row(row, by=by)
