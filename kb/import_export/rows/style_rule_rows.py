"""Rows that are style rules, with the labels that the admin shows."""

from __future__ import annotations

from typing import Any

from kb.import_export.columns import KindColumns
from kb.import_export.plan.row_kind import ParsedRow, RowKey
from kb.import_export.row_marks import make_row_mark
from kb.import_export.rows.vocabulary_rows import SmallTableRows
from kb.models import StyleRule
from kb.text.chinese import normalize

ALL_TEXTS_LABEL = "都查"


def _map_choice_names(choices: Any) -> dict[str, str]:
    """Return {normalized label or value: value} of `choices`."""
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
        single_line=("text", "exceptions", "reason", "suggestion"),
    )
    name, model, text_field = "wording", StyleRule, "text"
    compared_columns = (
        *("kind", "text", "severity", "exceptions", "faces"),
        *("reason", "suggestion", "limit"),
    )

    def make_file_key(self, parsed: ParsedRow) -> RowKey:
        label = normalize.normalize_text(parsed.values.get("kind", ""))
        kind = RULE_KINDS_BY_NAME.get(label, StyleRule.Kind.FORBIDDEN.value)
        return ("own", kind, normalize.normalize_text(parsed.values["text"]))

    def make_database_key(self, row: StyleRule) -> RowKey:
        return ("own", row.kind, normalize.normalize_text(row.text))

    def collect_values(self, parsed: ParsedRow) -> dict[str, Any]:
        names = ("text", "exceptions", "reason", "suggestion")
        values: dict[str, Any] = {
            name: parsed.values[name] for name in names if name in parsed.values
        }
        values["kind"] = self.parse_choice(parsed, "kind", RULE_KINDS_BY_NAME)
        values["severity"] = self.parse_choice(parsed, "severity", SEVERITIES_BY_NAME)
        if faces := self.parse_choice(parsed, "faces", SCOPES_BY_NAME):
            values["faces"] = "" if faces == "all" else faces
        values["limit"] = self.parse_count(parsed, "limit", "要写成 1 到 9999 的数字")
        return {key: value for key, value in values.items() if value or key == "faces"}


def format_style_rule(row: StyleRule) -> dict[str, str]:
    """Return the cells of a rule, by field."""
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
