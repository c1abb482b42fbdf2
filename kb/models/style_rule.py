"""Style rules (用词规则): words to avoid, and the level of each built-in check."""

from __future__ import annotations

import re

from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import Q

from kb.models.atomic_save import AtomicSaveMixin
from kb.text import style_rules
from kb.text.chinese import normalize
from kb.text.privacy import personal_data

MAX_RULE_TEXT_CHARS = 60
MAX_RULE_EXCEPTIONS = 30
BUILT_IN_CHECKS = (
    *personal_data.PERSONAL_DATA_KINDS,
    style_rules.LONG_SENTENCE_CHECK,
    "失效链接",
    "未公开的链接",
    "链接的标题不存在",
    "缺少图片",
    "待填项写错",
    "没见过的待填项",
    "答案里的待填项",
)


class StyleRule(AtomicSaveMixin):
    """A word with its severity and reason; or one of BUILT_IN_CHECKS with its severity.

    `faces` limits the rule to the FAQ or to replies; "" means both.
    """

    class Kind(models.TextChoices):
        FORBIDDEN = "forbidden", "禁用语"
        ABSOLUTE = "absolute", "绝对化用语"
        IRRITATING = "irritating", "惹人不快的话"
        CHECK = "check", "自动检查"

    class Severity(models.TextChoices):
        ERROR = style_rules.SEVERITY_ERROR, "不能发布"
        WARN = style_rules.SEVERITY_WARNING, "提醒"
        OFF = style_rules.SEVERITY_OFF, "停用"

    class Scope(models.TextChoices):
        PUBLIC = style_rules.SCOPE_PUBLIC, "只查 FAQ"
        REPLY = style_rules.SCOPE_REPLY, "只查话术"

    kind = models.CharField(
        "类型", max_length=10, choices=Kind.choices, default=Kind.FORBIDDEN
    )
    text = models.CharField(
        "词",
        max_length=MAX_RULE_TEXT_CHARS,
        help_text="一条规则写一个词或一句话；不分大小写、全角半角、简体繁體。"
        "类型选“自动检查”时，这里写检查的名称。",
    )
    severity = models.CharField(
        "级别",
        max_length=5,
        choices=Severity.choices,
        default=Severity.WARN,
        help_text="“不能发布”会拦住发布；“提醒”只提示。",
    )
    exceptions = models.CharField(
        "例外",
        max_length=400,
        blank=True,
        help_text="含有这个词但没有问题的说法，用空格分开，例如：第一步 第一次。"
        "号码和邮箱的例外写允许出现的，例如自家热线，或 @example.com。",
    )
    faces = models.CharField(
        "范围",
        max_length=6,
        choices=Scope.choices,
        blank=True,
        help_text="留空表示 FAQ 和话术都查。",
    )
    reason = models.CharField("原因", max_length=100, blank=True)
    suggestion = models.CharField("建议", max_length=100, blank=True)
    limit = models.PositiveSmallIntegerField(
        "字数上限",
        null=True,
        blank=True,
        help_text=f"只用于“{style_rules.LONG_SENTENCE_CHECK}”。",
    )

    class Meta:
        ordering = ["kind", "text"]
        verbose_name = "用词规则"
        verbose_name_plural = "用词规则"
        constraints = [
            models.CheckConstraint(condition=~Q(text=""), name="kb_stylerule_has_text"),
            models.UniqueConstraint(
                fields=["kind", "text"],
                name="kb_stylerule_unique",
                violation_error_message="这一类里已经有这个词。",
            ),
        ]

    def __str__(self) -> str:
        return self.text

    def clean(self) -> None:
        self.text = normalize.clean_single_line(self.text)
        self.reason = normalize.clean_single_line(self.reason)
        self.suggestion = normalize.clean_single_line(self.suggestion)
        self.exceptions = normalize.clean_single_line(self.exceptions)
        is_check = self.kind == self.Kind.CHECK
        if is_check and self.text not in BUILT_IN_CHECKS:
            message = f"没有这项检查，可以写：{'、'.join(BUILT_IN_CHECKS)}。"
            raise ValidationError({"text": message})
        if not is_check and not re.search(r"\w", normalize.normalize_text(self.text)):
            raise ValidationError({"text": "请写一个词，只有标点不行。"})
        if (self.limit is not None) != (
            is_check and self.text == style_rules.LONG_SENTENCE_CHECK
        ):
            message = (
                "请写字数上限。" if self.limit is None else "只有“句子太长”有字数上限。"
            )
            raise ValidationError({"limit": message})
        if len(self.exceptions.split()) > MAX_RULE_EXCEPTIONS:
            message = f"例外最多 {MAX_RULE_EXCEPTIONS} 个。"
            raise ValidationError({"exceptions": message})
        if not is_check:
            self._validate_exceptions()

    def _validate_exceptions(self) -> None:
        """Refuse exceptions that do not contain the word of the rule."""
        spelling = normalize.normalize_text(self.text)
        for exception in self.exceptions.split():
            longer = normalize.normalize_text(exception)
            if spelling not in longer or spelling == longer:
                message = f"例外“{exception}”要含有“{self.text}”，而且比它长。"
                raise ValidationError({"exceptions": message})

    def to_rule(self) -> style_rules.MatchRule:
        """Return the row as a rule of kb.text.style_rules."""
        return style_rules.MatchRule(
            kind=str(self.get_kind_display()),
            text=self.text,
            severity=self.severity,
            exceptions=tuple(self.exceptions.split()),
            reason=self.reason,
            suggestion=self.suggestion,
            scope=self.faces,
            max_sentence_chars=self.limit or 0,
        )
