"""The life of an entry: draft, in review, published, retired."""

from __future__ import annotations

from dataclasses import dataclass

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.utils import timezone

from kb import wording
from kb.entries.writing import locked, touch
from kb.models import Act, Entry, User

Status = Entry.Status


@dataclass(frozen=True, slots=True)
class Way:
    """From which states to which one, and who may go."""

    start: frozenset[Entry.Status]
    end: Entry.Status
    needs: str = "publish_entry"


LIVE = frozenset({Status.DRAFT, Status.REVIEW, Status.PUBLISHED})
WAYS = {
    Act.SUBMITTED: Way(frozenset({Status.DRAFT}), Status.REVIEW, "change_entry"),
    Act.RETURNED: Way(frozenset({Status.REVIEW}), Status.DRAFT),
    Act.PUBLISHED: Way(frozenset({Status.DRAFT, Status.REVIEW}), Status.PUBLISHED),
    Act.RETIRED: Way(LIVE, Status.RETIRED),
    Act.RESTORED: Way(frozenset({Status.RETIRED}), Status.DRAFT),
}


def submit(entry: Entry, *, by: User | None, note: str = "") -> Entry:
    """Draft → in review."""
    return _move(entry, Act.SUBMITTED, by=by, note=note)


def send_back(entry: Entry, *, by: User | None, note: str = "") -> Entry:
    """In review → draft."""
    return _move(entry, Act.RETURNED, by=by, note=note)


def publish(entry: Entry, *, by: User | None, note: str = "") -> Entry:
    """Draft or in review → published: found by all who may read it."""
    return _move(entry, Act.PUBLISHED, by=by, note=note)


def retire(entry: Entry, *, by: User | None, note: str = "") -> Entry:
    """Any live state → retired: found by nobody, kept for history."""
    return _move(entry, Act.RETIRED, by=by, note=note)


def restore(entry: Entry, *, by: User | None, note: str = "") -> Entry:
    """Retired → draft."""
    return _move(entry, Act.RESTORED, by=by, note=note)


@transaction.atomic
def _move(entry: Entry, act: Act, *, by: User | None, note: str) -> Entry:
    way = WAYS[act]
    if by is not None and not by.has_perm(f"kb.{way.needs}"):
        raise PermissionDenied("您没有这个操作的权限。")
    entry = locked(entry)
    if entry.status not in way.start:
        state = Status(entry.status).label
        raise ValidationError(
            f"「{entry}」现在是「{state}」，不能改为「{way.end.label}」。", code="state"
        )
    if way.end == Status.PUBLISHED:
        require_words(entry)
        wording.require(entry)
        entry.published_at = timezone.now()
    entry.status = way.end
    return touch(entry, by=by, act=act, note=note)


def require_words(entry: Entry) -> None:
    """An entry that says nothing to its readers is not worth finding."""
    if entry.audience == Entry.Audience.PUBLIC and not entry.answer:
        raise ValidationError(f"「{entry}」没有 FAQ 答案，不能公开发布。")
    if not entry.answer and not entry.replies.shared().exists():
        raise ValidationError(f"「{entry}」既没有 FAQ 答案也没有话术，不能发布。")
