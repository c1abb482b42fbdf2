"""Save campaign periods, which set the validity of all their entries."""

from __future__ import annotations

from django.db import transaction

from kb.models import CampaignPeriod, Entry


@transaction.atomic
def save_campaign_period(period: CampaignPeriod) -> int:
    """Save a new or changed `period`; return how many entries got its dates.

    The entries get no new version because their content is unchanged. Receivers of
    the signal of `period` update the index and cached pages.
    """
    period.full_clean()
    moved_count = 0
    if period.pk is not None:
        entries = Entry.objects.filter(window=period)
        moved_count = entries.update(
            valid_from=period.starts_at, valid_until=period.ends_at
        )
    period.save()
    return moved_count
