"""Rows that are wording rules: each saved for itself, in the words of the admin."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from kb.models import WordingRule
from kb.text import normalize
from kb.transfer.columns import Columns
from kb.transfer.marks import mark
from kb.transfer.planning import Key, Wish
from kb.transfer.words import Kept

EVERYWHERE = "都查"


def _known(choices: Any) -> dict[str, str]:
    """Return {what a cell may say: value} for the labels and values of `choices`."""
    pairs = [(str(label), value) for value, label in choices.choices]
    pairs += [(value, value) for value in choices.values]
    return {normalize.normalize(name): value for name, value in pairs}


KINDS = _known(WordingRule.Kind)
GRADES = _known(WordingRule.Severity)
FACES = _known(WordingRule.Faces) | {EVERYWHERE: "all"}


class Wording(Kept):
    columns = Columns(
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
        required=[["text"]],
    )
    name, model, text = "wording", WordingRule, "text"
    stamped = (
        *("kind", "text", "severity", "exceptions", "faces"),
        *("reason", "suggestion", "limit"),
    )

    def own_key(self, said: Mapping[str, str]) -> Key:
        told = normalize.normalize(said.get("kind", ""))
        kind = KINDS.get(told, WordingRule.Kind.FORBIDDEN.value)
        return ("kept", kind, normalize.normalize(normalize.line(said["text"])))

    def key_of(self, row: WordingRule) -> Key:
        return ("kept", row.kind, normalize.normalize(row.text))

    def values(self, wish: Wish) -> dict[str, Any]:
        names = ("text", "exceptions", "reason", "suggestion")
        values: dict[str, Any] = {
            name: normalize.line(wish.said[name]) for name in names if name in wish.said
        }
        values["kind"] = self.choice(wish, "kind", KINDS)
        values["severity"] = self.choice(wish, "severity", GRADES)
        if faces := self.choice(wish, "faces", FACES):
            values["faces"] = "" if faces == "all" else faces
        if limit := wish.said.get("limit"):
            if limit.isascii() and limit.isdecimal() and len(limit) <= 4:  # noqa: PLR2004
                values["limit"] = int(limit)
            else:
                self.refuse(wish, "limit", "要写成 1 到 9999 的数字")
        return {k: v for k, v in values.items() if v or k == "faces"}


def line(row: WordingRule) -> dict[str, str]:
    """Return what a row says, as a file has it."""
    return {
        "mark": mark("wording", row.pk),
        "kind": row.get_kind_display(),
        "text": row.text,
        "severity": row.get_severity_display(),
        "exceptions": row.exceptions,
        "faces": row.get_faces_display() or EVERYWHERE,
        "reason": row.reason,
        "suggestion": row.suggestion,
        "limit": str(row.limit or ""),
    }
