"""An entry in 繁體: said by OpenCC, except for what an editor wrote by hand."""

from __future__ import annotations

from django.core.exceptions import ValidationError
from django.core.validators import MaxLengthValidator
from django.db import models

from kb.models.entry import EXCERPT_LENGTH, Entry
from kb.models.fields import ProseField
from kb.models.markdown import validate_complexity
from kb.text import markdown, normalize


class Face(models.Model):
    """What `faces.keep` derives from an entry and the editor's own words for it.

    `own_source` says which original the editor had before his eyes; `behind`
    is set when that has changed since.
    """

    entry = models.OneToOneField(
        Entry, verbose_name="条目", on_delete=models.CASCADE, related_name="face"
    )
    own_question = models.CharField(
        "繁體问题", max_length=200, blank=True, help_text="留空就用自动转换的。"
    )
    own_answer = ProseField(
        "繁體答案",
        blank=True,
        validators=[MaxLengthValidator(markdown.LONGEST)],
        help_text="用 Markdown 写；留空就用自动转换的。",
    )
    own_source = models.CharField(max_length=32, editable=False, blank=True)
    behind = models.BooleanField("原文已改", default=False, editable=False)

    question = models.CharField(max_length=240, editable=False)
    answer_html = models.TextField(editable=False, blank=True)
    answer_text = models.TextField(editable=False, blank=True)
    excerpt = models.CharField(max_length=EXCERPT_LENGTH, editable=False, blank=True)
    version = models.PositiveIntegerField(editable=False, default=0)  # of the entry
    said_by = models.CharField(max_length=20, editable=False)  # which conversion

    class Meta:
        ordering = ["-behind", "-entry_id"]
        verbose_name = "繁體版本"
        verbose_name_plural = "繁體版本"

    def __str__(self) -> str:
        return self.question

    @property
    def is_own(self) -> bool:
        """Whether an editor wrote any of it."""
        return bool(self.own_question or self.own_answer)

    def clean(self) -> None:
        self.own_question = normalize.line(self.own_question)
        self.own_answer = normalize.clean(self.own_answer).strip()
        validate_complexity(self.own_answer, "own_answer")
        if markdown.nameless(self.own_answer):
            raise ValidationError({"own_answer": "每张图片都要有替代文字。"})
