"""Two people changed one entry: a three-way merge of the form with what is saved.

The base is the version that the form was made from. What only one side changed is
taken over; where both changed a text, the person chooses.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from django.db.models import DateTimeField, Field, ForeignKey
from django.http import HttpRequest, QueryDict
from django.utils.dateparse import parse_datetime

from kb.admin.autocomplete_lookup import is_valid_id
from kb.admin.entry import posted_rows
from kb.admin.entry.state import FormState
from kb.library import entries
from kb.library.entries import SnapshotDifference
from kb.library.entries.snapshot_diff import get_field_labels
from kb.library.entries.snapshots import (
    REPLY_COLUMNS,
    EntrySnapshot,
    list_editable_columns,
)
from kb.models import Entry, Tag
from kb.text.chinese import normalize

TAKE_PREFIX = "take-"  # of the posted fields of choices, before the column name
LIST_COLUMNS = ("phrasings", "tags", "follow_ups")


@dataclass(frozen=True, slots=True)
class ConflictChoice:
    """A text that both sides changed; `theirs` is saved, mine is in the form's `field`."""

    name: str
    field: str
    theirs: str
    difference: SnapshotDifference


@dataclass(slots=True)
class MergeConflict:
    """The choices to make, and names of what was merged without a choice."""

    choices: list[ConflictChoice] = field(default_factory=list)
    merged_names: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class MergeResult:
    """The data for the form instead of what was posted, and the conflict to show."""

    data: QueryDict
    conflict: MergeConflict | None


def merge_conflict(
    model_admin: Any, request: HttpRequest, state: FormState
) -> MergeResult | None:
    """Merge the posted form with the saved entry, or apply the choices of a merge.

    Returns None where the form is up to date and nothing was chosen. A stale form is
    shown again with both sides in it; saving it then overwrites.
    """
    entry = state.shown_entry
    if entry is None or request.method != "POST":
        return None
    data = request.POST.copy()
    is_stale = data.get("version") != str(entry.version)
    chosen = [
        name for name in data if name.startswith(TAKE_PREFIX) and data[name] == "theirs"
    ]
    if not (is_stale or chosen):
        return None
    form = model_admin.get_form(request, entry, change=True)(data, instance=Entry())
    form.is_valid()
    merge = _ThreeWayMerge(data, state, entry, form)
    if is_stale:
        return MergeResult(data, merge.merge_changes())
    merge.take_theirs([name.removeprefix(TAKE_PREFIX) for name in chosen])
    return MergeResult(data, None)


