"""Pictures of answers: WebP files that we encoded, with random names."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.urls import reverse

MAX_ALT_TEXT_CHARS = 200


class Picture(models.Model):
    """A picture that `kb.library.pictures` stored.

    Its name contains width and height, so that an answer is rendered without a
    query.
    """

    name = models.CharField("文件名", max_length=64, unique=True, editable=False)
    alt = models.CharField(
        "替代文字",
        max_length=MAX_ALT_TEXT_CHARS,
        help_text="给看不见图的人和搜索引擎：一句话说清图里有什么、点哪里。",
    )
    width = models.PositiveIntegerField("宽", editable=False)
    height = models.PositiveIntegerField("高", editable=False)
    size = models.PositiveIntegerField("字节", editable=False)
    created_at = models.DateTimeField("上传时间", auto_now_add=True)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        verbose_name="上传人",
        null=True,
        blank=True,
        editable=False,
        on_delete=models.SET_NULL,
        related_name="+",
    )

    class Meta:
        ordering = ["-created_at", "-pk"]
        verbose_name = "图片"
        verbose_name_plural = "图片"
        constraints = [
            models.CheckConstraint(condition=~Q(alt=""), name="kb_picture_has_alt")
        ]

    def __str__(self) -> str:
        return self.alt

    @property
    def url(self) -> str:
        """The address of the picture on this site."""
        return reverse("picture", args=[self.name])

    def build_markdown(self, alt: str = "") -> str:
        """Return the Markdown that shows the picture in an answer."""
        escaped_alt = (alt or self.alt).translate({ord(c): f"\\{c}" for c in "[]\\"})
        return f"![{escaped_alt}]({self.url})"
