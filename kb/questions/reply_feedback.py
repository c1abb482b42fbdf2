"""Feedback of agents on replies and answers of editors. The only writer of ReplyFeedback."""

from __future__ import annotations

from datetime import datetime

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from kb.models import Entry, Reply, ReplyFeedback, User
from kb.models.reply_feedback import ReplyFeedbackQuerySet
from kb.models.search import MAX_SEARCH_CHARS
from kb.system import write_queue
from kb.text.chinese import normalize
from kb.text.privacy import personal_data

FeedbackState = ReplyFeedback.State


@transaction.atomic
def add_reply_feedback(
    entry: Entry,
    *,
    by: User,
    reason: str,
    reply: Reply | None = None,
    words: str = "",
    query: str = "",
) -> ReplyFeedback:
    """Record feedback of `by` on `reply`, or on the answer of `entry` for None.

    The current text of the reply is stored with it. Raises ValidationError, also where
    the reason is 其他 and `words`, the comment, is empty.
    """
    feedback = ReplyFeedback(entry=entry, reply=reply, reason=reason, by=by)
    feedback.variant = reply.label if reply else ""
    feedback.body = reply.body if reply else ""
    feedback.words = normalize.clean_text(words).strip()
    feedback.query = personal_data.mask_personal_data(
        normalize.clean_single_line(query)
    )[:MAX_SEARCH_CHARS].strip()
    feedback.full_clean()
    if feedback.reason == ReplyFeedback.Reason.OTHER and not feedback.words:
        raise ValidationError({"words": "选「其他」时请写明哪里不对。"})
    feedback.save()
    return feedback


@transaction.atomic
def answer_reply_feedback(
    feedback: ReplyFeedback, *, answer: str, by: User
) -> ReplyFeedback:
    """Answer feedback, for the agent to read.

    Raises PermissionDenied, ValidationError.
    """
    if not by.has_perm("kb.change_entry"):
        raise PermissionDenied("您没有处理话术反馈的权限。")
    feedback = ReplyFeedback.objects.select_for_update().get(pk=feedback.pk)
    if feedback.state == FeedbackState.DONE:
        raise ValidationError("这条反馈已经有人答复了。", code="conflict")
    feedback.answer = normalize.clean_text(answer).strip()
    if not feedback.answer:
        raise ValidationError({"answer": "请写一句答复，提反馈的同事会看到。"})
    feedback.state, feedback.done_by, feedback.done_at = (
        FeedbackState.DONE,
        by,
        timezone.now(),
    )
    feedback.full_clean()
    feedback.save()
    return feedback


@transaction.atomic
def reopen_reply_feedback(feedback: ReplyFeedback, *, by: User) -> str:
    """Delete an answer that the agent has not seen; return its text.

    Raises PermissionDenied, ValidationError.
    """
    if not by.has_perm("kb.change_entry"):
        raise PermissionDenied("您没有处理话术反馈的权限。")
    feedback = ReplyFeedback.objects.select_for_update().get(pk=feedback.pk)
    if feedback.state != FeedbackState.DONE or feedback.done_by_id != by.pk:
        raise ValidationError("这条反馈不是您刚答复的，不能撤销。", code="conflict")
    if feedback.seen_at is not None:
        raise ValidationError("同事已经看到答复了，不能撤销。", code="late")
    answer, feedback.answer = feedback.answer, ""
    feedback.state, feedback.done_by, feedback.done_at = FeedbackState.OPEN, None, None
    feedback.full_clean()
    feedback.save()
    return answer


def find_last_answered_feedback(user: User, *, since: datetime) -> ReplyFeedback | None:
    """Return the feedback that `user` answered last, if its answer is still unseen."""
    answered = ReplyFeedback.objects.unread().filter(done_by=user, done_at__gt=since)
    return answered.select_related("entry").order_by("-done_at", "-pk").first()


def mark_answers_seen(user: User) -> None:
    """Mark answers to the user's feedback as read, without making the page wait."""
    user_id, now = user.pk, timezone.now()
    write_queue.enqueue_write(
        lambda: (
            ReplyFeedback.objects.filter(by=user_id, done_at__lte=now)
            .unread()
            .update(seen_at=now)
        )
    )


def query_feedback_of(user: User) -> ReplyFeedbackQuerySet:
    """Return the feedback that `user` gave, with entries and who answered."""
    feedback = ReplyFeedback.objects.written_by(user)
    return feedback.select_related("entry", "done_by")


def list_feedback_on_entry(
    entry: Entry, *, user: User, limit: int
) -> list[ReplyFeedback]:
    """Return the feedback that `user` gave on replies of `entry`."""
    return list(ReplyFeedback.objects.written_by(user).filter(entry=entry)[:limit])


def count_unread_answers(user: User) -> int:
    """Return how many answers to the user's feedback they have not seen yet."""
    return ReplyFeedback.objects.written_by(user).unread().count()


def list_reply_feedback(*, resolved: bool) -> QuerySet[ReplyFeedback]:
    """Return feedback that waits, oldest first, or resolved feedback, latest first."""
    if resolved:
        rows = ReplyFeedback.objects.filter(state=FeedbackState.DONE)
    else:
        rows = ReplyFeedback.objects.unresolved()
    return rows.select_related("entry", "reply", "by", "done_by")


def find_reply_feedback(pk: int) -> ReplyFeedback | None:
    rows = ReplyFeedback.objects.select_related("by", "entry")
    return rows.filter(pk=pk).first()
