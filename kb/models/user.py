"""People who work here; customers have no account."""

from __future__ import annotations

from django.contrib.auth.models import AbstractUser, AnonymousUser
from django.db import models

from kb.models.team import Team

# The groups of kb.accounts.roles; what a writer (撰稿) writes is published by others.
ROLE_AGENT, ROLE_WRITER, ROLE_EDITOR, ROLE_LEAD = "客服", "撰稿", "编辑", "主管"


class User(AbstractUser):
    """An agent, an editor or a lead; what each may do hangs on its group."""

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

    # Set when somebody else chose the password: the first login asks for a new one.
    must_change_password = models.BooleanField(
        "下次登录要改密码", default=False, db_default=False, editable=False
    )

    # The last day on which a mail told what is due.
    reminded_on = models.DateField(null=True, editable=False)

    visible_category_ids: frozenset[int] | None = (
        None  # categories of the site where one reads
    )

    class Meta(AbstractUser.Meta):
        verbose_name = "用户"
        verbose_name_plural = "用户"

    def __str__(self) -> str:
        return self.name or self.username

    @property
    def can_read_library(self) -> bool:
        """Whether internal entries and replies are for this person's eyes."""
        return self.has_perm("kb.read_library") or self.can_edit_library

    @property
    def can_edit_library(self) -> bool:
        """Whether drafts and retired entries are for this person's eyes too."""
        return self.has_perm("kb.change_entry")

    @property
    def can_lead_team(self) -> bool:
        """Whether this person writes the replies of the team."""
        return self.team_id is not None and self.has_perm("kb.lead_team")


Reader = User | AnonymousUser


def get_visible_category_ids(reader: Reader) -> frozenset[int] | None:
    """Return the categories that there are for `reader`; None means all, and none.

    kb.publishing.sites sets them: a site may show a part of the library.
    """
    return getattr(reader, "visible_category_ids", None)
