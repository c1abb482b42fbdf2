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

from kb.library import entries
from kb.models import Entry, Review, User, prefetch_shared_replies
from kb.web.desk.draft_entries import editor_required
from kb.web.desk.entry_history import parse_small_number
from kb.web.desk.inbox import StaffRequest

MAX_LISTED_REVIEWS = (
    50  # submissions in the list; the next ones come when these are judged
)
MAX_RECENT_REVIEWS = 50  # judged ones
State = Review.State


@editor_required
@require_safe
def show_reviews(request: StaffRequest) -> HttpResponse:
    """Show a submission beside the list: what waits for me, what I sent, what is done."""
    show = request.GET.get("show", "")
    if show not in {"waiting", "mine", "done"}:
        show = "waiting" if request.user.has_perm("kb.publish_entry") else "mine"
    rows = _select_tab_reviews(request.user, show)
    listed = list(rows.defer("content")[:MAX_LISTED_REVIEWS])
    wanted = parse_small_number(request.GET.get("review", ""))
    chosen = (
        _select_visible_reviews(request.user).filter(pk=wanted).first()
        if wanted
        else None
    )
    if wanted and chosen is None:
        messages.warning(request, "这次提交已经不在了。")
    shown = chosen or (rows.filter(pk=listed[0].pk).first() if listed else None)
    context: dict[str, Any] = {
        "show": show,
        "listed": listed,
        "total": rows.count(),
        "shown": shown,
        **_find_list_neighbors(listed, shown),
    }
    if shown is not None:
        context |= _make_review_context(shown, by=request.user)
    return render(request, "desk/reviews/page.html", context)


@editor_required
@require_POST
def judge_review(request: StaffRequest, pk: int) -> HttpResponse:
    """Approve, return, take back, or say something."""
    review = (
        _select_visible_reviews(request.user)
        .filter(pk=parse_small_number(str(pk)))
        .first()
    )
    where = reverse("desk:reviews")
    if review is None:
        messages.warning(request, "这次提交已经不在了。")
        return redirect(where)
    try:
        done = _carry_out_action(request, review)
    except ValidationError as error:
        messages.error(request, " ".join(error.messages))
        done = False
    return redirect(where if done else f"{where}?review={review.pk}")


def _carry_out_action(request: StaffRequest, review: Review) -> bool:
    """Do what was asked for; return whether the next one is to be shown."""
    given, by = request.POST, request.user
    act, words = given.get("do", ""), given.get("words", "")[:1000]
    if act == "approve":
        seen = given.get("seen", "")
        entry = entries.approve_review(review, by=by, seen_stamp=seen)
        link = (
            "已通过，「<a href='{}'>{}</a>」已更新。"
            if review.is_change
            else ("已通过并发布「<a href='{}'>{}</a>」。")
        )
        messages.success(request, format_html(link, entry.get_absolute_url(), entry))
        return True
    if act == "return":
        entry = entries.reject_review(review, by=by, reason=words)
        messages.success(request, f"已退回「{entry}」，提交人会看到原因。")
        return True
    if act == "withdraw":
        entry = entries.withdraw_review(review, by=by)
        messages.success(request, f"已撤回「{entry}」的提交。")
        return True
    if act == "ask":
        people = {
            user.pk: user for user in entries.list_possible_reviewers(review.entry)
        }
        person = people.get(parse_small_number(given.get("reviewer", "")))
        entries.assign_reviewer(review, reviewer=person, by=by)
        messages.success(request, f"已请{person}审核。" if person else "谁都可以审核。")
    if act == "comment":
        entries.comment_on_review(review, words, by=by)
    return False


def _select_visible_reviews(user: User) -> QuerySet[Review]:
    """Return what `user` may read; drafts are for all editors of the site."""
    rows = Review.objects.filter(entry__in=Entry.objects.visible_to(user))
    return rows.select_related("entry__category", "by", "reviewer", "judged_by")


def _select_tab_reviews(user: User, show: str) -> QuerySet[Review]:
    seen = _select_visible_reviews(user)
    if show == "mine":
        late = Case(When(state=State.WAITING, then=Value(0)), default=Value(1))
        return seen.filter(by=user).order_by(late, "-at", "-pk")
    if show == "done":
        return seen.exclude(state=State.WAITING).order_by("-judged_at", "-pk")
    return entries.list_reviews_awaiting(user, seen)


def _find_list_neighbors(
    listed: list[Review], shown: Review | None
) -> dict[str, Review | None]:
    """Return the neighbours in the list."""
    at = listed.index(shown) if shown in listed else -1
    before = listed[at - 1] if at > 0 else None
    after = listed[at + 1] if 0 <= at < len(listed) - 1 else None
    return {"previous": before, "next": after}


def _make_review_context(review: Review, *, by: User) -> dict[str, Any]:
    """Return what the page says of one submission."""
    entry, waits = review.entry, review.state == State.WAITING
    told: dict[str, Any] = {"comments": review.comments.select_related("by")}
    told["own"] = review.by_id == by.pk
    told["judges"] = waits and entries.can_publish_entry(entry, by=by)
    if waits and entries.can_write_entry(entry, by=by):
        told["people"] = [
            user for user in entries.list_possible_reviewers(entry) if user != by
        ]
    told["may"] = told["judges"] and entries.can_approve_entry(entry, by=by)
    if not review.is_change:
        seen = Entry.objects.prefetch_related(
            prefetch_shared_replies(), "phrasings", "tags"
        )
        told["entry"] = seen.get(pk=entry.pk)
        live = entry.revisions.filter(status=Entry.Status.PUBLISHED).first()
        if live is not None:  # it was published once
            now = entries.take_snapshot(entry)
            told["differences"] = entries.compare_snapshots(live.content, now)
        return told
    try:
        said = entries.merge_proposed_change(review) if waits else review.content or {}
    except ValidationError as error:
        told["clash"] = " ".join(error.messages)
        said = review.content or {}
    base = entry.revisions.filter(version=review.base).first()
    against = entries.take_snapshot(entry) if waits or base is None else base.content
    told["differences"] = entries.compare_snapshots(against, said)
    return told
