"""Entries (条目): a standard question and its public answer."""

from __future__ import annotations

import re
from collections.abc import Collection
from typing import Any

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.validators import MaxLengthValidator
from django.db import models
from django.db.models import Q

from kb.models.category import Category, make_slug
from kb.models.entry_visibility import (
    AUDIENCE_PUBLIC,
    STATUS_PUBLISHED,
    EntryVisibility,
    build_visibility_filter,
)
from kb.models.fields import ProseField
from kb.models.product_module import Module
from kb.models.review_date import ReviewDateMixin
from kb.models.tag import Tag
from kb.models.user import Reader
from kb.models.validators import validate_markdown_complexity
from kb.models.validity import (
    ValidityMixin,
    build_in_force_filter,
    build_validity_filter,
)
from kb.system.page_urls import build_page_url
from kb.text.chinese import normalize
from kb.text.markup import markdown

MAX_EXCERPT_CHARS = 160
LIST_COLUMNS = ("question", "slug", "excerpt", "audience", "version", "updated_at")


class EntryQuerySet(models.QuerySet["Entry"]):
    def searchable(self) -> EntryQuerySet:
        """Entries that the search engine holds: all but the retired ones."""
        return self.exclude(status=Entry.Status.RETIRED)

    def visible_to(self, user: Reader) -> EntryQuerySet:
        """Entries that `user` may see. All reading goes through this rule.

        Entry.is_visible_to is the same rule for one row.
        """
        return self.filter(build_visibility_filter(user))

    def published_to(self, user: Reader) -> EntryQuerySet:
        """Published entries that `user` may see: what they find by search and browsing."""
        return self.filter(build_visibility_filter(user), status=Entry.Status.PUBLISHED)

    def with_list_columns(self) -> EntryQuerySet:
        """Only the columns that a list of links shows; each other one costs a query."""
        return self.only(*LIST_COLUMNS)

    def follow_ups_of(self, entry: Entry) -> EntryQuerySet:
        """The follow-up entries of `entry`, in the order that editors chose."""
        follow_ups = self.filter(preceded_by__entry=entry)
        return follow_ups.order_by("preceded_by__order", "preceded_by__pk")

    def in_force(self) -> EntryQuerySet:
        """Entries that are in force now: see Entry.is_in_force."""
        return self.filter(build_in_force_filter())

    def with_validity(self, validity: str) -> EntryQuerySet:
        """Entries whose Entry.validity is `validity` now."""
        return self.filter(build_validity_filter(validity))


