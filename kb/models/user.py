"""Accounts of staff; customers have none."""

from __future__ import annotations

from django.contrib.auth.models import AbstractUser, AnonymousUser
from django.db import models

from kb.models.team import Team

# Groups of kb.accounts.roles. Writers (撰稿) may not publish.
ROLE_AGENT, ROLE_WRITER, ROLE_EDITOR, ROLE_LEAD = "客服", "撰稿", "编辑", "主管"


class User(AbstractUser):
    """An account of an agent, writer, editor or lead; its groups give the permissions."""

    name = models.CharField("姓名", max_length=50, blank=True)
    team = models.ForeignKey(
        Team,
        verbose_name="团队",
        null=True,
        blank=True,
        on_delete=models.SET_NULL,
        related_name="members",
        help_text="同一团队的人共用团队话术。",
    )

    # Set when another user chose the password; the next login asks for a new one.
    must_change_password = models.BooleanField(
        "下次登录要改密码", default=False, db_default=False, editable=False
    )

    # The day of the last mail about entries to review.
    reminded_on = models.DateField(null=True, editable=False)

    # Set by kb.publishing.sites: the categories of the current site. None: all.
    visible_category_ids: frozenset[int] | None = None

    class Meta(AbstractUser.Meta):
        verbose_name = "用户"
        verbose_name_plural = "用户"

    def __str__(self) -> str:
        return self.name or self.username

    @property
    def can_read_library(self) -> bool:
        """Whether the user may read internal entries and replies."""
        return self.has_perm("kb.read_library") or self.can_edit_library

    @property
    def can_edit_library(self) -> bool:
        """Whether the user may also read drafts and retired entries."""
        return self.has_perm("kb.change_entry")

    @property
    def can_lead_team(self) -> bool:
        """Whether the user may write the replies of their team."""
        return self.team_id is not None and self.has_perm("kb.lead_team")


Reader = User | AnonymousUser


def get_visible_category_ids(reader: Reader) -> frozenset[int] | None:
    """Return the ids of the categories that the current site shows to `reader`.

    None: all entries, also those without a category. kb.publishing.sites sets them.
    """
    return getattr(reader, "visible_category_ids", None)
