"""The 繁體 version of an entry: converted by OpenCC, or written by an editor."""

from __future__ import annotations

from django.core.exceptions import ValidationError
from django.core.validators import MaxLengthValidator
from django.db import models

from kb.models.entry import MAX_EXCERPT_CHARS, Entry
from kb.models.fields import ProseField
from kb.models.validators import validate_markdown_complexity
from kb.text.chinese import normalize
from kb.text.markup import markdown


class EntryTranslation(models.Model):
    """The texts of an entry in 繁體, derived by `kb.publishing.translations`.

    `own_question` and `own_answer` are written by an editor and win over the
    conversion. `own_source` is a digest of the original that the editor saw;
    `behind` is set when the original has changed since. `said_by` is the edition of
    the conversion.
    """

    entry = models.OneToOneField(
        Entry, verbose_name="条目", on_delete=models.CASCADE, related_name="translation"
    )
    own_question = models.CharField(
        "繁體问题", max_length=200, blank=True, help_text="留空就用自动转换的。"
    )
    own_answer = ProseField(
        "繁體答案",
        blank=True,
        validators=[MaxLengthValidator(markdown.MAX_MARKDOWN_CHARS)],
        help_text="用 Markdown 写；留空就用自动转换的。",
    )
    own_source = models.CharField(max_length=32, editable=False, blank=True)
    behind = models.BooleanField("原文已改", default=False, editable=False)

    question = models.CharField(max_length=240, editable=False)
    answer_html = models.TextField(editable=False, blank=True)
    answer_text = models.TextField(editable=False, blank=True)
    excerpt = models.CharField(max_length=MAX_EXCERPT_CHARS, editable=False, blank=True)
    version = models.PositiveIntegerField(editable=False, default=0)  # of the entry
    said_by = models.CharField(max_length=20, editable=False)

    class Meta:
        ordering = ["-behind", "-entry_id"]
        verbose_name = "繁體版本"
        verbose_name_plural = "繁體版本"

    def __str__(self) -> str:
        return self.question

    @property
    def is_hand_written(self) -> bool:
        """Whether an editor wrote the question or the answer."""
        return bool(self.own_question or self.own_answer)

    def clean(self) -> None:
        self.own_question = normalize.clean_single_line(self.own_question)
        self.own_answer = normalize.clean_text(self.own_answer).strip()
        validate_markdown_complexity(self.own_answer, "own_answer")
        if markdown.count_pictures_without_alt(self.own_answer):
            raise ValidationError({"own_answer": "每张图片都要有替代文字。"})
