"""Phrasings (相似问法): other ways in which customers ask the question of an entry."""

from __future__ import annotations

from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import Q

from kb.models.entry import Entry
from kb.models.question import Question
from kb.models.style_rule import StyleRule
from kb.text import style_rules
from kb.text.chinese import normalize
from kb.text.privacy.personal_data import (
    CERTAIN_PERSONAL_DATA_KINDS,
    find_personal_data,
)

MAX_NAMED_PERSONAL_DATA = 3


def require_no_personal_data(text: str, name: str = "相似问法") -> None:
    """Raise ValidationError (code "personal") if `text` contains personal data.

    Such texts are public, as suggestions. An exception of a style rule, such as the
    company's own hotline, is allowed. `name` is the name of the text in the message.
    """
    matches = find_personal_data(text, CERTAIN_PERSONAL_DATA_KINDS)
    if not matches:
        return
    rows = StyleRule.objects.filter(
        kind=StyleRule.Kind.CHECK, text__in={match.kind for match in matches}
    )
    rules = {row.text: row.to_rule() for row in rows}
    refused = [
        f"{kind}「{text[start:end]}」"
        for kind, start, end in matches
        if not style_rules.is_allowed_personal_data(rules.get(kind), text[start:end])
    ]
    if refused:
        named = "、".join(refused[:MAX_NAMED_PERSONAL_DATA])
        more = (
            f"等 {len(refused)} 处个人信息"
            if len(refused) > MAX_NAMED_PERSONAL_DATA
            else ""
        )
        raise ValidationError(
            f"{name}里有{named}{more}，大家都看得到。请删掉，或改成通用的说法。",
            code="personal",
        )


class Phrasing(models.Model):
    """One phrasing. It is searched, and readers see it as a suggestion."""

    entry = models.ForeignKey(Entry, on_delete=models.CASCADE, related_name="phrasings")
    text = models.CharField("相似问法", max_length=200)
    text_key = models.CharField(max_length=32, editable=False)
    question = models.ForeignKey(
        Question,
        verbose_name="来自问题",
        null=True,
        blank=True,
        editable=False,
        on_delete=models.SET_NULL,
        related_name="phrasings",
    )

    class Meta:
        ordering = ["id"]
        verbose_name = "相似问法"
        verbose_name_plural = "相似问法"
        constraints = [
            models.CheckConstraint(condition=~Q(text=""), name="kb_phrasing_has_text"),
            models.UniqueConstraint(
                fields=["entry", "text_key"],
                name="kb_phrasing_unique",
                violation_error_message="这条目里已有这个问法。",
            ),
        ]

    def __str__(self) -> str:
        return self.text

    def clean(self) -> None:
        self.text = normalize.clean_single_line(self.text)
        self.text_key = normalize.compute_spelling_key(self.text)
        try:
            require_no_personal_data(self.text)
        except ValidationError as error:
            raise ValidationError({"text": error}) from None

    def save(self, *args: object, **kwargs: object) -> None:
        self.text_key = normalize.compute_spelling_key(self.text)
        super().save(*args, **kwargs)  # type: ignore[arg-type]
