"""What agents keep for themselves: their only writer."""

from __future__ import annotations

from collections.abc import Mapping

from django.db import transaction

from kb.models import AgentProfile, Entry, Favorite, User


def get_agent_profile(user: User) -> AgentProfile:
    """Return how `user` speaks; one that is not saved where nothing is set."""
    return AgentProfile.objects.filter(user=user).first() or AgentProfile(user=user)


@transaction.atomic
def save_agent_profile(user: User, **columns: str) -> AgentProfile:
    """Set how `user` speaks. Raises ValidationError."""
    User.objects.select_for_update().get(pk=user.pk)
    kept = get_agent_profile(user)
    for name, value in columns.items():
        setattr(kept, name, value)
    kept.full_clean()
    kept.save()
    return kept


@transaction.atomic
def set_favorite(entry: Entry, *, user: User, wanted: bool) -> bool:
    """Keep `entry` at hand for `user`, or no more; return whether it is."""
    if wanted:
        Favorite.objects.get_or_create(user=user, entry=entry)
    else:
        Favorite.objects.filter(user=user, entry=entry).delete()
    return wanted


def get_profile_texts(user: User) -> Mapping[str, str]:
    """Return the texts of the blanks that the agent's settings fill."""
    return get_agent_profile(user).blank_values


def list_favorite_ids(user: User) -> list[int]:
    """Return the ids of the entries that `user` keeps at hand, the last first."""
    return list(Favorite.objects.filter(user=user).values_list("entry_id", flat=True))
