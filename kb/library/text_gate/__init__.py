"""One gate for every text outside of entries that people will read.

`save` asks in one place what must hold whatever the table: the right to change
text there (kb.library.entries.category_scopes), the wording rules, a revision that can be
restored, and a row of the audit log. Entries with their replies, phrasings and
translations pass kb.library.entries, which asks the same. `registry` names every table
and every column of text that there is; a test fails for one that it does not know.
"""

from __future__ import annotations

from kb.library.text_gate.text_checks import find_text_problems, require_allowed_text
from kb.library.text_gate.text_registry import (
    ENTRY_TEXT_COLUMNS,
    GATED_TABLES,
    UNGATED_TEXTS,
    GatedTable,
)
from kb.library.text_gate.text_saving import (
    add_text_rows,
    delete_text_row,
    list_text_revisions,
    record_restored,
    restore_text,
    save_text_row,
)

__all__ = [
    "ENTRY_TEXT_COLUMNS",
    "GATED_TABLES",
    "UNGATED_TEXTS",
    "GatedTable",
    "add_text_rows",
    "delete_text_row",
    "find_text_problems",
    "list_text_revisions",
    "record_restored",
    "require_allowed_text",
    "restore_text",
    "save_text_row",
]
