"""Two people changed one entry: what only one of them changed is joined, the rest chosen."""

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
from kb.models import Entry, EntryRevision, Tag
from kb.text.chinese import normalize

TAKE_PREFIX = "take-"  # what a field of a choice begins with
LIST_COLUMNS = ("phrasings", "tags", "follow_ups")


@dataclass(frozen=True, slots=True)
class ConflictChoice:
    """Both changed this; `theirs` is saved, mine is in the field of the form."""

    name: str
    field: str
    theirs: str
    difference: SnapshotDifference


@dataclass(slots=True)
class MergeConflict:
    """`joined` says in words what was taken over without a question."""

    choices: list[ConflictChoice] = field(default_factory=list)
    joined: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class MergeResult:
    """What the form is to hold instead of what was sent; the conflict to show, if any."""

    data: QueryDict
    conflict: MergeConflict | None


def merge_conflict(
    model_admin: Any, request: HttpRequest, state: FormState
) -> MergeResult | None:
    """Put into the form what was chosen, or what has been saved since it was shown.

    None when the form is up to date and nothing was chosen. A stale form comes back
    with both sides in it; saving it then is a decision.
    """
    entry = state.shown_entry
    if entry is None or request.method != "POST":
        return None
    data = request.POST.copy()
    stale = data.get("version") != str(entry.version)
    chosen = [n for n in data if n.startswith(TAKE_PREFIX) and data[n] == "theirs"]
    if not (stale or chosen):
        return None
    form = model_admin.get_form(request, entry, change=True)(data, instance=Entry())
    form.is_valid()
    merge = _ThreeWayMerge(data, state, entry, form)
    if stale:
        return MergeResult(data, merge.join_changes())
    merge.take_theirs([name.removeprefix(TAKE_PREFIX) for name in chosen])
    return MergeResult(data, None)


