"""Words wait until somebody else approves them; what is published stays meanwhile."""

from __future__ import annotations

from dataclasses import dataclass
from secrets import randbits

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.db.models import Case, QuerySet, Value, When

from kb import audit
from kb.entries import rights
from kb.entries.comparing import labels
from kb.entries.content import (
    TRANSLATION,
    UNUSED,
    Content,
    build_content,
    content,
    follow_up_rows,
    get_reply_row,
    lay,
    merged,
    set_columns,
    set_reply,
)
from kb.entries.moving import close, publish, require_words, send_back, withdraw_draft
from kb.entries.writing import CONFLICT, locked, touch
from kb.models import (
    Act,
    Deed,
    Entry,
    FollowUp,
    Reply,
    Review,
    ReviewComment,
    Right,
    Tag,
    User,
    require_no_personal_data,
)
from kb.models.remit import branches
from kb.text import normalize

State = Review.State
GONE = "这次提交已经有人处理了，或者被撤回了。"
RENEWED = "提交的内容刚改过，请看过最新的再决定。"
ASIDE = 1_000_000  # between the versions of entries and those of changes


@transaction.atomic
def propose(
    entry: Entry,
    said: Content,
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
    entry = locked(entry)
    if entry.status != Entry.Status.PUBLISHED:
        raise ValidationError(
            f"「{entry}」现在不是已发布的，请直接修改。", code="state"
        )
    rights.require_remit(Right.WRITE, said.get("category_id"), by=by)
    for text in set(said.get("phrasings") or ()) - set(content(entry)["phrasings"]):
        require_no_personal_data(text)
    review = Review.waiting().filter(entry=entry).first()
    if based_on not in {None, _proposed_version(entry.version, review)}:
        raise ValidationError(CONFLICT, code="conflict")
    if review is None:
        review = Review(entry=entry, by=by)
    else:
        review.edition += 1
        review.by = review.by if joining else by
    review.base, review.content = entry.version, _numbered(entry, said)
    review.note = normalize.line(note)[:200] or review.note
    review.save()
    review.also.set([*review.also.all(), by] if joining and by else [])
    return review


def _numbered(entry: Entry, said: Content) -> Content:
    """Give replies that are new an id which none has, to be known by in the form."""
    real = set(entry.replies.shared().values_list("pk", flat=True))
    replies = [
        row
        if row["id"] in real or row["id"] >= UNUSED
        else row | {"id": UNUSED + randbits(49)}
        for row in said["replies"]
    ]
    return said | {"replies": replies}


def standing(review: Review) -> Content:
    """Return what a change would make of the entry as it is today.

    Raises ValidationError, code "both", where the published text was changed
    in the same place meanwhile.
    """
    assert review.content is not None  # noqa: S101 - a change has one
    mine: Content = review.content
    now = content(review.entry)
    if review.base == review.entry.version:
        return mine
    base = review.entry.revisions.filter(version=review.base).first()
    try:
        return merged(base.content if base else now, now, mine)
    except ValidationError as error:
        told = "、".join(labels(error.messages))
        raise ValidationError(
            f"「{review.entry}」发布的内容后来也改过同一处（{told}）。请打开条目，"
            "在最新内容上重新提交。",
            code="both",
        ) from None


@dataclass(frozen=True, slots=True)
class ProposedParts:
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


def apply_proposed(entry: Entry, review: Review | None) -> ProposedParts:
    """Set on `entry` what `review` proposes, in memory only; return the other rows.

    Without a review these are the rows as they are published. The form of a
    proposal is shown and read from this without a transaction. The version is one
    that no entry has and that differs between two editions of the change.
    """
    published = content(entry)
    said = _proposed_content(review) if review else published
    set_columns(entry, said)
    entry.version = _proposed_version(entry.version, review)
    held = {reply.pk: reply for reply in entry.replies.shared()}
    follow_ups = follow_up_rows(entry, said.get("follow_ups", []), as_numbered=True)
    # An older change does not know the translation; it leaves it as it is.
    translated = said if TRANSLATION.keys() <= said.keys() else published
    return ProposedParts(
        phrasings=said.get("phrasings", []),
        tags=list(Tag.objects.filter(name__in=said.get("tags", [])).order_by("name")),
        replies=[
            set_reply(held.get(row["id"]) or Reply(entry=entry, pk=row["id"]), row)
            for row in said.get("replies", [])
        ],
        follow_ups=follow_ups,
        follow_up_ids={row.then_id: row.pk for row in follow_ups},
        translation={name: translated[name] or "" for name in TRANSLATION},
    )


def get_proposed_content(entry: Entry, parts: ProposedParts) -> Content:
    """Return the content of an entry and its rows as `apply_proposed` set them."""
    return build_content(
        entry,
        tags=[tag.name for tag in parts.tags],
        phrasings=parts.phrasings,
        replies=[get_reply_row(reply) for reply in parts.replies],
        follow_ups=[row.then_id for row in parts.follow_ups],
        translation=parts.translation,
    )


def _proposed_content(review: Review) -> Content:
    try:
        return standing(review)
    except ValidationError:  # the form shows the conflict, and its reader decides
        return review.content or {}


def _proposed_version(version: int, review: Review | None) -> int:
    return version + (review.edition * ASIDE if review else 0)


@transaction.atomic
def approve(review: Review, *, by: User | None, seen: str | None = None) -> Entry:
    """Let readers have it. `seen` is the stamp of what was looked at."""
    review, entry = _open(review)
    if seen is not None and seen != review.stamp:
        raise ValidationError(RENEWED, code="conflict")
    if not review.is_change:
        return publish(entry, by=by)
    rights.require(Right.PUBLISH, entry.category_id, by=by)
    rights.require_another(entry, by=by)
    if entry.status != Entry.Status.PUBLISHED:
        raise ValidationError(f"「{entry}」已经不是已发布的了。", code="state")
    lay(entry, standing(review))
    rights.require(Right.PUBLISH, entry.category_id, by=by)
    require_words(entry)
    close(entry, State.APPROVED, by=by)
    audit.note(Deed.Act.APPROVED, f"「{entry}」#{entry.pk}", by=by)
    return touch(entry, by=review.by, act=Act.APPROVED, note=review.note, judge=by)


@transaction.atomic
def give_back(review: Review, *, by: User | None, reason: str) -> Entry:
    """Not so: its author reads why."""
    review, entry = _open(review)
    reason = normalize.line(reason)[:200]
    if not reason:
        raise ValidationError("请写明退回的原因，作者会看到。")
    if not review.is_change:
        return send_back(entry, by=by, note=reason)
    rights.require(Right.PUBLISH, entry.category_id, by=by)
    close(entry, State.RETURNED, by=by, reason=reason)
    return entry


@transaction.atomic
def withdraw(review: Review, *, by: User) -> Entry:
    """Its author takes it back: a draft again, a change is gone."""
    review, entry = _open(review)
    if review.by_id != by.pk and not rights.may_publish(entry, by=by):
        raise PermissionDenied("只有提交人能撤回。")
    if not review.is_change:
        return withdraw_draft(entry, by=by)
    close(entry, State.WITHDRAWN, by=by)
    return entry


@transaction.atomic
def comment(review: Review, text: str, *, by: User) -> ReviewComment:
    """Say something of it; who may read the review may."""
    made = ReviewComment(review=review, by=by, text=normalize.clean(text).strip())
    made.full_clean()
    made.save()
    return made


@transaction.atomic
def ask(review: Review, *, reviewer: User | None, by: User) -> Review:
    """Ask somebody for his judgement; anybody else who may can still give his."""
    review, entry = _open(review)
    rights.require(Right.WRITE, entry.category_id, by=by)
    if reviewer is not None and not rights.may_judge(entry, by=reviewer):
        raise ValidationError(f"{reviewer}不能审核这个条目。")
    review.reviewer = reviewer
    review.save(update_fields=["reviewer"])
    return review


def awaited(user: User, rows: QuerySet[Review] | None = None) -> QuerySet[Review]:
    """Return what waits for the verdict of `user`, of `rows`: who is asked comes first."""
    every = Review.objects.all() if rows is None else rows
    waiting = every.filter(state=State.WAITING)
    if not user.has_perm("kb.publish_entry"):
        return waiting.none()
    if (held := branches(user, Right.PUBLISH)) is not None:
        waiting = waiting.filter(entry__category__in=held)
    mine = Case(When(reviewer=user, then=Value(0)), default=Value(1))
    return waiting.order_by(mine, "at", "pk")


def pending(entry: Entry) -> Review | None:
    """Return the change of `entry` that waits, if it is published and one does."""
    waiting = Review.waiting().filter(entry=entry, content__isnull=False)
    return waiting.select_related("entry", "by").first()


def _open(review: Review) -> tuple[Review, Entry]:
    """Return the review and its entry, ours until the transaction ends."""
    entry = locked(review.entry)
    now = Review.waiting().select_for_update().filter(pk=review.pk).first()
    if now is None:
        raise ValidationError(GONE, code="gone")
    now.entry = entry
    return now, entry
