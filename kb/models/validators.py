"""Validators of Markdown, for all tables that hold it."""

from __future__ import annotations

from django.core.exceptions import ValidationError

from kb.text.markup import markdown


def validate_markdown_complexity(source: str, field: str = "") -> None:
    """Raise ValidationError, for `field` if given, if `source` takes too long to render."""
    if markdown.is_too_complex(source):
        marks = markdown.count_markup_characters(source)
        message = (
            f"这里有 {marks} 个换行和 Markdown 符号（[ ] * | # 等），"
            f"最多 {markdown.MAX_MARKUP_CHARACTERS} 个。请删去多余的符号，或拆成几条来写。"
        )
        raise ValidationError({field: message} if field else message)
