"""Searches, picks, copies and votes are kept here, and become evidence: their only writer."""

from __future__ import annotations

from typing import Any

from django.db import transaction
from django.utils import timezone
from django.utils.crypto import salted_hmac

from kb.client_address import network_of
from kb.feedback.complaints import (
    NONE,
    Complaint,
    Why,
    complained,
    complaints,
    hand_back,
    handle,
    last_handled,
    told,
)
from kb.feedback.copies import copied
from kb.feedback.evidence import Learned, age, forget, learn, weigh, weigh_all
from kb.feedback.keeping import kept
from kb.feedback.proposals import (
    Proposal,
    accept,
    find_refusal,
    proposals,
    proposed,
    refuse,
    restore_proposal,
)
from kb.feedback.searches import led, record, side_of, typed
from kb.feedback.sequels import Sequel, sequels
from kb.models import Entry, Pick, Side, User, Vote
from kb.text import normalize, segment

__all__ = [
    "NONE",
    "Complaint",
    "Learned",
    "Proposal",
    "Sequel",
    "Why",
    "accept",
    "age",
    "colleague",
    "complained",
    "complaints",
    "copied",
    "find_refusal",
    "forget",
    "hand_back",
    "handle",
    "last_handled",
    "learn",
    "led",
    "pick",
    "proposals",
    "proposed",
    "record",
    "refuse",
    "restore_proposal",
    "sequels",
    "side_of",
    "stranger",
    "typed",
    "vote",
]

# Who ---------------------------------------------------------------------------


def colleague(user: User) -> str:
    return f"u{user.pk}"


def stranger(address: str, browser: str) -> str:
    """Return who asks from a network address with a browser, by keyed hashes.

    Two of 8 hex digits each: the first alone tells persons apart as evidence,
    for the browser's name is anybody's to choose, as are the last 64 bits of an
    IPv6 address: its network counts.
    """
    network = network_of(address)
    return f"{_hash(network)}:{_hash(f'{network} {browser}')}"


# What --------------------------------------------------------------------------


@transaction.atomic
def pick(
    entry: Entry,
    *,
    words: str,
    person: str,
    side: Side,
    kind: Pick.Kind,
    rank: int | None = None,
) -> Pick | None:
    """Count that `entry` answered `words` for `person`; None if they say nothing.

    The same again renews it. The lock makes the second of two persons who pick
    at once see the first.
    """
    words = kept(words)
    if not segment.words(words):
        return None
    Entry.objects.select_for_update().get(pk=entry.pk)
    key = normalize.key(words)
    once: dict[str, Any] = {
        "entry": entry,
        "side": side,
        "words_key": key,
        "person": person,
    }
    facts = {"words": words, "rank": rank, "kind": kind, "created_at": timezone.now()}
    made, _ = Pick.objects.update_or_create(**once, defaults=facts)
    weigh(entry.pk, side, key)
    return made


@transaction.atomic
def vote(
    entry: Entry, *, helpful: bool, words: str, person: str, side: Side, why: Why = NONE
) -> Vote:
    """Keep whether `entry` helped `person`, who may change his mind, and why not.

    Helpful after `words` is a pick; what was one is none any more otherwise.
    """
    facts = {"helpful": helpful, "words": kept(words), "created_at": timezone.now()}
    if helpful or why != NONE:
        facts |= told(NONE if helpful else why)
    else:  # said again without a word: the reason stays, and it waits again
        facts |= {"handled_at": None, "handled_by": None}
    made, _ = Vote.objects.update_or_create(entry=entry, person=person, defaults=facts)
    if helpful:
        kind = Pick.Kind.HELPFUL
        pick(entry, words=words, person=person, side=side, kind=kind)
    else:
        _take_back(entry, person=person, side=side)
    return made


def _take_back(entry: Entry, *, person: str, side: Side) -> None:
    taken = Pick.objects.filter(entry=entry, person=person, kind=Pick.Kind.HELPFUL)
    keys = list(taken.values_list("words_key", flat=True))
    taken.delete()
    weigh_all((entry.pk, side, key) for key in keys)


# How ---------------------------------------------------------------------------


def _hash(value: str) -> str:
    made = salted_hmac("kb.feedback.stranger", value, algorithm="sha256")
    return made.hexdigest()[:8]
