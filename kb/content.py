"""The edition of what public pages show: a copy of a page is good for one edition."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import F, Subquery, Sum, Value
from django.db.models.signals import m2m_changed, post_delete, post_save
from django.dispatch import receiver
from django.utils import timezone

from kb.models import (
    Category,
    ContentEdition,
    Entry,
    Face,
    FollowUp,
    Incident,
    Picture,
    Site,
    Tag,
)
from kb.models.incident import State


@dataclass(frozen=True, slots=True)
class Stamp:
    """Which edition it is, when it was raised, and which notices run by the clock."""

    number: int = 0
    raised_at: datetime | None = None
    running: int | None = None


def edition() -> Stamp:
    """Return the edition in force, in one small query."""
    now = timezone.now()
    public = Incident.objects.filter(audience=Incident.Audience.PUBLIC)
    running = public.in_state(State.RUNNING, at=now).order_by()
    told = running.annotate(one=Value(1)).values("one").annotate(all=Sum(F("pk") ** 2))
    rows = ContentEdition.objects.filter(pk=1).annotate(
        running=Subquery(told.values("all"))
    )
    found = rows.values_list("number", "raised_at", "running").first()
    return Stamp(*found) if found else Stamp()


def raise_edition(**kwargs: Any) -> None:
    """Let every copy of a page be made anew, once this transaction commits."""
    now = timezone.now()
    one = ContentEdition.objects.filter(pk=1)
    if not one.update(number=F("number") + 1, raised_at=now):
        first = ContentEdition(pk=1, number=1, raised_at=now)
        ContentEdition.objects.bulk_create([first], ignore_conflicts=True)


for _model in (Entry, Face, Category, Tag, FollowUp, Incident, Picture, Site):
    for _signal in (post_save, post_delete):
        _uid = f"kb.content.{_model.__name__}"
        _signal.connect(raise_edition, sender=_model, dispatch_uid=_uid)


@receiver(m2m_changed, sender=Entry.tags.through, dispatch_uid="kb.content.tags")
@receiver(m2m_changed, sender=Site.categories.through, dispatch_uid="kb.content.sites")
def _linked(action: str, **kwargs: Any) -> None:
    if action.startswith("post_"):
        raise_edition()
