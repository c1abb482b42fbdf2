"""Which question comes next, and what is like it: the inbox reads, never writes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from django.db.models import Count, Q, prefetch_related_objects
from django.utils import timezone

from kb import search
from kb.desk.forms import Asked
from kb.models import (
    Channel,
    Entry,
    Module,
    Question,
    QuestionQuerySet,
    User,
    replies_shared,
)
from kb.text import personal

BEFORE, AFTER = 3, 12  # questions shown around the one that is open
NEAR, FOUND = 5, 9  # entries that a digit can choose
UNDO = timedelta(hours=12)  # how far back 撤销 reaches


@dataclass(frozen=True, slots=True)
class Place:
    """A question in the queue: its neighbours, and how many there are."""

    question: Question
    number: int
    total: int
    around: Sequence[Question]

    @property
    def next(self) -> Question | None:
        return self._beside(+1)

    @property
    def previous(self) -> Question | None:
        return self._beside(-1)

    def _beside(self, step: int) -> Question | None:
        at = list(self.around).index(self.question) + step
        return self.around[at] if 0 <= at < len(self.around) else None


@dataclass(frozen=True, slots=True)
class Alike:
    """Entries that may answer a question already."""

    entries: Sequence[Entry]
    degraded: bool = False


def waiting(asked: Asked) -> QuestionQuerySet:
    """Return what waits and passes the filter, oldest first."""
    return asked.narrow(Question.objects.waiting()).select_related(
        "module", "recorded_by", "answered_by", "inquiry"
    )


def current(asked: Asked) -> tuple[Question | None, bool]:
    """Return the question to show, and whether the one asked for is gone."""
    questions = waiting(asked)
    if asked.question:
        chosen = waiting(Asked()).filter(pk=asked.question).first()
        return chosen or questions.first(), chosen is None
    last = Question.objects.filter(pk=asked.after).first() if asked.after else None
    follower = questions.filter(_later(last)).first() if last else None
    return follower or questions.first(), False


def place(question: Question, asked: Asked) -> Place:
    questions = waiting(asked)
    earlier = questions.filter(_earlier(question))
    total, number = questions.count(), earlier.count() + 1
    before = list(earlier.order_by("-asked_at", "-id")[:BEFORE])[::-1]
    after = list(questions.filter(_later(question))[:AFTER])
    return Place(question, number, total, [*before, question, *after])


def choices() -> dict[str, list[tuple[str | int, str, int]]]:
    """Return the channels and modules that wait: value, name and how many."""
    unsorted = Question.objects.waiting().order_by()
    by_channel = unsorted.values_list("channel").annotate(n=Count("pk"))
    by_module = unsorted.values_list("module").annotate(n=Count("pk"))
    channels, modules = dict(by_channel), dict(by_module)
    names = Module.objects.filter(pk__in=[pk for pk in modules if pk])
    return {
        "channels": [(c.value, c.label, channels[c]) for c in Channel if c in channels],
        "modules": [(m.pk, m.name, modules[m.pk]) for m in names],
    }


def personal_kinds(text: str) -> list[str]:
    """Return the kinds of personal data in `text`, each once; masked data has no name."""
    kinds: dict[str, None] = dict.fromkeys(
        find.kind for find in personal.find_personal_data(text)
    )
    if personal.MASK in text:  # masked when it came in
        kinds["其他个人信息" if kinds else "个人信息"] = None
    return list(kinds)


def alike(text: str, *, user: User, limit: int = NEAR) -> Alike:
    """Return the entries most like `text`, drafts too.

    Without the engine only the titles of published entries are compared.
    """
    hits = search.nearest(text, user=user, limit=limit)
    degraded = False
    if not hits:
        found = search.search(text, user=user, limit=limit)
        hits, degraded = found.hits, found.degraded
    entries = [hit.entry for hit in hits]
    prefetch_related_objects(entries, replies_shared())
    return Alike(entries, degraded)


def last_sorted(user: User) -> Question | None:
    """Return what `user` sorted last, for as long as that is easily undone."""
    mine = Question.objects.filter(
        settled_by=user, settled_at__gt=timezone.now() - UNDO
    )
    return mine.select_related("entry").order_by("-settled_at", "-pk").first()


def _later(question: Question) -> Q:
    same = Q(asked_at=question.asked_at, pk__gt=question.pk)
    return Q(asked_at__gt=question.asked_at) | same


def _earlier(question: Question) -> Q:
    same = Q(asked_at=question.asked_at, pk__lt=question.pk)
    return Q(asked_at__lt=question.asked_at) | same
