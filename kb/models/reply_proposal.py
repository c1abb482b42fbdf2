"""Reply proposals (共用提议): a private reply that its owner would like to be shared."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import Q

from kb.models.entry_revision import UnescapedJSONEncoder
from kb.models.reply import Reply


class ReplyProposal(models.Model):
    """One proposal. Editors may read the reply while the proposal waits.

    Only `kb.library.replies` writes it.
    """

    class State(models.TextChoices):
        WAITING = "waiting", "等待审核"
        ACCEPTED = "accepted", "已收为共用"
        RETURNED = "returned", "已退回"

    reply = models.ForeignKey(Reply, on_delete=models.CASCADE, related_name="proposals")
    by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        verbose_name="提议人",
        null=True,
        on_delete=models.SET_NULL,
        related_name="+",
    )
    at = models.DateTimeField("提议时间", auto_now_add=True)
    state = models.CharField(
        "状态", max_length=8, choices=State.choices, default=State.WAITING
    )
    reason = models.CharField("退回原因", max_length=200, blank=True)
    judged_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        verbose_name="审核人",
        null=True,
        on_delete=models.SET_NULL,
        related_name="+",
    )
    judged_at = models.DateTimeField("审核时间", null=True)
    # What undoing an acceptance needs; None if the proposal was not accepted.
    before = models.JSONField(null=True, editable=False, encoder=UnescapedJSONEncoder)

    class Meta:
        ordering = ["at", "pk"]
        verbose_name = "共用提议"
        verbose_name_plural = "共用提议"
        constraints = [
            models.UniqueConstraint(
                fields=["reply"],
                condition=Q(state="waiting"),
                name="kb_replyproposal_waits_once",
            ),
            models.CheckConstraint(
                condition=~Q(state="returned") | ~Q(reason=""),
                name="kb_replyproposal_returned_says_why",
            ),
        ]

    def __str__(self) -> str:
        return self.get_state_display()
