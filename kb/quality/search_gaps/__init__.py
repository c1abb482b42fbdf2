"""Search gaps: queries after which people find nothing, or pick nothing.

Gaps are collected from searches, resolved by an editor, verified by searching again, and
reopened when the entry is no longer found.
"""

from __future__ import annotations

from kb.quality.search_gaps.collecting import (
    collect_gaps,
    is_collecting_overdue,
    recount_gaps,
)
from kb.quality.search_gaps.gap_figures import GapFigures, get_gap_figures
from kb.quality.search_gaps.gap_lists import (
    count_gaps,
    find_gap,
    find_last_declined_gap,
    list_gaps,
)
from kb.quality.search_gaps.resolving import (
    GAP_HANDLED_MESSAGE,
    MAX_VERIFIED_RANK,
    add_phrasing_for_gap,
    add_synonym_for_gap,
    decline_gap,
    draft_entry_for_gap,
    reopen_gap,
    verify_gap,
    verify_gaps,
)

__all__ = [
    "GAP_HANDLED_MESSAGE",
    "MAX_VERIFIED_RANK",
    "GapFigures",
    "add_phrasing_for_gap",
    "add_synonym_for_gap",
    "collect_gaps",
    "count_gaps",
    "decline_gap",
    "draft_entry_for_gap",
    "find_gap",
    "find_last_declined_gap",
    "get_gap_figures",
    "is_collecting_overdue",
    "list_gaps",
    "recount_gaps",
    "reopen_gap",
    "verify_gap",
    "verify_gaps",
]
