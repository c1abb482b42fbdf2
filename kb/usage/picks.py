"""Picks: an entry that answered a query for a person. The only writer of Pick."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import Any

from django.db import transaction
from django.utils import timezone

from kb.models import Entry, Evidence, Pick, SearchSide
from kb.text.chinese import normalize, tokenizer
from kb.usage.evidence import update_evidence
from kb.usage.masking import mask_words

PickKey = tuple[str, str]  # side, words_key


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
    """Record that `entry` answered `words` for `person`; return the pick.

    Returns None for words without a term. The same pick again gets the new time. The
    lock on the entry lets the evidence count both of two persons who pick at once.
    """
    words = mask_words(words)
    if not tokenizer.tokenize_text(words):
        return None
    Entry.objects.select_for_update().get(pk=entry.pk)
    key = normalize.compute_spelling_key(words)
    identity: dict[str, Any] = {
        "entry": entry,
        "side": side,
        "words_key": key,
        "person": person,
    }
    values = {"words": words, "rank": rank, "kind": kind, "created_at": timezone.now()}
    pick, _ = Pick.objects.update_or_create(**identity, defaults=values)
    update_evidence([(entry.pk, side, key)])
    return pick


def move_picks(
    old: Entry, new: Entry, *, only: Collection[int] | None = None
) -> list[int]:
    """Move the picks of `old` to `new`; return the ids of the moved ones.

    A pick whose person, side and words `new` has already stays at `old`. `only`
    restricts the move to these ids.
    """
    existing_keys = set(_list_pick_keys(new, "person"))
    picks = Pick.objects.filter(entry=old)
    if only is not None:
        picks = picks.filter(pk__in=only)
    rows = list(picks.values_list("pk", "side", "words_key", "person"))
    ids = [pk for pk, *key in rows if tuple(key) not in existing_keys]
    Pick.objects.filter(pk__in=ids).update(entry=new)
    keys = {(side, words) for _, side, words, _ in rows}
    _update_entry_evidence(old, keys)
    _update_entry_evidence(new, keys)
    return ids


def _list_pick_keys(entry: Entry, *columns: str) -> Iterable[tuple[str, ...]]:
    return Pick.objects.filter(entry=entry).values_list("side", "words_key", *columns)


def _update_entry_evidence(entry: Entry, keys: Iterable[PickKey]) -> None:
    """Update the evidence of `entry` for those `keys` that have picks or evidence."""
    existing_keys = set(_list_pick_keys(entry))
    existing_keys |= set(
        Evidence.objects.filter(entry=entry).values_list("side", "words_key")
    )
    update_evidence(
        (entry.pk, side, words)
        for side, words in keys
        if (side, words) in existing_keys
    )
