"""Two entries become one: what belongs to the other goes over, and its address leads here."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import Max

from kb.index import sync
from kb.language import style_rules
from kb.library import entries
from kb.library.entries import entry_rights
from kb.library.entries.entry_saving import (
    create_phrasing,
    lock_entry,
    save_new_version,
)
from kb.models import (
    CategoryRight,
    Entry,
    EntryMerge,
    Favorite,
    FollowUp,
    Phrasing,
    Question,
    Reader,
    Reply,
    RevisionAction,
    User,
    require_no_personal_data,
)
from kb.text.chinese import normalize
from kb.usage import pick_moving

MAX_FOLLOWED_MERGES = 5  # mergers that one address is followed through
EntryStatus = Entry.Status


@dataclass(frozen=True, slots=True)
class MergePreview:
    """What would go over; `lost` is what stays behind, in words."""

    phrasings: list[str]
    replies: list[Reply]
    duplicate_replies: list[Reply]
    question_count: int
    follow_up_count: int
    dropped_answer: str


def preview_merge(entry: Entry, other: Entry) -> MergePreview:
    """Return what merging `other` into `entry` would do; nothing is written."""
    known = {entry.question_key, *_list_phrasing_keys(entry)}
    said = [other.question, *other.phrasings.values_list("text", flat=True)]
    replies = list(other.replies.shared())
    same = [reply for reply in replies if reply.text in _list_reply_texts(entry)]
    return MergePreview(
        phrasings=[
            text for text in said if normalize.compute_spelling_key(text) not in known
        ],
        replies=[reply for reply in replies if reply not in same],
        duplicate_replies=same,
        question_count=other.questions.count(),
        follow_up_count=other.follow_ups.count() + other.preceded_by.count(),
        dropped_answer=other.answer,
    )


@transaction.atomic
def merge_entries(entry: Entry, other: Entry, *, by: User | None) -> EntryMerge:
    """Let `entry` answer for `other` too, which retires; return what undoes it.

    Phrasings, questions, replies, what people picked and what follows go over;
    the answer of `other` does not. Raises ValidationError, PermissionDenied.
    """
    entry, other = _lock_both_entries(entry, other, by=by)
    status = other.status
    moved = {
        "phrasings": _move_phrasings(entry, other),
        "replies": _move_replies(entry, other),
        "questions": _move_rows(Question.objects.filter(entry=other), entry),
        "follow_ups": _move_follow_ups(entry, other),
        "favourites": _move_favorites(entry, other),
    }
    if entry.status == EntryStatus.PUBLISHED:
        bodies = entry.replies.shared().filter(pk__in=moved["replies"])
        said = [(f"「{one.label}」", one.body) for one in bodies]
        asked = entry.phrasings.filter(pk__in=moved["phrasings"])
        texts = asked.values_list("text", flat=True)
        style_rules.require_publishable_style(
            entry, style_rules.list_form_texts("", "", said, texts)
        )
    moved["picks"] = pick_moving.move_picks(other, entry)
    save_new_version(
        entry,
        by=by,
        act=RevisionAction.QUESTION_MERGED,
        note=f"并入「{other}」#{other.pk}"[:200],
    )
    entries.retire_entry(other, by=by, note=f"并入「{entry}」#{entry.pk}"[:200])
    EntryMerge.objects.filter(entry=other).update(entry=entry)
    sync.mark_stale([entry.pk, other.pk])
    return EntryMerge.objects.create(
        entry=entry, other=other, status=status, moved=moved, by=by
    )


@transaction.atomic
def undo_merge(merger: EntryMerge, *, by: User | None) -> Entry:
    """Undo a merger: what is still there goes back, and the other lives as before.

    Where it may not be published again, it stays a draft. Return it.
    """
    merger = EntryMerge.objects.select_for_update().get(pk=merger.pk)
    entry, other = lock_entry(merger.entry), lock_entry(merger.other)
    entry_rights.require_category_right(CategoryRight.PUBLISH, entry.category_id, by=by)
    moved: dict[str, list[int]] = merger.moved
    _move_rows_back(Phrasing, moved["phrasings"], entry, other)
    _move_rows_back(Reply, moved["replies"], entry, other)
    _move_rows_back(Question, moved["questions"], entry, other)
    _move_rows_back(Favorite, moved["favourites"], entry, other)
    _move_rows_back(FollowUp, moved["follow_ups"], entry, other)
    before = FollowUp.objects.filter(pk__in=moved["follow_ups"], then=entry)
    held = list(other.preceded_by.values_list("entry_id", flat=True))
    before.exclude(entry__in=[*held, other.pk]).update(then=other)
    other.phrasings.filter(text_key=other.question_key).delete()
    pick_moving.move_picks(entry, other, only=moved["picks"])
    merger.delete()
    save_new_version(
        entry,
        by=by,
        act=RevisionAction.QUESTION_MERGED,
        note=f"撤销并入「{other}」#{other.pk}"[:200],
    )
    other = _restore_merged_entry(other, merger.status, by=by)
    sync.mark_stale([entry.pk, other.pk])
    return other


def find_merge_target(pk: int, *, user: Reader) -> Entry | None:
    """Return the entry that answers for a merged one, as far as `user` may read it."""
    for _ in range(MAX_FOLLOWED_MERGES):
        # Through the entry: a number out of an address may be too large for a column.
        merger = EntryMerge.objects.filter(
            other__in=Entry.objects.filter(pk=pk)
        ).first()
        if merger is None:
            return None
        pk = merger.entry_id
        if found := Entry.objects.published_to(user).filter(pk=pk).first():
            return found
    return None


def _lock_both_entries(
    entry: Entry, other: Entry, *, by: User | None
) -> tuple[Entry, Entry]:
    """Return both, locked in one order for everybody, or refuse."""
    if entry.pk == other.pk:
        raise ValidationError("不能和自己合并。")
    held = {
        one.pk: lock_entry(one) for one in sorted([entry, other], key=lambda e: e.pk)
    }
    entry, other = held[entry.pk], held[other.pk]
    entry_rights.require_category_right(CategoryRight.WRITE, entry.category_id, by=by)
    entry_rights.require_category_right(CategoryRight.PUBLISH, other.category_id, by=by)
    entry_rights.require_direct_edit(entry, by=by)
    for one in (entry, other):
        if one.status == EntryStatus.RETIRED:
            raise ValidationError(f"「{one}」已经下线，不能合并。")
        if entries.get_pending_change(one):
            raise ValidationError(f"「{one}」有修改在等审核，请先处理。")
    return entry, other


# What goes over -------------------------------------------------------------------


def _list_phrasing_keys(entry: Entry) -> set[str]:
    return set(entry.phrasings.values_list("text_key", flat=True))


def _list_reply_texts(entry: Entry) -> set[str]:
    return set(entry.replies.shared().values_list("text", flat=True))


def _move_rows(rows: Any, entry: Entry) -> list[int]:
    """Move these rows; return their ids."""
    ids = list(rows.values_list("pk", flat=True))
    rows.model._default_manager.filter(pk__in=ids).update(entry=entry)
    return ids


def _move_phrasings(entry: Entry, other: Entry) -> list[int]:
    known = {entry.question_key, *_list_phrasing_keys(entry)}
    fresh = other.phrasings.exclude(text_key__in=known)
    for text in fresh.values_list("text", flat=True):
        require_no_personal_data(text, f"「{other}」的相似问法")
    moved = _move_rows(fresh, entry)
    asked = create_phrasing(entry, other.question)
    return [*moved, asked.pk] if asked else moved


def _move_replies(entry: Entry, other: Entry) -> list[int]:
    """Shared ones that say something new, behind ours; and everybody's own."""
    last = entry.replies.shared().aggregate(Max("order"))["order__max"]
    fresh = other.replies.shared().exclude(text__in=_list_reply_texts(entry))
    moved = _move_rows(other.replies.private(), entry)
    for order, reply in enumerate(fresh, 0 if last is None else last + 1):
        reply.entry, reply.order = entry, order
        reply.save()
        moved.append(reply.pk)
    return moved


