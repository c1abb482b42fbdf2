"""Which question comes next, and what is like it: the inbox reads, never writes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from django.db.models import Count, Q, prefetch_related_objects
from django.utils import timezone

from kb import search
from kb.models import (
    Channel,
    Entry,
    Module,
    Question,
    QuestionQuerySet,
    User,
    prefetch_shared_replies,
)
from kb.text.privacy import personal_data
from kb.web.desk.forms import InboxQuery

QUESTIONS_BEFORE, QUESTIONS_AFTER = 3, 12  # questions shown around the one that is open
MAX_SIMILAR_ENTRIES, MAX_FOUND_ENTRIES = 5, 9  # entries that a digit can choose
UNDO_WINDOW = timedelta(hours=12)  # how far back 撤销 reaches


@dataclass(frozen=True, slots=True)
class QueuePosition:
    """A question in the queue: its neighbours, and how many there are."""

    question: Question
    number: int
    total: int
    neighbors: Sequence[Question]

    @property
    def next_question(self) -> Question | None:
        return self._get_neighbor(+1)

    @property
    def previous_question(self) -> Question | None:
        return self._get_neighbor(-1)

    def _get_neighbor(self, step: int) -> Question | None:
        at = list(self.neighbors).index(self.question) + step
        return self.neighbors[at] if 0 <= at < len(self.neighbors) else None


@dataclass(frozen=True, slots=True)
class SimilarEntries:
    """Entries that may answer a question already."""

    entries: Sequence[Entry]
    is_degraded: bool = False


def select_waiting_questions(asked: InboxQuery) -> QuestionQuerySet:
    """Return what waits and passes the filter, oldest first."""
    return asked.filter_questions(Question.objects.awaiting_triage()).select_related(
        "module", "recorded_by", "answered_by", "inquiry"
    )


def find_current_question(asked: InboxQuery) -> tuple[Question | None, bool]:
    """Return the question to show, and whether the one asked for is gone."""
    questions = select_waiting_questions(asked)
    if asked.question:
        chosen = (
            select_waiting_questions(InboxQuery()).filter(pk=asked.question).first()
        )
        return chosen or questions.first(), chosen is None
    last = Question.objects.filter(pk=asked.after).first() if asked.after else None
    follower = questions.filter(_make_later_filter(last)).first() if last else None
    return follower or questions.first(), False


def find_queue_position(question: Question, asked: InboxQuery) -> QueuePosition:
    questions = select_waiting_questions(asked)
    earlier = questions.filter(_make_earlier_filter(question))
    total, number = questions.count(), earlier.count() + 1
    before = list(earlier.order_by("-asked_at", "-id")[:QUESTIONS_BEFORE])[::-1]
    after = list(questions.filter(_make_later_filter(question))[:QUESTIONS_AFTER])
    return QueuePosition(question, number, total, [*before, question, *after])


def count_filter_choices() -> dict[str, list[tuple[str | int, str, int]]]:
    """Return the channels and modules that wait: value, name and how many."""
    unsorted = Question.objects.awaiting_triage().order_by()
    by_channel = unsorted.values_list("channel").annotate(n=Count("pk"))
    by_module = unsorted.values_list("module").annotate(n=Count("pk"))
    channels, modules = dict(by_channel), dict(by_module)
    names = Module.objects.filter(pk__in=[pk for pk in modules if pk])
    return {
        "channels": [(c.value, c.label, channels[c]) for c in Channel if c in channels],
        "modules": [(m.pk, m.name, modules[m.pk]) for m in names],
    }


def list_personal_data_kinds(text: str) -> list[str]:
    """Return the kinds of personal data in `text`, each once; masked data has no name."""
    kinds: dict[str, None] = dict.fromkeys(
        find.kind for find in personal_data.find_personal_data(text)
    )
    if personal_data.PERSONAL_DATA_MASK in text:  # masked when it came in
        kinds["其他个人信息" if kinds else "个人信息"] = None
    return list(kinds)


def find_similar_entries(
    text: str, *, user: User, limit: int = MAX_SIMILAR_ENTRIES
) -> SimilarEntries:
    """Return the entries most like `text`, drafts too.

    Without the engine only the titles of published entries are compared.
    """
    hits = search.find_similar_entries(text, user=user, limit=limit)
    degraded = False
    if not hits:
        found = search.search_entries(text, user=user, limit=limit)
        hits, degraded = found.hits, found.is_degraded
    entries = [hit.entry for hit in hits]
    prefetch_related_objects(entries, prefetch_shared_replies())
    return SimilarEntries(entries, degraded)


def find_last_sorted(user: User) -> Question | None:
    """Return what `user` sorted last, for as long as that is easily undone."""
    mine = Question.objects.filter(
        settled_by=user, settled_at__gt=timezone.now() - UNDO_WINDOW
    )
    return mine.select_related("entry").order_by("-settled_at", "-pk").first()


def _make_later_filter(question: Question) -> Q:
    same = Q(asked_at=question.asked_at, pk__gt=question.pk)
    return Q(asked_at__gt=question.asked_at) | same


def _make_earlier_filter(question: Question) -> Q:
    same = Q(asked_at=question.asked_at, pk__lt=question.pk)
    return Q(asked_at__lt=question.asked_at) | same
