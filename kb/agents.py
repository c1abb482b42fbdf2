"""What agents keep for themselves: their only writer."""

from __future__ import annotations

from collections.abc import Mapping

from django.db import transaction

from kb.models import Entry, Favourite, Manner, User


def manner(user: User) -> Manner:
    """Return how `user` speaks; one that is not saved where nothing is set."""
    return Manner.objects.filter(user=user).first() or Manner(user=user)


@transaction.atomic
def settle(user: User, **columns: str) -> Manner:
    """Set how `user` speaks. Raises ValidationError."""
    User.objects.select_for_update().get(pk=user.pk)
    kept = manner(user)
    for name, value in columns.items():
        setattr(kept, name, value)
    kept.full_clean()
    kept.save()
    return kept


@transaction.atomic
def favour(entry: Entry, *, user: User, wanted: bool) -> bool:
    """Keep `entry` at hand for `user`, or no more; return whether it is."""
    if wanted:
        Favourite.objects.get_or_create(user=user, entry=entry)
    else:
        Favourite.objects.filter(user=user, entry=entry).delete()
    return wanted


def own(user: User) -> Mapping[str, str]:
    """Return the texts of the blanks that the agent's settings fill."""
    return manner(user).own


def favourites(user: User) -> list[int]:
    """Return the ids of the entries that `user` keeps at hand, the last first."""
    return list(Favourite.objects.filter(user=user).values_list("entry_id", flat=True))
