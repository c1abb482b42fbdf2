"""审核: one submission at a time: its changes, its comments, and the verdict."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.html import format_html
from django.views.decorators.http import require_POST, require_safe

from kb.library import entries
from kb.models import Review, User
from kb.web.desk.access import StaffRequest, editor_required
from kb.web.desk.forms import parse_id

MAX_LISTED_REVIEWS = 50  # the next ones come when these are judged
REVIEW_TABS = ("waiting", "mine", "done")
MAX_COMMENT_CHARS = 1000  # also of the reason for returning
State = Review.State


@editor_required
@require_safe
def show_reviews(request: StaffRequest) -> HttpResponse:
    """Show a submission beside the list of the tab: to judge, one's own, or judged."""
    show = request.GET.get("show", "")
    if show not in REVIEW_TABS:
        show = "waiting" if request.user.has_perm("kb.publish_entry") else "mine"
    rows = entries.list_visible_reviews(request.user, show=show)
    listed = list(rows.defer("content")[:MAX_LISTED_REVIEWS])
    wanted_id = parse_id(request.GET.get("review", ""))
    wanted = entries.find_review(wanted_id, user=request.user) if wanted_id else None
    if wanted_id and wanted is None:
        messages.warning(request, "这次提交已经不在了。")
    shown = wanted or (rows.filter(pk=listed[0].pk).first() if listed else None)
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
    """Approve a submission, return or withdraw it, assign it, or comment on it."""
    review = entries.find_review(pk, user=request.user)
    url = reverse("desk:reviews")
    if review is None:
        messages.warning(request, "这次提交已经不在了。")
        return redirect(url)
    try:
        is_closed = _carry_out_action(request, review)
    except ValidationError as error:
        messages.error(request, " ".join(error.messages))
        is_closed = False
    return redirect(url if is_closed else f"{url}?review={review.pk}")


def _carry_out_action(request: StaffRequest, review: Review) -> bool:
    """Do what the button says; return whether the submission is closed by it."""
    by, action = request.user, request.POST.get("do", "")
    words = request.POST.get("words", "")[:MAX_COMMENT_CHARS]
    if action == "approve":
        seen = request.POST.get("seen", "")
        entry = entries.approve_review(review, by=by, seen_stamp=seen)
        link = (
            "已通过，「<a href='{}'>{}</a>」已更新。"
            if review.is_change
            else "已通过并发布「<a href='{}'>{}</a>」。"
        )
        messages.success(request, format_html(link, entry.get_absolute_url(), entry))
        return True
    if action == "return":
        entry = entries.reject_review(review, by=by, reason=words)
        messages.success(request, f"已退回「{entry}」，提交人会看到原因。")
        return True
    if action == "withdraw":
        entry = entries.withdraw_review(review, by=by)
        messages.success(request, f"已撤回「{entry}」的提交。")
        return True
    if action == "ask":
        reviewers = {
            user.pk: user for user in entries.list_possible_reviewers(review.entry)
        }
        reviewer = reviewers.get(parse_id(request.POST.get("reviewer", "")))
        entries.assign_reviewer(review, reviewer=reviewer, by=by)
        messages.success(
            request, f"已请{reviewer}审核。" if reviewer else "谁都可以审核。"
        )
    if action == "comment":
        entries.comment_on_review(review, words, by=by)
    return False


def _find_list_neighbors(
    listed: list[Review], shown: Review | None
) -> dict[str, Review | None]:
    index = listed.index(shown) if shown in listed else -1
    before = listed[index - 1] if index > 0 else None
    after = listed[index + 1] if 0 <= index < len(listed) - 1 else None
    return {"previous": before, "next": after}


def _make_review_context(review: Review, *, by: User) -> dict[str, Any]:
    """Return what the page shows of one submission to `by`."""
    entry, is_open = review.entry, review.state == State.WAITING
    can_judge = is_open and entries.can_publish_entry(entry, by=by)
    context: dict[str, Any] = {
        "comments": entries.list_review_comments(review),
        "is_own": review.by_id == by.pk,
        "can_judge": can_judge,
        "can_approve": can_judge and entries.can_approve_entry(entry, by=by),
    }
    if is_open and entries.can_write_entry(entry, by=by):
        reviewers = entries.list_possible_reviewers(entry)
        context["reviewers"] = [user for user in reviewers if user != by]
    if review.is_change:
        return context | _compare_change(review, is_open=is_open)
    context["entry"] = entries.load_entry_texts(entry)
    published = entries.find_published_revision(entry)
    if published is not None:
        context["differences"] = entries.compare_snapshots(
            published.content, entries.take_snapshot(entry)
        )
    return context


def _compare_change(review: Review, *, is_open: bool) -> dict[str, Any]:
    """Return the differences of a change from what it is based on, and a "conflict".

    An open change is compared with the entry of now, a closed one with the version
    on which it was based.
    """
    context: dict[str, Any] = {}
    content = review.content or {}
    if is_open:
        try:
            content = entries.merge_proposed_change(review)
        except ValidationError as error:
            context["conflict"] = " ".join(error.messages)
    base = entries.find_revision(review.entry, review.base)
    before = (
        entries.take_snapshot(review.entry) if is_open or not base else base.content
    )
    context["differences"] = entries.compare_snapshots(before, content)
    return context