def _move_follow_ups(entry: Entry, other: Entry) -> list[int]:
    """What follows the other follows us; what it follows is followed by us."""
    ours = set(entry.follow_ups.values_list("then_id", flat=True))
    after = other.follow_ups.exclude(then_id__in={*ours, entry.pk})
    moved = _move_rows(after, entry)
    before = set(entry.preceded_by.values_list("entry_id", flat=True))
    rows = other.preceded_by.exclude(entry_id__in={*before, entry.pk})
    ids = list(rows.values_list("pk", flat=True))
    FollowUp.objects.filter(pk__in=ids).update(then=entry)
    return [*moved, *ids]


def _move_favorites(entry: Entry, other: Entry) -> list[int]:
    users = Favorite.objects.filter(entry=entry).values("user")
    return _move_rows(
        Favorite.objects.filter(entry=other).exclude(user__in=users), entry
    )


# And back -------------------------------------------------------------------------


def _move_rows_back(model: Any, ids: list[int], entry: Entry, other: Entry) -> None:
    for row in model._default_manager.filter(pk__in=ids, entry=entry):
        if not _has_equal_row(row, other):
            row.entry = other
            row.save()


def _has_equal_row(row: Any, other: Entry) -> bool:
    """Tell whether `other` has what the row says, so that it must stay."""
    if isinstance(row, Phrasing):
        return other.phrasings.filter(text_key=row.text_key).exists()
    if isinstance(row, FollowUp):
        held = other.follow_ups.filter(then_id=row.then_id).exists()
        return held or row.then_id == other.pk
    if isinstance(row, Favorite):
        return Favorite.objects.filter(entry=other, user=row.user).exists()
    return False


def _restore_merged_entry(other: Entry, status: str, *, by: User | None) -> Entry:
    other = entries.restore_entry(other, by=by)
    if status != EntryStatus.PUBLISHED:
        return other
    try:
        with transaction.atomic():
            return entries.publish_entry(other, by=by)
    except ValidationError:  # a rule of today stands in the way
        return other
