"""The life of an entry: draft, in review, published, retired."""

from __future__ import annotations

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.utils import timezone

from kb import wording
from kb.entries.writing import locked, touch
from kb.models import Entry, User

Status = Entry.Status


def submit(entry: Entry, *, by: User | None) -> Entry:
    """Draft → in review."""
    return _move(entry, {Status.DRAFT}, Status.REVIEW, by=by)


def send_back(entry: Entry, *, by: User | None) -> Entry:
    """In review → draft."""
    return _move(entry, {Status.REVIEW}, Status.DRAFT, by=by, needs="publish_entry")


def publish(entry: Entry, *, by: User | None) -> Entry:
    """Draft or in review → published: found by all who may read it."""
    ready = {Status.DRAFT, Status.REVIEW}
    return _move(entry, ready, Status.PUBLISHED, by=by, needs="publish_entry")


def retire(entry: Entry, *, by: User | None) -> Entry:
    """Any live state → retired: found by nobody, kept for history."""
    live = {Status.DRAFT, Status.REVIEW, Status.PUBLISHED}
    return _move(entry, live, Status.RETIRED, by=by, needs="publish_entry")


def restore(entry: Entry, *, by: User | None) -> Entry:
    """Retired → draft."""
    return _move(entry, {Status.RETIRED}, Status.DRAFT, by=by, needs="publish_entry")


@transaction.atomic
def _move(
    entry: Entry,
    allowed: set[Entry.Status],
    status: Entry.Status,
    *,
    by: User | None,
    needs: str = "change_entry",
) -> Entry:
    if by is not None and not by.has_perm(f"kb.{needs}"):
        raise PermissionDenied("您没有这个操作的权限。")
    entry = locked(entry)
    if entry.status not in allowed:
        state = Status(entry.status).label
        raise ValidationError(
            f"「{entry}」现在是「{state}」，不能改为「{status.label}」。", code="state"
        )
    if status == Status.PUBLISHED:
        _require_words(entry)
        wording.require(entry)
        entry.published_at = timezone.now()
    entry.status = status
    return touch(entry, by=by)


def _require_words(entry: Entry) -> None:
    """An entry that says nothing to its readers is not worth finding."""
    if entry.audience == Entry.Audience.PUBLIC and not entry.answer:
        raise ValidationError(f"「{entry}」没有 FAQ 答案，不能公开发布。")
    if not entry.answer and not entry.replies.shared().exists():
        raise ValidationError(f"「{entry}」既没有 FAQ 答案也没有话术，不能发布。")
