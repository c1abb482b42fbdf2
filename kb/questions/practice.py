"""新人练习: which question comes next, whether it was found, and what to learn."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.core.exceptions import ValidationError
from django.db.models import Count, Max, Q
from django.utils import timezone

from kb.models import Category, Entry, PracticeAttempt, Question, QuestionQuerySet, User

# After so many right answers in a row a question comes back when it is just about
# forgotten; after a wrong one while it is still remembered. Spaced repetition at
# its simplest: what is not known comes back soonest.
REPETITION_INTERVALS = (
    timedelta(minutes=10),  # wrong, or looked up
    timedelta(days=1),
    timedelta(days=3),
    timedelta(days=30),  # mastered
)
MASTERED_STREAK = 3  # right answers in a row
PRACTICE_QUESTION_GONE_MESSAGE = "这道题已经不在题库里了，换一道吧。"


@dataclass(frozen=True, slots=True)
class QuestionMastery:
    """How well one question is known, by the tries at it."""

    streak: int
    last_tried_at: datetime

    @property
    def due_at(self) -> datetime:
        return (
            self.last_tried_at + REPETITION_INTERVALS[min(self.streak, MASTERED_STREAK)]
        )

    @property
    def is_mastered(self) -> bool:
        return self.streak >= MASTERED_STREAK


@dataclass(frozen=True, slots=True)
class PracticeTurn:
    """The question to practise now, or when the next one is due."""

    question: Question | None
    next_due_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class CategoryScore:
    """A category, as one person knows it."""

    category: Category | None
    attempt_count: int
    correct_count: int

    @property
    def wrong_count(self) -> int:
        return self.attempt_count - self.correct_count

    @property
    def percent(self) -> int:
        return round(100 * self.correct_count / self.attempt_count)


@dataclass(frozen=True, slots=True)
class PracticeScore:
    """What one person did, and where the mistakes are."""

    attempt_count: int
    correct_count: int
    attempts_today: int
    correct_today: int
    mastered_count: int
    question_count: int
    category_scores: Sequence[CategoryScore]
    missed_entries: Sequence[Entry]

    @property
    def percent(self) -> int:
        return (
            round(100 * self.correct_count / self.attempt_count)
            if self.attempt_count
            else 0
        )


def list_practice_questions(user: User) -> QuestionQuerySet:
    """Questions that were really asked and answered by what `user` may read."""
    readable = Entry.objects.published_to(user).in_force()
    settled = Question.objects.filter(status=Question.Status.SETTLED)
    return settled.filter(entry__in=readable)


def choose_next_question(user: User, *, again: bool = False) -> PracticeTurn:
    """Return what `user` practises next: what is due, then what is new.

    Of what is new, entries that were never tried come first, the latest question
    of each. `again` takes what is due soonest although it is not yet.
    """
    now, known = timezone.now(), get_question_mastery(user)
    waiting = sorted(known, key=lambda pk: (known[pk].due_at, pk))
    due = [pk for pk in waiting if known[pk].due_at <= now]
    questions = list_practice_questions(user).select_related("entry__category")
    found = _find_first_available(questions, due) or _find_new_question(
        questions, known, user
    )
    if found is None and (later := _find_first_available(questions, waiting)):
        return PracticeTurn(later if again else None, known[later.pk].due_at)
    return PracticeTurn(found)


def get_question_mastery(user: User) -> dict[int, QuestionMastery]:
    """Return how well each question that was tried is known, by its id."""
    found: dict[int, QuestionMastery] = {}
    tries = PracticeAttempt.objects.filter(user=user).order_by("at", "pk")
    for pk, right, at in tries.values_list("question_id", "right", "at"):
        streak = found[pk].streak if pk in found else 0
        found[pk] = QuestionMastery(streak + 1 if right else 0, at)
    return found


def record_attempt(
    question: Question, *, chosen: Entry | None, by: User
) -> PracticeAttempt:
    """Keep one try; None has looked instead. Raises ValidationError."""
    asked = (
        list_practice_questions(by)
        .filter(pk=question.pk)
        .select_related("entry")
        .first()
    )
    if asked is None or asked.entry is None:
        raise ValidationError(PRACTICE_QUESTION_GONE_MESSAGE)
    made = PracticeAttempt(user=by, question=asked, given=asked.entry, chosen=chosen)
    made.at = timezone.now()
    made.right = chosen is not None and chosen.pk == asked.entry_id
    made.full_clean()
    made.save()
    return made


def compute_practice_score(user: User) -> PracticeScore:
    """Return what `user` did so far and should look at."""
    mine = PracticeAttempt.objects.filter(user=user)
    midnight = timezone.localtime().replace(hour=0, minute=0, second=0, microsecond=0)
    today = Q(at__gte=midnight)
    sums = mine.aggregate(
        tries=Count("pk"),
        hits=Count("pk", filter=Q(right=True)),
        today=Count("pk", filter=today),
        today_right=Count("pk", filter=today & Q(right=True)),
    )
    known = get_question_mastery(user)
    return PracticeScore(
        attempt_count=sums["tries"],
        correct_count=sums["hits"],
        attempts_today=sums["today"],
        correct_today=sums["today_right"],
        mastered_count=sum(one.is_mastered for one in known.values()),
        question_count=list_practice_questions(user).count(),
        category_scores=_score_categories(user),
        missed_entries=_list_missed_entries(user, known),
    )


@dataclass(frozen=True, slots=True)
class TraineeScore:
    """One line of the leads' list."""

    user: User
    attempt_count: int
    correct_count: int
    last_tried_at: datetime

    @property
    def percent(self) -> int:
        return round(100 * self.correct_count / self.attempt_count)