class Entry(ValidityMixin, ReviewDateMixin):
    """The unit of the library, of search and of history.

    DERIVED_COLUMNS follow from other columns. `save` updates them; code that writes
    rows in bulk calls `update_derived_columns`.
    """

    class Status(models.TextChoices):
        DRAFT = "draft", "草稿"
        REVIEW = "review", "待审核"
        PUBLISHED = STATUS_PUBLISHED, "已发布"
        RETIRED = "retired", "已下线"

    class Audience(models.TextChoices):
        PUBLIC = AUDIENCE_PUBLIC, "公开"
        INTERNAL = "internal", "仅内部"

    question = models.CharField("标准问题", max_length=200)
    answer = ProseField(
        "FAQ 答案",
        blank=True,
        validators=[MaxLengthValidator(markdown.MAX_MARKDOWN_CHARS)],
        help_text="用 Markdown 写，顾客看得到。先写一句话答案，再写步骤。",
    )
    status = models.CharField(
        "状态", max_length=10, choices=Status.choices, default=Status.DRAFT
    )
    audience = models.CharField(
        "可见范围", max_length=10, choices=Audience.choices, default=Audience.INTERNAL
    )
    category = models.ForeignKey(
        Category,
        verbose_name="分类",
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="entries",
    )
    tags = models.ManyToManyField(
        Tag, verbose_name="标签", blank=True, related_name="entries"
    )
    module = models.ForeignKey(
        Module,
        verbose_name="产品模块",
        null=True,
        blank=True,
        on_delete=models.SET_NULL,
        related_name="entries",
    )
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        verbose_name="负责人",
        null=True,
        blank=True,
        on_delete=models.SET_NULL,
        related_name="owned_entries",
        help_text="谁保证这一条是对的；到期复核、有人反馈时找他。",
    )
    keywords = models.CharField(
        "短码和关键词",
        max_length=200,
        blank=True,
        help_text="客服用来直达的短码、别名，用空格分开。",
    )
    slug = models.SlugField(
        "网址后缀",
        max_length=80,
        blank=True,
        allow_unicode=True,
        help_text="留空时按标准问题生成；以后改问题，网址不会跟着变。",
    )

    answer_html = models.TextField(editable=False, blank=True)
    answer_text = models.TextField(editable=False, blank=True)
    excerpt = models.CharField(max_length=MAX_EXCERPT_CHARS, editable=False, blank=True)
    question_key = models.CharField(max_length=32, editable=False, db_index=True)

    source = models.CharField("来源", max_length=50, blank=True)
    external_id = models.CharField("外部编号", max_length=100, blank=True)
    version = models.PositiveIntegerField("版本", default=1, editable=False)
    created_at = models.DateTimeField("创建时间", auto_now_add=True)
    updated_at = models.DateTimeField("更新时间", auto_now=True)
    published_at = models.DateTimeField(
        "发布时间", null=True, blank=True, editable=False
    )
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        verbose_name="创建人",
        null=True,
        blank=True,
        editable=False,
        on_delete=models.SET_NULL,
        related_name="+",
    )
    updated_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        verbose_name="最后修改人",
        null=True,
        blank=True,
        editable=False,
        on_delete=models.SET_NULL,
        related_name="+",
    )

    # Whether `translations.apply_translations` has replaced texts of this object.
    is_translated_copy = False

    objects = EntryQuerySet.as_manager()

    class Meta:
        ordering = ["-updated_at", "-id"]
        verbose_name = "条目"
        verbose_name_plural = "条目"
        permissions = [
            ("read_library", "查看话术库"),
            ("publish_entry", "发布和下线条目"),
            ("import_entry", "导入条目"),
            ("export_library", "导出"),
        ]
        constraints = [
            *ValidityMixin.Meta.constraints,
            models.CheckConstraint(
                condition=~Q(question=""), name="kb_entry_has_question"
            ),
            models.CheckConstraint(
                condition=Q(status__in=["draft", "review", "published", "retired"]),
                name="kb_entry_status_known",
            ),
            models.CheckConstraint(
                condition=Q(audience__in=["public", "internal"]),
                name="kb_entry_audience_known",
            ),
            models.CheckConstraint(
                condition=~Q(status="published", audience="public", answer=""),
                name="kb_entry_public_has_answer",
                violation_error_message="公开发布的条目必须有 FAQ 答案。",
            ),
            models.UniqueConstraint(
                fields=["source", "external_id"],
                condition=~Q(external_id=""),
                name="kb_entry_unique_external_id",
                violation_error_message="这个来源里已有相同外部编号的条目。",
            ),
        ]
        # The date comes first: SQLite would take status and audience for selective and
        # scan all published entries to authorize twenty ids.
        indexes = [models.Index(fields=["-updated_at", "status", "audience"])]

    def __str__(self) -> str:
        return self.question

    def clean(self) -> None:
        super().clean()
        self.question = normalize.clean_single_line(self.question)
        self.keywords = normalize.clean_single_line(self.keywords)
        self.answer = normalize.clean_text(self.answer).strip()
        if len(self.answer) > markdown.MAX_MARKDOWN_CHARS:
            return  # the validator of the field reports it
        validate_markdown_complexity(self.answer, "answer")
        if markdown.count_pictures_without_alt(self.answer):
            message = "每张图片都要有替代文字：![一句话说清图里有什么](图片地址)。"
            raise ValidationError({"answer": message})

    def save(self, *args: object, **kwargs: object) -> None:
        if self.is_translated_copy:
            raise RuntimeError("an entry with translated texts must not be saved")
        self.update_derived_columns()
        if (fields := kwargs.get("update_fields")) is not None:
            kwargs["update_fields"] = {*fields, *DERIVED_COLUMNS}  # type: ignore[misc]
        super().save(*args, **kwargs)  # type: ignore[arg-type]

    def delete(self, *args: Any, **kwargs: Any) -> tuple[int, dict[str, int]]:
        """Delete the entry. Personal and team replies stay, without an entry."""
        self.replies.private().update(entry=None)
        return super().delete(*args, **kwargs)

    def update_derived_columns(self) -> None:
        """Set DERIVED_COLUMNS from the other columns."""
        self.question_key = normalize.compute_spelling_key(self.question)
        self.answer_html = markdown.render_markdown(self.answer)
        self.answer_text = markdown.extract_plain_text(self.answer_html)
        self.excerpt = shorten_text(self.answer_text, MAX_EXCERPT_CHARS)
        self.slug = self.slug or make_slug(self.question)
        self.copy_period_dates()

    @property
    def visibility(self) -> EntryVisibility:
        return EntryVisibility(
            self.status, self.audience, self.category_id, self.is_in_force
        )

    def is_visible_to(self, user: Reader) -> bool:
        """Return whether `user` may see this row: EntryQuerySet.visible_to."""
        return self.visibility.is_visible_to(user)

    @classmethod
    def load_by_ids(cls, ids: Collection[int]) -> dict[int, Entry]:
        """Return {id: entry} with their categories, without a check of visibility.

        RARELY_READ_COLUMNS, which no list of entries shows, are deferred.
        """
        entries = cls.objects.only(*OFTEN_READ_COLUMNS).prefetch_related("category")
        return {entry.pk: entry for entry in entries.filter(pk__in=ids)}

    def get_absolute_url(self) -> str:
        if self.slug:
            return build_page_url("faq:entry", self.pk, self.slug)
        return build_page_url("faq:entry-short", self.pk)


RARELY_READ_COLUMNS = frozenset(
    "created_at published_at source external_id question_key created_by_id"
    " updated_by_id review_at reviewed_at owner_id module_id".split()
)
OFTEN_READ_COLUMNS = tuple(
    field.attname
    for field in Entry._meta.concrete_fields
    if field.attname not in RARELY_READ_COLUMNS
)
DERIVED_COLUMNS = (
    *("question_key", "answer_html", "answer_text", "excerpt", "slug"),
    *("valid_from", "valid_until"),  # copied from the campaign period
)


def shorten_text(text: str, length: int) -> str:
    """Return `text` on one line, cut at `length` characters with an ellipsis."""
    joined = re.sub(r"\s+", " ", text).strip()
    return joined if len(joined) <= length else joined[: length - 1].rstrip() + "…"
