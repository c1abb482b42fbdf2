"""A window moves, and all its entries with it, in one transaction."""

from __future__ import annotations

from django.db import transaction

from kb.models import CampaignPeriod, Entry


@transaction.atomic
def save_campaign_period(window: CampaignPeriod) -> int:
    """Save `window`, new or changed; return how many entries moved with it.

    Their versions stay: nobody has written anything. The index and copies of
    pages follow because a window is saved.
    """
    window.full_clean()
    moved = 0
    if window.pk is not None:
        rows = Entry.objects.filter(window=window)
        moved = rows.update(valid_from=window.starts_at, valid_until=window.ends_at)
    window.save()
    return moved
