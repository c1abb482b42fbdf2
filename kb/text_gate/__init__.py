"""One gate for every text outside of entries that people will read.

`save` asks in one place what must hold whatever the table: the right to change
text there (kb.entries.scopes), the wording rules, a revision that can be
restored, and a row of the audit log. Entries with their replies, phrasings and
translations pass kb.entries, which asks the same. `registry` names every table
and every column of text that there is; a test fails for one that it does not know.
"""

from __future__ import annotations

from kb.text_gate.checking import check, problems
from kb.text_gate.registry import ENTRY_TEXTS, INTERNAL, TABLES, Table
from kb.text_gate.saving import (
    add_all,
    delete,
    record_restored,
    restore,
    revisions,
    save,
)

__all__ = [
    "ENTRY_TEXTS",
    "INTERNAL",
    "TABLES",
    "Table",
    "add_all",
    "check",
    "delete",
    "problems",
    "record_restored",
    "restore",
    "revisions",
    "save",
]
