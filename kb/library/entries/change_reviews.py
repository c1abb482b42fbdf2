"""Words wait until somebody else approves them; what is published stays meanwhile."""

from __future__ import annotations

from dataclasses import dataclass
from secrets import randbits

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.db.models import Case, QuerySet, Value, When

from kb.accounts import audit_log
from kb.library.entries import entry_rights
from kb.library.entries.entry_saving import (
    EDIT_CONFLICT_MESSAGE,
    lock_entry,
    save_new_version,
)
from kb.library.entries.snapshot_diff import get_field_labels
from kb.library.entries.snapshots import (
    FIRST_TEMPORARY_ID,
    TRANSLATION_COLUMNS,
    EntrySnapshot,
    apply_snapshot,
    build_content,
    build_follow_ups,
    get_reply_row,
    merge_snapshots,
    set_reply_columns,
    set_snapshot_columns,
    take_snapshot,
)
from kb.library.entries.status_changes import (
    close_review,
    publish_entry,
    require_publishable_text,
    return_draft_to_author,
    withdraw_submitted_draft,
)
from kb.models import (
    AuditEvent,
    CategoryRight,
    Entry,
    FollowUp,
    Reply,
    Review,
    ReviewComment,
    RevisionAction,
    Tag,
    User,
    require_no_personal_data,
)
from kb.models.category_permission import get_permitted_category_ids
from kb.text.chinese import normalize

ReviewState = Review.State
REVIEW_CLOSED_MESSAGE = "这次提交已经有人处理了，或者被撤回了。"
REVIEW_CHANGED_MESSAGE = "提交的内容刚改过，请看过最新的再决定。"
PROPOSED_VERSION_STEP = (
    1_000_000  # between the versions of entries and those of changes
)


@transaction.atomic
def propose_change(
    entry: Entry,
    said: EntrySnapshot,
    *,
    by: User | None,
    note: str = "",
    joining: bool = False,
    based_on: int | None = None,
) -> Review:
    """Let a change of what is published wait; the one that waits is replaced.

    It is the change of `by` then, who had all of it before him, unless he is only
    `joining`: then it stays its author's, and neither may approve it. `based_on` is
    the version that `apply_proposed` gave the entry: the change is refused when
    somebody has saved or proposed since. Raises ValidationError.
    """
    entry = lock_entry(entry)
    if entry.status != Entry.Status.PUBLISHED:
        raise ValidationError(
            f"「{entry}」现在不是已发布的，请直接修改。", code="state"
        )
    entry_rights.require_permitted_category(
        CategoryRight.WRITE, said.get("category_id"), by=by
    )
    for text in set(said.get("phrasings") or ()) - set(
        take_snapshot(entry)["phrasings"]
    ):
        require_no_personal_data(text)
    review = Review.open_reviews().filter(entry=entry).first()
    if based_on not in {None, _compute_proposed_version(entry.version, review)}:
        raise ValidationError(EDIT_CONFLICT_MESSAGE, code="conflict")
    if review is None:
        review = Review(entry=entry, by=by)
    else:
        review.edition += 1
        review.by = review.by if joining else by
    review.base, review.content = entry.version, _number_new_replies(entry, said)
    review.note = normalize.clean_single_line(note)[:200] or review.note
    review.save()
    review.also.set([*review.also.all(), by] if joining and by else [])
    return review


def _number_new_replies(entry: Entry, said: EntrySnapshot) -> EntrySnapshot:
    """Give replies that are new an id which none has, to be known by in the form."""
    real = set(entry.replies.shared().values_list("pk", flat=True))
    replies = [
        row
        if row["id"] in real or row["id"] >= FIRST_TEMPORARY_ID
        else row | {"id": FIRST_TEMPORARY_ID + randbits(49)}
        for row in said["replies"]
    ]
    return said | {"replies": replies}