class _ThreeWayMerge:
    """Merges `mine`, what the form holds, with `theirs`, what is saved, over `base`."""

    def __init__(
        self, data: QueryDict, state: FormState, entry: Entry, form: Any
    ) -> None:
        self.data, self.form = data, form
        self.follow_up_ids = state.get_follow_up_ids()
        self.theirs = state.get_content()
        self.base = _load_base_content(entry, data.get("version", ""))
        self.mine = _read_typed_content(form)
        self.result = MergeConflict()

    def take_theirs(self, names: Iterable[str]) -> None:
        """Write the saved values of the named columns and replies into the form."""
        for column in list_editable_columns():
            if column.attname in names and column.attname in self.mine:
                self._write_column(column)
        bodies = {f"reply-{row['id']}": row["body"] for row in self.theirs["replies"]}
        rows = posted_rows.read_rows(self.data, "replies")
        for row in rows:
            name = f"reply-{row.get('id')}"
            if name in names and name in bodies:
                row["body"] = bodies[name]
        posted_rows.write_rows(self.data, "replies", rows)

    def merge_changes(self) -> MergeConflict:
        """Take over what only they changed; return the conflict with the choices."""
        clashing = [column for column in list_editable_columns() if self._merge(column)]
        self._merge_lists()
        replies = self._merge_replies()
        names = [column.attname for column in clashing]
        differences = entries.compare_snapshots(
            {name: self.theirs.get(name) for name in names} | {"replies": replies[0]},
            {name: self.mine.get(name) for name in names} | {"replies": replies[1]},
        )
        columns = {column.attname: column for column in clashing}
        fields = {f"reply-{row['id']}": row["field"] for row in replies[1]}
        bodies = {f"reply-{row['id']}": row["body"] for row in replies[0]}
        for difference in differences:
            name = difference.name
            if name in columns:
                field_name = columns[name].name
                theirs = str(self.theirs.get(name) or "")
            else:
                field_name, theirs = fields.get(name, ""), bodies.get(name, "")
            self.result.choices.append(
                ConflictChoice(name, field_name, theirs, difference)
            )
        return self.result

    def _merge(self, column: Field[Any, Any]) -> bool:
        """Take over a column that only they changed; return whether both changed it."""
        name = column.attname
        if name not in self.mine or self.mine[name] == _get_value(self.theirs, name):
            return False
        if self.base is None or name not in self.base:
            return True
        before = _get_value(self.base, name)
        if self.mine[name] == before:
            self._write_column(column)
            self.result.merged_names += get_field_labels([name])
            return False
        return bool(_get_value(self.theirs, name) != before)

    def _write_column(self, column: Field[Any, Any]) -> None:
        """Write the saved value of a column into its field of the form."""
        value = self.theirs.get(column.attname)
        if isinstance(column, DateTimeField):
            moment = parse_datetime(value) if value else None
            widget = self.form.fields[column.name].widget
            for number, part in enumerate(widget.decompress(moment)):
                self.data[f"{column.name}_{number}"] = str(part or "")
        else:
            self.data[column.name] = str(value or "")

    # Lists: what one side added is added, what one side removed is removed --------

    def _merge_lists(self) -> None:
        self.mine["follow_ups"] = posted_rows.read_follow_up_ids(self.data)
        for name in LIST_COLUMNS:
            if name not in self.mine:  # not valid: stays as it was typed
                continue
            mine, theirs = self.mine[name], self.theirs.get(name) or []
            base = (self.base or {}).get(name) or []
            removed = [item for item in base if item not in mine]
            added = [item for item in mine if item not in base and item not in theirs]
            merged = [item for item in theirs if item not in removed] + added
            if set(merged) != set(mine):
                self.result.merged_names += get_field_labels([name])
            if name == "phrasings":
                self.data[name] = "\n".join(merged)
            elif name == "tags":
                rows = Tag.objects.filter(name__in=merged)
                self.data.setlist(name, [str(tag.pk) for tag in rows])
            else:
                posted_rows.write_follow_ups(self.data, self.follow_up_ids, merged)

    # Replies: one by one -----------------------------------------------------------

    def _merge_replies(self) -> tuple[list[Any], list[Any]]:
        """Merge the forms of replies; return those to choose: (saved, typed)."""
        rows = posted_rows.read_rows(self.data, "replies")
        mine = {row["id"]: row for row in rows if row.get("id")}
        base = {str(row["id"]): row for row in (self.base or {}).get("replies", [])}
        theirs = {str(row["id"]): row for row in self.theirs["replies"]}
        merged, clashing = [], []
        for pk, saved in theirs.items():
            row = mine.get(pk) or posted_rows.build_reply_row(saved)
            if pk not in mine and pk in base and self.base:
                pass  # the form did not show it: theirs stays as it is
            elif pk not in mine:
                self.result.merged_names.append(f"话术「{saved['label']}」（对方新增）")
            elif self._merge_reply(row, base.get(pk), saved):
                clashing.append((saved, row))
            merged.append(row)
        new_rows = [row for row in rows if not row.get("id")]
        for pk, row in mine.items():
            if pk not in theirs and posted_rows.is_row_changed(row, base.get(pk)):
                self.result.merged_names.append(
                    f"话术「{row['label']}」（对方删了，您的留作新的）"
                )
                new_rows.append({**row, "id": ""})
        posted_rows.write_rows(self.data, "replies", [*merged, *new_rows])
        numbers = {id(row): number for number, row in enumerate(merged)}
        typed = [
            {
                **_normalize_reply(row, saved),
                "field": f"replies-{numbers[id(row)]}-body",
            }
            for saved, row in clashing
        ]
        return [saved for saved, _ in clashing], typed

    def _merge_reply(
        self,
        row: dict[str, str],
        base: Mapping[str, Any] | None,
        saved: Mapping[str, Any],
    ) -> bool:
        """Take over what only they changed of a reply; return whether both changed it."""
        is_clashing = False
        for name in REPLY_COLUMNS:
            key = name.removesuffix("_id")
            mine, theirs = (
                posted_rows.format_value(row.get(key)),
                posted_rows.format_value(saved[name]),
            )
            before = posted_rows.format_value(base[name]) if base else None
            if mine == theirs:
                continue
            if mine == before:
                row[key] = theirs
                if key == "body":
                    self.result.merged_names.append(f"话术「{saved['label']}」")
            elif theirs != before:
                is_clashing = is_clashing or key == "body"
        if row.pop("DELETE", "") and posted_rows.is_row_changed(row, base):
            self.result.merged_names.append(
                f"话术「{saved['label']}」（对方改过，没有删除）"
            )
        return is_clashing


def _load_base_content(entry: Entry, version: str) -> EntrySnapshot | None:
    """Return the content of the version that the form was made from."""
    if not is_valid_id(version):
        return None
    row = entries.find_revision(entry, int(version))
    return row.content if row else None


def _read_typed_content(form: Any) -> EntrySnapshot:
    """Return what is typed, in the form of kb.library.entries.snapshots."""
    cleaned = form.cleaned_data
    content: EntrySnapshot = {}
    for column in list_editable_columns():
        if column.name not in cleaned or column.name not in form.fields:
            continue
        value = cleaned[column.name]
        if isinstance(column, ForeignKey):
            value = value.pk if value else None
        elif isinstance(column, DateTimeField):
            value = _format_utc(value) if value else None
        elif isinstance(value, str):
            value = normalize.clean_text(value).strip()
        content[column.attname] = value or None
    if "phrasings" in cleaned:
        content["phrasings"] = list(cleaned["phrasings"].values())[::-1]
    if "tags" in cleaned:
        content["tags"] = [tag.name for tag in cleaned["tags"]]
    return content


def _get_value(content: EntrySnapshot, name: str) -> Any:
    """Return a value of a snapshot, comparable with one that was typed."""
    value = content.get(name)
    if isinstance(value, str) and (moment := _parse_validity(name, value)):
        return _format_utc(moment)
    return value or None


def _format_utc(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat()


def _parse_validity(name: str, value: str) -> Any:
    return parse_datetime(value) if name.startswith("valid_") else None


def _normalize_reply(
    row: Mapping[str, str], saved: Mapping[str, Any]
) -> dict[str, Any]:
    return {**saved, "body": row.get("body", "")}
