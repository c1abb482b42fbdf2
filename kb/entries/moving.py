"""The life of an entry: draft, in review, published, retired."""

from __future__ import annotations

from dataclasses import dataclass

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils import timezone

from kb import audit, wording
from kb.entries import rights
from kb.entries.writing import locked, touch
from kb.models import Act, Deed, Entry, Review, Right, User
from kb.text import normalize

Status = Entry.Status


@dataclass(frozen=True, slots=True)
class Way:
    """From which states to which one, who may go, and what it does to a review."""

    start: frozenset[Entry.Status]
    end: Entry.Status
    needs: Right = Right.PUBLISH
    closes: Review.State | None = None
    deed: Deed.Act | None = None  # for the audit log


DRAFT, REVIEW, LIVE, GONE = (frozenset({status}) for status in Status)
State = Review.State
WAYS = {
    Act.SUBMITTED: Way(DRAFT, Status.REVIEW, Right.WRITE),
    Act.WITHDRAWN: Way(REVIEW, Status.DRAFT, Right.WRITE, State.WITHDRAWN),
    Act.RETURNED: Way(REVIEW, Status.DRAFT, closes=State.RETURNED),
    Act.PUBLISHED: Way(
        DRAFT | REVIEW, Status.PUBLISHED, closes=State.APPROVED, deed=Deed.Act.PUBLISHED
    ),
    Act.RETIRED: Way(
        DRAFT | REVIEW | LIVE,
        Status.RETIRED,
        closes=State.WITHDRAWN,
        deed=Deed.Act.RETIRED,
    ),
    Act.RESTORED: Way(GONE, Status.DRAFT, deed=Deed.Act.RESTORED),
}


def submit(
    entry: Entry, *, by: User | None, note: str = "", reviewer: User | None = None
) -> Entry:
    """Draft → in review; `reviewer` is asked, others may judge as well."""
    return _move(entry, Act.SUBMITTED, by=by, note=note, reviewer=reviewer)


def withdraw_draft(entry: Entry, *, by: User | None) -> Entry:
    """In review → draft, because its author says so."""
    return _move(entry, Act.WITHDRAWN, by=by)


def send_back(entry: Entry, *, by: User | None, note: str = "") -> Entry:
    """In review → draft; `note` tells its author why."""
    return _move(entry, Act.RETURNED, by=by, note=note)


def publish(entry: Entry, *, by: User | None, note: str = "") -> Entry:
    """Draft or in review → published: found by all who may read it."""
    return _move(entry, Act.PUBLISHED, by=by, note=note)


def forward(entry: Entry, *, by: User | None, note: str = "") -> Entry:
    """Publish a draft; submit it where `by` may not judge what he wrote himself."""
    own = rights.may_publish(entry, by=by) and not rights.may_judge(entry, by=by)
    return (submit if own else publish)(entry, by=by, note=note)


def retire(entry: Entry, *, by: User | None, note: str = "") -> Entry:
    """Any live state → retired: found by nobody, kept for history."""
    return _move(entry, Act.RETIRED, by=by, note=note)


def restore(entry: Entry, *, by: User | None, note: str = "") -> Entry:
    """Retired → draft."""
    return _move(entry, Act.RESTORED, by=by, note=note)


@transaction.atomic
def _move(
    entry: Entry,
    act: Act,
    *,
    by: User | None,
    note: str = "",
    reviewer: User | None = None,
) -> Entry:
    way = WAYS[act]
    entry = locked(entry)
    require_move(entry, act, by=by)
    if way.end == Status.PUBLISHED:
        entry.published_at = timezone.now()
    entry.status = way.end
    entry = touch(entry, by=by, act=act, note=note)
    if way.deed:
        audit.note(way.deed, f"「{entry}」#{entry.pk}", by=by)
    if act == Act.SUBMITTED:
        said = normalize.line(note)[:200]
        entry.reviews.create(by=by, base=entry.version, note=said, reviewer=reviewer)
    elif way.closes:
        close(entry, way.closes, by=by, reason=note)
    return entry


def require_move(entry: Entry, act: Act, *, by: User | None) -> None:
    """Raise ValidationError or PermissionDenied if `by` may not make this move now.

    Nothing is written: a preview asks for each entry what the move itself asks.
    """
    way = WAYS[act]
    rights.require(way.needs, entry.category_id, by=by)
    if entry.status not in way.start:
        state = Status(entry.status).label
        raise ValidationError(
            f"「{entry}」现在是「{state}」，不能改为「{way.end.label}」。", code="state"
        )
    if way.end == Status.PUBLISHED:
        require_words(entry)
        rights.require_another(entry, by=by)


def close(
    entry: Entry, state: Review.State, *, by: User | None, reason: str = ""
) -> None:
    """End the review that waits for `entry`, if one does."""
    Review.waiting().filter(entry=entry).update(
        state=state,
        judged_by=by,
        judged_at=timezone.now(),
        reason=normalize.line(reason)[:200],
    )


def require_words(entry: Entry) -> None:
    """Nothing is published that says nothing, or what must not be said."""
    if entry.audience == Entry.Audience.PUBLIC and not entry.answer:
        raise ValidationError(f"「{entry}」没有 FAQ 答案，不能公开发布。")
    if not entry.answer and not entry.replies.shared().exists():
        raise ValidationError(f"「{entry}」既没有 FAQ 答案也没有话术，不能发布。")
    wording.require(entry)
