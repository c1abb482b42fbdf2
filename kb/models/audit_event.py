"""The audit log (操作记录): who did what, when, and from which address."""

from __future__ import annotations

from django.conf import settings
from django.db import models


class AuditEvent(models.Model):
    """One action of a person or of the system. Rows are never changed.

    `who` and `what` hold texts, which stay readable after the account and the
    object have been deleted.
    """

    class Action(models.TextChoices):
        PUBLISHED = "published", "发布"
        CHANGED = "changed", "修改文字"
        APPROVED = "approved", "通过修改"
        RETIRED = "retired", "下线"
        RESTORED = "restored", "恢复"
        REVERTED = "reverted", "恢复旧版"
        REVIEW_CONFIRMED = "confirmed", "复核"
        DELETED = "deleted", "删除"
        QUESTION_ANSWERED = "answered", "回复"
        ANSWER_CORRECTED = "corrected", "更正回复"
        ANSWER_RECALLED = "recalled", "撤回回复"
        QUESTION_DECLINED = "declined", "不回复"
        QUESTION_REOPENED = "reopened", "重新打开"
        IMPORTED = "imported", "导入"
        EXPORTED = "exported", "导出"
        PERSONAL_DATA_ERASED = "erased", "删除个人信息"
        PERMISSIONS_CHANGED = "rights", "权限变更"
        ACCOUNT_CHANGED = "account", "账号变更"
        LOGGED_IN = "came", "登录"
        LOGIN_FAILED = "failed", "登录失败"

    at = models.DateTimeField("时间", auto_now_add=True, db_index=True)
    by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        verbose_name="账号",
        null=True,
        on_delete=models.SET_NULL,
        related_name="+",
    )
    who = models.CharField("谁", max_length=200)
    act = models.CharField("做了什么", max_length=9, choices=Action.choices)
    what = models.CharField("对什么", max_length=300)
    address = models.CharField("来自", max_length=64, blank=True)

    class Meta:
        ordering = ["-at", "-pk"]
        verbose_name = "操作记录"
        verbose_name_plural = "操作记录"
        indexes = [models.Index(fields=["act", "-at"])]

    def __str__(self) -> str:
        return f"{self.who} {self.get_act_display()} {self.what}"
