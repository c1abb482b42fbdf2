"""What waits for the reader: one number for each kind of work, and where it is done."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from django.db.models import Count, Q
from django.urls import reverse

from kb import entries, feedback, remarks, replies
from kb.models import Entry, Gap, Golden, GoldenRun, Question, User, Validity

Counted = Callable[[], int]


@dataclass(frozen=True, slots=True)
class Card:
    """A kind of work: how much of it waits, what it is, and its page."""

    label: str
    count: int
    hint: str
    url: str
    tone: str = ""


def cards(user: User) -> list[Card]:
    """Return the work that `user` may do, what waits first, in the order of the day."""
    found = [*_questions(user), *_library(user), *_search(user), *_own(user)]
    return sorted(found, key=lambda card: not card.count)


def _questions(user: User) -> Iterator[Card]:
    asks, sorts = (
        user.has_perm("kb.answer_question"),
        user.has_perm("kb.triage_question"),
    )
    if not (asks or sorts):
        return
    counts = Question.objects.aggregate(
        open=Count("pk", filter=Q(status=Question.Status.OPEN)),
        answered=Count("pk", filter=Q(status=Question.Status.ANSWERED)),
    )
    if asks:
        hint = "顾客在网上问了，还没有人回复"
        yield Card("待回复", counts["open"], hint, reverse("desk:asked"), "bad")
    if sorts:
        hint = "客服答过的问题，等着整理进库"
        yield Card("收件箱", counts["answered"], hint, reverse("desk:inbox"))


def _library(user: User) -> Iterator[Card]:
    if user.has_perm("kb.publish_entry"):
        waiting = entries.awaited(user).exclude(by=user).count()
        yield Card(
            "待审核", waiting, "别人提交的，等您通过", reverse("desk:reviews"), "warn"
        )
    if not user.has_perm("kb.change_entry"):
        return
    rest: list[tuple[str, Counted, str, str]] = [
        ("话术反馈", remarks.waiting, "客服说话术有问题", "desk:remarks"),
        ("没帮助", feedback.complained, "顾客说没帮上忙的条目", "desk:unhelpful"),
        (
            "共用提议",
            lambda: replies.waiting().count(),
            "客服想共用的话术",
            "desk:proposals",
        ),
        ("相似问法", feedback.proposed, "大家都这样搜，建议收下", "desk:phrasings"),
        ("到期复核", lambda: entries.due().count(), "到了复核日期的条目", "desk:due"),
    ]
    for label, count, hint, where in rest:
        yield Card(label, count(), hint, reverse(where))


def _search(user: User) -> Iterator[Card]:
    if not user.has_perm("kb.change_entry"):
        return
    hint = "搜了没有结果，或没有人用"
    yield Card(
        "搜索缺口", Gap.objects.waiting().count(), hint, reverse("desk:gaps"), "warn"
    )
    failing = Golden.objects.failing().count()
    last = GoldenRun.objects.exclude(finished_at=None).first()
    hint = f"共 {last.total} 条，上次 {last.failing} 条" if last else "还没有跑过"
    yield Card("搜索验收不达标", failing, hint, reverse("desk:golden"), "bad")


def _own(user: User) -> Iterator[Card]:
    if not user.has_perm("kb.change_entry"):
        return
    mine = Entry.objects.visible_to(user).filter(created_by=user)
    drafts = mine.filter(status=Entry.Status.DRAFT).count()
    listed = reverse("admin:kb_entry_changelist")
    yield Card("我的草稿", drafts, "您建的，还没有提交", f"{listed}?mine=drafts")
    live = Entry.objects.filter(status=Entry.Status.PUBLISHED)
    soon = live.having(Validity.SOON).count()
    hint = "有效期快到了，要不要续"
    yield Card("快到期", soon, hint, f"{listed}?validity={Validity.SOON.value}")
