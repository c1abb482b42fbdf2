"""Compare two snapshots of an entry, part by part, for people to read."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import DateTimeField, Field
from django.utils import timezone
from django.utils.dateparse import parse_datetime

from kb.library.entries.snapshots import (
    TRANSLATION_COLUMNS,
    EntrySnapshot,
    find_changed_parts,
    list_editable_columns,
)
from kb.models import Entry, EntryTranslation, Reply
from kb.text.markup import text_diff
from kb.text.markup.text_diff import DiffPart

DIFF_CONTEXT_CHARS = 120  # shown on each side of a change of a long text
EMPTY_VALUE_LABEL = "（空）"
PROSE_FIELDS = {"question", "answer", "keywords"}  # compared word by word
LIST_FIELD_LABELS = {"phrasings": "相似问法", "tags": "标签", "follow_ups": "后续问题"}


@dataclass(frozen=True, slots=True)
class SnapshotDifference:
    """The difference of one part of an entry: a text (`is_prose`) or a value."""

    name: str
    label: str
    parts: Sequence[DiffPart]
    is_prose: bool = False


def compare_snapshots(
    old: EntrySnapshot, new: EntrySnapshot
) -> list[SnapshotDifference]:
    """Return the differences in the order of the page: texts, replies, lists, others."""
    names = find_changed_parts(old, new)
    fields = [field for field in list_editable_columns() if field.attname in names]
    fields.sort(key=lambda field: field.name not in PROSE_FIELDS)
    texts = [_compare_column(f, old, new) for f in fields if f.name in PROSE_FIELDS]
    texts += [
        _compare_translation(name, old, new)
        for name in TRANSLATION_COLUMNS
        if name in names
    ]
    others = [
        _compare_column(f, old, new) for f in fields if f.name not in PROSE_FIELDS
    ]
    replies = _compare_replies(old.get("replies") or [], new.get("replies") or [])
    lists = [
        _compare_list(name, old, new) for name in LIST_FIELD_LABELS if name in names
    ]
    return [*texts, *replies, *lists, *others]


def get_field_labels(names: Iterable[str]) -> list[str]:
    """Return the Chinese labels of these parts of a snapshot."""
    labels = {
        field.attname: str(field.verbose_name) for field in list_editable_columns()
    }
    labels |= LIST_FIELD_LABELS | {"replies": "话术"}
    labels |= {name: _get_translation_label(name) for name in TRANSLATION_COLUMNS}
    return [labels.get(name, name) for name in names]


def _compare_column(
    field: Field[Any, Any], old: EntrySnapshot, new: EntrySnapshot
) -> SnapshotDifference:
    name, label = field.attname, str(field.verbose_name)
    before, after = old.get(name), new.get(name)
    if field.name in PROSE_FIELDS:
        parts = text_diff.diff_excerpts(before or "", after or "", DIFF_CONTEXT_CHARS)
        return SnapshotDifference(name, label, parts, is_prose=True)
    return SnapshotDifference(
        name,
        label,
        _build_replacement(_format_value(field, before), _format_value(field, after)),
    )


def _compare_translation(
    name: str, old: EntrySnapshot, new: EntrySnapshot
) -> SnapshotDifference:
    parts = text_diff.diff_excerpts(
        old.get(name) or "", new.get(name) or "", DIFF_CONTEXT_CHARS
    )
    return SnapshotDifference(name, _get_translation_label(name), parts, is_prose=True)


def _get_translation_label(name: str) -> str:
    """Return the Chinese label of a part of the translation."""
    return str(EntryTranslation._meta.get_field(TRANSLATION_COLUMNS[name]).verbose_name)  # type: ignore[union-attr]


def _build_replacement(before: str, after: str) -> list[DiffPart]:
    return [
        DiffPart("gone", before or EMPTY_VALUE_LABEL),
        DiffPart("new", after or EMPTY_VALUE_LABEL),
    ]


def _format_value(field: Field[Any, Any], value: Any) -> str:
    """Return the stored `value` of a column as text for people; "" for none."""
    if value in (None, ""):
        return ""
    if field.choices:
        return str(dict(field.flatchoices).get(value, value))
    if field.related_model is not None:
        row = field.related_model._default_manager.filter(pk=value).first()
        return str(row or f"#{value}（已删除）")
    if isinstance(field, DateTimeField):
        moment = value if isinstance(value, datetime) else parse_datetime(value)
        return timezone.localtime(moment).strftime("%Y-%m-%d %H:%M") if moment else ""
    return str(value)


def _compare_list(
    name: str, old: EntrySnapshot, new: EntrySnapshot
) -> SnapshotDifference:
    before, after = old.get(name) or [], new.get(name) or []
    get_label: Callable[[Any], str] = str
    if name == "follow_ups":
        rows = Entry.objects.filter(pk__in={*before, *after})
        get_label = dict(rows.values_list("pk", "question")).get  # type: ignore[assignment]
    removed = [
        DiffPart("gone", get_label(item) or f"#{item}")
        for item in before
        if item not in after
    ]
    added = [
        DiffPart("new", get_label(item) or f"#{item}")
        for item in after
        if item not in before
    ]
    order = [] if removed or added else [DiffPart("same", "次序变了")]
    return SnapshotDifference(name, LIST_FIELD_LABELS[name], [*removed, *added, *order])


def _compare_replies(
    old: Sequence[Mapping[str, Any]], new: Sequence[Mapping[str, Any]]
) -> list[SnapshotDifference]:
    old_by_id = {row["id"]: row for row in old}
    differences = []
    for row in new:
        before = old_by_id.pop(row["id"], {})
        differences += _compare_reply(before, row)
    for row in old_by_id.values():
        differences += _compare_reply(row, {})
    return differences


def _compare_reply(
    old: Mapping[str, Any], new: Mapping[str, Any]
) -> list[SnapshotDifference]:
    """Return the differences of one reply; {} is one that does not exist."""
    name = f"reply-{(new or old)['id']}"
    label = f"话术 · {(new or old)['label']}"
    differences = []
    if old.get("body") != new.get("body"):
        state = "（新增）" if not old else "（删除）" if not new else ""
        body_parts = text_diff.diff_excerpts(
            old.get("body", ""), new.get("body", ""), DIFF_CONTEXT_CHARS
        )
        differences.append(
            SnapshotDifference(name, label + state, body_parts, is_prose=True)
        )
    if not (old and new):
        return differences
    for column in ("label", "tone", "channel", "segment_id", "order"):
        if old.get(column) != new.get(column):
            field: Any = Reply._meta.get_field(column.removesuffix("_id"))
            parts = _build_replacement(
                *(_format_value(field, row.get(column)) for row in (old, new))
            )
            differences.append(
                SnapshotDifference(name, f"{label} · {field.verbose_name}", parts)
            )
    return differences
