"""Searches, picks, copies and votes are kept here, and become evidence: their only writer."""

from __future__ import annotations

from typing import Any

from django.db import transaction
from django.utils import timezone
from django.utils.crypto import salted_hmac

from kb.models import Entry, Pick, SearchSide, User, Vote
from kb.system.client_address import get_network
from kb.text.chinese import normalize, tokenizer
from kb.usage.complaints import (
    NO_REASON,
    EntryComplaint,
    VoteReason,
    build_reason_columns,
    find_last_handled_complaint,
    list_complaints,
    mark_complaints_handled,
    query_entries_with_complaints,
    reopen_complaints,
)
from kb.usage.copies import record_copy
from kb.usage.evidence import (
    LearnedWords,
    delete_old_usage,
    refresh_evidence,
    update_aged_evidence,
    update_evidence,
    update_evidence_for,
)
from kb.usage.masking import mask_words
from kb.usage.next_entries import NextEntry, list_next_entries
from kb.usage.phrasing_proposals import (
    PhrasingProposal,
    accept_phrasing_proposal,
    find_refused_proposal,
    list_phrasing_proposals,
    query_phrasing_proposals,
    refuse_phrasing_proposal,
    restore_phrasing_proposal,
)
from kb.usage.searches import (
    get_search_side,
    record_opened_entry,
    record_search,
    record_typed_search,
)

__all__ = [
    "NO_REASON",
    "EntryComplaint",
    "LearnedWords",
    "NextEntry",
    "PhrasingProposal",
    "VoteReason",
    "accept_phrasing_proposal",
    "delete_old_usage",
    "find_last_handled_complaint",
    "find_refused_proposal",
    "get_colleague_key",
    "get_search_side",
    "get_visitor_key",
    "list_complaints",
    "list_next_entries",
    "list_phrasing_proposals",
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

# Who ---------------------------------------------------------------------------


def get_colleague_key(user: User) -> str:
    return f"u{user.pk}"


def get_visitor_key(address: str, browser: str) -> str:
    """Return who asks from a network address with a browser, by keyed hashes.

    Two of 8 hex digits each: the first alone tells persons apart as evidence,
    for the browser's name is anybody's to choose, as are the last 64 bits of an
    IPv6 address: its network counts.
    """
    network = get_network(address)
    return f"{_hash_identity(network)}:{_hash_identity(f'{network} {browser}')}"


# What --------------------------------------------------------------------------


@transaction.atomic
def record_pick(
    entry: Entry,
    *,
    words: str,
    person: str,
    side: SearchSide,
    kind: Pick.Kind,
    rank: int | None = None,
) -> Pick | None:
    """Count that `entry` answered `words` for `person`; None if they say nothing.

    The same again renews it. The lock makes the second of two persons who pick
    at once see the first.
    """
    words = mask_words(words)
    if not tokenizer.tokenize_text(words):
        return None
    Entry.objects.select_for_update().get(pk=entry.pk)
    key = normalize.compute_spelling_key(words)
    once: dict[str, Any] = {
        "entry": entry,
        "side": side,
        "words_key": key,
        "person": person,
    }
    facts = {"words": words, "rank": rank, "kind": kind, "created_at": timezone.now()}
    made, _ = Pick.objects.update_or_create(**once, defaults=facts)
    update_evidence_for(entry.pk, side, key)
    return made


@transaction.atomic
def record_vote(
    entry: Entry,
    *,
    helpful: bool,
    words: str,
    person: str,
    side: SearchSide,
    why: VoteReason = NO_REASON,
) -> Vote:
    """Keep whether `entry` helped `person`, who may change his mind, and why not.

    Helpful after `words` is a pick; what was one is none any more otherwise.
    """
    facts = {
        "helpful": helpful,
        "words": mask_words(words),
        "created_at": timezone.now(),
    }
    if helpful or why != NO_REASON:
        facts |= build_reason_columns(NO_REASON if helpful else why)
    else:  # said again without a word: the reason stays, and it waits again
        facts |= {"handled_at": None, "handled_by": None}
    made, _ = Vote.objects.update_or_create(entry=entry, person=person, defaults=facts)
    if helpful:
        kind = Pick.Kind.HELPFUL
        record_pick(entry, words=words, person=person, side=side, kind=kind)
    else:
        _delete_helpful_picks(entry, person=person, side=side)
    return made


def _delete_helpful_picks(entry: Entry, *, person: str, side: SearchSide) -> None:
    taken = Pick.objects.filter(entry=entry, person=person, kind=Pick.Kind.HELPFUL)
    keys = list(taken.values_list("words_key", flat=True))
    taken.delete()
    update_evidence((entry.pk, side, key) for key in keys)


# How ---------------------------------------------------------------------------


def _hash_identity(value: str) -> str:
    made = salted_hmac("kb.usage.get_visitor_key", value, algorithm="sha256")
    return made.hexdigest()[:8]
