"""新人练习: which question comes next, whether it was found, and what to learn."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.core.exceptions import ValidationError
from django.db.models import Count, Max, Q
from django.utils import timezone

from kb.models import Category, Entry, Practice, Question, QuestionQuerySet, User

# After so many right answers in a row a question comes back when it is just about
# forgotten; after a wrong one while it is still remembered. Spaced repetition at
# its simplest: what is not known comes back soonest.
WAITS = (
    timedelta(minutes=10),  # wrong, or looked up
    timedelta(days=1),
    timedelta(days=3),
    timedelta(days=30),  # mastered
)
MASTERED = 3  # right answers in a row
GONE = "这道题已经不在题库里了，换一道吧。"


@dataclass(frozen=True, slots=True)
class Standing:
    """How well one question is known, by the tries at it."""

    streak: int
    last: datetime

    @property
    def due(self) -> datetime:
        return self.last + WAITS[min(self.streak, MASTERED)]

    @property
    def mastered(self) -> bool:
        return self.streak >= MASTERED


@dataclass(frozen=True, slots=True)
class Turn:
    """The question to practise now, or when the next one is due."""

    question: Question | None
    again_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Subject:
    """A category, as one person knows it."""

    category: Category | None
    tries: int
    right: int

    @property
    def wrong(self) -> int:
        return self.tries - self.right

    @property
    def percent(self) -> int:
        return round(100 * self.right / self.tries)


@dataclass(frozen=True, slots=True)
class Score:
    """What one person did, and where the mistakes are."""

    tries: int
    right: int
    today: int
    today_right: int
    mastered: int
    pool: int
    subjects: Sequence[Subject]
    mistakes: Sequence[Entry]

    @property
    def percent(self) -> int:
        return round(100 * self.right / self.tries) if self.tries else 0


def pool(user: User) -> QuestionQuerySet:
    """Questions that were really asked and answered by what `user` may read."""
    readable = Entry.objects.published_to(user).in_force()
    settled = Question.objects.filter(status=Question.Status.SETTLED)
    return settled.filter(entry__in=readable)


def turn(user: User, *, again: bool = False) -> Turn:
    """Return what `user` practises next: what is due, then what is new.

    Of what is new, entries that were never tried come first, the latest question
    of each. `again` takes what is due soonest although it is not yet.
    """
    now, known = timezone.now(), standings(user)
    waiting = sorted(known, key=lambda pk: (known[pk].due, pk))
    due = [pk for pk in waiting if known[pk].due <= now]
    questions = pool(user).select_related("entry__category")
    found = _first(questions, due) or _new(questions, known, user)
    if found is None and (later := _first(questions, waiting)):
        return Turn(later if again else None, known[later.pk].due)
    return Turn(found)


def standings(user: User) -> dict[int, Standing]:
    """Return how well each question that was tried is known, by its id."""
    found: dict[int, Standing] = {}
    tries = Practice.objects.filter(user=user).order_by("at", "pk")
    for pk, right, at in tries.values_list("question_id", "right", "at"):
        streak = found[pk].streak if pk in found else 0
        found[pk] = Standing(streak + 1 if right else 0, at)
    return found


def answer(question: Question, *, chosen: Entry | None, by: User) -> Practice:
    """Keep one try; None has looked instead. Raises ValidationError."""
    asked = pool(by).filter(pk=question.pk).select_related("entry").first()
    if asked is None or asked.entry is None:
        raise ValidationError(GONE)
    made = Practice(user=by, question=asked, given=asked.entry, chosen=chosen)
    made.at = timezone.now()
    made.right = chosen is not None and chosen.pk == asked.entry_id
    made.full_clean()
    made.save()
    return made


def score(user: User) -> Score:
    """Return what `user` did so far and should look at."""
    mine = Practice.objects.filter(user=user)
    midnight = timezone.localtime().replace(hour=0, minute=0, second=0, microsecond=0)
    today = Q(at__gte=midnight)
    sums = mine.aggregate(
        tries=Count("pk"),
        hits=Count("pk", filter=Q(right=True)),
        today=Count("pk", filter=today),
        today_right=Count("pk", filter=today & Q(right=True)),
    )
    known = standings(user)
    return Score(
        tries=sums["tries"],
        right=sums["hits"],
        today=sums["today"],
        today_right=sums["today_right"],
        mastered=sum(one.mastered for one in known.values()),
        pool=pool(user).count(),
        subjects=_subjects(user),
        mistakes=_mistakes(user, known),
    )


@dataclass(frozen=True, slots=True)
class Trainee:
    """One line of the leads' list."""

    user: User
    tries: int
    right: int
    last: datetime

    @property
    def percent(self) -> int:
        return round(100 * self.right / self.tries)


def trainees() -> list[Trainee]:
    """Return who practised, the latest first; for leads alone."""
    rows = (
        Practice.objects.order_by()
        .values("user")
        .annotate(
            tries=Count("pk"), hits=Count("pk", filter=Q(right=True)), last=Max("at")
        )
    )
    people = User.objects.in_bulk([row["user"] for row in rows])
    found = [
        Trainee(people[row["user"]], row["tries"], row["hits"], row["last"])
        for row in rows
    ]
    return sorted(found, key=lambda one: one.last, reverse=True)


def _first(questions: QuestionQuerySet, pks: Sequence[int]) -> Question | None:
    """Return the first of `pks` that is still in the pool."""
    for start in range(0, len(pks), 100):
        batch = pks[start : start + 100]
        there = {one.pk: one for one in questions.filter(pk__in=batch)}
        if found := next((there[pk] for pk in batch if pk in there), None):
            return found
    return None


def _new(
    questions: QuestionQuerySet, known: dict[int, Standing], user: User
) -> Question | None:
    tried = Practice.objects.filter(user=user)
    fresh = questions.exclude(pk__in=tried.values("question")).order_by(
        "-asked_at", "-pk"
    )
    return fresh.exclude(entry__in=tried.values("given")).first() or fresh.first()


def _subjects(user: User) -> list[Subject]:
    """Return the categories, the one with most mistakes first."""
    rows = Practice.objects.filter(user=user).order_by().values("given__category")
    counted = rows.annotate(tries=Count("pk"), hits=Count("pk", filter=Q(right=True)))
    named = Category.objects.in_bulk([row["given__category"] for row in counted])
    found = [
        Subject(named.get(row["given__category"]), row["tries"], row["hits"])
        for row in counted
    ]
    return sorted(found, key=lambda one: (-one.wrong, -one.tries))


def _mistakes(user: User, known: dict[int, Standing], most: int = 8) -> list[Entry]:
    """Return entries that were last missed, the latest first."""
    missed = [pk for pk, one in known.items() if one.streak == 0]
    missed.sort(key=lambda pk: known[pk].last, reverse=True)
    asked = pool(user).filter(pk__in=missed[:200]).select_related("entry")
    there = {one.pk: one.entry for one in asked}
    found = dict.fromkeys(there[pk] for pk in missed if there.get(pk))
    return [entry for entry in found if entry][:most]
