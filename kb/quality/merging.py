"""Merge two entries: content of the other moves over, its address redirects here."""

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
from kb.usage import picks

MAX_FOLLOWED_MERGES = 5  # in a chain of merges behind one address
EntryStatus = Entry.Status


@dataclass(frozen=True, slots=True)
class MergePreview:
    """What a merge would move; the answer of the other entry is dropped."""

    phrasings: list[str]
    replies: list[Reply]
    duplicate_replies: list[Reply]
    question_count: int
    follow_up_count: int
    dropped_answer: str


def preview_merge(entry: Entry, other: Entry) -> MergePreview:
    """Return what merging `other` into `entry` would do, without writing."""
    known_keys = {entry.question_key, *_list_phrasing_keys(entry)}
    texts = [other.question, *other.phrasings.values_list("text", flat=True)]
    replies = list(other.replies.shared())
    duplicates = [reply for reply in replies if reply.text in _list_reply_texts(entry)]
    return MergePreview(
        phrasings=[
            text
            for text in texts
            if normalize.compute_spelling_key(text) not in known_keys
        ],
        replies=[reply for reply in replies if reply not in duplicates],
        duplicate_replies=duplicates,
        question_count=other.questions.count(),
        follow_up_count=other.follow_ups.count() + other.preceded_by.count(),
        dropped_answer=other.answer,
    )


