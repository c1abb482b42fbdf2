"""话术反馈 in templates: the user's own feedback, and how many answers are unread."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django import template

from kb.models import Entry, Reply, ReplyFeedback
from kb.questions import reply_feedback

MAX_FEEDBACK_SHOWN = 3  # of the user's own, at an entry
register = template.Library()


@register.simple_tag(takes_context=True)
def list_own_feedback(context: template.Context, entry: Entry) -> list[ReplyFeedback]:
    """Return the user's latest feedback on replies of `entry`, with its answers."""
    return reply_feedback.list_feedback_on_entry(
        entry, user=context["user"], limit=MAX_FEEDBACK_SHOWN
    )


@register.filter
def select_shared_replies(replies: Iterable[Reply]) -> list[Reply]:
    """Return the replies that editors maintain: not private ones, nor the team's."""
    return [reply for reply in replies if reply.is_shared]


@register.simple_tag(takes_context=True)
def count_unread_feedback(context: template.Context) -> int:
    """Return how many answers to the user's feedback they have not seen yet."""
    return reply_feedback.count_unread_answers(context["user"])


@register.simple_tag
def list_feedback_reasons() -> list[tuple[Any, Any]]:
    return list(ReplyFeedback.Reason.choices)
