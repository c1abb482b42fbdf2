"""Draft, revise, review, publish and retire entries: their only writer."""

from __future__ import annotations

from kb.entries.bulk import store
from kb.entries.moving import publish, restore, retire, send_back, submit
from kb.entries.questions import absorb, draft_from, release
from kb.entries.writing import CONFLICT, add_phrasing, draft, put, revise

__all__ = [
    "CONFLICT",
    "absorb",
    "add_phrasing",
    "draft",
    "draft_from",
    "publish",
    "put",
    "release",
    "restore",
    "retire",
    "revise",
    "send_back",
    "store",
    "submit",
]
