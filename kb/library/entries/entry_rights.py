"""Rights on entries: who may write and publish where, and the four-eyes principle.

Users do not approve text that they wrote themselves, unless KB_SELF_APPROVAL says so. In
all functions `by` None is the operator, who may do everything.
"""

from __future__ import annotations

from collections.abc import Collection

from django.conf import settings
from django.core.exceptions import PermissionDenied, ValidationError
from django.db.models import Q

from kb.models import Category, CategoryRight, Entry, EntryRevision, Review, User
from kb.models.category_permission import (
    PERMISSION_FOR_RIGHT,
    has_category_right,
    list_users_with_right,
)
from kb.models.entry_revision import AUTHORING_ACTIONS

OWN_WORK_MESSAGE = "这是您自己写的，要由别人审核。请提交审核。"


def can_write_entry(entry: Entry, *, by: User | None) -> bool:
    """Return whether `by` may change `entry` or propose a change of it."""
    return by is None or has_category_right(by, CategoryRight.WRITE, entry.category_id)


def can_publish_entry(entry: Entry, *, by: User | None) -> bool:
    """Return whether `by` may publish in the category of `entry`, own text aside."""
    return by is None or has_category_right(
        by, CategoryRight.PUBLISH, entry.category_id
    )


def require_category_right(
    right: CategoryRight, category_id: int | None, *, by: User | None
) -> None:
    """Raise PermissionDenied where `by` lacks the permission altogether.

    Raises ValidationError, code "remit", where they have it in other categories only.
    """
    if by is None:
        return
    if not by.has_perm(PERMISSION_FOR_RIGHT[right]):
        raise PermissionDenied("您没有这个操作的权限。")
    require_permitted_category(right, category_id, by=by)


def require_permitted_category(
    right: CategoryRight, category_id: int | None, *, by: User | None
) -> None:
    """Raise ValidationError, code "remit", where `by` is restricted to other categories."""
    if (
        by is None
        or not by.has_perm(PERMISSION_FOR_RIGHT[right])
        or has_category_right(by, right, category_id)
    ):
        return
    category = Category.objects.filter(pk=category_id).first()
    place = f"「{category}」分类" if category else "没有分类的条目"
    raise ValidationError(f"{place}不在您可以{right.label}的范围里。", code="remit")


def find_pending_authors(entries: Collection[Entry]) -> dict[int, set[int | None]]:
    """Return {entry id: ids of the authors of its unpublished text}; None is the system.

    Of several users who edited one after another only the last counts. They saw the
    text of the others, so with an approver every text is seen by two people.
    """
    ids = [entry.pk for entry in entries]
    revisions = EntryRevision.objects.filter(
        entry__in=ids, act__in=AUTHORING_ACTIONS
    ).order_by("version")
    last_authoring = {
        pk: version_and_author
        for pk, *version_and_author in revisions.values_list(
            "entry_id", "version", "by_id"
        )
    }
    authors = {entry.pk: {entry.created_by_id} for entry in entries}
    authors |= {pk: {by} for pk, (_, by) in last_authoring.items()}
    waiting = Review.open_reviews().filter(entry__in=ids).prefetch_related("also")
    for review in waiting.defer("content").annotate(drafted=Q(content__isnull=True)):
        version, _ = last_authoring.get(review.entry_id, (0, None))
        if not (review.drafted and version > review.base):
            coauthors = (user.pk for user in review.also.all())
            authors[review.entry_id] = {review.by_id, *coauthors}
    return authors


def find_approvable_entry_ids(
    entries: Collection[Entry], *, by: User | None
) -> set[int]:
    """Return the ids of `entries` that `by` may approve or publish as they are."""
    if by is None:
        return {entry.pk for entry in entries}
    publishable = [entry for entry in entries if can_publish_entry(entry, by=by)]
    authors = find_pending_authors(publishable)
    return {
        entry.pk
        for entry in publishable
        if by.pk not in authors[entry.pk] or can_approve_own_text(by, entry.category_id)
    }


def list_possible_reviewers(entry: Entry) -> list[User]:
    """Return the users who may approve `entry`, without the authors of its text."""
    authors = find_pending_authors([entry])[entry.pk]
    publishers = list_users_with_right(CategoryRight.PUBLISH, entry.category_id)
    return [user for user in publishers if user.pk not in authors]


def can_approve_entry(entry: Entry, *, by: User | None) -> bool:
    """Return whether `by` may approve or publish `entry` as it is."""
    return entry.pk in find_approvable_entry_ids([entry], by=by)


def require_other_approver(entry: Entry, *, by: User | None) -> None:
    """Raise ValidationError, code "own", where `by` may not approve their own text."""
    if not can_approve_entry(entry, by=by):
        raise ValidationError(OWN_WORK_MESSAGE, code="own")


def can_approve_own_text(user: User, category_id: int | None) -> bool:
    """Return whether `user` may publish text that they wrote themselves.

    KB_SELF_APPROVAL is "on", "off" or "auto": only while no other user could approve
    in this category, so that a team of one works and a team of two reviews.
    """
    setting: str = settings.KB_SELF_APPROVAL
    if setting != "auto":
        return setting == "on"
    cache: dict[int | None, bool] = user.__dict__.setdefault("_judges_own", {})
    if category_id not in cache:
        cache[category_id] = list_users_with_right(
            CategoryRight.PUBLISH, category_id
        ) in ([], [user])
    return cache[category_id]


def is_proposal_required(entry: Entry, *, by: User | None) -> bool:
    """Return whether `by` can only propose a change of `entry`, not make it.

    That is so for published entries where `by` may not publish, and for everybody
    where KB_SELF_APPROVAL is "off".
    """
    if by is None or entry.status != Entry.Status.PUBLISHED:
        return False
    strict = settings.KB_SELF_APPROVAL == "off"
    return strict or not can_publish_entry(entry, by=by)


def require_direct_edit(entry: Entry, *, by: User | None) -> None:
    """Raise ValidationError, code "propose", where `by` may only propose a change."""
    if is_proposal_required(entry, by=by):
        message = "已经发布，要由有发布权限的人修改；您可以打开条目，提交修改。"
        if entry.question:
            message = f"「{entry}」{message}"
        raise ValidationError(message, code="propose")
