"""The moves of an entry's life, as actions of the list and buttons of the page."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import QuerySet
from django.http import HttpRequest

from kb import entries
from kb.models import Entry, User

Status = Entry.Status
BATCH = 100  # entries in one transaction: others must be able to write between
SHOWN = 20  # refusals told one by one


@dataclass(frozen=True, slots=True)
class Move:
    """One step, what it is called, and who may do it from which status."""

    name: str
    label: str
    stage: Callable[..., Entry]
    allowed: frozenset[Entry.Status]
    permission: str = "publish"  # or "change"

    def may(self, user: User) -> bool:
        return user.has_perm(f"kb.{self.permission}_entry")


MOVES = (
    Move("submit", "提交审核", entries.submit, frozenset({Status.DRAFT}), "change"),
    Move("publish", "发布", entries.publish, frozenset({Status.DRAFT, Status.REVIEW})),
    Move("send-back", "退回为草稿", entries.send_back, frozenset({Status.REVIEW})),
    Move(
        "retire",
        "下线",
        entries.retire,
        frozenset({Status.DRAFT, Status.REVIEW, Status.PUBLISHED}),
    ),
    Move("restore", "恢复为草稿", entries.restore, frozenset({Status.RETIRED})),
)


def possible(entry: Entry | None, user: User) -> list[Move]:
    """Return the moves that `user` may make with `entry`; None is a new one."""
    if entry is None:
        return [m for m in MOVES[:2] if m.may(user)]  # submit, publish
    return [m for m in MOVES if entry.status in m.allowed and m.may(user)]


def named(name: str | None) -> Move | None:
    return next((move for move in MOVES if move.name == name), None)


def actions() -> list[Any]:
    """Return every move as an action of the list."""
    return [_action(move) for move in MOVES]


def _action(move: Move) -> Any:
    @admin.action(description=f"{move.label}所选的条目", permissions=[move.permission])
    def act(model: Any, request: HttpRequest, chosen: QuerySet[Entry]) -> None:
        done, refused = _apply(move, list(chosen), by=request.user)
        if done:
            messages.success(request, f"{move.label}：{done} 条成功。")
        for reason in refused[:SHOWN]:
            messages.error(request, reason)
        if more := refused[SHOWN:]:
            messages.error(request, f"另有 {len(more)} 条也没有{move.label}。")

    act.__name__ = move.name.replace("-", "_")
    return act


def _apply(move: Move, chosen: Sequence[Entry], *, by: Any) -> tuple[int, list[str]]:
    """Return how many were moved, and why the others were not."""
    refused: list[str] = []
    for batch in _batches(chosen):
        with transaction.atomic():
            for entry in batch:
                try:
                    move.stage(entry, by=by)
                except ValidationError as error:
                    refused.append(told(entry, error))
                except Entry.DoesNotExist:
                    refused.append(f"「{entry}」已经不在了。")
    return len(chosen) - len(refused), refused


def told(entry: Entry, error: ValidationError) -> str:
    """Return why a stage refused, with the entry's name in it."""
    reason = " ".join(error.messages)
    return reason if str(entry) in reason else f"「{entry}」：{reason}"


def _batches(chosen: Sequence[Entry]) -> Iterator[Sequence[Entry]]:
    for start in range(0, len(chosen), BATCH):
        yield chosen[start : start + BATCH]
