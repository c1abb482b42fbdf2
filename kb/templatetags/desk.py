"""What every page of the desk shows of the work that waits."""

from __future__ import annotations

from django import template

from kb import entries, feedback, replies
from kb.models import Gap, Golden, Question, User

register = template.Library()


@register.simple_tag
def unanswered() -> int:
    """Return how many questions wait for an answer."""
    return Question.objects.filter(status=Question.Status.OPEN).count()


@register.simple_tag
def complained() -> int:
    """Return how many entries did not help, and why nobody has read."""
    return feedback.complained()


@register.simple_tag
def proposed() -> int:
    """Return how many phrasings are proposed."""
    return feedback.proposed()


@register.simple_tag
def offered() -> int:
    """Return how many replies agents would share."""
    return replies.waiting().count()


@register.simple_tag
def golden_failing() -> int:
    """Return how many golden queries are not where they have to be."""
    return Golden.objects.failing().count()


@register.simple_tag
def gaps_waiting() -> int:
    """Return how many gaps somebody should look at."""
    return Gap.objects.waiting().count()


@register.simple_tag
def reviews_waiting(user: User) -> int:
    """Return how many submissions wait for the verdict of `user`."""
    waiting = entries.awaited(user)
    return waiting.exclude(by=user).count()


@register.simple_tag
def due_now() -> int:
    """Return how many entries should be looked at again."""
    return entries.due().count()
