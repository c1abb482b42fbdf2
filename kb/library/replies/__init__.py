"""Replies: private ones of agents and teams, proposals to share them, snippets."""

from __future__ import annotations

from kb.library.replies.private_replies import (
    MAX_PRIVATE_REPLIES,
    can_write_reply,
    copy_to_own_replies,
    delete_private_reply,
    list_own_replies,
    list_team_replies,
    restore_private_reply,
    save_private_reply,
)
from kb.library.replies.private_search import (
    list_usable_replies,
    search_private_replies,
)
from kb.library.replies.reply_changes import ReplyChange, find_changes_since_copied
from kb.library.replies.reply_proposals import (
    accept_reply_proposal,
    find_last_judged_proposal,
    find_reply_proposal,
    find_waiting_reply_proposal,
    list_accepted_replies,
    list_waiting_reply_proposals,
    propose_reply,
    return_reply_proposal,
    undo_proposal_acceptance,
    undo_proposal_return,
    withdraw_reply_proposal,
)
from kb.library.replies.snippet_saving import (
    delete_snippet,
    describe_snippet_uses,
    save_snippet,
    store_snippet_and_refresh,
)
from kb.library.replies.sort_order import sort_replies_by_fit

__all__ = [
    "MAX_PRIVATE_REPLIES",
    "ReplyChange",
    "accept_reply_proposal",
    "can_write_reply",
    "copy_to_own_replies",
    "delete_private_reply",
    "delete_snippet",
    "describe_snippet_uses",
    "find_changes_since_copied",
    "find_last_judged_proposal",
    "find_reply_proposal",
    "find_waiting_reply_proposal",
    "list_accepted_replies",
    "list_own_replies",
    "list_team_replies",
    "list_usable_replies",
    "list_waiting_reply_proposals",
    "propose_reply",
    "restore_private_reply",
    "return_reply_proposal",
    "save_private_reply",
    "save_snippet",
    "search_private_replies",
    "sort_replies_by_fit",
    "store_snippet_and_refresh",
    "undo_proposal_acceptance",
    "undo_proposal_return",
    "withdraw_reply_proposal",
]
