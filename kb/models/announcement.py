"""Announcements (公告): what many people ask about now, shown above their searches."""

from __future__ import annotations

from datetime import datetime

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.validators import MaxLengthValidator
from django.db import models
from django.db.models import F, Q
from django.utils import timezone

from kb.models.entry import Entry
from kb.models.fields import ProseField
from kb.models.user import Reader
from kb.models.validators import validate_markdown_complexity
from kb.text.chinese import normalize, tokenizer
from kb.text.chinese.keywords import join_keywords, split_keywords
from kb.text.markup import markdown

MAX_ANNOUNCEMENT_KEYWORDS = 30  # of one announcement
MAX_KEYWORD_CHARS = 32


class AnnouncementState(models.TextChoices):
    UPCOMING = "coming", "未开始"
    RUNNING = "running", "进行中"
    ENDED = "over", "已结束"


class AnnouncementQuerySet(models.QuerySet["Announcement"]):
    def visible_to(self, user: Reader) -> AnnouncementQuerySet:
        """Announcements for this reader: customers get the public ones."""
        if user.is_authenticated and user.can_read_library:
            return self.all()
        return self.filter(audience=Announcement.Audience.PUBLIC)

    def in_state(
        self, state: AnnouncementState, *, at: datetime
    ) -> AnnouncementQuerySet:
        """Announcements whose state at the moment `at` is `state`: see `state`."""
        return self.filter(
            {
                AnnouncementState.UPCOMING: Q(starts_at__gt=at),
                AnnouncementState.RUNNING: Q(starts_at__lte=at, ends_at__gt=at),
                AnnouncementState.ENDED: Q(ends_at__lte=at),
            }[state]
        )


class Announcement(models.Model):
    """A text above the results of matching searches, from its start to its end.

    Without keywords it is shown on the home page only.
    """

    class Audience(models.TextChoices):
        PUBLIC = "public", "顾客和同事"
        STAFF = "staff", "仅同事"

    title = models.CharField(
        "标题",
        max_length=80,
        help_text="一句话说清发生了什么，例如：华东大雪，发货延迟。",
    )
    body = ProseField(
        "说明",
        blank=True,
        validators=[MaxLengthValidator(2000)],
        help_text="可以不写。影响谁、现在怎么办、什么时候恢复；用 Markdown 写。",
    )
    keywords = ProseField(
        "关键词",
        blank=True,
        help_text="一行一个，或用空格、逗号、顿号隔开；几个词要连在一起，就加引号。"
        "搜索里出现其中一个，公告就在结果上方。不写就只在首页显示。",
    )
    audience = models.CharField(
        "给谁看", max_length=10, choices=Audience.choices, default=Audience.STAFF
    )
    starts_at = models.DateTimeField("开始时间", default=timezone.now)
    ends_at = models.DateTimeField(
        "结束时间", db_index=True, help_text="到点自动消失，不用再来撤。"
    )
    entry = models.ForeignKey(
        Entry,
        verbose_name="相关条目",
        null=True,
        blank=True,
        on_delete=models.SET_NULL,
        related_name="announcements",
        help_text="公告里会带上它的链接，它的页面上也会显示公告。",
    )
    body_html = models.TextField(editable=False, blank=True)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        verbose_name="发布人",
        null=True,
        blank=True,
        editable=False,
        on_delete=models.SET_NULL,
        related_name="+",
    )

    objects = AnnouncementQuerySet.as_manager()

    class Meta:
        ordering = ["-starts_at", "-id"]
        verbose_name = "公告"
        verbose_name_plural = "公告"
        constraints = [
            models.CheckConstraint(
                condition=~Q(title=""), name="kb_announcement_has_title"
            ),
            models.CheckConstraint(
                condition=Q(audience__in=["public", "staff"]),
                name="kb_announcement_audience_known",
            ),
            models.CheckConstraint(
                condition=Q(ends_at__gt=F("starts_at")),
                name="kb_announcement_ends_after_start",
                violation_error_message="结束时间必须晚于开始时间。",
            ),
        ]

    def __str__(self) -> str:
        return self.title

    @property
    def state(self) -> AnnouncementState:
        """The state now; it follows from the times alone."""
        now = timezone.now()
        if now < self.starts_at:
            return AnnouncementState.UPCOMING
        return (
            AnnouncementState.RUNNING if now < self.ends_at else AnnouncementState.ENDED
        )

    def list_keywords(self) -> list[str]:
        """Return the keywords as typed, without duplicates."""
        return split_keywords(self.keywords)

    def clean(self) -> None:
        self.title = normalize.clean_single_line(self.title)
        if not self.title:
            raise ValidationError({"title": "标题不能是空的。"})
        self.body = normalize.clean_text(self.body).strip()
        validate_markdown_complexity(self.body, "body")
        words = self.list_keywords()
        if len(words) > MAX_ANNOUNCEMENT_KEYWORDS:
            message = (
                f"最多 {MAX_ANNOUNCEMENT_KEYWORDS} 个关键词，这里有 {len(words)} 个。"
            )
            raise ValidationError({"keywords": message})
        if errors := [error for word in words if (error := _find_keyword_error(word))]:
            raise ValidationError({"keywords": errors})
        self.keywords = join_keywords(words)

    def save(self, *args: object, **kwargs: object) -> None:
        self.body_html = markdown.render_markdown(self.body)
        super().save(*args, **kwargs)  # type: ignore[arg-type]


def _find_keyword_error(word: str) -> str:
    """Return an error message for one keyword, "" for a valid one."""
    if len(word) > MAX_KEYWORD_CHARS:
        return f"“{word[:MAX_KEYWORD_CHARS]}…”太长，一个关键词最多 {MAX_KEYWORD_CHARS} 个字。"
    return "" if tokenizer.tokenize_text(word) else f"“{word}”里没有可以搜索的字。"
