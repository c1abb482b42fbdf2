"""Changes of an entry's status, as actions of the list and buttons of the form."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render

from kb.library import entries
from kb.models import Entry, RevisionAction, User

Status = Entry.Status
MOVE_BATCH_ENTRIES = 100  # in one transaction, so that others can write in between
MAX_PREVIEW_ENTRIES = 300
MAX_SHOWN_REFUSALS = 20  # each in a message of its own


@dataclass(frozen=True, slots=True)
class StatusMove:
    """A change of status, its label, and who may make it from which statuses."""

    name: str
    label: str
    action: RevisionAction
    run_stage: Callable[..., Entry]
    allowed: frozenset[Entry.Status]
    permission: str = "publish"  # or "change"

    def is_allowed(self, user: User) -> bool:
        return user.has_perm(f"kb.{self.permission}_entry")

    def is_allowed_for(self, user: User, entry: Entry) -> bool:
        has_right = (
            entries.can_publish_entry
            if self.permission == "publish"
            else entries.can_write_entry
        )
        return has_right(entry, by=user)


STATUS_MOVES = (
    StatusMove(
        "submit",
        "提交审核",
        RevisionAction.SUBMITTED,
        entries.submit_entry,
        frozenset({Status.DRAFT}),
        "change",
    ),
    StatusMove(
        "publish",
        "发布",
        RevisionAction.PUBLISHED,
        entries.publish_entry,
        frozenset({Status.DRAFT, Status.REVIEW}),
    ),
    StatusMove(
        "send-back",
        "退回为草稿",
        RevisionAction.RETURNED,
        entries.return_draft_to_author,
        frozenset({Status.REVIEW}),
    ),
    StatusMove(
        "retire",
        "下线",
        RevisionAction.RETIRED,
        entries.retire_entry,
        frozenset({Status.DRAFT, Status.REVIEW, Status.PUBLISHED}),
    ),
    StatusMove(
        "restore",
        "恢复为草稿",
        RevisionAction.RESTORED,
        entries.restore_entry,
        frozenset({Status.RETIRED}),
    ),
)


def list_possible_moves(entry: Entry | None, user: User) -> list[StatusMove]:
    """Return the moves that `user` may make with `entry`; None is a new entry."""
    if entry is None:
        can_approve_own = entries.can_approve_own_text(user, None)
        return [
            move
            for move in STATUS_MOVES[:2]
            if move.is_allowed(user) and (can_approve_own or move.name != "publish")
        ]
    allowed = [
        move
        for move in STATUS_MOVES
        if entry.status in move.allowed and move.is_allowed_for(user, entry)
    ]
    can_approve = entries.can_approve_entry(entry, by=user)
    return [move for move in allowed if can_approve or move.name != "publish"]


def get_move(name: str | None) -> StatusMove | None:
    return next((move for move in STATUS_MOVES if move.name == name), None)


def move_saved(request: HttpRequest, entry: Entry) -> HttpResponse:
    """Make the move of the button with which `entry` was saved, and show it again."""
    move = get_move(request.POST.get("_move"))
    try:
        if move:
            move.run_stage(entry, by=request.user)
            messages.success(request, f"「{entry}」已保存并{move.label}。")
    except (ValidationError, PermissionDenied) as error:
        reason = (
            describe_refusal(entry, error)
            if isinstance(error, ValidationError)
            else error
        )
        messages.warning(request, f"内容已保存，但没有{move and move.label}：{reason}")
    return redirect("admin:kb_entry_change", entry.pk)


def build_actions() -> list[Any]:
    """Return every move as an action of the list."""
    return [_build_action(move) for move in STATUS_MOVES]


def _build_action(move: StatusMove) -> Any:
    @admin.action(description=f"{move.label}所选的条目", permissions=[move.permission])
    def run_action(model: Any, request: HttpRequest, queryset: QuerySet[Entry]) -> Any:
        if request.POST.get("post") != "yes":
            return _render_preview(model, request, move, queryset)
        count, refused = _apply_move(move, list(queryset), by=request.user)
        if count:
            messages.success(request, f"{move.label}：{count} 条成功。")
        for reason in refused[:MAX_SHOWN_REFUSALS]:
            messages.error(request, reason)
        if more := refused[MAX_SHOWN_REFUSALS:]:
            messages.error(request, f"另有 {len(more)} 条也没有{move.label}。")
        return None

    run_action.__name__ = move.name.replace("-", "_")
    return run_action


def _render_preview(
    model: Any, request: HttpRequest, move: StatusMove, queryset: QuerySet[Entry]
) -> HttpResponse | None:
    """Show which entries would move and why the others would not; write nothing."""
    selected = list(queryset.select_related("category")[: MAX_PREVIEW_ENTRIES + 1])
    if len(selected) > MAX_PREVIEW_ENTRIES:
        messages.warning(
            request, f"一次最多{move.label} {MAX_PREVIEW_ENTRIES} 条，请分几次选。"
        )
        return None
    checked = [(entry, _check_move(move, entry, by=request.user)) for entry in selected]
    context = {
        **model.admin_site.each_context(request),
        "title": f"{move.label}：先看看会怎样",
        "move": move,
        "action": request.POST.get("action", ""),
        "ready": [entry for entry, reason in checked if not reason],
        "refused": [(entry, reason) for entry, reason in checked if reason],
        "opts": model.model._meta,
    }
    return render(request, "admin/kb/entry/moves.html", context)


def _check_move(move: StatusMove, entry: Entry, *, by: Any) -> str:
    """Return why `move` would be refused now, or an empty text."""
    try:
        entries.require_status_change(entry, move.action, by=by)
    except ValidationError as error:
        return describe_refusal(entry, error)
    return ""


def _try_move(move: StatusMove, entry: Entry, *, by: Any) -> str:
    """Make the move; return why it was refused, or an empty text."""
    try:
        with transaction.atomic():
            move.run_stage(entry, by=by)
    except ValidationError as error:
        return describe_refusal(entry, error)
    except Entry.DoesNotExist:
        return f"「{entry}」已经不在了。"
    return ""


def _apply_move(
    move: StatusMove, selected: Sequence[Entry], *, by: Any
) -> tuple[int, list[str]]:
    """Move the entries; return how many moved, and why the others did not."""
    refused: list[str] = []
    for batch in _split_batches(selected):
        with transaction.atomic():
            reasons = [_try_move(move, entry, by=by) for entry in batch]
        refused += filter(None, reasons)
    return len(selected) - len(refused), refused


def describe_refusal(entry: Entry, error: ValidationError) -> str:
    """Return why a stage refused, with the entry's name in it."""
    reason = " ".join(error.messages)
    return reason if str(entry) in reason else f"「{entry}」：{reason}"


def _split_batches(rows: Sequence[Entry]) -> Iterator[Sequence[Entry]]:
    for start in range(0, len(rows), MOVE_BATCH_ENTRIES):
        yield rows[start : start + MOVE_BATCH_ENTRIES]
