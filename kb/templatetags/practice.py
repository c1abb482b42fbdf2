"""Filters of the practice pages: masked questions, due times and sendable texts."""

from __future__ import annotations

from datetime import datetime

from django import template
from django.utils import timezone

from kb.library.replies import reply_lookup
from kb.models import Entry
from kb.text.placeholders import blanks
from kb.text.privacy import personal_data

SECONDS_PER_MINUTE, SECONDS_PER_HOUR, SECONDS_PER_DAY = 60, 3600, 86_400
MIN_SHOWN_DAYS = 0.9  # a shorter time is shown in hours
register = template.Library()


@register.filter
def mask_personal(text: str) -> str:
    """Return `text` with personal data masked."""
    return personal_data.mask_personal_data(text)


@register.filter
def format_time_until(moment: datetime) -> str:
    """Return a future time relative to now, such as " 3 小时后"."""
    seconds = (moment - timezone.now()).total_seconds()
    if seconds < SECONDS_PER_MINUTE:
        return "马上"
    if seconds < SECONDS_PER_HOUR:
        return f" {round(seconds / SECONDS_PER_MINUTE)} 分钟后"
    if seconds < SECONDS_PER_DAY * MIN_SHOWN_DAYS:
        return f" {round(seconds / SECONDS_PER_HOUR)} 小时后"
    return f" {round(seconds / SECONDS_PER_DAY)} 天后"


@register.filter
def list_sendable_texts(entry: Entry) -> list[tuple[str, str]]:
    """Return (label, text) of the shared replies, or of the answer without any."""
    replies = reply_lookup.list_shared_replies(entry)
    texts = [(reply.label, reply.text) for reply in replies]
    return texts or [("FAQ 答案", entry.answer_text)]


@register.filter
def get_first_sendable_line(entry: Entry) -> str:
    """Return the first line of the first sendable text, with blanks as 〔name〕."""
    lines = list_sendable_texts(entry)[0][1].strip().splitlines()
    return blanks.render_unfilled(lines[0]) if lines else ""
