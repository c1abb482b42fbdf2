"""An agent says what is wrong with a reply, an editor answers: their only writer."""

from __future__ import annotations

from datetime import datetime

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.utils import timezone

from kb.models import Entry, Reply, ReplyFeedback, User
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
    """Keep what `by` says of `reply`, or of the answer where there is none.

    The text is kept as it stands now. Raises ValidationError.
    """
    made = ReplyFeedback(entry=entry, reply=reply, reason=reason, by=by)
    made.variant = reply.label if reply else ""
    made.body = reply.body if reply else ""
    made.words = normalize.clean_text(words).strip()
    made.query = personal_data.mask(normalize.clean_single_line(query))[
        :MAX_SEARCH_CHARS
    ].strip()
    made.full_clean()
    if made.reason == ReplyFeedback.Reason.OTHER and not made.words:
        raise ValidationError({"words": "选「其他」时请写明哪里不对。"})
    made.save()
    return made


@transaction.atomic
def answer_reply_feedback(
    remark: ReplyFeedback, *, answer: str, by: User
) -> ReplyFeedback:
    """Answer a remark, which the agent then reads. Raises ValidationError."""
    if not by.has_perm("kb.change_entry"):
        raise PermissionDenied("您没有处理话术反馈的权限。")
    remark = ReplyFeedback.objects.select_for_update().get(pk=remark.pk)
    if remark.state == FeedbackState.DONE:
        raise ValidationError("这条反馈已经有人答复了。", code="conflict")
    remark.answer = normalize.clean_text(answer).strip()
    if not remark.answer:
        raise ValidationError({"answer": "请写一句答复，提反馈的同事会看到。"})
    remark.state, remark.done_by, remark.done_at = (
        FeedbackState.DONE,
        by,
        timezone.now(),
    )
    remark.full_clean()
    remark.save()
    return remark


@transaction.atomic
def reopen_reply_feedback(remark: ReplyFeedback, *, by: User) -> str:
    """Take back an answer that the agent has not seen; return its text.

    Raises ValidationError.
    """
    if not by.has_perm("kb.change_entry"):
        raise PermissionDenied("您没有处理话术反馈的权限。")
    remark = ReplyFeedback.objects.select_for_update().get(pk=remark.pk)
    if remark.state != FeedbackState.DONE or remark.done_by_id != by.pk:
        raise ValidationError("这条反馈不是您刚答复的，不能撤销。", code="conflict")
    if remark.seen_at is not None:
        raise ValidationError("同事已经看到答复了，不能撤销。", code="late")
    answer, remark.answer = remark.answer, ""
    remark.state, remark.done_by, remark.done_at = FeedbackState.OPEN, None, None
    remark.full_clean()
    remark.save()
    return answer


def find_last_answered_feedback(user: User, *, since: datetime) -> ReplyFeedback | None:
    """Return the remark that `user` answered last, while nobody has seen the answer."""
    mine = ReplyFeedback.objects.unread().filter(done_by=user, done_at__gt=since)
    return mine.select_related("entry").order_by("-done_at", "-pk").first()


def mark_answers_seen(user: User) -> None:
    """Take the answers to the user's remarks as read, without making a page wait."""
    user_id, now = user.pk, timezone.now()
    write_queue.enqueue_write(
        lambda: (
            ReplyFeedback.objects.filter(by=user_id, done_at__lte=now)
            .unread()
            .update(seen_at=now)
        )
    )
