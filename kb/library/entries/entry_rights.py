"""Who may write where, who may publish where, and that nobody judges his own words."""

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
    """Tell whether `by` may change `entry`, or have a change of it reviewed."""
    return by is None or has_category_right(by, CategoryRight.WRITE, entry.category_id)


def can_publish_entry(entry: Entry, *, by: User | None) -> bool:
    """Tell whether `by` decides what readers get of `entry`, his own words apart."""
    return by is None or has_category_right(
        by, CategoryRight.PUBLISH, entry.category_id
    )


def require_category_right(
    right: CategoryRight, category_id: int | None, *, by: User | None
) -> None:
    """Raise PermissionDenied without the permission, ValidationError out of remit."""
    if by is None:
        return
    if not by.has_perm(PERMISSION_FOR_RIGHT[right]):
        raise PermissionDenied("您没有这个操作的权限。")
    require_permitted_category(right, category_id, by=by)


def require_permitted_category(
    right: CategoryRight, category_id: int | None, *, by: User | None
) -> None:
    """Raise ValidationError where `by` is held to other branches of the tree."""
    if (
        by is None
        or not by.has_perm(PERMISSION_FOR_RIGHT[right])
        or has_category_right(by, right, category_id)
    ):
        return
    place = Category.objects.filter(pk=category_id).first()
    named = f"「{place}」分类" if place else "没有分类的条目"
    raise ValidationError(f"{named}不在您可以{right.label}的范围里。", code="remit")


def find_pending_authors(entries: Collection[Entry]) -> dict[int, set[int | None]]:
    """Return whose words wait in each entry: {entry: users}; None is the system.

    Of several who wrote one after another it is the last, who had all before him:
    so every word is seen by two.
    """
    ids = [entry.pk for entry in entries]
    rows = EntryRevision.objects.filter(
        entry__in=ids, act__in=AUTHORING_ACTIONS
    ).order_by("version")
    written = {pk: who for pk, *who in rows.values_list("entry_id", "version", "by_id")}
    wrote = {entry.pk: {entry.created_by_id} for entry in entries}
    wrote |= {pk: {by} for pk, (_, by) in written.items()}
    waiting = Review.open_reviews().filter(entry__in=ids).prefetch_related("also")
    for review in waiting.defer("content").annotate(drafted=Q(content__isnull=True)):
        version, _ = written.get(review.entry_id, (0, None))
        if not (review.drafted and version > review.base):
            also = (one.pk for one in review.also.all())
            wrote[review.entry_id] = {review.by_id, *also}
    return wrote


def find_approvable_entry_ids(
    entries: Collection[Entry], *, by: User | None
) -> set[int]:
    """Return the ids of those that `by` may let readers have as they stand."""
    if by is None:
        return {entry.pk for entry in entries}
    allowed = [entry for entry in entries if can_publish_entry(entry, by=by)]
    wrote = find_pending_authors(allowed)
    return {
        entry.pk
        for entry in allowed
        if by.pk not in wrote[entry.pk] or can_approve_own_words(by, entry.category_id)
    }


def list_possible_reviewers(entry: Entry) -> list[User]:
    """Return who may be asked to judge what waits in `entry`: not its author."""
    wrote = find_pending_authors([entry])[entry.pk]
    people = list_users_with_right(CategoryRight.PUBLISH, entry.category_id)
    return [user for user in people if user.pk not in wrote]


def can_approve_entry(entry: Entry, *, by: User | None) -> bool:
    """Tell whether `by` may let readers have `entry` as it stands."""
    return entry.pk in find_approvable_entry_ids([entry], by=by)


def require_other_approver(entry: Entry, *, by: User | None) -> None:
    """Raise ValidationError where these are the words of `by` himself."""
    if not can_approve_entry(entry, by=by):
        raise ValidationError(OWN_WORK_MESSAGE, code="own")


def can_approve_own_words(user: User, category_id: int | None) -> bool:
    """Tell whether `user` may publish what he wrote himself.

    SELF_APPROVAL "auto": only while nobody else could, so that a team of one
    works and a team of two has four eyes.
    """
    said: str = settings.KB_SELF_APPROVAL
    if said != "auto":
        return said == "on"
    kept: dict[int | None, bool] = user.__dict__.setdefault("_judges_own", {})
    if category_id not in kept:
        kept[category_id] = list_users_with_right(
            CategoryRight.PUBLISH, category_id
        ) in ([], [user])
    return kept[category_id]


def is_proposal_required(entry: Entry, *, by: User | None) -> bool:
    """Tell whether a change by `by` of what is published waits for somebody else.

    Who may publish mends what is live at once, unless SELF_APPROVAL is off.
    """
    if by is None or entry.status != Entry.Status.PUBLISHED:
        return False
    strict = settings.KB_SELF_APPROVAL == "off"
    return strict or not can_publish_entry(entry, by=by)


def require_direct_edit(entry: Entry, *, by: User | None) -> None:
    """Raise ValidationError where `by` may only propose."""
    if is_proposal_required(entry, by=by):
        told = "已经发布，要由有发布权限的人修改；您可以打开条目，提交修改。"
        if entry.question:
            told = f"「{entry}」{told}"
        raise ValidationError(told, code="propose")