def merge_proposed_change(review: Review) -> EntrySnapshot:
    """Return what a change would make of the entry as it is today.

    Raises ValidationError, code "both", where the published text was changed
    in the same place meanwhile.
    """
    assert review.content is not None  # noqa: S101 - a change has one
    mine: EntrySnapshot = review.content
    now = take_snapshot(review.entry)
    if review.base == review.entry.version:
        return mine
    base = review.entry.revisions.filter(version=review.base).first()
    try:
        return merge_snapshots(base.content if base else now, now, mine)
    except ValidationError as error:
        told = "、".join(get_field_labels(error.messages))
        raise ValidationError(
            f"「{review.entry}」发布的内容后来也改过同一处（{told}）。请打开条目，"
            "在最新内容上重新提交。",
            code="both",
        ) from None


@dataclass(frozen=True, slots=True)
class ProposedRows:
    """The rows around an entry that a proposal asks for; none of them is saved.

    `translation` is what was written by hand in 繁體, by the names of the content.
    `follow_up_ids` is {target: primary key} of the follow-ups; it stays as it is when
    a form sets other targets on the rows.
    """

    phrasings: list[str]
    tags: list[Tag]
    replies: list[Reply]
    follow_ups: list[FollowUp]
    follow_up_ids: dict[int, int]
    translation: dict[str, str]


def apply_proposed_change(entry: Entry, review: Review | None) -> ProposedRows:
    """Set on `entry` what `review` proposes, in memory only; return the other rows.

    Without a review these are the rows as they are published. The form of a
    proposal is shown and read from this without a transaction. The version is one
    that no entry has and that differs between two editions of the change.
    """
    published = take_snapshot(entry)
    said = _get_proposed_snapshot(review) if review else published
    set_snapshot_columns(entry, said)
    entry.version = _compute_proposed_version(entry.version, review)
    held = {reply.pk: reply for reply in entry.replies.shared()}
    follow_ups = build_follow_ups(entry, said.get("follow_ups", []), as_numbered=True)
    # An older change does not know the translation; it leaves it as it is.
    translated = said if TRANSLATION_COLUMNS.keys() <= said.keys() else published
    return ProposedRows(
        phrasings=said.get("phrasings", []),
        tags=list(Tag.objects.filter(name__in=said.get("tags", [])).order_by("name")),
        replies=[
            set_reply_columns(
                held.get(row["id"]) or Reply(entry=entry, pk=row["id"]), row
            )
            for row in said.get("replies", [])
        ],
        follow_ups=follow_ups,
        follow_up_ids={row.then_id: row.pk for row in follow_ups},
        translation={name: translated[name] or "" for name in TRANSLATION_COLUMNS},
    )


def get_proposed_content(entry: Entry, parts: ProposedRows) -> EntrySnapshot:
    """Return the content of an entry and its rows as `apply_proposed` set them."""
    return build_content(
        entry,
        tags=[tag.name for tag in parts.tags],
        phrasings=parts.phrasings,
        replies=[get_reply_row(reply) for reply in parts.replies],
        follow_ups=[row.then_id for row in parts.follow_ups],
        translation=parts.translation,
    )


def _get_proposed_snapshot(review: Review) -> EntrySnapshot:
    try:
        return merge_proposed_change(review)
    except ValidationError:  # the form shows the conflict, and its reader decides
        return review.content or {}


def _compute_proposed_version(version: int, review: Review | None) -> int:
    return version + (review.edition * PROPOSED_VERSION_STEP if review else 0)


