"""Entries: draft, revise, review, publish, retire. The only writer of their tables.

An entry is saved in versions. Each version is an EntryRevision with a snapshot of all
its content: columns, replies, phrasings, tags, follow-ups, translation.
"""

from __future__ import annotations

from kb.library.entries.bulk_writing import (
    StatusAndCategory,
    require_import_allowed,
    store_entries,
)
from kb.library.entries.campaign_periods import save_campaign_period
from kb.library.entries.change_reviews import (
    ProposedRows,
    apply_proposed_change,
    approve_review,
    assign_reviewer,
    build_proposed_snapshot,
    comment_on_review,
    find_review,
    get_pending_change,
    list_review_comments,
    list_reviews_awaiting,
    list_visible_reviews,
    merge_proposed_change,
    propose_change,
    reject_review,
    withdraw_review,
)
from kb.library.entries.due_entries import (
    DueEntry,
    confirm_entry,
    group_entries_by_owner,
    list_due_entries,
    list_due_entries_for,
    list_visible_due_entries,
    rank_due_entries,
)
from kb.library.entries.entry_lookup import (
    UNPUBLISHED_STATUSES,
    can_send_entry,
    count_entries_in_period,
    count_unpublished_entries,
    find_entry,
    find_sendable_entry,
    list_unpublished_entries,
    load_entries,
    load_entry_texts,
)
from kb.library.entries.entry_rights import (
    can_approve_entry,
    can_approve_own_text,
    can_publish_entry,
    can_write_entry,
    find_approvable_entry_ids,
    is_proposal_required,
    list_possible_reviewers,
    require_category_right,
)
from kb.library.entries.entry_saving import (
    EDIT_CONFLICT_MESSAGE,
    add_shared_reply,
    create_draft,
    remove_reply,
    save_entry,
    update_entry,
)
from kb.library.entries.manual_translation import (
    get_proposed_translation,
    translate_entry,
)
from kb.library.entries.phrasings import (
    PhrasingOutcome,
    add_phrasing,
    replace_phrasings,
    require_no_masked_data,
    suggest_phrasing,
)
from kb.library.entries.reverting import revert_entry
from kb.library.entries.revision_history import (
    find_previous_revision,
    find_published_revision,
    find_revision,
    list_entry_revisions,
    refresh_revision_content,
)
from kb.library.entries.snapshot_diff import SnapshotDifference, compare_snapshots
from kb.library.entries.snapshots import (
    EntrySnapshot,
    build_reply_snapshot,
    build_snapshot,
    take_snapshot,
)
from kb.library.entries.status_changes import (
    publish_entry,
    publish_or_submit_entry,
    require_status_change,
    restore_entry,
    retire_entry,
    return_draft_to_author,
    submit_entry,
)

__all__ = [
    "EDIT_CONFLICT_MESSAGE",
    "UNPUBLISHED_STATUSES",
    "DueEntry",
    "EntrySnapshot",
    "PhrasingOutcome",
    "ProposedRows",
    "SnapshotDifference",
    "StatusAndCategory",
    "add_phrasing",
    "add_shared_reply",
    "apply_proposed_change",
    "approve_review",
    "assign_reviewer",
    "build_proposed_snapshot",
    "build_reply_snapshot",
    "build_snapshot",
    "can_approve_entry",
    "can_approve_own_text",
    "can_publish_entry",
    "can_send_entry",
    "can_write_entry",
    "comment_on_review",
    "compare_snapshots",
    "confirm_entry",
    "count_entries_in_period",
    "count_unpublished_entries",
    "create_draft",
    "find_approvable_entry_ids",
    "find_entry",
    "find_previous_revision",
    "find_published_revision",
    "find_review",
    "find_revision",
    "find_sendable_entry",
    "get_pending_change",
    "get_proposed_translation",
    "group_entries_by_owner",
    "is_proposal_required",
    "list_due_entries",
    "list_due_entries_for",
    "list_entry_revisions",
    "list_possible_reviewers",
    "list_review_comments",
    "list_reviews_awaiting",
    "list_unpublished_entries",
    "list_visible_due_entries",
    "list_visible_reviews",
    "load_entries",
    "load_entry_texts",
    "merge_proposed_change",
    "propose_change",
    "publish_entry",
    "publish_or_submit_entry",
    "rank_due_entries",
    "refresh_revision_content",
    "reject_review",
    "remove_reply",
    "replace_phrasings",
    "require_category_right",
    "require_import_allowed",
    "require_no_masked_data",
    "require_status_change",
    "restore_entry",
    "retire_entry",
    "return_draft_to_author",
    "revert_entry",
    "save_campaign_period",
    "save_entry",
    "store_entries",
    "submit_entry",
    "suggest_phrasing",
    "take_snapshot",
    "translate_entry",
    "update_entry",
    "withdraw_review",
]
