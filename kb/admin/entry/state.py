"""The state of one request for the form of an entry, passed between its steps."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest

from kb.admin.autocomplete_lookup import is_valid_id
from kb.library import entries
from kb.library.entries import EntrySnapshot, ProposedRows
from kb.models import Entry, Review


@dataclass(frozen=True, slots=True)
class Proposal:
    """A published entry as its form shows it to a person who may only propose.

    `entry` has the pending change set in memory and is never saved; `content` is its
    snapshot with that change, taken before a form sets what was typed.
    """

    entry: Entry
    pending: Review | None
    parts: ProposedRows
    content: EntrySnapshot


@dataclass(frozen=True, slots=True)
class FormState:
    """The entry of the form; None where it is new or this person may not see it.

    `pending` is a change of it that waits for review.
    """

    entry: Entry | None
    pending: Review | None
    proposal: Proposal | None

    @property
    def shown_entry(self) -> Entry | None:
        """Return the entry as the form shows it."""
        return self.proposal.entry if self.proposal else self.entry

    def get_content(self) -> EntrySnapshot:
        """Return the snapshot that the form shows: the proposed one, or the saved one."""
        if self.proposal:
            return self.proposal.content
        return entries.take_snapshot(self.entry) if self.entry else {}

    def get_follow_up_ids(self) -> dict[int, int]:
        """Return {target: primary key} of the follow-up rows that the form shows."""
        if self.proposal:
            return self.proposal.parts.follow_up_ids
        rows = self.entry.follow_ups.all() if self.entry else []
        return {row.then_id: row.pk for row in rows}


def load_state(
    model_admin: Any, request: HttpRequest, object_id: str | None
) -> FormState:
    """Load the entry and its pending change."""
    by: Any = request.user
    entry = get_visible_entry(request, object_id)
    if entry is None or entry.status != Entry.Status.PUBLISHED:
        return FormState(entry, None, None)
    pending = entries.get_pending_change(entry)
    if not entries.is_proposal_required(entry, by=by):
        return FormState(entry, pending, None)
    shown = model_admin.get_object(request, str(entry.pk))
    if shown is None:  # it was deleted just now
        return FormState(None, None, None)
    return FormState(entry, pending, _load_proposal(shown, pending))


def _load_proposal(entry: Entry, pending: Review | None) -> Proposal:
    parts = entries.apply_proposed_change(entry, pending)
    entry.proposed_parts = parts  # type: ignore[attr-defined]
    content = entries.build_proposed_snapshot(entry, parts)
    return Proposal(entry, pending, parts, content)


def get_proposed_parts(entry: Any) -> ProposedRows | None:
    """Return the rows that a form of `entry` shows instead of those that are saved."""
    parts: ProposedRows | None = getattr(entry, "proposed_parts", None)
    return parts


def get_visible_entry(request: HttpRequest, object_id: str | None) -> Entry | None:
    if object_id is None or not is_valid_id(object_id):
        return None
    by: Any = request.user
    return entries.find_entry(int(object_id), user=by)
