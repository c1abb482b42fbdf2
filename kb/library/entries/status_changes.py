"""The status of entries: draft, in review, published, retired; and its transitions."""

from __future__ import annotations

from dataclasses import dataclass

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils import timezone

from kb.accounts import audit_log
from kb.language import style_rules
from kb.library.entries import entry_rights
from kb.library.entries.entry_saving import lock_entry, save_new_version
from kb.models import AuditEvent, CategoryRight, Entry, Review, RevisionAction, User
from kb.text.chinese import normalize

EntryStatus = Entry.Status


@dataclass(frozen=True, slots=True)
class StatusTransition:
    """A change of status: from where to where, the right it needs, its consequences."""

    from_statuses: frozenset[Entry.Status]
    to_status: Entry.Status
    needed_right: CategoryRight = CategoryRight.PUBLISH
    closes_review_as: Review.State | None = None
    audit_action: AuditEvent.Action | None = None


FROM_DRAFT, FROM_REVIEW, FROM_PUBLISHED, FROM_RETIRED = (
    frozenset({status}) for status in EntryStatus
)
ReviewState = Review.State
STATUS_TRANSITIONS = {
    RevisionAction.SUBMITTED: StatusTransition(
        FROM_DRAFT, EntryStatus.REVIEW, CategoryRight.WRITE
    ),
    RevisionAction.WITHDRAWN: StatusTransition(
        FROM_REVIEW, EntryStatus.DRAFT, CategoryRight.WRITE, ReviewState.WITHDRAWN
    ),
    RevisionAction.RETURNED: StatusTransition(
        FROM_REVIEW, EntryStatus.DRAFT, closes_review_as=ReviewState.RETURNED
    ),
    RevisionAction.PUBLISHED: StatusTransition(
        FROM_DRAFT | FROM_REVIEW,
        EntryStatus.PUBLISHED,
        closes_review_as=ReviewState.APPROVED,
        audit_action=AuditEvent.Action.PUBLISHED,
    ),
    RevisionAction.RETIRED: StatusTransition(
        FROM_DRAFT | FROM_REVIEW | FROM_PUBLISHED,
        EntryStatus.RETIRED,
        closes_review_as=ReviewState.WITHDRAWN,
        audit_action=AuditEvent.Action.RETIRED,
    ),
    RevisionAction.RESTORED: StatusTransition(
        FROM_RETIRED, EntryStatus.DRAFT, audit_action=AuditEvent.Action.RESTORED
    ),
}


def submit_entry(
    entry: Entry, *, by: User | None, note: str = "", reviewer: User | None = None
) -> Entry:
    """Draft → in review. `reviewer` is asked to judge; others may as well."""
    return _change_status(
        entry, RevisionAction.SUBMITTED, by=by, note=note, reviewer=reviewer
    )


def withdraw_submitted_draft(entry: Entry, *, by: User | None) -> Entry:
    """In review → draft, by its author."""
    return _change_status(entry, RevisionAction.WITHDRAWN, by=by)


def return_draft_to_author(entry: Entry, *, by: User | None, note: str = "") -> Entry:
    """In review → draft; `note` is the reason for its author."""
    return _change_status(entry, RevisionAction.RETURNED, by=by, note=note)


def publish_entry(entry: Entry, *, by: User | None, note: str = "") -> Entry:
    """Draft or in review → published. Raises ValidationError, PermissionDenied."""
    return _change_status(entry, RevisionAction.PUBLISHED, by=by, note=note)


def publish_or_submit_entry(entry: Entry, *, by: User | None, note: str = "") -> Entry:
    """Publish a draft, or submit it where `by` may not approve their own text."""
    needs_other_approver = entry_rights.can_publish_entry(
        entry, by=by
    ) and not entry_rights.can_approve_entry(entry, by=by)
    return (submit_entry if needs_other_approver else publish_entry)(
        entry, by=by, note=note
    )


def retire_entry(entry: Entry, *, by: User | None, note: str = "") -> Entry:
    """Draft, in review or published → retired: readers no longer find it."""
    return _change_status(entry, RevisionAction.RETIRED, by=by, note=note)


def restore_entry(entry: Entry, *, by: User | None, note: str = "") -> Entry:
    """Retired → draft."""
    return _change_status(entry, RevisionAction.RESTORED, by=by, note=note)


@transaction.atomic
def _change_status(
    entry: Entry,
    act: RevisionAction,
    *,
    by: User | None,
    note: str = "",
    reviewer: User | None = None,
) -> Entry:
    transition = STATUS_TRANSITIONS[act]
    entry = lock_entry(entry)
    require_status_change(entry, act, by=by)
    if transition.to_status == EntryStatus.PUBLISHED:
        entry.published_at = timezone.now()
    entry.status = transition.to_status
    entry = save_new_version(entry, by=by, act=act, note=note)
    if transition.audit_action:
        audit_log.record_event(
            transition.audit_action, f"「{entry}」#{entry.pk}", by=by
        )
    if act == RevisionAction.SUBMITTED:
        review_note = normalize.clean_single_line(note)[:200]
        entry.reviews.create(
            by=by, base=entry.version, note=review_note, reviewer=reviewer
        )
    elif transition.closes_review_as:
        close_review(entry, transition.closes_review_as, by=by, reason=note)
    return entry


def require_status_change(
    entry: Entry, act: RevisionAction, *, by: User | None
) -> None:
    """Raise ValidationError or PermissionDenied if `by` may not change the status now.

    Nothing is written, so a preview can call it for each entry.
    """
    transition = STATUS_TRANSITIONS[act]
    entry_rights.require_category_right(
        transition.needed_right, entry.category_id, by=by
    )
    if entry.status not in transition.from_statuses:
        state = EntryStatus(entry.status).label
        raise ValidationError(
            f"「{entry}」现在是「{state}」，不能改为「{transition.to_status.label}」。",
            code="state",
        )
    if transition.to_status == EntryStatus.PUBLISHED:
        require_publishable_text(entry)
        entry_rights.require_other_approver(entry, by=by)


def close_review(
    entry: Entry, state: Review.State, *, by: User | None, reason: str = ""
) -> None:
    """Close the open review of `entry`, if any."""
    Review.open_reviews().filter(entry=entry).update(
        state=state,
        judged_by=by,
        judged_at=timezone.now(),
        reason=normalize.clean_single_line(reason)[:200],
    )


def require_publishable_text(entry: Entry) -> None:
    """Raise ValidationError where `entry` is empty or breaks a style rule."""
    if entry.audience == Entry.Audience.PUBLIC and not entry.answer:
        raise ValidationError(f"「{entry}」没有 FAQ 答案，不能公开发布。")
    if not entry.answer and not entry.replies.shared().exists():
        raise ValidationError(f"「{entry}」既没有 FAQ 答案也没有话术，不能发布。")
    style_rules.require_publishable_style(entry)
