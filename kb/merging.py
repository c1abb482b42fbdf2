"""Two entries become one: what belongs to the other goes over, and its address leads here."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import Max

from kb import entries, index, wording
from kb.entries import rights
from kb.entries.writing import keep_phrasing, locked, touch
from kb.feedback import moving
from kb.models import (
    Act,
    Entry,
    Favourite,
    FollowUp,
    Merger,
    Phrasing,
    Question,
    Reader,
    Reply,
    Right,
    User,
    require_no_personal_data,
)
from kb.text import normalize

FAR = 5  # mergers that one address is followed through
Status = Entry.Status


@dataclass(frozen=True, slots=True)
class Prospect:
    """What would go over; `lost` is what stays behind, in words."""

    phrasings: list[str]
    replies: list[Reply]
    same: list[Reply]
    questions: int
    follow_ups: int
    lost: str


def prospect(entry: Entry, other: Entry) -> Prospect:
    """Return what merging `other` into `entry` would do; nothing is written."""
    known = {entry.question_key, *_keys(entry)}
    said = [other.question, *other.phrasings.values_list("text", flat=True)]
    replies = list(other.replies.shared())
    same = [reply for reply in replies if reply.text in _bodies(entry)]
    return Prospect(
        phrasings=[text for text in said if normalize.key(text) not in known],
        replies=[reply for reply in replies if reply not in same],
        same=same,
        questions=other.questions.count(),
        follow_ups=other.follow_ups.count() + other.follows.count(),
        lost=other.answer,
    )


@transaction.atomic
def merge(entry: Entry, other: Entry, *, by: User | None) -> Merger:
    """Let `entry` answer for `other` too, which retires; return what undoes it.

    Phrasings, questions, replies, what people picked and what follows go over;
    the answer of `other` does not. Raises ValidationError, PermissionDenied.
    """
    entry, other = _both(entry, other, by=by)
    status = other.status
    moved = {
        "phrasings": _phrasings(entry, other),
        "replies": _replies(entry, other),
        "questions": _over(Question.objects.filter(entry=other), entry),
        "follow_ups": _follow_ups(entry, other),
        "favourites": _favourites(entry, other),
    }
    if entry.status == Status.PUBLISHED:
        bodies = entry.replies.shared().filter(pk__in=moved["replies"])
        said = [(f"「{one.label}」", one.body) for one in bodies]
        asked = entry.phrasings.filter(pk__in=moved["phrasings"])
        texts = asked.values_list("text", flat=True)
        wording.require(entry, wording.said_in("", "", said, texts))
    moved["picks"] = moving.move(other, entry)
    touch(entry, by=by, act=Act.MERGED, note=f"并入「{other}」#{other.pk}"[:200])
    entries.retire(other, by=by, note=f"并入「{entry}」#{entry.pk}"[:200])
    Merger.objects.filter(entry=other).update(entry=entry)
    index.mark([entry.pk, other.pk])
    return Merger.objects.create(
        entry=entry, other=other, status=status, moved=moved, by=by
    )


@transaction.atomic
def part(merger: Merger, *, by: User | None) -> Entry:
    """Undo a merger: what is still there goes back, and the other lives as before.

    Where it may not be published again, it stays a draft. Return it.
    """
    merger = Merger.objects.select_for_update().get(pk=merger.pk)
    entry, other = locked(merger.entry), locked(merger.other)
    rights.require(Right.PUBLISH, entry.category_id, by=by)
    moved: dict[str, list[int]] = merger.moved
    _take_back(Phrasing, moved["phrasings"], entry, other)
    _take_back(Reply, moved["replies"], entry, other)
    _take_back(Question, moved["questions"], entry, other)
    _take_back(Favourite, moved["favourites"], entry, other)
    _take_back(FollowUp, moved["follow_ups"], entry, other)
    before = FollowUp.objects.filter(pk__in=moved["follow_ups"], then=entry)
    held = list(other.follows.values_list("entry_id", flat=True))
    before.exclude(entry__in=[*held, other.pk]).update(then=other)
    other.phrasings.filter(text_key=other.question_key).delete()
    moving.move(entry, other, only=moved["picks"])
    merger.delete()
    touch(entry, by=by, act=Act.MERGED, note=f"撤销并入「{other}」#{other.pk}"[:200])
    other = _alive(other, merger.status, by=by)
    index.mark([entry.pk, other.pk])
    return other


def successor(pk: int, *, user: Reader) -> Entry | None:
    """Return the entry that answers for a merged one, as far as `user` may read it."""
    for _ in range(FAR):
        # Through the entry: a number out of an address may be too large for a column.
        merger = Merger.objects.filter(other__in=Entry.objects.filter(pk=pk)).first()
        if merger is None:
            return None
        pk = merger.entry_id
        if found := Entry.objects.published_to(user).filter(pk=pk).first():
            return found
    return None


def _both(entry: Entry, other: Entry, *, by: User | None) -> tuple[Entry, Entry]:
    """Return both, locked in one order for everybody, or refuse."""
    if entry.pk == other.pk:
        raise ValidationError("不能和自己合并。")
    held = {one.pk: locked(one) for one in sorted([entry, other], key=lambda e: e.pk)}
    entry, other = held[entry.pk], held[other.pk]
    rights.require(Right.WRITE, entry.category_id, by=by)
    rights.require(Right.PUBLISH, other.category_id, by=by)
    rights.require_own_hand(entry, by=by)
    for one in (entry, other):
        if one.status == Status.RETIRED:
            raise ValidationError(f"「{one}」已经下线，不能合并。")
        if entries.pending(one):
            raise ValidationError(f"「{one}」有修改在等审核，请先处理。")
    return entry, other


# What goes over -------------------------------------------------------------------


def _keys(entry: Entry) -> set[str]:
    return set(entry.phrasings.values_list("text_key", flat=True))


def _bodies(entry: Entry) -> set[str]:
    return set(entry.replies.shared().values_list("text", flat=True))


def _over(rows: Any, entry: Entry) -> list[int]:
    """Move these rows; return their ids."""
    ids = list(rows.values_list("pk", flat=True))
    rows.model._default_manager.filter(pk__in=ids).update(entry=entry)
    return ids


def _phrasings(entry: Entry, other: Entry) -> list[int]:
    known = {entry.question_key, *_keys(entry)}
    fresh = other.phrasings.exclude(text_key__in=known)
    for text in fresh.values_list("text", flat=True):
        require_no_personal_data(text, f"「{other}」的相似问法")
    moved = _over(fresh, entry)
    asked = keep_phrasing(entry, other.question)
    return [*moved, asked.pk] if asked else moved


def _replies(entry: Entry, other: Entry) -> list[int]:
    """Shared ones that say something new, behind ours; and everybody's own."""
    last = entry.replies.shared().aggregate(Max("order"))["order__max"]
    fresh = other.replies.shared().exclude(text__in=_bodies(entry))
    moved = _over(other.replies.kept(), entry)
    for order, reply in enumerate(fresh, 0 if last is None else last + 1):
        reply.entry, reply.order = entry, order
        reply.save()
        moved.append(reply.pk)
    return moved


