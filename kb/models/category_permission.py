"""In which branches of the tree somebody writes, and in which he publishes."""

from __future__ import annotations

from django.conf import settings
from django.contrib.auth.models import Group, Permission
from django.db import models
from django.db.models import Q, QuerySet

from kb.models.category import Category
from kb.models.user import User


class CategoryRight(models.TextChoices):
    WRITE = "write", "撰写"
    PUBLISH = "publish", "发布"


PERMISSION_FOR_RIGHT = {
    CategoryRight.WRITE: "kb.change_entry",
    CategoryRight.PUBLISH: "kb.publish_entry",
}


class CategoryPermission(models.Model):
    """Narrows what a person, or everybody in a group, may do to a branch.

    Several rows add up. Who has none for a right has it everywhere, if a
    permission gives it at all.
    """

    user = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        verbose_name="谁",
        null=True,
        blank=True,
        on_delete=models.CASCADE,
        related_name="category_permissions",
    )
    group = models.ForeignKey(
        Group,
        verbose_name="哪个组",
        null=True,
        blank=True,
        on_delete=models.CASCADE,
        related_name="category_permissions",
    )
    category = models.ForeignKey(
        Category,
        verbose_name="分类",
        on_delete=models.PROTECT,  # without its row, a person would have them all
        related_name="category_permissions",
        help_text="包括下面的各级分类。",
    )
    right = models.CharField("可以", max_length=7, choices=CategoryRight.choices)

    class Meta:
        ordering = ["right", "pk"]
        verbose_name = "职责范围"
        verbose_name_plural = "职责范围"
        constraints = [
            models.CheckConstraint(
                condition=Q(user=None, group__isnull=False)
                | Q(user__isnull=False, group=None),
                name="kb_remit_of_one",
            ),
            models.CheckConstraint(
                condition=Q(right__in=["write", "publish"]), name="kb_remit_right_known"
            ),
            models.UniqueConstraint(
                fields=["user", "category", "right"],
                condition=Q(user__isnull=False),
                name="kb_remit_once_a_user",
                violation_error_message="这个范围已经有了。",
            ),
            models.UniqueConstraint(
                fields=["group", "category", "right"],
                condition=Q(group__isnull=False),
                name="kb_remit_once_a_group",
                violation_error_message="这个范围已经有了。",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_right_display()}「{self.category}」"


def get_permitted_category_ids(
    user: User, right: CategoryRight
) -> frozenset[int] | None:
    """Return the categories where `user` is not held back; None means all, and none.

    Asked of the database once a user object, as Django does with permissions.
    """
    kept: dict[CategoryRight, frozenset[int] | None] = user.__dict__.setdefault(
        "_category_permissions", {}
    )
    if right not in kept:
        kept[right] = (
            None if user.is_superuser else _load_permitted_category_ids(user, right)
        )
    return kept[right]


def clear_category_permissions(user: User) -> None:
    """Ask the database anew: the tree has changed."""
    user.__dict__.pop("_category_permissions", None)


def _load_permitted_category_ids(
    user: User, right: CategoryRight
) -> frozenset[int] | None:
    mine = Q(user=user) | Q(group__user=user)
    tops = list(
        CategoryPermission.objects.filter(mine, right=right).values_list(
            "category", flat=True
        )
    )
    if not tops:
        return None
    found: set[int] = set()
    for top in Category.objects.filter(pk__in=tops):
        below = top.descendants(include_self=True)
        found.update(below.values_list("pk", flat=True))
    return frozenset(found)


def has_category_right(
    user: User, right: CategoryRight, category_id: int | None
) -> bool:
    """Tell whether `user` has `right` for entries of a category, or of none."""
    if not user.has_perm(PERMISSION_FOR_RIGHT[right]):
        return False
    held = get_permitted_category_ids(user, right)
    return held is None or category_id in held


def list_users_with_right(right: CategoryRight, category_id: int | None) -> list[User]:
    """Return the people who have `right` for entries of a category, in five queries."""
    users = _find_users_with_permission(PERMISSION_FOR_RIGHT[right])
    held = _load_restricted_users(right)
    place = Category.objects.filter(pk=category_id).first()
    above = set() if place is None else {node.pk for node in place.ancestors()}
    allowed = above | {category_id}
    return [
        user
        for user in users
        if user.is_superuser or user.pk not in held or held[user.pk] & allowed
    ]


def _find_users_with_permission(permission: str) -> QuerySet[User]:
    """Return who has a permission, as `User.objects.with_perm` would.

    That asks for each user by itself, which takes a millisecond a head.
    """
    app, codename = permission.split(".")
    named = {"content_type__app_label": app, "codename": codename}
    rows = Permission.objects.filter(**named).values("pk")
    members = User.groups.through.objects.filter(group__permissions__in=rows)
    own = User.user_permissions.through.objects.filter(permission__in=rows)
    may = Q(pk__in=members.values("user")) | Q(pk__in=own.values("user"))
    return User.objects.filter(Q(is_superuser=True) | may, is_active=True).order_by(
        "pk"
    )


def _load_restricted_users(right: CategoryRight) -> dict[int, set[int]]:
    """Return {user: categories}, of those who are held to some."""
    found: dict[int, set[int]] = {}
    rows = list(CategoryPermission.objects.filter(right=right).select_related(None))
    members = User.groups.through.objects.filter(
        group__in={row.group_id for row in rows if row.group_id}
    )
    of_group: dict[int, list[int]] = {}
    for user_id, group_id in members.values_list("user_id", "group_id"):
        of_group.setdefault(group_id, []).append(user_id)
    for row in rows:
        people = [row.user_id] if row.user_id else of_group.get(row.group_id or 0, [])
        for person in people:
            found.setdefault(person, set()).add(row.category_id)
    return found
