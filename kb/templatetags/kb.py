"""Filters that every door's templates use."""

from __future__ import annotations

from collections.abc import Iterable

from django import template
from django.utils.safestring import SafeString

from kb.text import highlight

register = template.Library()


@register.filter
def marked(text: str, terms: Iterable[str]) -> SafeString:
    """Return `text` escaped, with <mark> around the terms that were found."""
    return highlight.mark(text, terms)
