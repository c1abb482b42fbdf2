"""All that an entry says, as one value: taken from the tables, laid back into them."""

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
# What is not said but happens to an entry, or tells only where it came from.
UNEDITED_COLUMNS = {"id", "status", "source", "external_id"}
FIRST_TEMPORARY_ID = 2**50  # primary keys of rows that do not exist yet begin here
# The translation by hand, which is a part of what an entry says: by columns of Face.
TRANSLATION_COLUMNS = {"hant_question": "own_question", "hant_answer": "own_answer"}
REPLY_COLUMNS = ("label", "tone", "channel", "segment_id", "order", "body")


def list_editable_columns() -> list[Field[Any, Any]]:
    """Return the columns of an entry that people write."""
    fields = Entry._meta.concrete_fields
    return [f for f in fields if f.editable and f.name not in UNEDITED_COLUMNS]


def take_snapshot(entry: Entry) -> EntrySnapshot:
    """Return what `entry` says now, read from the database, fit for JSON."""
    return take_snapshots([entry.pk])[entry.pk]


def take_snapshots(ids: Iterable[int]) -> dict[int, EntrySnapshot]:
    """Return what each of the entries says, in five queries."""
    wanted = list(ids)
    names = [field.attname for field in list_editable_columns()]
    translation = {
        name: F(f"translation__{column}")
        for name, column in TRANSLATION_COLUMNS.items()
    }
    rows = Entry.objects.filter(pk__in=wanted).values("pk", *names, **translation)
    parts = {"tags": _load_tags(wanted), "phrasings": _load_phrasings(wanted)}
    parts |= {
        "replies": _load_shared_replies(wanted),
        "follow_ups": _load_follow_ups(wanted),
    }
    return {
        row.pop("pk"): _make_json_safe(row)
        | {name: row[name] or "" for name in TRANSLATION_COLUMNS}
        | {name: held[pk] for name, held in parts.items()}
        for row in rows
        for pk in [row["pk"]]
    }


def build_content(
    entry: Entry,
    *,
    tags: Iterable[str],
    phrasings: Iterable[str],
    replies: Iterable[Mapping[str, Any]],
    follow_ups: Iterable[int],
    translation: Mapping[str, str],
) -> EntrySnapshot:
    """Return the content of values that are not saved, in the shape of `content`."""
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


def get_reply_row(reply: Reply) -> dict[str, Any]:
    """Return a reply as `content` holds it; the id of one that is new is 0."""
    row = {name: getattr(reply, name) for name in ("author_id", *REPLY_COLUMNS)}
    return {"id": reply.pk or 0, **row}


def _make_json_safe(row: Mapping[str, Any]) -> EntrySnapshot:
    plain: EntrySnapshot = json.loads(json.dumps(row, cls=DjangoJSONEncoder))
    return plain


def _group_by_entry(
    rows: QuerySet[Any, tuple[Any, ...]],
) -> defaultdict[int, list[Any]]:
    found = defaultdict(list)
    for entry_id, value in rows:
        found[entry_id].append(value)
    return found


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
    """Only what is everybody's: a reply of one's own is no part of the entry."""
    found = defaultdict(list)
    rows = Reply.objects.shared().filter(entry__in=ids)
    for row in rows.values("entry_id", "id", "author_id", *REPLY_COLUMNS):
        found[row.pop("entry_id")].append(row)
    return found


# Laid back ---------------------------------------------------------------------


def apply_snapshot(entry: Entry, said: EntrySnapshot) -> list[str]:
    """Let `entry` say `said`; return the names of what is not there any more.

    Its own columns are set and not saved; replies, phrasings, tags and what
    follows are written. The caller holds the row and checks the whole. New
    replies get ids of their own.
    """
    lost = set_snapshot_columns(entry, said)
    apply_replies(entry, said.get("replies", []))
    apply_phrasings(entry, said.get("phrasings", []))
    tags = list(Tag.objects.filter(name__in=said.get("tags", [])))
    lost += sorted(set(said.get("tags", [])) - {tag.name for tag in tags})
    entry.tags.set(tags)
    _apply_follow_ups(entry, said.get("follow_ups", []))
    _apply_translation(entry, said)
    return lost


def set_snapshot_columns(entry: Entry, said: EntrySnapshot) -> list[str]:
    """Set the columns that `said` knows: an old version lacks what came later.

    Nothing is saved. Returns the names of columns whose related row is gone.
    """
    lost = []
    for field in list_editable_columns():
        if field.attname not in said:
            continue
        value = field.to_python(said[field.attname])
        if isinstance(field, ForeignKey) and not _has_related_row(field, value):
            lost.append(str(field.verbose_name))
            continue
        setattr(entry, field.attname, value)
    return lost


