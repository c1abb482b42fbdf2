"""How real questions and their answers look to somebody who learns from them."""

from __future__ import annotations

from datetime import datetime

from django import template
from django.utils import timezone

from kb.models import Entry
from kb.text.placeholders import blanks
from kb.text.privacy import personal_data

SECONDS_PER_MINUTE, SECONDS_PER_HOUR, SECONDS_PER_DAY = 60, 3600, 86_400  # seconds
register = template.Library()


@register.filter
def mask_personal(text: str) -> str:
    """Return what a customer or an agent wrote without who it was."""
    return personal_data.mask(text)


@register.filter
def format_time_until(moment: datetime) -> str:
    """Return in how long `moment` is, as people say it."""
    seconds = (moment - timezone.now()).total_seconds()
    if seconds < SECONDS_PER_MINUTE:
        return "马上"
    if seconds < SECONDS_PER_HOUR:
        return f" {round(seconds / SECONDS_PER_MINUTE)} 分钟后"
    if seconds < SECONDS_PER_DAY * 0.9:
        return f" {round(seconds / SECONDS_PER_HOUR)} 小时后"
    return f" {round(seconds / SECONDS_PER_DAY)} 天后"


@register.filter
def list_sendable_texts(entry: Entry) -> list[tuple[str, str]]:
    """Return what everybody may send of `entry`: its replies, else its answer."""
    replies = [(reply.label, reply.text) for reply in entry.replies.shared()]
    return replies or [("FAQ 答案", entry.answer_text)]


@register.filter
def get_first_sendable_line(entry: Entry) -> str:
    """Return the first line of what would be sent, blanks as 〔name〕."""
    first = list_sendable_texts(entry)[0][1].strip().splitlines()
    return blanks.render_unfilled(first[0]) if first else ""