def _follow_ups(entry: Entry, other: Entry) -> list[int]:
    """What follows the other follows us; what it follows is followed by us."""
    ours = set(entry.follow_ups.values_list("then_id", flat=True))
    after = other.follow_ups.exclude(then_id__in={*ours, entry.pk})
    moved = _over(after, entry)
    before = set(entry.follows.values_list("entry_id", flat=True))
    rows = other.follows.exclude(entry_id__in={*before, entry.pk})
    ids = list(rows.values_list("pk", flat=True))
    FollowUp.objects.filter(pk__in=ids).update(then=entry)
    return [*moved, *ids]


def _favourites(entry: Entry, other: Entry) -> list[int]:
    users = Favourite.objects.filter(entry=entry).values("user")
    return _over(Favourite.objects.filter(entry=other).exclude(user__in=users), entry)


# And back -------------------------------------------------------------------------


def _take_back(model: Any, ids: list[int], entry: Entry, other: Entry) -> None:
    for row in model._default_manager.filter(pk__in=ids, entry=entry):
        if not _clashes(row, other):
            row.entry = other
            row.save()


def _clashes(row: Any, other: Entry) -> bool:
    """Tell whether `other` has what the row says, so that it must stay."""
    if isinstance(row, Phrasing):
        return other.phrasings.filter(text_key=row.text_key).exists()
    if isinstance(row, FollowUp):
        held = other.follow_ups.filter(then_id=row.then_id).exists()
        return held or row.then_id == other.pk
    if isinstance(row, Favourite):
        return Favourite.objects.filter(entry=other, user=row.user).exists()
    return False


def _alive(other: Entry, status: str, *, by: User | None) -> Entry:
    other = entries.restore(other, by=by)
    if status != Status.PUBLISHED:
        return other
    try:
        with transaction.atomic():
            return entries.publish(other, by=by)
    except ValidationError:  # a rule of today stands in the way
        return other
