"""Sites: public pages of the library, or of a part of it, on one host."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import Q

from kb.models.category import Category
from kb.models.picture import Picture
from kb.text import colour
from kb.text.chinese import normalize

HOST_PATTERN = re.compile(r"(?=.{1,253}$)[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9-]+)*")


LOGO_HEIGHT_PX, MAX_LOGO_WIDTH_PX = 32, 160


class Site(models.Model):
    """Name, logo, color and categories of one host; "" is the host of all other requests.

    That default site may have no name; SITE_NAME of the settings is used then.
    """

    name = models.CharField(
        "名称", max_length=50, blank=True, help_text="页眉、标题里的名称。"
    )
    host = models.CharField(
        "域名",
        max_length=253,
        blank=True,
        unique=True,
        help_text="比如 help.example.com；留空的那个站点用于其他所有域名。",
        error_messages={"unique": "这个域名已经有站点了。"},
    )
    logo = models.ForeignKey(
        Picture,
        verbose_name="标志",
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="+",
        help_text="先在“图片”里上传；显示在页眉，高 32 像素。留空用默认图标。",
    )
    accent = models.CharField(
        "主色",
        max_length=7,
        blank=True,
        help_text="链接和按钮的颜色，写成 #2a56ac；深色模式的颜色由它推出。留空用默认。",
    )
    contact = models.CharField(
        "联系方式",
        max_length=200,
        blank=True,
        help_text="显示在每页底部，比如“客服电话 400-000-0000，9:00–21:00”。",
    )
    categories = models.ManyToManyField(
        Category,
        verbose_name="显示的分类",
        blank=True,
        related_name="+",
        help_text="只显示这些分类和它们的下级；一个也不选就显示全部。",
    )
    updated_at = models.DateTimeField("更新时间", auto_now=True)

    # Read by kb.publishing.sites: ids of `categories`, and with those below them.
    root_category_ids: Sequence[int] | None = None
    visible_category_ids: frozenset[int] | None = None

    class Meta:
        ordering = ["host"]
        verbose_name = "站点"
        verbose_name_plural = "站点"
        constraints = [
            models.CheckConstraint(
                condition=~Q(name="") | Q(host=""),
                name="kb_site_has_name",
                violation_error_message="有域名的站点要有名称。",
            ),
        ]

    def __str__(self) -> str:
        return self.name or str(settings.KB_SITE_NAME)

    def clean(self) -> None:
        self.name = normalize.clean_single_line(self.name)
        self.contact = normalize.clean_single_line(self.contact)
        self.host = _clean_host(self.host)
        self.accent = _clean_accent_color(self.accent)

    @property
    def logo_width(self) -> int:
        """Width of the logo in the header, in pixels; the page reserves its place."""
        if self.logo is None:
            return 0
        width = round(LOGO_HEIGHT_PX * self.logo.width / self.logo.height)
        return min(width, MAX_LOGO_WIDTH_PX)

    @property
    def cache_stamp(self) -> str:
        """A part of addresses and cache keys that changes with every change of the site."""
        timestamp = self.updated_at.timestamp() if self.updated_at else 0
        return f"{self.pk or 0}-{int(timestamp * 1000):x}"


def _clean_host(value: str) -> str:
    """Return the host as browsers send it, in lower case and IDNA. Raises ValidationError."""
    host = normalize.clean_single_line(value).lower().removesuffix(".")
    try:
        host = host.encode("idna").decode() if host else ""
    except UnicodeError:
        host = "/"
    if host and not HOST_PATTERN.fullmatch(host):
        message = "只写域名，不带 https:// 和斜杠，比如 help.example.com。"
        raise ValidationError({"host": message})
    return host


def _clean_accent_color(value: str) -> str:
    """Return the color #rrggbb in lower case.

    Raises ValidationError if it is malformed, or if its contrast is too low.
    """
    accent = normalize.clean_single_line(value).lower()
    if not accent:
        return ""
    problems: dict[str, Any] = {}
    if not colour.HEX_COLOUR_PATTERN.fullmatch(accent):
        problems["accent"] = "颜色写成 # 加六位十六进制，比如 #2a56ac。"
    elif (contrast := colour.find_weakest_contrast(accent)) < colour.MIN_TEXT_CONTRAST:
        problems["accent"] = (
            f"这个颜色的字在浅色背景上看不清：对比度 {contrast:.1f}，至少要 {colour.MIN_TEXT_CONTRAST}。"
            f"最接近的可用颜色是 {colour.find_nearest_readable_colour(accent)}。"
        )
    if problems:
        raise ValidationError(problems)
    return accent