@transaction.atomic
def merge_entries(entry: Entry, other: Entry, *, by: User | None) -> EntryMerge:
    """Merge `other` into `entry` and retire it; return the record that can undo it.

    Phrasings, questions, replies, picks, favourites and follow-ups move over; the
    answer of `other` does not. Raises ValidationError, PermissionDenied.
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
        moved_replies = entry.replies.shared().filter(pk__in=moved["replies"])
        reply_texts = [(f"「{reply.label}」", reply.body) for reply in moved_replies]
        phrasings = entry.phrasings.filter(pk__in=moved["phrasings"])
        phrasing_texts = phrasings.values_list("text", flat=True)
        style_rules.require_publishable_style(
            entry, style_rules.list_form_texts("", "", reply_texts, phrasing_texts)
        )
    moved["picks"] = picks.move_picks(other, entry)
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
def undo_merge(merge: EntryMerge, *, by: User | None) -> Entry:
    """Undo a merge: rows that still exist move back; return the restored entry.

    It gets its previous status, or stays a draft where a rule forbids publishing it.
    Raises ValidationError, PermissionDenied.
    """
    merge = EntryMerge.objects.select_for_update().get(pk=merge.pk)
    entry, other = lock_entry(merge.entry), lock_entry(merge.other)
    entry_rights.require_category_right(CategoryRight.PUBLISH, entry.category_id, by=by)
    moved: dict[str, list[int]] = merge.moved
    _move_rows_back(Phrasing, moved["phrasings"], entry, other)
    _move_rows_back(Reply, moved["replies"], entry, other)
    _move_rows_back(Question, moved["questions"], entry, other)
    _move_rows_back(Favorite, moved["favourites"], entry, other)
    _move_rows_back(FollowUp, moved["follow_ups"], entry, other)
    moved_back = FollowUp.objects.filter(pk__in=moved["follow_ups"], then=entry)
    existing_ids = list(other.preceded_by.values_list("entry_id", flat=True))
    moved_back.exclude(entry__in=[*existing_ids, other.pk]).update(then=other)
    other.phrasings.filter(text_key=other.question_key).delete()
    picks.move_picks(entry, other, only=moved["picks"])
    merge.delete()
    save_new_version(
        entry,
        by=by,
        act=RevisionAction.QUESTION_MERGED,
        note=f"撤销并入「{other}」#{other.pk}"[:200],
    )
    other = _restore_merged_entry(other, merge.status, by=by)
    sync.mark_stale([entry.pk, other.pk])
    return other


def find_merge_target(pk: int, *, user: Reader) -> Entry | None:
    """Return the entry that a merged one went into, if `user` may read it."""
    for _ in range(MAX_FOLLOWED_MERGES):
        # A sub-query, because a number in an address may be too large for a column.
        merge = EntryMerge.objects.filter(other__in=Entry.objects.filter(pk=pk)).first()
        if merge is None:
            return None
        pk = merge.entry_id
        if target := Entry.objects.published_to(user).filter(pk=pk).first():
            return target
    return None


def _lock_both_entries(
    entry: Entry, other: Entry, *, by: User | None
) -> tuple[Entry, Entry]:
    """Return both entries, locked in the order of their ids to avoid deadlocks.

    Raises ValidationError, PermissionDenied where they cannot be merged.
    """
    if entry.pk == other.pk:
        raise ValidationError("不能和自己合并。")
    locked_by_id = {
        each.pk: lock_entry(each) for each in sorted([entry, other], key=lambda e: e.pk)
    }
    entry, other = locked_by_id[entry.pk], locked_by_id[other.pk]
    entry_rights.require_category_right(CategoryRight.WRITE, entry.category_id, by=by)
    entry_rights.require_category_right(CategoryRight.PUBLISH, other.category_id, by=by)
    entry_rights.require_direct_edit(entry, by=by)
    for each in (entry, other):
        if each.status == EntryStatus.RETIRED:
            raise ValidationError(f"「{each}」已经下线，不能合并。")
        if entries.get_pending_change(each):
            raise ValidationError(f"「{each}」有修改在等审核，请先处理。")
    return entry, other


# Move rows ------------------------------------------------------------------------


def _list_phrasing_keys(entry: Entry) -> set[str]:
    return set(entry.phrasings.values_list("text_key", flat=True))


def _list_reply_texts(entry: Entry) -> set[str]:
    return set(entry.replies.shared().values_list("text", flat=True))


def _move_rows(rows: Any, entry: Entry) -> list[int]:
    """Move the rows of a queryset to `entry`; return their ids."""
    ids = list(rows.values_list("pk", flat=True))
    rows.model._default_manager.filter(pk__in=ids).update(entry=entry)
    return ids


def _move_phrasings(entry: Entry, other: Entry) -> list[int]:
    known_keys = {entry.question_key, *_list_phrasing_keys(entry)}
    new_phrasings = other.phrasings.exclude(text_key__in=known_keys)
    for text in new_phrasings.values_list("text", flat=True):
        require_no_personal_data(text, f"「{other}」的相似问法")
    moved_ids = _move_rows(new_phrasings, entry)
    from_question = create_phrasing(entry, other.question)
    return [*moved_ids, from_question.pk] if from_question else moved_ids


def _move_replies(entry: Entry, other: Entry) -> list[int]:
    """Move private replies, and shared ones with a new text behind those of `entry`."""
    last_order = entry.replies.shared().aggregate(Max("order"))["order__max"]
    new_replies = other.replies.shared().exclude(text__in=_list_reply_texts(entry))
    moved_ids = _move_rows(other.replies.private(), entry)
    for order, reply in enumerate(
        new_replies, 0 if last_order is None else last_order + 1
    ):
        reply.entry, reply.order = entry, order
        reply.save()
        moved_ids.append(reply.pk)
    return moved_ids


def _move_follow_ups(entry: Entry, other: Entry) -> list[int]:
    """Move the follow-ups of `other`, and those of other entries that lead to it."""
    own_targets = set(entry.follow_ups.values_list("then_id", flat=True))
    new_follow_ups = other.follow_ups.exclude(then_id__in={*own_targets, entry.pk})
    moved_ids = _move_rows(new_follow_ups, entry)
    existing_sources = set(entry.preceded_by.values_list("entry_id", flat=True))
    incoming = other.preceded_by.exclude(entry_id__in={*existing_sources, entry.pk})
    ids = list(incoming.values_list("pk", flat=True))
    FollowUp.objects.filter(pk__in=ids).update(then=entry)
    return [*moved_ids, *ids]


def _move_favorites(entry: Entry, other: Entry) -> list[int]:
    users = Favorite.objects.filter(entry=entry).values("user")
    return _move_rows(
        Favorite.objects.filter(entry=other).exclude(user__in=users), entry
    )


# Move rows back -------------------------------------------------------------------


def _move_rows_back(model: Any, ids: list[int], entry: Entry, other: Entry) -> None:
    for row in model._default_manager.filter(pk__in=ids, entry=entry):
        if not _has_equal_row(row, other):
            row.entry = other
            row.save()


def _has_equal_row(row: Any, other: Entry) -> bool:
    """Return whether `other` has an equal row, so that this one cannot move back."""
    if isinstance(row, Phrasing):
        return other.phrasings.filter(text_key=row.text_key).exists()
    if isinstance(row, FollowUp):
        is_followed = other.follow_ups.filter(then_id=row.then_id).exists()
        return is_followed or row.then_id == other.pk
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
    except ValidationError:  # a current rule forbids it
        return other


def find_merge_of(entry: Entry) -> EntryMerge | None:
    """Return the merge by which `entry` was merged into another and retired."""
    return EntryMerge.objects.filter(other=entry).select_related("entry").first()
