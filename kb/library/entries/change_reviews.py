"""Reviews: drafts and proposed changes that wait for somebody else to approve them.

A review without content is that of a draft. A review with content is a proposed change
of a published entry, which stays as it is until the change is approved.
"""

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
    build_follow_ups,
    build_reply_snapshot,
    build_snapshot,
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
# Added per edition of a change, so that its version differs from any of an entry.
PROPOSED_VERSION_STEP = 1_000_000


@transaction.atomic
def propose_change(
    entry: Entry,
    snapshot: EntrySnapshot,
    *,
    by: User | None,
    note: str = "",
    as_coauthor: bool = False,
    based_on: int | None = None,
) -> Review:
    """Submit `snapshot` as a change of a published entry; return the review.

    A change that waits already is replaced. `by` becomes its author, because they have
    seen all of it; with `as_coauthor` the author stays and `by` is added, so that
    neither may approve it. `based_on` is the version that `apply_proposed_change` set:
    somebody else's save or proposal since then raises ValidationError, code
    "conflict". Raises ValidationError also for an entry that is not published, a
    category without permission and personal data in a new phrasing.
    """
    entry = lock_entry(entry)
    if entry.status != Entry.Status.PUBLISHED:
        raise ValidationError(
            f"「{entry}」现在不是已发布的，请直接修改。", code="state"
        )
    entry_rights.require_permitted_category(
        CategoryRight.WRITE, snapshot.get("category_id"), by=by
    )
    for text in set(snapshot.get("phrasings") or ()) - set(
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
        review.by = review.by if as_coauthor else by
    review.base, review.content = entry.version, _number_new_replies(entry, snapshot)
    review.note = normalize.clean_single_line(note)[:200] or review.note
    review.save()
    review.also.set([*review.also.all(), by] if as_coauthor and by else [])
    return review


def _number_new_replies(entry: Entry, snapshot: EntrySnapshot) -> EntrySnapshot:
    """Return the snapshot with temporary ids for new replies, by which forms know them."""
    existing_ids = set(entry.replies.shared().values_list("pk", flat=True))
    replies = [
        row
        if row["id"] in existing_ids or row["id"] >= FIRST_TEMPORARY_ID
        else row | {"id": FIRST_TEMPORARY_ID + randbits(49)}
        for row in snapshot["replies"]
    ]
    return snapshot | {"replies": replies}


def merge_proposed_change(review: Review) -> EntrySnapshot:
    """Return the snapshot of the published entry with the proposed change applied.

    Raises ValidationError, code "both", where the change and the published entry
    changed the same part since the change was proposed.
    """
    assert review.content is not None  # noqa: S101 - every change has content
    proposed: EntrySnapshot = review.content
    current = take_snapshot(review.entry)
    if review.base == review.entry.version:
        return proposed
    base = review.entry.revisions.filter(version=review.base).first()
    try:
        return merge_snapshots(base.content if base else current, current, proposed)
    except ValidationError as error:
        labels = "、".join(get_field_labels(error.messages))
        raise ValidationError(
            f"「{review.entry}」发布的内容后来也改过同一处（{labels}）。请打开条目，"
            "在最新内容上重新提交。",
            code="both",
        ) from None


@dataclass(frozen=True, slots=True)
class ProposedRows:
    """The related rows of an entry as a proposal would have them; none is saved.

    `translation` is the manual 繁體 text, keyed as in a snapshot. `follow_up_ids` is
    {target entry id: primary key} of the follow-ups as proposed, also after a form
    has set other targets on the rows.
    """

    phrasings: list[str]
    tags: list[Tag]
    replies: list[Reply]
    follow_ups: list[FollowUp]
    follow_up_ids: dict[int, int]
    translation: dict[str, str]


def apply_proposed_change(entry: Entry, review: Review | None) -> ProposedRows:
    """Set the proposed columns on `entry`, in memory only; return the related rows.

    Without a review these are the published rows. The form of a proposal is built
    from this value. `entry.version` becomes a number that no saved entry has and that
    differs between editions of the change.
    """
    published = take_snapshot(entry)
    snapshot = _merge_or_get_proposed(review) if review else published
    set_snapshot_columns(entry, snapshot)
    entry.version = _compute_proposed_version(entry.version, review)
    replies_by_id = {reply.pk: reply for reply in entry.replies.shared()}
    follow_ups = build_follow_ups(
        entry, snapshot.get("follow_ups", []), with_temporary_ids=True
    )
    # A change from before snapshots had translations leaves the translation as it is.
    translation_source = (
        snapshot if TRANSLATION_COLUMNS.keys() <= snapshot.keys() else published
    )
    return ProposedRows(
        phrasings=snapshot.get("phrasings", []),
        tags=list(
            Tag.objects.filter(name__in=snapshot.get("tags", [])).order_by("name")
        ),
        replies=[
            set_reply_columns(
                replies_by_id.get(row["id"]) or Reply(entry=entry, pk=row["id"]), row
            )
            for row in snapshot.get("replies", [])
        ],
        follow_ups=follow_ups,
        follow_up_ids={row.then_id: row.pk for row in follow_ups},
        translation={
            name: translation_source[name] or "" for name in TRANSLATION_COLUMNS
        },
    )


def build_proposed_snapshot(entry: Entry, proposed: ProposedRows) -> EntrySnapshot:
    """Return the snapshot of an entry and rows that `apply_proposed_change` set."""
    return build_snapshot(
        entry,
        tags=[tag.name for tag in proposed.tags],
        phrasings=proposed.phrasings,
        replies=[build_reply_snapshot(reply) for reply in proposed.replies],
        follow_ups=[row.then_id for row in proposed.follow_ups],
        translation=proposed.translation,
    )


def _merge_or_get_proposed(review: Review) -> EntrySnapshot:
    try:
        return merge_proposed_change(review)
    except ValidationError:  # the form shows the conflict for its user to resolve
        return review.content or {}


def _compute_proposed_version(version: int, review: Review | None) -> int:
    return version + (review.edition * PROPOSED_VERSION_STEP if review else 0)


@transaction.atomic
def approve_review(
    review: Review, *, by: User | None, seen_stamp: str | None = None
) -> Entry:
    """Publish what the review proposes; return the entry.

    `seen_stamp` is the `version_stamp` that `by` looked at; another one raises
    ValidationError, code "conflict". Raises ValidationError for own text, see `require_other_approver`.
    """
    review, entry = _lock_open_review(review)
    if seen_stamp is not None and seen_stamp != review.version_stamp:
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
    """Return a draft or drop a change, with a reason for its author."""
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
    """Withdraw a submission: a draft can be edited again, a change is dropped.

    Raises PermissionDenied unless `by` is its author or may publish the entry.
    """
    review, entry = _lock_open_review(review)
    if review.by_id != by.pk and not entry_rights.can_publish_entry(entry, by=by):
        raise PermissionDenied("只有提交人能撤回。")
    if not review.is_change:
        return withdraw_submitted_draft(entry, by=by)
    close_review(entry, ReviewState.WITHDRAWN, by=by)
    return entry


@transaction.atomic
def comment_on_review(review: Review, text: str, *, by: User) -> ReviewComment:
    """Add a comment; the caller has checked that `by` may read the review."""
    comment = ReviewComment(
        review=review, by=by, text=normalize.clean_text(text).strip()
    )
    comment.full_clean()
    comment.save()
    return comment


@transaction.atomic
def assign_reviewer(review: Review, *, reviewer: User | None, by: User) -> Review:
    """Ask `reviewer` to judge; others who may approve the entry still can."""
    review, entry = _lock_open_review(review)
    entry_rights.require_category_right(CategoryRight.WRITE, entry.category_id, by=by)
    if reviewer is not None and not entry_rights.can_approve_entry(entry, by=reviewer):
        raise ValidationError(f"{reviewer}不能审核这个条目。")
    review.reviewer = reviewer
    review.save(update_fields=["reviewer"])
    return review


def list_reviews_awaiting(
    user: User, among: QuerySet[Review] | None = None
) -> QuerySet[Review]:
    """Return waiting reviews that `user` may judge, those assigned to them first."""
    reviews = Review.objects.all() if among is None else among
    waiting = reviews.filter(state=ReviewState.WAITING)
    if not user.has_perm("kb.publish_entry"):
        return waiting.none()
    if (
        permitted := get_permitted_category_ids(user, CategoryRight.PUBLISH)
    ) is not None:
        waiting = waiting.filter(entry__category__in=permitted)
    own_first = Case(When(reviewer=user, then=Value(0)), default=Value(1))
    return waiting.order_by(own_first, "at", "pk")


def get_pending_change(entry: Entry) -> Review | None:
    """Return the proposed change of `entry` that waits for approval, if any."""
    waiting = Review.open_reviews().filter(entry=entry, content__isnull=False)
    return waiting.select_related("entry", "by").first()


def _lock_open_review(review: Review) -> tuple[Review, Entry]:
    """Return the open review and its entry, both locked until the transaction ends."""
    entry = lock_entry(review.entry)
    open_review = Review.open_reviews().select_for_update().filter(pk=review.pk).first()
    if open_review is None:
        raise ValidationError(REVIEW_CLOSED_MESSAGE, code="gone")
    open_review.entry = entry
    return open_review, entry


def list_visible_reviews(user: User, *, show: str = "") -> QuerySet[Review]:
    """Return submissions of entries that `user` may see.

    `show` is "waiting" for those that wait for `user`, "mine" for those that `user`
    submitted (open ones first), "done" for judged ones; "" returns all.
    """
    rows = Review.objects.filter(entry__in=Entry.objects.visible_to(user))
    rows = rows.select_related("entry__category", "by", "reviewer", "judged_by")
    if show == "waiting":
        return list_reviews_awaiting(user, rows)
    if show == "mine":
        closed_last = Case(
            When(state=Review.State.WAITING, then=Value(0)), default=Value(1)
        )
        return rows.filter(by=user).order_by(closed_last, "-at", "-pk")
    if show == "done":
        judged = rows.exclude(state=Review.State.WAITING)
        return judged.order_by("-judged_at", "-pk")
    return rows


def find_review(pk: int, *, user: User) -> Review | None:
    return list_visible_reviews(user).filter(pk=pk).first()


def list_review_comments(review: Review) -> QuerySet[ReviewComment]:
    return ReviewComment.objects.filter(review=review).select_related("by")
