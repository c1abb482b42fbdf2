"""Snapshots: the whole content of an entry as one JSON-ready value.

Keys are the columns that people edit (`list_editable_columns`), the manual translation
(TRANSLATION_COLUMNS), "tags" (names), "phrasings" (texts), "replies" (dicts of
REPLY_COLUMNS with "id" and "author_id") and "follow_ups" (entry ids, in order). Old
snapshots lack keys that were introduced later.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

from django.core.exceptions import ValidationError
from django.core.serializers.json import DjangoJSONEncoder
from django.db.models import F, Field, ForeignKey, QuerySet

from kb.models import Entry, EntryTranslation, FollowUp, Phrasing, Reply, Tag
from kb.publishing import translations
from kb.text.chinese import normalize

EntrySnapshot = dict[str, Any]
# Columns of the status or the origin of an entry, not of its content.
UNEDITED_COLUMNS = {"id", "status", "source", "external_id"}
FIRST_TEMPORARY_ID = 2**50  # first of the primary keys for rows that are not saved
# {key of a snapshot: column of EntryTranslation} of the manual translation.
TRANSLATION_COLUMNS = {"hant_question": "own_question", "hant_answer": "own_answer"}
REPLY_COLUMNS = ("label", "tone", "channel", "segment_id", "order", "body")


def list_editable_columns() -> list[Field[Any, Any]]:
    """Return the columns of an entry that people write."""
    fields = Entry._meta.concrete_fields
    return [f for f in fields if f.editable and f.name not in UNEDITED_COLUMNS]


def take_snapshot(entry: Entry) -> EntrySnapshot:
    """Return the snapshot of `entry`, read from the database."""
    return take_snapshots([entry.pk])[entry.pk]


def take_snapshots(ids: Iterable[int]) -> dict[int, EntrySnapshot]:
    """Return {entry id: snapshot}, in five queries."""
    entry_ids = list(ids)
    names = [field.attname for field in list_editable_columns()]
    translation = {
        name: F(f"translation__{column}")
        for name, column in TRANSLATION_COLUMNS.items()
    }
    rows = Entry.objects.filter(pk__in=entry_ids).values("pk", *names, **translation)
    parts = {"tags": _load_tags(entry_ids), "phrasings": _load_phrasings(entry_ids)}
    parts |= {
        "replies": _load_shared_replies(entry_ids),
        "follow_ups": _load_follow_ups(entry_ids),
    }
    return {
        row.pop("pk"): _make_json_safe(row)
        | {name: row[name] or "" for name in TRANSLATION_COLUMNS}
        | {name: values_by_id[pk] for name, values_by_id in parts.items()}
        for row in rows
        for pk in [row["pk"]]
    }


def build_snapshot(
    entry: Entry,
    *,
    tags: Iterable[str],
    phrasings: Iterable[str],
    replies: Iterable[Mapping[str, Any]],
    follow_ups: Iterable[int],
    translation: Mapping[str, str],
) -> EntrySnapshot:
    """Return a snapshot of values that are not saved."""
    row = {
        field.attname: getattr(entry, field.attname)
        for field in list_editable_columns()
    }
    utc = {
        name: value.astimezone(UTC) if isinstance(value, datetime) else value
        for name, value in row.items()
    }
    return _make_json_safe(utc) | {
        **translation,
        "tags": list(tags),
        "phrasings": list(phrasings),
        "replies": list(replies),
        "follow_ups": list(follow_ups),
    }


def build_reply_snapshot(reply: Reply) -> dict[str, Any]:
    """Return a reply as in a snapshot; the id of an unsaved one is 0."""
    row = {name: getattr(reply, name) for name in ("author_id", *REPLY_COLUMNS)}
    return {"id": reply.pk or 0, **row}


def _make_json_safe(row: Mapping[str, Any]) -> EntrySnapshot:
    plain: EntrySnapshot = json.loads(json.dumps(row, cls=DjangoJSONEncoder))
    return plain


def _group_by_entry(
    rows: QuerySet[Any, tuple[Any, ...]],
) -> defaultdict[int, list[Any]]:
    values_by_id = defaultdict(list)
    for entry_id, value in rows:
        values_by_id[entry_id].append(value)
    return values_by_id


def _load_tags(ids: list[int]) -> defaultdict[int, list[Any]]:
    link = Entry.tags.through.objects.filter(entry__in=ids)
    return _group_by_entry(
        link.order_by("tag__name").values_list("entry_id", "tag__name")
    )


def _load_phrasings(ids: list[int]) -> defaultdict[int, list[Any]]:
    rows = Phrasing.objects.filter(entry__in=ids)
    return _group_by_entry(rows.values_list("entry_id", "text"))


def _load_follow_ups(ids: list[int]) -> defaultdict[int, list[Any]]:
    rows = FollowUp.objects.filter(entry__in=ids)
    return _group_by_entry(rows.values_list("entry_id", "then_id"))


def _load_shared_replies(ids: list[int]) -> defaultdict[int, list[Any]]:
    """Return shared replies only: private ones are not part of the entry."""
    replies_by_entry = defaultdict(list)
    rows = Reply.objects.shared().filter(entry__in=ids)
    for row in rows.values("entry_id", "id", "author_id", *REPLY_COLUMNS):
        replies_by_entry[row.pop("entry_id")].append(row)
    return replies_by_entry


# Apply a snapshot ----------------------------------------------------------------


def apply_snapshot(entry: Entry, snapshot: EntrySnapshot) -> list[str]:
    """Give `entry` the content of `snapshot`; return labels of what no longer exists.

    Columns of the entry are set but not saved; replies, phrasings, tags, follow-ups
    and the translation are written. Replies that were deleted are created again with
    new ids. The caller has locked the entry, and checks and saves it.
    """
    missing = set_snapshot_columns(entry, snapshot)
    apply_replies(entry, snapshot.get("replies", []))
    apply_phrasings(entry, snapshot.get("phrasings", []))
    tags = list(Tag.objects.filter(name__in=snapshot.get("tags", [])))
    missing += sorted(set(snapshot.get("tags", [])) - {tag.name for tag in tags})
    entry.tags.set(tags)
    _apply_follow_ups(entry, snapshot.get("follow_ups", []))
    _apply_translation(entry, snapshot)
    return missing


def set_snapshot_columns(entry: Entry, snapshot: EntrySnapshot) -> list[str]:
    """Set the columns that `snapshot` has, without saving.

    Returns the labels of columns whose related row no longer exists; they stay.
    """
    missing = []
    for field in list_editable_columns():
        if field.attname not in snapshot:
            continue
        value = field.to_python(snapshot[field.attname])
        if isinstance(field, ForeignKey) and not _has_related_row(field, value):
            missing.append(str(field.verbose_name))
            continue
        setattr(entry, field.attname, value)
    return missing


def apply_replies(entry: Entry, reply_rows: Iterable[Mapping[str, Any]]) -> None:
    """Make `reply_rows` the shared replies of `entry`: change, create, delete."""
    existing = {reply.pk: reply for reply in entry.replies.shared()}
    for row in reply_rows:
        reply = existing.pop(row.get("id") or 0, None) or Reply(entry=entry)
        set_reply_columns(reply, row)
        reply.full_clean()
        reply.save()
    for reply in existing.values():
        reply.delete()


def set_reply_columns(reply: Reply, row: Mapping[str, Any]) -> Reply:
    """Set the columns of `reply` from a snapshot, without saving; return it."""
    for name in REPLY_COLUMNS:
        setattr(reply, name, row[name])
    if reply._state.adding:
        reply.author_id = _keep_existing_id(row.get("author_id"), "author")
    reply.segment_id = _keep_existing_id(reply.segment_id, "segment")
    return reply


def _has_related_row(field: Any, pk: int | None) -> bool:
    """Return whether the row of a foreign key exists; True for no value."""
    rows = field.related_model._default_manager
    return pk is None or rows.filter(pk=pk).exists()


def _keep_existing_id(pk: int | None, name: str) -> int | None:
    return pk if _has_related_row(Reply._meta.get_field(name), pk) else None


def apply_phrasings(entry: Entry, texts: Iterable[str]) -> None:
    """Make `texts` the phrasings of `entry`; equal ones stay as they are.

    Raises ValidationError for a new one, for example for personal data.
    """
    texts_by_key = {normalize.compute_spelling_key(text): text for text in texts}
    existing = {phrasing.text_key: phrasing for phrasing in entry.phrasings.all()}
    removed_ids = [
        phrasing.pk for key, phrasing in existing.items() if key not in texts_by_key
    ]
    for phrasing in entry.phrasings.filter(pk__in=removed_ids):
        phrasing.delete()
    for key, text in texts_by_key.items():
        if key not in existing and key != normalize.compute_spelling_key(
            entry.question
        ):
            new_phrasing = Phrasing(entry=entry, text=text, text_key=key)
            new_phrasing.full_clean()
            new_phrasing.save()


def _apply_translation(entry: Entry, snapshot: EntrySnapshot) -> None:
    """Write the translation, if the snapshot is new enough to have one."""
    if not TRANSLATION_COLUMNS.keys() <= snapshot.keys():
        return
    new_texts = [snapshot[name] or "" for name in TRANSLATION_COLUMNS]
    row = EntryTranslation.objects.filter(entry=entry).first()
    old_texts = (
        [getattr(row, column) for column in TRANSLATION_COLUMNS.values()] if row else []
    )
    if new_texts != (old_texts or ["", ""]):
        translations.save_manual_translation(entry, *new_texts)


def build_follow_ups(
    entry: Entry, ids: Iterable[int], *, with_temporary_ids: bool = False
) -> list[FollowUp]:
    """Return unsaved follow-ups of `entry` to the entries `ids`, in this order.

    `with_temporary_ids` gives each a primary key that depends only on its target, so
    that the form as shown and the form as posted refer to the same rows.
    """
    ids = list(ids)
    existing_ids = set(Entry.objects.filter(pk__in=ids).values_list("pk", flat=True))
    targets = [pk for pk in dict.fromkeys(ids) if pk in existing_ids and pk != entry.pk]
    return [
        FollowUp(
            pk=FIRST_TEMPORARY_ID + target if with_temporary_ids else None,
            entry=entry,
            then_id=target,
            order=order,
        )
        for order, target in enumerate(targets)
    ]


def _apply_follow_ups(entry: Entry, ids: Iterable[int]) -> None:
    rows = build_follow_ups(entry, ids)
    current_ids = list(entry.follow_ups.values_list("then_id", flat=True))
    if current_ids == [row.then_id for row in rows]:
        return
    entry.follow_ups.all().delete()
    for row in rows:
        row.save(force_insert=True)


def find_changed_parts(old: EntrySnapshot, new: EntrySnapshot) -> set[str]:
    """Return the keys in which two snapshots differ."""
    return {
        name
        for name in old.keys() | new.keys()
        if _get_comparable_value(old, name) != _get_comparable_value(new, name)
        and not (_is_older_than_part(old, name) or _is_older_than_part(new, name))
    }


def _is_older_than_part(snapshot: EntrySnapshot, name: str) -> bool:
    """Return whether `snapshot` is older than the key `name` of the translation."""
    return name in TRANSLATION_COLUMNS and bool(snapshot) and name not in snapshot


def _get_comparable_value(snapshot: EntrySnapshot, name: str) -> Any:
    value = snapshot.get(name)
    if name == "replies":
        return [
            {k: v for k, v in row.items() if k != "author_id"} for row in value or []
        ]
    return value or None


def merge_snapshots(
    base: EntrySnapshot, theirs: EntrySnapshot, mine: EntrySnapshot
) -> EntrySnapshot:
    """Return `theirs` with the parts that `mine` changed of `base` (three-way merge).

    Raises ValidationError, code "both", with the keys that both changed differently.
    """
    own_changes = find_changed_parts(base, mine)
    conflicts = {
        name
        for name in own_changes & find_changed_parts(base, theirs)
        if name in find_changed_parts(theirs, mine)
    }
    if conflicts:
        raise ValidationError(sorted(conflicts), code="both")
    return theirs | {name: mine.get(name) for name in own_changes}
