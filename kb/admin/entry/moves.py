"""The moves of an entry's life, as actions of the list and buttons of the page."""

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

from kb import entries
from kb.models import Act, Entry, User

Status = Entry.Status
BATCH = 100  # entries in one transaction: others must be able to write between
MOST = 300  # entries that a preview checks
SHOWN = 20  # refusals told one by one


@dataclass(frozen=True, slots=True)
class Move:
    """One step, what it is called, and who may do it from which status."""

    name: str
    label: str
    act: Act
    stage: Callable[..., Entry]
    allowed: frozenset[Entry.Status]
    permission: str = "publish"  # or "change"

    def may(self, user: User) -> bool:
        return user.has_perm(f"kb.{self.permission}_entry")

    def may_with(self, user: User, entry: Entry) -> bool:
        held = (
            entries.may_publish if self.permission == "publish" else entries.may_write
        )
        return held(entry, by=user)


MOVES = (
    Move(
        "submit",
        "提交审核",
        Act.SUBMITTED,
        entries.submit,
        frozenset({Status.DRAFT}),
        "change",
    ),
    Move(
        "publish",
        "发布",
        Act.PUBLISHED,
        entries.publish,
        frozenset({Status.DRAFT, Status.REVIEW}),
    ),
    Move(
        "send-back",
        "退回为草稿",
        Act.RETURNED,
        entries.send_back,
        frozenset({Status.REVIEW}),
    ),
    Move(
        "retire",
        "下线",
        Act.RETIRED,
        entries.retire,
        frozenset({Status.DRAFT, Status.REVIEW, Status.PUBLISHED}),
    ),
    Move(
        "restore",
        "恢复为草稿",
        Act.RESTORED,
        entries.restore,
        frozenset({Status.RETIRED}),
    ),
)


def possible(entry: Entry | None, user: User) -> list[Move]:
    """Return the moves that `user` may make with `entry`; None is a new one."""
    if entry is None:
        own = entries.judges_own(user, None)
        return [m for m in MOVES[:2] if m.may(user) and (own or m.name != "publish")]
    found = [m for m in MOVES if entry.status in m.allowed and m.may_with(user, entry)]
    judges = entries.may_judge(entry, by=user)
    return [m for m in found if judges or m.name != "publish"]


def named(name: str | None) -> Move | None:
    return next((move for move in MOVES if move.name == name), None)


def move_saved(request: HttpRequest, entry: Entry) -> HttpResponse:
    """Make the move that was asked for with the save of `entry`, and show it again."""
    move = named(request.POST.get("_move"))
    try:
        if move:
            move.stage(entry, by=request.user)
            messages.success(request, f"「{entry}」已保存并{move.label}。")
    except (ValidationError, PermissionDenied) as error:
        reason = told(entry, error) if isinstance(error, ValidationError) else error
        messages.warning(request, f"内容已保存，但没有{move and move.label}：{reason}")
    return redirect("admin:kb_entry_change", entry.pk)


def actions() -> list[Any]:
    """Return every move as an action of the list."""
    return [_action(move) for move in MOVES]


def _action(move: Move) -> Any:
    @admin.action(description=f"{move.label}所选的条目", permissions=[move.permission])
    def act(model: Any, request: HttpRequest, chosen: QuerySet[Entry]) -> Any:
        if request.POST.get("post") != "yes":
            return _preview(model, request, move, chosen)
        done, refused = _apply(move, list(chosen), by=request.user)
        if done:
            messages.success(request, f"{move.label}：{done} 条成功。")
        for reason in refused[:SHOWN]:
            messages.error(request, reason)
        if more := refused[SHOWN:]:
            messages.error(request, f"另有 {len(more)} 条也没有{move.label}。")
        return None

    act.__name__ = move.name.replace("-", "_")
    return act


def _preview(
    model: Any, request: HttpRequest, move: Move, chosen: QuerySet[Entry]
) -> HttpResponse | None:
    """Show which entries would move and why the others would not; write nothing."""
    found = list(chosen.select_related("category")[: MOST + 1])
    if len(found) > MOST:
        messages.warning(request, f"一次最多{move.label} {MOST} 条，请分几次选。")
        return None
    tried = [(entry, _refusal(move, entry, by=request.user)) for entry in found]
    context = {
        **model.admin_site.each_context(request),
        "title": f"{move.label}：先看看会怎样",
        "move": move,
        "action": request.POST.get("action", ""),
        "ready": [entry for entry, reason in tried if not reason],
        "refused": [(entry, reason) for entry, reason in tried if reason],
        "opts": model.model._meta,
    }
    return render(request, "admin/kb/entry/moves.html", context)


def _refusal(move: Move, entry: Entry, *, by: Any) -> str:
    """Return why `move` would be refused now, or an empty text."""
    try:
        entries.require_move(entry, move.act, by=by)
    except ValidationError as error:
        return told(entry, error)
    return ""


def _tried(move: Move, entry: Entry, *, by: Any) -> str:
    """Return why it would be refused, or nothing."""
    try:
        with transaction.atomic():
            move.stage(entry, by=by)
    except ValidationError as error:
        return told(entry, error)
    except Entry.DoesNotExist:
        return f"「{entry}」已经不在了。"
    return ""


def _apply(move: Move, chosen: Sequence[Entry], *, by: Any) -> tuple[int, list[str]]:
    """Return how many were moved, and why the others were not."""
    refused: list[str] = []
    for batch in _batches(chosen):
        with transaction.atomic():
            found = [_tried(move, entry, by=by) for entry in batch]
        refused += filter(None, found)
    return len(chosen) - len(refused), refused


def told(entry: Entry, error: ValidationError) -> str:
    """Return why a stage refused, with the entry's name in it."""
    reason = " ".join(error.messages)
    return reason if str(entry) in reason else f"「{entry}」：{reason}"


def _batches(chosen: Sequence[Entry]) -> Iterator[Sequence[Entry]]:
    for start in range(0, len(chosen), BATCH):
        yield chosen[start : start + BATCH]
