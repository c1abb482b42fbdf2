"""Widget rules: what the widget shows first on which pages of the product."""

from __future__ import annotations

from fnmatch import fnmatchcase

from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import Q

from kb.models.category import Category
from kb.models.site import Site
from kb.models.tag import Tag
from kb.text.chinese import normalize

MAX_RULE_FIELD_CHARS = 200


class WidgetRule(models.Model):
    """On pages whose path matches `pattern`, the widget starts with this category, tag or query."""

    pattern = models.CharField(
        "页面网址",
        max_length=MAX_RULE_FIELD_CHARS,
        help_text="产品页面的路径，* 代表任意一段，比如 /orders/* 或 */refund。",
    )
    site = models.ForeignKey(
        Site,
        verbose_name="站点",
        null=True,
        blank=True,
        on_delete=models.CASCADE,
        related_name="+",
        help_text="留空对所有站点有效。",
    )
    category = models.ForeignKey(
        Category,
        verbose_name="分类",
        null=True,
        blank=True,
        on_delete=models.CASCADE,
        related_name="+",
    )
    tag = models.ForeignKey(
        Tag,
        verbose_name="标签",
        null=True,
        blank=True,
        on_delete=models.CASCADE,
        related_name="+",
    )
    query = models.CharField(
        "搜索词",
        max_length=MAX_RULE_FIELD_CHARS,
        blank=True,
        help_text="显示搜它的结果。",
    )
    order = models.PositiveSmallIntegerField(
        "次序", default=0, help_text="小的先看；第一条相符的有效。"
    )

    class Meta:
        ordering = ["order", "pk"]
        verbose_name = "小部件规则"
        verbose_name_plural = "小部件规则"
        constraints = [
            models.CheckConstraint(
                condition=~Q(pattern=""), name="kb_widgetrule_has_pattern"
            ),
            models.CheckConstraint(
                condition=Q(category__isnull=False)
                | Q(tag__isnull=False)
                | ~Q(query=""),
                name="kb_widgetrule_has_effect",
                violation_error_message="分类、标签、搜索词至少填一个。",
            ),
        ]

    def __str__(self) -> str:
        return self.pattern

    def clean(self) -> None:
        self.pattern = normalize.clean_single_line(self.pattern)
        self.query = normalize.clean_single_line(self.query)
        if not self.pattern.startswith(("/", "*")):
            message = "写路径，以 / 或 * 开头，不带域名，比如 /orders/*。"
            raise ValidationError({"pattern": message})

    def is_matching_path(self, path: str) -> bool:
        """Return whether `path` matches the pattern; case matters, * matches all."""
        return fnmatchcase(path, self.pattern)
