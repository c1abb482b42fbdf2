"""Draft, revise, review, publish and retire entries: their only writer."""

from __future__ import annotations

from kb.entries.bulk import store
from kb.entries.comparing import Difference, compare
from kb.entries.content import content
from kb.entries.history import author, complete, revisions
from kb.entries.moving import publish, restore, retire, send_back, submit
from kb.entries.questions import absorb, draft_from, release
from kb.entries.reverting import revert
from kb.entries.writing import (
    CONFLICT,
    add_phrasing,
    add_reply,
    draft,
    put,
    revise,
)

__all__ = [
    "CONFLICT",
    "Difference",
    "absorb",
    "add_phrasing",
    "add_reply",
    "author",
    "compare",
    "complete",
    "content",
    "draft",
    "draft_from",
    "publish",
    "put",
    "release",
    "restore",
    "retire",
    "revert",
    "revise",
    "revisions",
    "send_back",
    "store",
    "submit",
]
