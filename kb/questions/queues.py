"""Which questions and ratings wait for staff, and in which order: reads only."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from django.db.models import Count, Max, Q, QuerySet
from django.utils import timezone

from kb.models import (
    AnswerVersion,
    Channel,
    Inquiry,
    InquiryAttachment,
    Module,
    Question,
    QuestionQuerySet,
    User,
)
from kb.questions import answers

QUESTIONS_BEFORE, QUESTIONS_AFTER = 3, 12  # neighbors of the question that is shown


@dataclass(frozen=True, slots=True)
class QueuePosition:
    """A question in the queue: its number from 1, the total, and its neighbors."""

    question: Question
    number: int
    total: int
    neighbors: Sequence[Question]  # in order, with the question itself

    @property
    def next_question(self) -> Question | None:
        return self._get_neighbor(+1)

    @property
    def previous_question(self) -> Question | None:
        return self._get_neighbor(-1)

    def _get_neighbor(self, step: int) -> Question | None:
        index = list(self.neighbors).index(self.question) + step
        return self.neighbors[index] if 0 <= index < len(self.neighbors) else None


# Single rows -------------------------------------------------------------------------


def find_question(pk: int) -> Question | None:
    """Return the question with its inquiry, its entry and who answered it."""
    rows = Question.objects.select_related(
        "inquiry__site", "module", "entry", "answered_by", "settled_by", "recorded_by"
    )
    return rows.filter(pk=pk).first()


def find_inquiry(pk: int) -> Inquiry | None:
    return Inquiry.objects.filter(pk=pk).select_related("question").first()


def find_attachment(question_id: int, place: int) -> InquiryAttachment | None:
    """Return picture number `place` of a question, counted from 1."""
    rows = InquiryAttachment.objects.filter(inquiry__question=question_id)
    return rows.filter(place=place).first()


def find_module(pk: int) -> Module | None:
    return Module.objects.filter(pk=pk).first()


# Inbox: answered questions that wait for triage -------------------------------------


def list_questions_to_triage(
    *, channel: str = "", module: Module | None = None
) -> QuestionQuerySet:
    """Return the questions that wait for triage, oldest first; "" and None do not filter."""
    rows = Question.objects.awaiting_triage()
    if channel:
        rows = rows.filter(channel=channel)
    if module is not None:
        rows = rows.filter(module=module)
    return rows.select_related("module", "recorded_by", "answered_by", "inquiry")


def find_question_to_triage(
    queue: QuestionQuerySet, *, wanted_id: int | None, after_id: int | None
) -> tuple[Question | None, bool]:
    """Return the question to show, and whether the wanted one no longer waits.

    The wanted question is shown even where the filter of `queue` leaves it out. Else
    it is the one that follows `after_id`, or the first of the queue.
    """
    if wanted_id:
        wanted = list_questions_to_triage().filter(pk=wanted_id).first()
        return wanted or queue.first(), wanted is None
    last = Question.objects.filter(pk=after_id).first() if after_id else None
    follower = queue.filter(_build_later_filter(last)).first() if last else None
    return follower or queue.first(), False


def find_queue_position(question: Question, queue: QuestionQuerySet) -> QueuePosition:
    earlier = queue.filter(_build_earlier_filter(question))
    total, number = queue.count(), earlier.count() + 1
    before = list(earlier.order_by("-asked_at", "-id")[:QUESTIONS_BEFORE])[::-1]
    after = list(queue.filter(_build_later_filter(question))[:QUESTIONS_AFTER])
    return QueuePosition(question, number, total, [*before, question, *after])


def count_questions_to_triage() -> dict[str, list[tuple[str | int, str, int]]]:
    """Return {"channels": …, "modules": …}, each a list of (value, name, questions)."""
    waiting = Question.objects.awaiting_triage().order_by()
    channels = dict(waiting.values_list("channel").annotate(n=Count("pk")))
    modules = dict(waiting.values_list("module").annotate(n=Count("pk")))
    module_rows = Module.objects.filter(pk__in=[pk for pk in modules if pk])
    return {
        "channels": [(c.value, c.label, channels[c]) for c in Channel if c in channels],
        "modules": [(row.pk, row.name, modules[row.pk]) for row in module_rows],
    }


def find_last_sorted_question(user: User, *, within: timedelta) -> Question | None:
    """Return the question that `user` sorted last, not longer than `within` ago."""
    rows = Question.objects.filter(
        settled_by=user, settled_at__gt=timezone.now() - within
    )
    return rows.select_related("entry").order_by("-settled_at", "-pk").first()


def _build_later_filter(question: Question) -> Q:
    same_time = Q(asked_at=question.asked_at, pk__gt=question.pk)
    return Q(asked_at__gt=question.asked_at) | same_time


def _build_earlier_filter(question: Question) -> Q:
    same_time = Q(asked_at=question.asked_at, pk__lt=question.pk)
    return Q(asked_at__lt=question.asked_at) | same_time


# Open and answered questions ---------------------------------------------------------


def list_open_questions(*, records: bool) -> QuestionQuerySet:
    """Return the open questions, oldest first.

    With `records` those that were recorded or imported, else those of customers.
    """
    questions = Question.objects.all()
    rows = questions.unanswered_records() if records else questions.unanswered()
    return rows.select_related("module", "inquiry__site").order_by("asked_at", "pk")


def find_last_closed_question(user: User, *, within: timedelta) -> Question | None:
    """Return the question that `user` closed last without an answer, within that time."""
    rows = Question.objects.filter(
        status=Question.Status.DECLINED,
        answer="",
        settled_by=user,
        settled_at__gt=timezone.now() - within,
    )
    return rows.order_by("-settled_at", "-pk").first()


def search_answered_questions(user: User | None, words: str) -> QuerySet[Question]:
    """Return what `user` answered (None: anybody), latest first, with `version_count`.

    Every word of `words` must occur in the question or in its answer.
    """
    rows = answers.list_answered_questions(user)
    for word in words.split():
        rows = rows.filter(Q(text__icontains=word) | Q(answer__icontains=word))
    return rows.select_related("answered_by", "inquiry", "module").annotate(
        version_count=Max("answer_versions__number")
    )


def list_answer_versions(question: Question) -> list[AnswerVersion]:
    """Return all versions of the answer, the latest first."""
    rows = AnswerVersion.objects.filter(question=question).select_related("by")
    return list(rows.order_by(answers.LATEST_VERSION_FIRST))


# Low ratings -------------------------------------------------------------------------


def list_low_scores(*, handled: bool) -> QuerySet[Inquiry]:
    """Return inquiries with a low score: unhandled ones oldest first, or handled ones."""
    if handled:
        rows = Inquiry.objects.with_low_score().exclude(score_handled_at=None)
        rows = rows.order_by("-score_handled_at", "-pk")
    else:
        rows = Inquiry.objects.with_unhandled_low_score().order_by("scored_at", "pk")
    return rows.select_related(
        "question__answered_by", "question__entry", "score_handled_by"
    )


def find_last_handled_score(user: User, *, within: timedelta) -> Inquiry | None:
    """Return the inquiry whose low score `user` handled last, within that time."""
    rows = Inquiry.objects.with_low_score().filter(
        score_handled_by=user, score_handled_at__gt=timezone.now() - within
    )
    return rows.order_by("-score_handled_at", "-pk").first()
