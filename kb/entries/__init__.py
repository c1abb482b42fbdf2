"""Draft, revise, review, publish and retire entries: their only writer."""

from __future__ import annotations

from kb.entries.bulk import Footing, require_by_file, store
from kb.entries.comparing import Difference, compare
from kb.entries.content import Content, build_content, content, get_reply_row
from kb.entries.due import Due, confirm, due, due_for, owners, queue
from kb.entries.history import complete, revisions
from kb.entries.moving import (
    forward,
    publish,
    require_move,
    restore,
    retire,
    send_back,
    submit,
)
from kb.entries.phrasings import (
    Heard,
    add_phrasing,
    offered_phrasing,
    require_no_mask,
)
from kb.entries.questions import absorb, draft_from, release
from kb.entries.reverting import revert
from kb.entries.reviewing import (
    ProposedParts,
    apply_proposed,
    approve,
    ask,
    awaited,
    comment,
    get_proposed_content,
    give_back,
    pending,
    propose,
    standing,
    withdraw,
)
from kb.entries.rights import (
    judgeable,
    judges,
    judges_own,
    may_judge,
    may_publish,
    may_write,
    must_propose,
    require,
)
from kb.entries.translating import proposed_translation, translate
from kb.entries.windows import put_window
from kb.entries.writing import (
    CONFLICT,
    add_reply,
    draft,
    put,
    remove_reply,
    revise,
)

__all__ = [
    "CONFLICT",
    "Content",
    "Difference",
    "Due",
    "Footing",
    "Heard",
    "ProposedParts",
    "absorb",
    "add_phrasing",
    "add_reply",
    "apply_proposed",
    "approve",
    "ask",
    "awaited",
    "build_content",
    "comment",
    "compare",
    "complete",
    "confirm",
    "content",
    "draft",
    "draft_from",
    "due",
    "due_for",
    "forward",
    "get_proposed_content",
    "get_reply_row",
    "give_back",
    "judgeable",
    "judges",
    "judges_own",
    "may_judge",
    "may_publish",
    "may_write",
    "must_propose",
    "offered_phrasing",
    "owners",
    "pending",
    "propose",
    "proposed_translation",
    "publish",
    "put",
    "put_window",
    "queue",
    "release",
    "remove_reply",
    "require",
    "require_by_file",
    "require_move",
    "require_no_mask",
    "restore",
    "retire",
    "revert",
    "revise",
    "revisions",
    "send_back",
    "standing",
    "store",
    "submit",
    "translate",
    "withdraw",
]