class _ThreeWayMerge:
    """What the form was based on, what is saved now, and what is in the form."""

    def __init__(
        self, data: QueryDict, state: FormState, entry: Entry, form: Any
    ) -> None:
        self.data, self.form = data, form
        self.follow_up_ids = state.get_follow_up_ids()
        self.theirs = state.get_content()
        self.base = _load_base_content(entry, data.get("version", ""))
        self.mine = _read_typed_content(form)
        self.found = MergeConflict()

    def take_theirs(self, names: Iterable[str]) -> None:
        """Let the form say what is saved."""
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

    def join_changes(self) -> MergeConflict:
        """Take over what only they changed; return what is to be chosen."""
        both = [column for column in list_editable_columns() if self._is_both(column)]
        self._join_lists()
        replies = self._join_replies()
        names = [column.attname for column in both]
        shown = entries.compare_snapshots(
            {n: self.theirs.get(n) for n in names} | {"replies": replies[0]},
            {n: self.mine.get(n) for n in names} | {"replies": replies[1]},
        )
        fields = {column.attname: column for column in both}
        places = {f"reply-{row['id']}": row["field"] for row in replies[1]}
        bodies = {f"reply-{row['id']}": row["body"] for row in replies[0]}
        for one in shown:
            if one.name in fields:
                place = fields[one.name].name
                theirs = str(self.theirs.get(one.name) or "")
            else:
                place, theirs = places.get(one.name, ""), bodies.get(one.name, "")
            self.found.choices.append(ConflictChoice(one.name, place, theirs, one))
        return self.found

    def _is_both(self, column: Field[Any, Any]) -> bool:
        """Tell whether a column must be chosen, having joined it if it need not."""
        name = column.attname
        if name not in self.mine or self.mine[name] == _get_value(self.theirs, name):
            return False
        if self.base is None or name not in self.base:
            return True
        before = _get_value(self.base, name)
        if self.mine[name] == before:
            self._write_column(column)
            self.found.joined += get_field_labels([name])
            return False
        return bool(_get_value(self.theirs, name) != before)

    def _write_column(self, column: Field[Any, Any]) -> None:
        """Put what is saved into the form's field of a column."""
        value = self.theirs.get(column.attname)
        if isinstance(column, DateTimeField):
            moment = parse_datetime(value) if value else None
            widget = self.form.fields[column.name].widget
            for number, part in enumerate(widget.decompress(moment)):
                self.data[f"{column.name}_{number}"] = str(part or "")
        else:
            self.data[column.name] = str(value or "")

    # Lists: what either added is there, what either took away is not -------------

    def _join_lists(self) -> None:
        self.mine["follow_ups"] = posted_rows.read_follow_up_ids(self.data)
        for name in LIST_COLUMNS:
            if name not in self.mine:  # it is wrong, and stays as it was typed
                continue
            mine, theirs = self.mine[name], self.theirs.get(name) or []
            base = (self.base or {}).get(name) or []
            gone = [one for one in base if one not in mine]
            came = [one for one in mine if one not in base and one not in theirs]
            joined = [one for one in theirs if one not in gone] + came
            if set(joined) != set(mine):
                self.found.joined += get_field_labels([name])
            if name == "phrasings":
                self.data[name] = "\n".join(joined)
            elif name == "tags":
                rows = Tag.objects.filter(name__in=joined)
                self.data.setlist(name, [str(tag.pk) for tag in rows])
            else:
                posted_rows.write_follow_ups(self.data, self.follow_up_ids, joined)

    # Replies: one by one -----------------------------------------------------------

    def _join_replies(self) -> tuple[list[Any], list[Any]]:
        """Bring the forms of replies up to date; return those of both sides to choose."""
        rows = posted_rows.read_rows(self.data, "replies")
        mine = {row["id"]: row for row in rows if row.get("id")}
        base = {str(row["id"]): row for row in (self.base or {}).get("replies", [])}
        theirs = {str(row["id"]): row for row in self.theirs["replies"]}
        kept, choose = [], []
        for pk, saved in theirs.items():
            row = mine.get(pk) or posted_rows.build_reply_row(saved)
            if pk not in mine and pk in base and self.base:
                pass  # it was no part of what I saw: theirs, as it is
            elif pk not in mine:
                self.found.joined.append(f"话术「{saved['label']}」（对方新增）")
            elif self._join_reply(row, base.get(pk), saved):
                choose.append((saved, row))
            kept.append(row)
        fresh = [row for row in rows if not row.get("id")]
        for pk, row in mine.items():
            if pk not in theirs and posted_rows.is_row_changed(row, base.get(pk)):
                self.found.joined.append(
                    f"话术「{row['label']}」（对方删了，您的留作新的）"
                )
                fresh.append({**row, "id": ""})
        posted_rows.write_rows(self.data, "replies", [*kept, *fresh])
        numbers = {id(row): number for number, row in enumerate(kept)}
        sides = [
            {
                **_normalize_reply(row, saved),
                "field": f"replies-{numbers[id(row)]}-body",
            }
            for saved, row in choose
        ]
        return [saved for saved, _ in choose], sides

    def _join_reply(
        self,
        row: dict[str, str],
        base: Mapping[str, Any] | None,
        saved: Mapping[str, Any],
    ) -> bool:
        """Take over what only they changed of a reply; tell whether words clash."""
        clash = False
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
                    self.found.joined.append(f"话术「{saved['label']}」")
            elif theirs != before:
                clash = clash or key == "body"
        if row.pop("DELETE", "") and posted_rows.is_row_changed(row, base):
            self.found.joined.append(f"话术「{saved['label']}」（对方改过，没有删除）")
        return clash


def _load_base_content(entry: Entry, version: str) -> EntrySnapshot | None:
    """Return what the entry said in the version that the form was made from."""
    if not is_valid_id(version):
        return None
    row = EntryRevision.objects.filter(entry=entry, version=version).first()
    return row.content if row else None


def _read_typed_content(form: Any) -> EntrySnapshot:
    """Return what the form says, as kb.library.entries.snapshots tells it."""
    cleaned = form.cleaned_data
    told: EntrySnapshot = {}
    for column in list_editable_columns():
        if column.name not in cleaned or column.name not in form.fields:
            continue
        value = cleaned[column.name]
        if isinstance(column, ForeignKey):
            value = value.pk if value else None
        elif isinstance(column, DateTimeField):
            value = _spell_value(value) if value else None
        elif isinstance(value, str):
            value = normalize.clean_text(value).strip()
        told[column.attname] = value or None
    if "phrasings" in cleaned:
        told["phrasings"] = list(cleaned["phrasings"].values())[::-1]
    if "tags" in cleaned:
        told["tags"] = [tag.name for tag in cleaned["tags"]]
    return told


def _get_value(said: EntrySnapshot, name: str) -> Any:
    value = said.get(name)
    if isinstance(value, str) and (moment := _format_moment(name, value)):
        return _spell_value(moment)
    return value or None


def _spell_value(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat()


def _format_moment(name: str, value: str) -> Any:
    return parse_datetime(value) if name.startswith("valid_") else None


def _normalize_reply(
    row: Mapping[str, str], saved: Mapping[str, Any]
) -> dict[str, Any]:
    return {**saved, "body": row.get("body", "")}
