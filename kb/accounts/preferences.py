"""Preferences of agents: profile and favorites. Only this module writes them."""

from __future__ import annotations

from collections.abc import Mapping

from django.db import transaction

from kb.models import AgentProfile, Entry, Favorite, User


def get_agent_profile(user: User) -> AgentProfile:
    """Return the profile of `user`; an unsaved empty one if there is none."""
    return AgentProfile.objects.filter(user=user).first() or AgentProfile(user=user)


@transaction.atomic
def save_agent_profile(user: User, **columns: str) -> AgentProfile:
    """Set `columns` of the profile of `user`. Raises ValidationError."""
    User.objects.select_for_update().get(pk=user.pk)
    profile = get_agent_profile(user)
    for name, value in columns.items():
        setattr(profile, name, value)
    profile.full_clean()
    profile.save()
    return profile


@transaction.atomic
def set_favorite(entry: Entry, *, user: User, wanted: bool) -> bool:
    """Add `entry` to the favorites of `user`, or remove it; return `wanted`."""
    if wanted:
        Favorite.objects.get_or_create(user=user, entry=entry)
    else:
        Favorite.objects.filter(user=user, entry=entry).delete()
    return wanted


def get_profile_texts(user: User) -> Mapping[str, str]:
    """Return {name of a blank: text} from the profile of `user`."""
    return get_agent_profile(user).blank_values


def list_favorite_ids(user: User) -> list[int]:
    """Return the ids of the favorites of `user`, the latest first."""
    return list(Favorite.objects.filter(user=user).values_list("entry_id", flat=True))
