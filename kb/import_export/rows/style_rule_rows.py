"""Rows that are wording rules: each saved for itself, in the words of the admin."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from kb.import_export.columns import KindColumns
from kb.import_export.plan.planner import ParsedRow, RowKey
from kb.import_export.row_marks import make_row_mark
from kb.import_export.rows.vocabulary_rows import SmallTableRows
from kb.models import StyleRule
from kb.text.chinese import normalize

ALL_TEXTS_LABEL = "都查"


def _map_choice_names(choices: Any) -> dict[str, str]:
    """Return {what a cell may say: value} for the labels and values of `choices`."""
    pairs = [(str(label), value) for value, label in choices.choices]
    pairs += [(value, value) for value in choices.values]
    return {normalize.normalize_text(name): value for name, value in pairs}


RULE_KINDS_BY_NAME = _map_choice_names(StyleRule.Kind)
SEVERITIES_BY_NAME = _map_choice_names(StyleRule.Severity)
SCOPES_BY_NAME = _map_choice_names(StyleRule.Scope) | {ALL_TEXTS_LABEL: "all"}


class StyleRuleRows(SmallTableRows):
    columns = KindColumns(
        {
            "mark": ["库内号", "mark"],
            "kind": ["类型", "kind"],
            "text": ["词", "禁用语", "text", "word"],
            "severity": ["级别", "severity"],
            "exceptions": ["例外", "exceptions"],
            "faces": ["范围", "faces"],
            "reason": ["原因", "reason"],
            "suggestion": ["建议", "suggestion"],
            "limit": ["字数上限", "limit"],
        },
        required_groups=[["text"]],
    )
    name, model, text_field = "wording", StyleRule, "text"
    compared_columns = (
        *("kind", "text", "severity", "exceptions", "faces"),
        *("reason", "suggestion", "limit"),
    )

    def make_file_key(self, said: Mapping[str, str]) -> RowKey:
        told = normalize.normalize_text(said.get("kind", ""))
        kind = RULE_KINDS_BY_NAME.get(told, StyleRule.Kind.FORBIDDEN.value)
        return (
            "kept",
            kind,
            normalize.normalize_text(normalize.clean_single_line(said["text"])),
        )

    def make_database_key(self, row: StyleRule) -> RowKey:
        return ("kept", row.kind, normalize.normalize_text(row.text))

    def collect_values(self, wish: ParsedRow) -> dict[str, Any]:
        names = ("text", "exceptions", "reason", "suggestion")
        values: dict[str, Any] = {
            name: normalize.clean_single_line(wish.values[name])
            for name in names
            if name in wish.values
        }
        values["kind"] = self.parse_choice(wish, "kind", RULE_KINDS_BY_NAME)
        values["severity"] = self.parse_choice(wish, "severity", SEVERITIES_BY_NAME)
        if faces := self.parse_choice(wish, "faces", SCOPES_BY_NAME):
            values["faces"] = "" if faces == "all" else faces
        if limit := wish.values.get("limit"):
            if limit.isascii() and limit.isdecimal() and len(limit) <= 4:  # noqa: PLR2004
                values["limit"] = int(limit)
            else:
                self.refuse_row(wish, "limit", "要写成 1 到 9999 的数字")
        return {k: v for k, v in values.items() if v or k == "faces"}


def format_style_rule(row: StyleRule) -> dict[str, str]:
    """Return what a row says, as a file has it."""
    return {
        "mark": make_row_mark("wording", row.pk),
        "kind": row.get_kind_display(),
        "text": row.text,
        "severity": row.get_severity_display(),
        "exceptions": row.exceptions,
        "faces": row.get_faces_display() or ALL_TEXTS_LABEL,
        "reason": row.reason,
        "suggestion": row.suggestion,
        "limit": str(row.limit or ""),
    }
