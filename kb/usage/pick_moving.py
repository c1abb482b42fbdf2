"""What led people to one entry leads them to another, once that answers for both."""

from __future__ import annotations

from collections.abc import Collection, Iterable

from kb.models import Entry, Evidence, Pick
from kb.usage.evidence import update_evidence

PickKey = tuple[str, str]  # side, words


def move_picks(
    old: Entry, new: Entry, *, only: Collection[int] | None = None
) -> list[int]:
    """Move the picks of `old` to `new`; return the ids of those that went.

    What the same person picked after the same words at both counts there once,
    and stays behind. `only` are the ids that may go.
    """
    held = set(_list_pick_keys(new, "person"))
    picks = Pick.objects.filter(entry=old)
    if only is not None:
        picks = picks.filter(pk__in=only)
    rows = list(picks.values_list("pk", "side", "words_key", "person"))
    ids = [pk for pk, *key in rows if tuple(key) not in held]
    Pick.objects.filter(pk__in=ids).update(entry=new)
    keys = {(side, words) for _, side, words, _ in rows}
    _update_entry_evidence(old, keys)
    _update_entry_evidence(new, keys)
    return ids


def _list_pick_keys(entry: Entry, *more: str) -> Iterable[tuple[str, ...]]:
    return Pick.objects.filter(entry=entry).values_list("side", "words_key", *more)


def _update_entry_evidence(entry: Entry, keys: Iterable[PickKey]) -> None:
    known = set(_list_pick_keys(entry))
    known |= set(Evidence.objects.filter(entry=entry).values_list("side", "words_key"))
    update_evidence(
        (entry.pk, side, words) for side, words in keys if (side, words) in known
    )