def list_trainees() -> list[TraineeScore]:
    """Return who practised, the latest first; for leads alone."""
    rows = (
        PracticeAttempt.objects.order_by()
        .values("user")
        .annotate(
            tries=Count("pk"), hits=Count("pk", filter=Q(right=True)), last=Max("at")
        )
    )
    people = User.objects.in_bulk([row["user"] for row in rows])
    found = [
        TraineeScore(people[row["user"]], row["tries"], row["hits"], row["last"])
        for row in rows
    ]
    return sorted(found, key=lambda one: one.last_tried_at, reverse=True)


def _find_first_available(
    questions: QuestionQuerySet, pks: Sequence[int]
) -> Question | None:
    """Return the first of `pks` that is still in the pool."""
    for start in range(0, len(pks), 100):
        batch = pks[start : start + 100]
        there = {one.pk: one for one in questions.filter(pk__in=batch)}
        if found := next((there[pk] for pk in batch if pk in there), None):
            return found
    return None


def _find_new_question(
    questions: QuestionQuerySet, known: dict[int, QuestionMastery], user: User
) -> Question | None:
    tried = PracticeAttempt.objects.filter(user=user)
    fresh = questions.exclude(pk__in=tried.values("question")).order_by(
        "-asked_at", "-pk"
    )
    return fresh.exclude(entry__in=tried.values("given")).first() or fresh.first()


def _score_categories(user: User) -> list[CategoryScore]:
    """Return the categories, the one with most mistakes first."""
    rows = (
        PracticeAttempt.objects.filter(user=user).order_by().values("given__category")
    )
    counted = rows.annotate(tries=Count("pk"), hits=Count("pk", filter=Q(right=True)))
    named = Category.objects.in_bulk([row["given__category"] for row in counted])
    found = [
        CategoryScore(named.get(row["given__category"]), row["tries"], row["hits"])
        for row in counted
    ]
    return sorted(found, key=lambda one: (-one.wrong_count, -one.attempt_count))


def _list_missed_entries(
    user: User, known: dict[int, QuestionMastery], most: int = 8
) -> list[Entry]:
    """Return entries that were last missed, the latest first."""
    missed = [pk for pk, one in known.items() if one.streak == 0]
    missed.sort(key=lambda pk: known[pk].last_tried_at, reverse=True)
    asked = (
        list_practice_questions(user)
        .filter(pk__in=missed[:200])
        .select_related("entry")
    )
    there = {one.pk: one.entry for one in asked}
    found = dict.fromkeys(there[pk] for pk in missed if there.get(pk))
    return [entry for entry in found if entry][:most]
