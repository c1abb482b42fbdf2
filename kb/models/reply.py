"""Replies (话术): plain text with {{blanks}} that agents send to customers."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.validators import MaxLengthValidator
from django.db import models
from django.db.models import Prefetch, Q

from kb.models.channel import Channel
from kb.models.customer_segment import CustomerSegment
from kb.models.entry import Entry
from kb.models.entry_visibility import build_visibility_filter
from kb.models.fields import ProseField
from kb.models.snippet import Snippet, expand_includes
from kb.models.team import Team
from kb.models.user import Reader
from kb.text.chinese import normalize
from kb.text.placeholders import blanks, snippets


class ReplyQuerySet(models.QuerySet["Reply"]):
    def shared(self) -> ReplyQuerySet:
        """Shared replies, which editors write: for all staff who may read the entry."""
        return self.filter(owner=None, team=None)

    def private(self) -> ReplyQuerySet:
        """Replies of one user or one team; only these may read them."""
        return self.exclude(owner=None, team=None)

    def readable_by(self, user: Reader) -> ReplyQuerySet:
        """Replies that `user` may read. All reading goes through this rule.

        A personal reply is readable by its owner alone; editors, leads and superusers
        do not see it either. Reply.is_readable_by is the same rule for one row.
        """
        if not (user.is_authenticated and user.can_read_library):
            return self.none()
        private = Q(owner=user)
        if user.team_id:
            private |= Q(team=user.team_id)
        return self.filter(
            private
            | (Q(owner=None, team=None) & build_visibility_filter(user, "entry__"))
        )

    def private_to(self, user: Reader) -> ReplyQuerySet:
        """The personal replies of `user` and those of their team."""
        return self.readable_by(user).private()


def prefetch_readable_replies(user: Reader) -> Prefetch[str]:
    """Return a Prefetch by which entry.replies holds the replies that `user` may read."""
    return Prefetch(
        "replies", Reply.objects.readable_by(user).select_related("segment", "author")
    )


def prefetch_shared_replies() -> Prefetch[str]:
    """Return a Prefetch by which entry.replies holds the shared replies."""
    return Prefetch("replies", Reply.objects.shared())


class Reply(models.Model):
    """A reply of an entry. Personal and team replies may belong to no entry.

    `text` is sent to customers: `body` with its snippets expanded; `save` updates it.
    """

    class Tone(models.TextChoices):
        STANDARD = "standard", "标准"
        SHORT = "short", "简短"
        SOOTHING = "soothing", "安抚"
        FORMAL = "formal", "正式"

    entry = models.ForeignKey(
        Entry, null=True, blank=True, on_delete=models.CASCADE, related_name="replies"
    )
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        verbose_name="谁的",
        null=True,
        blank=True,
        on_delete=models.CASCADE,
        related_name="+",
    )
    # PROTECT: without its team, a reply would be readable by all staff.
    team = models.ForeignKey(
        Team,
        verbose_name="哪个团队的",
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="+",
    )
    author = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        verbose_name="谁写的",
        null=True,
        blank=True,
        on_delete=models.SET_NULL,
        related_name="+",
    )
    label = models.CharField("名称", max_length=20, default="标准")
    title = models.CharField(
        "标题", max_length=60, blank=True, help_text="自己认得出就行，比如“催发货”。"
    )
    keywords = models.CharField(
        "短码和关键词",
        max_length=100,
        blank=True,
        help_text="想用什么词找到它，用空格分开。",
    )
    body = ProseField(
        "话术",
        validators=[MaxLengthValidator(4000)],
        help_text=blanks.BLANKS_HELP_TEXT,
    )
    channel = models.CharField(
        "渠道",
        max_length=10,
        choices=Channel.choices,
        blank=True,
        help_text="留空表示通用",
    )
    segment = models.ForeignKey(
        CustomerSegment,
        verbose_name="客户类型",
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="+",
        help_text="留空表示通用",
    )
    tone = models.CharField(
        "语气", max_length=10, choices=Tone.choices, default=Tone.STANDARD
    )
    order = models.PositiveSmallIntegerField("次序", default=0)
    text = ProseField(editable=False, blank=True)
    updated_at = models.DateTimeField("更新时间", auto_now=True)

    objects = ReplyQuerySet.as_manager()

    class Meta:
        ordering = ["order", "id"]
        verbose_name = "话术"
        verbose_name_plural = "话术"
        permissions = [("lead_team", "写团队话术")]
        constraints = [
            models.CheckConstraint(condition=~Q(body=""), name="kb_reply_has_body"),
            models.CheckConstraint(
                condition=Q(owner=None) | Q(team=None),
                name="kb_reply_is_of_one_kind",
                violation_error_message="话术要么是个人的，要么是团队的。",
            ),
            models.CheckConstraint(
                condition=Q(owner=None, team=None, entry__isnull=False)
                | (~Q(title="") & ~Q(owner=None, team=None)),
                name="kb_reply_has_place",
                violation_error_message="共用的话术要属于一个条目，其他的要有标题。",
            ),
            models.CheckConstraint(
                condition=Q(tone__in=["standard", "short", "soothing", "formal"]),
                name="kb_reply_tone_known",
            ),
        ]

    def __str__(self) -> str:
        """Contain nothing of a private reply: lists of rows show this to others."""
        if self.owner_id:
            return "个人话术"
        return "团队话术" if self.team_id else self.label

    @property
    def is_shared(self) -> bool:
        return self.owner_id is None and self.team_id is None

    def is_readable_by(self, user: Reader) -> bool:
        """Return whether `user` may read this row: ReplyQuerySet.readable_by."""
        if not (user.is_authenticated and user.can_read_library):
            return False
        if self.owner_id:
            return self.owner_id == user.pk
        if self.team_id:
            return self.team_id == user.team_id
        return self.entry is not None and self.entry.is_visible_to(user)

    def clean(self) -> None:
        self.label = normalize.clean_single_line(self.label)
        self.title = normalize.clean_single_line(self.title)
        self.keywords = normalize.clean_single_line(self.keywords)
        self.body = normalize.clean_text(self.body).strip()
        if faults := blanks.describe_blank_faults(self.body):
            raise ValidationError({"body": faults})
        if not self.is_shared and not self.title:
            raise ValidationError({"title": "请写一个标题。"})
        if snippets.list_included_snippets(self.body):
            expand_includes(self.body, Snippet.objects.bodies_by_name(), "body")

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Save, and keep the previous text as a revision if it has changed."""
        self.update_derived_columns()
        if (fields := kwargs.get("update_fields")) is not None:
            kwargs["update_fields"] = {*fields, "text", "updated_at"}
        stored = Reply.objects.filter(pk=self.pk).values_list("text", flat=True)
        before = stored.first() if self.pk else None
        super().save(*args, **kwargs)
        if before is not None and before != self.text:
            self.revisions.create(text=before)

    def update_derived_columns(self) -> None:
        """Set `text`, which follows from `body` and the snippets."""
        bodies = (
            Snippet.objects.bodies_by_name()
            if snippets.list_included_snippets(self.body)
            else {}
        )
        try:
            self.text = snippets.expand_snippets(self.body, bodies)
        except snippets.ExpansionTooLongError:  # `clean` refuses such a body
            self.text = self.body