def apply_replies(entry: Entry, said: Iterable[Mapping[str, Any]]) -> None:
    """Change the replies that are still there, make anew those that are not."""
    held = {reply.pk: reply for reply in entry.replies.shared()}
    for row in said:
        reply = held.pop(row.get("id") or 0, None) or Reply(entry=entry)
        set_reply_columns(reply, row)
        reply.full_clean()
        reply.save()
    for reply in held.values():
        reply.delete()


def set_reply_columns(reply: Reply, row: Mapping[str, Any]) -> Reply:
    """Set the columns of `reply` as `row` says, without saving; return it."""
    for name in REPLY_COLUMNS:
        setattr(reply, name, row[name])
    if reply._state.adding:
        reply.author_id = _keep_existing_id(row.get("author_id"), "author")
    reply.segment_id = _keep_existing_id(reply.segment_id, "segment")
    return reply


def _has_related_row(field: Any, pk: int | None) -> bool:
    """Tell whether the row that a foreign key means still exists; none is right."""
    rows = field.related_model._default_manager
    return pk is None or rows.filter(pk=pk).exists()


def _keep_existing_id(pk: int | None, name: str) -> int | None:
    return pk if _has_related_row(Reply._meta.get_field(name), pk) else None


def apply_phrasings(entry: Entry, texts: Iterable[str]) -> None:
    """Make these the phrasings; the ones that stay keep the question they came from.

    Raises ValidationError for a new one that is not allowed, also for personal data.
    """
    wanted = {normalize.compute_spelling_key(text): text for text in texts}
    held = {phrasing.text_key: phrasing for phrasing in entry.phrasings.all()}
    gone = [phrasing.pk for key, phrasing in held.items() if key not in wanted]
    for phrasing in entry.phrasings.filter(pk__in=gone):
        phrasing.delete()
    for key, text in wanted.items():
        if key not in held and key != normalize.compute_spelling_key(entry.question):
            made = Phrasing(entry=entry, text=text, text_key=key)
            made.full_clean()
            made.save()


def _apply_translation(entry: Entry, said: EntrySnapshot) -> None:
    """Set the translation, which versions of before it was kept do not know."""
    if not TRANSLATION_COLUMNS.keys() <= said.keys():
        return
    wanted = [said[name] or "" for name in TRANSLATION_COLUMNS]
    face = EntryTranslation.objects.filter(entry=entry).first()
    held = (
        [getattr(face, column) for column in TRANSLATION_COLUMNS.values()]
        if face
        else []
    )
    if wanted != (held or ["", ""]):
        translations.save_manual_translation(entry, *wanted)


def build_follow_ups(
    entry: Entry, ids: Iterable[int], *, as_numbered: bool = False
) -> list[FollowUp]:
    """Return follow-ups of `entry` to the entries `ids` in this order, unsaved.

    With `as_numbered` each has a primary key that depends on its target alone, so
    that the form that is shown and the form that is sent name the same rows.
    """
    ids = list(ids)
    there = set(Entry.objects.filter(pk__in=ids).values_list("pk", flat=True))
    targets = [pk for pk in dict.fromkeys(ids) if pk in there and pk != entry.pk]
    return [
        FollowUp(
            pk=FIRST_TEMPORARY_ID + target if as_numbered else None,
            entry=entry,
            then_id=target,
            order=order,
        )
        for order, target in enumerate(targets)
    ]


def _apply_follow_ups(entry: Entry, ids: Iterable[int]) -> None:
    rows = build_follow_ups(entry, ids)
    held = list(entry.follow_ups.values_list("then_id", flat=True))
    if held == [row.then_id for row in rows]:
        return
    entry.follow_ups.all().delete()
    for row in rows:
        row.save(force_insert=True)


def find_changed_parts(one: EntrySnapshot, other: EntrySnapshot) -> set[str]:
    """Return the names of what the two say differently."""
    return {
        name
        for name in one.keys() | other.keys()
        if _get_comparable_value(one, name) != _get_comparable_value(other, name)
        and not (_is_older_than_part(one, name) or _is_older_than_part(other, name))
    }


def _is_older_than_part(said: EntrySnapshot, name: str) -> bool:
    """Tell whether a version was kept before versions held the translation."""
    return name in TRANSLATION_COLUMNS and bool(said) and name not in said


def _get_comparable_value(said: EntrySnapshot, name: str) -> Any:
    value = said.get(name)
    if name == "replies":
        return [
            {k: v for k, v in row.items() if k != "author_id"} for row in value or []
        ]
    return value or None


def merge_snapshots(
    base: EntrySnapshot, theirs: EntrySnapshot, mine: EntrySnapshot
) -> EntrySnapshot:
    """Return `theirs` with what `mine` changed of `base`.

    Raises ValidationError where both changed the same thing differently.
    """
    ours = find_changed_parts(base, mine)
    both = {
        name
        for name in ours & find_changed_parts(base, theirs)
        if name in find_changed_parts(theirs, mine)
    }
    if both:
        raise ValidationError(sorted(both), code="both")
    return theirs | {name: mine.get(name) for name in ours}
