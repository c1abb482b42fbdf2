"""Replies of one's own and of a team: kept, found, made everybody's."""

from __future__ import annotations

from kb.replies.changing import Change, since
from kb.replies.finding import found, usable
from kb.replies.including import put, remove, used_in, write_snippet
from kb.replies.keeping import (
    MOST,
    copy_of,
    drop,
    keep,
    may_write,
    mine,
    of_team,
    restore,
)
from kb.replies.proposing import (
    accept,
    last_judged,
    propose,
    send_back,
    shared_of,
    undo_accept,
    undo_send_back,
    waiting,
    withdraw,
)
from kb.replies.standing import fitting

__all__ = [
    "MOST",
    "Change",
    "accept",
    "copy_of",
    "drop",
    "fitting",
    "found",
    "keep",
    "last_judged",
    "may_write",
    "mine",
    "of_team",
    "propose",
    "put",
    "remove",
    "restore",
    "send_back",
    "shared_of",
    "since",
    "undo_accept",
    "undo_send_back",
    "usable",
    "used_in",
    "waiting",
    "withdraw",
    "write_snippet",
]
