"""话术反馈 on every page that shows it: the reader's own, and how many wait."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django import template

from kb.models import Entry, Reply, ReplyFeedback

MAX_FEEDBACK_SHOWN = 3  # of the reader's own, at an entry
register = template.Library()


@register.simple_tag(takes_context=True)
def list_own_feedback(context: template.Context, entry: Entry) -> list[ReplyFeedback]:
    """Return what the reader said of `entry` lately, and what editors answered."""
    return list(
        ReplyFeedback.objects.written_by(context["user"]).filter(entry=entry)[
            :MAX_FEEDBACK_SHOWN
        ]
    )


@register.filter
def select_shared_replies(replies: Iterable[Reply]) -> list[Reply]:
    """Return the replies that editors answer for: not one's own, nor the team's."""
    return [reply for reply in replies if reply.is_shared]


@register.simple_tag(takes_context=True)
def count_unread_feedback(context: template.Context) -> int:
    """Return how many of the reader's remarks were answered since he looked."""
    return ReplyFeedback.objects.written_by(context["user"]).unread().count()


@register.simple_tag
def list_feedback_reasons() -> list[tuple[Any, Any]]:
    return list(ReplyFeedback.Reason.choices)
