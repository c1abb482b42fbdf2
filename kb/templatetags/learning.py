"""How real questions and their answers look to somebody who learns from them."""

from __future__ import annotations

from datetime import datetime

from django import template
from django.utils import timezone

from kb.models import Entry
from kb.text import blanks, personal

MINUTE, HOUR, DAY = 60, 3600, 86_400  # seconds
register = template.Library()


@register.filter
def masked(text: str) -> str:
    """Return what a customer or an agent wrote without who it was."""
    return personal.mask(text)


@register.filter
def ahead(moment: datetime) -> str:
    """Return in how long `moment` is, as people say it."""
    seconds = (moment - timezone.now()).total_seconds()
    if seconds < MINUTE:
        return "马上"
    if seconds < HOUR:
        return f" {round(seconds / MINUTE)} 分钟后"
    if seconds < DAY * 0.9:
        return f" {round(seconds / HOUR)} 小时后"
    return f" {round(seconds / DAY)} 天后"


@register.filter
def sayable(entry: Entry) -> list[tuple[str, str]]:
    """Return what everybody may send of `entry`: its replies, else its answer."""
    replies = [(reply.label, reply.text) for reply in entry.replies.shared()]
    return replies or [("FAQ 答案", entry.answer_text)]


@register.filter
def gist(entry: Entry) -> str:
    """Return the first line of what would be sent, blanks as 〔name〕."""
    first = sayable(entry)[0][1].strip().splitlines()
    return blanks.shown(first[0]) if first else ""
