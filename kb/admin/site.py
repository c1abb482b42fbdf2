"""The admin site."""

from __future__ import annotations

from django.contrib.admin import AdminSite


class Site(AdminSite):
    """Chinese titles; the rest is Django's."""
