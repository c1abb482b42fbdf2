"""Entries in the admin: one form, whose request runs through named steps."""

from __future__ import annotations

from kb.admin.entry.admin import EntryAdmin

__all__ = ["EntryAdmin"]
