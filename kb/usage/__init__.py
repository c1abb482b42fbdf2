"""Usage: searches, picks, copies and votes, and the evidence that is made of them.

The only writer of these tables. A pick says that an entry answered a query for a person.
Evidence rolls up the picks of several persons into a level per entry and query, by which
search raises entries.
"""

from __future__ import annotations

from kb.usage.copies import (
    MAX_COPIED_ENTRIES,
    list_often_copied_ids,
    list_recently_copied_ids,
    record_copy,
)
from kb.usage.evidence import (
    LearnedWords,
    delete_old_usage,
    refresh_evidence,
    update_aged_evidence,
)
from kb.usage.next_entries import NextEntry, list_next_entries
from kb.usage.person_keys import build_colleague_key, build_visitor_key
from kb.usage.phrasing_proposals import (
    PhrasingProposal,
    accept_phrasing_proposal,
    find_refused_proposal,
    list_phrasing_proposals,
    query_phrasing_proposals,
    refuse_phrasing_proposal,
    restore_phrasing_proposal,
)
from kb.usage.picks import record_pick
from kb.usage.searches import (
    get_search_side,
    record_opened_entry,
    record_search,
    record_typed_search,
)
from kb.usage.votes import (
    NO_REASON,
    EntryComplaint,
    VoteReason,
    find_last_handled_complaint,
    list_complaints,
    mark_complaints_handled,
    query_entries_with_complaints,
    record_vote,
    reopen_complaints,
)

__all__ = [
    "MAX_COPIED_ENTRIES",
    "NO_REASON",
    "EntryComplaint",
    "LearnedWords",
    "NextEntry",
    "PhrasingProposal",
    "VoteReason",
    "accept_phrasing_proposal",
    "build_colleague_key",
    "build_visitor_key",
    "delete_old_usage",
    "find_last_handled_complaint",
    "find_refused_proposal",
    "get_search_side",
    "list_complaints",
    "list_next_entries",
    "list_often_copied_ids",
    "list_phrasing_proposals",
    "list_recently_copied_ids",
    "mark_complaints_handled",
    "query_entries_with_complaints",
    "query_phrasing_proposals",
    "record_copy",
    "record_opened_entry",
    "record_pick",
    "record_search",
    "record_typed_search",
    "record_vote",
    "refresh_evidence",
    "refuse_phrasing_proposal",
    "reopen_complaints",
    "restore_phrasing_proposal",
    "update_aged_evidence",
]
