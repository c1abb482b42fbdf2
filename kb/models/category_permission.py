"""Permissions by category (职责范围): in which subtrees a user writes or publishes."""

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
    """Restricts a right of one user, or of a group, to a category and those below.

    Several rows add up. A right without rows is not restricted: it holds in all
    categories, if the user has the permission of PERMISSION_FOR_RIGHT at all.
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
        on_delete=models.PROTECT,  # without the row the user would have all categories
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
                name="kb_categorypermission_of_one",
            ),
            models.CheckConstraint(
                condition=Q(right__in=["write", "publish"]),
                name="kb_categorypermission_right_known",
            ),
            models.UniqueConstraint(
                fields=["user", "category", "right"],
                condition=Q(user__isnull=False),
                name="kb_categorypermission_once_a_user",
                violation_error_message="这个范围已经有了。",
            ),
            models.UniqueConstraint(
                fields=["group", "category", "right"],
                condition=Q(group__isnull=False),
                name="kb_categorypermission_once_a_group",
                violation_error_message="这个范围已经有了。",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_right_display()}「{self.category}」"


def get_permitted_category_ids(
    user: User, right: CategoryRight
) -> frozenset[int] | None:
    """Return the ids of the categories in which `user` has `right`.

    None: not restricted, all categories and entries without one. The permission
    itself is not checked here. The result is cached on the user object, as Django
    does with permissions.
    """
    cache: dict[CategoryRight, frozenset[int] | None] = user.__dict__.setdefault(
        "_category_permissions", {}
    )
    if right not in cache:
        cache[right] = (
            None if user.is_superuser else _load_permitted_category_ids(user, right)
        )
    return cache[right]


def clear_category_permissions(user: User) -> None:
    """Clear the cache of `get_permitted_category_ids`, after a change of the tree."""
    user.__dict__.pop("_category_permissions", None)


def _load_permitted_category_ids(
    user: User, right: CategoryRight
) -> frozenset[int] | None:
    of_user = Q(user=user) | Q(group__user=user)
    root_ids = list(
        CategoryPermission.objects.filter(of_user, right=right).values_list(
            "category", flat=True
        )
    )
    if not root_ids:
        return None
    category_ids: set[int] = set()
    for root in Category.objects.filter(pk__in=root_ids):
        subtree = root.descendants(include_self=True)
        category_ids.update(subtree.values_list("pk", flat=True))
    return frozenset(category_ids)


def has_category_right(
    user: User, right: CategoryRight, category_id: int | None
) -> bool:
    """Return whether `user` has `right` in a category; None: for entries without one."""
    if not user.has_perm(PERMISSION_FOR_RIGHT[right]):
        return False
    category_ids = get_permitted_category_ids(user, right)
    return category_ids is None or category_id in category_ids


def list_users_with_right(right: CategoryRight, category_id: int | None) -> list[User]:
    """Return the active users who have `right` in a category, in five queries."""
    users = _find_users_with_permission(PERMISSION_FOR_RIGHT[right])
    restrictions = _load_restrictions(right)
    category = Category.objects.filter(pk=category_id).first()
    path = {node.pk for node in category.ancestors()} if category else set()
    path_ids = path | {category_id}
    return [
        user
        for user in users
        if user.is_superuser
        or user.pk not in restrictions
        or restrictions[user.pk] & path_ids
    ]


def _find_users_with_permission(permission: str) -> QuerySet[User]:
    """Return active users with a permission "app.codename", by primary key.

    Same result as `User.objects.with_perm`, which queries once for each user.
    """
    app, codename = permission.split(".")
    permissions = Permission.objects.filter(
        content_type__app_label=app, codename=codename
    ).values("pk")
    members = User.groups.through.objects.filter(group__permissions__in=permissions)
    direct = User.user_permissions.through.objects.filter(permission__in=permissions)
    users = User.objects.filter(
        Q(is_superuser=True)
        | Q(pk__in=members.values("user"))
        | Q(pk__in=direct.values("user")),
        is_active=True,
    )
    return users.order_by("pk")


def _load_restrictions(right: CategoryRight) -> dict[int, set[int]]:
    """Return {user id: ids of root categories} of the users whose right is restricted."""
    root_ids: dict[int, set[int]] = {}
    rows = list(CategoryPermission.objects.filter(right=right).select_related(None))
    members = User.groups.through.objects.filter(
        group__in={row.group_id for row in rows if row.group_id}
    )
    user_ids_by_group: dict[int, list[int]] = {}
    for user_id, group_id in members.values_list("user_id", "group_id"):
        user_ids_by_group.setdefault(group_id, []).append(user_id)
    for row in rows:
        user_ids = (
            [row.user_id]
            if row.user_id
            else user_ids_by_group.get(row.group_id or 0, [])
        )
        for user_id in user_ids:
            root_ids.setdefault(user_id, set()).add(row.category_id)
    return root_ids
