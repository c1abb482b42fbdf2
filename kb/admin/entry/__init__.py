"""Entries in the admin: `EntryAdmin`, and the steps of its form in modules apart."""

from __future__ import annotations

from kb.admin.entry.admin import EntryAdmin

__all__ = ["EntryAdmin"]
