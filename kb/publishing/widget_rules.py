"""Which entries the widget shows first on a page of the customer's product."""

from __future__ import annotations

from django.db.models import Q

from kb.models import Site, WidgetRule


def find_widget_rule(path: str, *, site: Site) -> WidgetRule | None:
    """Return the first rule of `site`, or of all sites, that matches `path`."""
    rules = WidgetRule.objects.filter(Q(site=None) | Q(site=site.pk or 0))
    return next(
        (rule for rule in rules.select_related("tag") if rule.is_matching_path(path)),
        None,
    )