@transaction.atomic
def approve_review(
    review: Review, *, by: User | None, seen: str | None = None
) -> Entry:
    """Let readers have it. `seen` is the stamp of what was looked at."""
    review, entry = _lock_open_review(review)
    if seen is not None and seen != review.version_stamp:
        raise ValidationError(REVIEW_CHANGED_MESSAGE, code="conflict")
    if not review.is_change:
        return publish_entry(entry, by=by)
    entry_rights.require_category_right(CategoryRight.PUBLISH, entry.category_id, by=by)
    entry_rights.require_other_approver(entry, by=by)
    if entry.status != Entry.Status.PUBLISHED:
        raise ValidationError(f"「{entry}」已经不是已发布的了。", code="state")
    apply_snapshot(entry, merge_proposed_change(review))
    entry_rights.require_category_right(CategoryRight.PUBLISH, entry.category_id, by=by)
    require_publishable_text(entry)
    close_review(entry, ReviewState.APPROVED, by=by)
    audit_log.record_event(AuditEvent.Action.APPROVED, f"「{entry}」#{entry.pk}", by=by)
    return save_new_version(
        entry, by=review.by, act=RevisionAction.APPROVED, note=review.note, judge=by
    )


@transaction.atomic
def reject_review(review: Review, *, by: User | None, reason: str) -> Entry:
    """Not so: its author reads why."""
    review, entry = _lock_open_review(review)
    reason = normalize.clean_single_line(reason)[:200]
    if not reason:
        raise ValidationError("请写明退回的原因，作者会看到。")
    if not review.is_change:
        return return_draft_to_author(entry, by=by, note=reason)
    entry_rights.require_category_right(CategoryRight.PUBLISH, entry.category_id, by=by)
    close_review(entry, ReviewState.RETURNED, by=by, reason=reason)
    return entry


@transaction.atomic
def withdraw_review(review: Review, *, by: User) -> Entry:
    """Its author takes it back: a draft again, a change is gone."""
    review, entry = _lock_open_review(review)
    if review.by_id != by.pk and not entry_rights.can_publish_entry(entry, by=by):
        raise PermissionDenied("只有提交人能撤回。")
    if not review.is_change:
        return withdraw_submitted_draft(entry, by=by)
    close_review(entry, ReviewState.WITHDRAWN, by=by)
    return entry


@transaction.atomic
def comment_on_review(review: Review, text: str, *, by: User) -> ReviewComment:
    """Say something of it; who may read the review may."""
    made = ReviewComment(review=review, by=by, text=normalize.clean_text(text).strip())
    made.full_clean()
    made.save()
    return made


@transaction.atomic
def assign_reviewer(review: Review, *, reviewer: User | None, by: User) -> Review:
    """Ask somebody for his judgement; anybody else who may can still give his."""
    review, entry = _lock_open_review(review)
    entry_rights.require_category_right(CategoryRight.WRITE, entry.category_id, by=by)
    if reviewer is not None and not entry_rights.can_approve_entry(entry, by=reviewer):
        raise ValidationError(f"{reviewer}不能审核这个条目。")
    review.reviewer = reviewer
    review.save(update_fields=["reviewer"])
    return review


def list_reviews_awaiting(
    user: User, rows: QuerySet[Review] | None = None
) -> QuerySet[Review]:
    """Return what waits for the verdict of `user`, of `rows`: who is asked comes first."""
    every = Review.objects.all() if rows is None else rows
    waiting = every.filter(state=ReviewState.WAITING)
    if not user.has_perm("kb.publish_entry"):
        return waiting.none()
    if (held := get_permitted_category_ids(user, CategoryRight.PUBLISH)) is not None:
        waiting = waiting.filter(entry__category__in=held)
    mine = Case(When(reviewer=user, then=Value(0)), default=Value(1))
    return waiting.order_by(mine, "at", "pk")


def get_pending_change(entry: Entry) -> Review | None:
    """Return the change of `entry` that waits, if it is published and one does."""
    waiting = Review.open_reviews().filter(entry=entry, content__isnull=False)
    return waiting.select_related("entry", "by").first()


def _lock_open_review(review: Review) -> tuple[Review, Entry]:
    """Return the review and its entry, ours until the transaction ends."""
    entry = lock_entry(review.entry)
    now = Review.open_reviews().select_for_update().filter(pk=review.pk).first()
    if now is None:
        raise ValidationError(REVIEW_CLOSED_MESSAGE, code="gone")
    now.entry = entry
    return now, entry
