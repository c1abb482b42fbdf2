"""审核: one submission at a time, what it changes, what is said of it, and the verdict."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.db.models import Case, QuerySet, Value, When
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.html import format_html
from django.views.decorators.http import require_POST, require_safe

from kb import entries
from kb.desk.drafts import editor
from kb.desk.history import number
from kb.desk.views import StaffRequest
from kb.models import Entry, Review, User, replies_shared

LISTED = 50  # submissions in the list; the next ones come when these are judged
RECENT = 50  # judged ones
State = Review.State


@editor
@require_safe
def reviews(request: StaffRequest) -> HttpResponse:
    """Show a submission beside the list: what waits for me, what I sent, what is done."""
    show = request.GET.get("show", "")
    if show not in {"waiting", "mine", "done"}:
        show = "waiting" if request.user.has_perm("kb.publish_entry") else "mine"
    rows = _rows(request.user, show)
    listed = list(rows.defer("content")[:LISTED])
    wanted = number(request.GET.get("review", ""))
    chosen = _seen(request.user).filter(pk=wanted).first() if wanted else None
    if wanted and chosen is None:
        messages.warning(request, "这次提交已经不在了。")
    shown = chosen or (rows.filter(pk=listed[0].pk).first() if listed else None)
    context: dict[str, Any] = {
        "show": show,
        "listed": listed,
        "total": rows.count(),
        "shown": shown,
        **_around(listed, shown),
    }
    if shown is not None:
        context |= _told(shown, by=request.user)
    return render(request, "desk/reviews/page.html", context)


@editor
@require_POST
def judge(request: StaffRequest, pk: int) -> HttpResponse:
    """Approve, return, take back, or say something."""
    review = _seen(request.user).filter(pk=number(str(pk))).first()
    where = reverse("desk:reviews")
    if review is None:
        messages.warning(request, "这次提交已经不在了。")
        return redirect(where)
    try:
        done = _done(request, review)
    except ValidationError as error:
        messages.error(request, " ".join(error.messages))
        done = False
    return redirect(where if done else f"{where}?review={review.pk}")


def _done(request: StaffRequest, review: Review) -> bool:
    """Do what was asked for; return whether the next one is to be shown."""
    given, by = request.POST, request.user
    act, words = given.get("do", ""), given.get("words", "")[:1000]
    if act == "approve":
        seen = given.get("seen", "")
        entry = entries.approve(review, by=by, seen=seen)
        link = (
            "已通过，「<a href='{}'>{}</a>」已更新。"
            if review.is_change
            else ("已通过并发布「<a href='{}'>{}</a>」。")
        )
        messages.success(request, format_html(link, entry.get_absolute_url(), entry))
        return True
    if act == "return":
        entry = entries.give_back(review, by=by, reason=words)
        messages.success(request, f"已退回「{entry}」，提交人会看到原因。")
        return True
    if act == "withdraw":
        entry = entries.withdraw(review, by=by)
        messages.success(request, f"已撤回「{entry}」的提交。")
        return True
    if act == "ask":
        people = {user.pk: user for user in entries.judges(review.entry)}
        person = people.get(number(given.get("reviewer", "")))
        entries.ask(review, reviewer=person, by=by)
        messages.success(request, f"已请{person}审核。" if person else "谁都可以审核。")
    if act == "comment":
        entries.comment(review, words, by=by)
    return False


def _seen(user: User) -> QuerySet[Review]:
    """Return what `user` may read; drafts are for all editors of the site."""
    rows = Review.objects.filter(entry__in=Entry.objects.visible_to(user))
    return rows.select_related("entry__category", "by", "reviewer", "judged_by")


def _rows(user: User, show: str) -> QuerySet[Review]:
    seen = _seen(user)
    if show == "mine":
        late = Case(When(state=State.WAITING, then=Value(0)), default=Value(1))
        return seen.filter(by=user).order_by(late, "-at", "-pk")
    if show == "done":
        return seen.exclude(state=State.WAITING).order_by("-judged_at", "-pk")
    return entries.awaited(user, seen)


def _around(listed: list[Review], shown: Review | None) -> dict[str, Review | None]:
    """Return the neighbours in the list."""
    at = listed.index(shown) if shown in listed else -1
    before = listed[at - 1] if at > 0 else None
    after = listed[at + 1] if 0 <= at < len(listed) - 1 else None
    return {"previous": before, "next": after}


def _told(review: Review, *, by: User) -> dict[str, Any]:
    """Return what the page says of one submission."""
    entry, waits = review.entry, review.state == State.WAITING
    told: dict[str, Any] = {"comments": review.comments.select_related("by")}
    told["own"] = review.by_id == by.pk
    told["judges"] = waits and entries.may_publish(entry, by=by)
    if waits and entries.may_write(entry, by=by):
        told["people"] = [user for user in entries.judges(entry) if user != by]
    told["may"] = told["judges"] and entries.may_judge(entry, by=by)
    if not review.is_change:
        seen = Entry.objects.prefetch_related(replies_shared(), "phrasings", "tags")
        told["entry"] = seen.get(pk=entry.pk)
        live = entry.revisions.filter(status=Entry.Status.PUBLISHED).first()
        if live is not None:  # it was published once
            now = entries.content(entry)
            told["differences"] = entries.compare(live.content, now)
        return told
    try:
        said = entries.standing(review) if waits else review.content or {}
    except ValidationError as error:
        told["clash"] = " ".join(error.messages)
        said = review.content or {}
    base = entry.revisions.filter(version=review.base).first()
    against = entries.content(entry) if waits or base is None else base.content
    told["differences"] = entries.compare(against, said)
    return told
