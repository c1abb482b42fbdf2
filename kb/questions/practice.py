"""Practice for new agents (新人练习): the next question, attempts and scores.

A trainee reads a question of a customer and has to find the entry that answers it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.core.exceptions import ValidationError
from django.db.models import Count, Max, Q
from django.utils import timezone

from kb.models import Category, Entry, PracticeAttempt, Question, QuestionQuerySet, User

# How long after the last attempt a question comes back, by the number of right answers
# in a row. This is spaced repetition as in the Leitner system (S. Leitner, So lernt man
# lernen, 1972): a right answer moves a question one step on, a wrong one back to the
# first. The intervals grow about threefold and tenfold as is usual for such boxes; they
# are chosen for a trainee's first weeks, not fitted to data.
REPETITION_INTERVALS = (
    timedelta(minutes=10),  # wrong, or the answer was shown
    timedelta(days=1),
    timedelta(days=3),
    timedelta(days=30),  # mastered
)
MASTERED_STREAK = 3  # right answers in a row
PRACTICE_QUESTION_GONE_MESSAGE = "这道题已经不在题库里了，换一道吧。"


@dataclass(frozen=True, slots=True)
class QuestionMastery:
    """How well a user knows one question: right answers in a row, time of the last try."""

    streak: int
    last_tried_at: datetime

    @property
    def due_at(self) -> datetime:
        """When the question should be practised again; see REPETITION_INTERVALS."""
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
    """The attempts of one user at questions of one category."""

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
    """All attempts of one user, and the entries with mistakes."""

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
    """Return real questions that are answered by an entry that `user` may read."""
    readable = Entry.objects.published_to(user).in_force()
    settled = Question.objects.filter(status=Question.Status.SETTLED)
    return settled.filter(entry__in=readable)


def choose_next_question(user: User, *, allow_early: bool = False) -> PracticeTurn:
    """Return what `user` practises next: a due question, else a new one.

    Of new questions those of entries without an attempt come first, latest first. If
    there is neither, `allow_early` returns the question that is due soonest.
    """
    now, mastery = timezone.now(), get_question_mastery(user)
    by_due_time = sorted(mastery, key=lambda pk: (mastery[pk].due_at, pk))
    due_ids = [pk for pk in by_due_time if mastery[pk].due_at <= now]
    questions = list_practice_questions(user).select_related("entry__category")
    question = _find_first_available(questions, due_ids) or _find_new_question(
        questions, user
    )
    if question is None and (upcoming := _find_first_available(questions, by_due_time)):
        return PracticeTurn(
            upcoming if allow_early else None, mastery[upcoming.pk].due_at
        )
    return PracticeTurn(question)


def get_question_mastery(user: User) -> dict[int, QuestionMastery]:
    """Return {question id: mastery} of the questions that `user` has tried."""
    mastery: dict[int, QuestionMastery] = {}
    attempts = PracticeAttempt.objects.filter(user=user).order_by("at", "pk")
    for pk, is_correct, at in attempts.values_list("question_id", "right", "at"):
        streak = mastery[pk].streak if pk in mastery else 0
        mastery[pk] = QuestionMastery(streak + 1 if is_correct else 0, at)
    return mastery


def record_attempt(
    question: Question, *, chosen: Entry | None, by: User
) -> PracticeAttempt:
    """Record an attempt; `chosen` None means that the answer was shown.

    Raises ValidationError where the question is no longer in the pool.
    """
    stored = (
        list_practice_questions(by)
        .filter(pk=question.pk)
        .select_related("entry")
        .first()
    )
    if stored is None or stored.entry is None:
        raise ValidationError(PRACTICE_QUESTION_GONE_MESSAGE)
    attempt = PracticeAttempt(
        user=by, question=stored, given=stored.entry, chosen=chosen
    )
    attempt.at = timezone.now()
    attempt.right = chosen is not None and chosen.pk == stored.entry_id
    attempt.full_clean()
    attempt.save()
    return attempt


def compute_practice_score(user: User) -> PracticeScore:
    """Return the score of `user` over all attempts and of today."""
    attempts = PracticeAttempt.objects.filter(user=user)
    midnight = timezone.localtime().replace(hour=0, minute=0, second=0, microsecond=0)
    today = Q(at__gte=midnight)
    counts = attempts.aggregate(
        tries=Count("pk"),
        hits=Count("pk", filter=Q(right=True)),
        today=Count("pk", filter=today),
        today_right=Count("pk", filter=today & Q(right=True)),
    )
    mastery = get_question_mastery(user)
    return PracticeScore(
        attempt_count=counts["tries"],
        correct_count=counts["hits"],
        attempts_today=counts["today"],
        correct_today=counts["today_right"],
        mastered_count=sum(item.is_mastered for item in mastery.values()),
        question_count=list_practice_questions(user).count(),
        category_scores=_score_categories(user),
        missed_entries=_list_missed_entries(user, mastery),
    )


@dataclass(frozen=True, slots=True)
class TraineeScore:
    """The attempts of one user, for the list of the leads."""

    user: User
    attempt_count: int
    correct_count: int
    last_tried_at: datetime

    @property
    def percent(self) -> int:
        return round(100 * self.correct_count / self.attempt_count)


def list_trainees() -> list[TraineeScore]:
    """Return the users who practised, latest first; for leads only."""
    rows = (
        PracticeAttempt.objects.order_by()
        .values("user")
        .annotate(
            tries=Count("pk"), hits=Count("pk", filter=Q(right=True)), last=Max("at")
        )
    )
    users = User.objects.in_bulk([row["user"] for row in rows])
    scores = [
        TraineeScore(users[row["user"]], row["tries"], row["hits"], row["last"])
        for row in rows
    ]
    return sorted(scores, key=lambda score: score.last_tried_at, reverse=True)


def _find_first_available(
    questions: QuestionQuerySet, pks: Sequence[int]
) -> Question | None:
    """Return the first question of `pks` that is in `questions`."""
    for start in range(0, len(pks), 100):
        batch = pks[start : start + 100]
        questions_by_id = {
            question.pk: question for question in questions.filter(pk__in=batch)
        }
        if available := next(
            (questions_by_id[pk] for pk in batch if pk in questions_by_id), None
        ):
            return available
    return None


def _find_new_question(questions: QuestionQuerySet, user: User) -> Question | None:
    attempts = PracticeAttempt.objects.filter(user=user)
    untried = questions.exclude(pk__in=attempts.values("question")).order_by(
        "-asked_at", "-pk"
    )
    return (
        untried.exclude(entry__in=attempts.values("given")).first() or untried.first()
    )


def _score_categories(user: User) -> list[CategoryScore]:
    """Return the scores of all categories, most mistakes first."""
    rows = (
        PracticeAttempt.objects.filter(user=user).order_by().values("given__category")
    )
    counts = rows.annotate(tries=Count("pk"), hits=Count("pk", filter=Q(right=True)))
    categories = Category.objects.in_bulk([row["given__category"] for row in counts])
    scores = [
        CategoryScore(categories.get(row["given__category"]), row["tries"], row["hits"])
        for row in counts
    ]
    return sorted(scores, key=lambda score: (-score.wrong_count, -score.attempt_count))


def _list_missed_entries(
    user: User, mastery: dict[int, QuestionMastery], limit: int = 8
) -> list[Entry]:
    """Return entries whose last attempt was wrong, latest first."""
    missed_ids = [pk for pk, item in mastery.items() if item.streak == 0]
    missed_ids.sort(key=lambda pk: mastery[pk].last_tried_at, reverse=True)
    questions = (
        list_practice_questions(user)
        .filter(pk__in=missed_ids[:200])
        .select_related("entry")
    )
    entries_by_question = {item.pk: item.entry for item in questions}
    missed_entries = dict.fromkeys(
        entries_by_question[pk] for pk in missed_ids if entries_by_question.get(pk)
    )
    return [entry for entry in missed_entries if entry][:limit]


def find_practice_question(pk: int, *, user: User) -> Question | None:
    """Return the question `pk` if `user` may practise it."""
    return list_practice_questions(user).filter(pk=pk).first()


def find_attempt(pk: int, *, user: User) -> PracticeAttempt | None:
    """Return the attempt `pk` of `user` with its question and entries."""
    attempts = PracticeAttempt.objects.filter(user=user, pk=pk)
    return attempts.select_related("question", "given__category", "chosen").first()


def find_trainee(pk: int) -> User | None:
    """Return the person whose score leads may see; the caller checks the right."""
    return User.objects.filter(pk=pk).first()
