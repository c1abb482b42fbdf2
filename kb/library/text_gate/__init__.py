"""The gate: all text that people read passes here, or through kb.library.entries.

For every change of a text, whatever its table, the gate checks in one place that the
user may write in the categories concerned (kb.library.entries.category_scopes) and
that the text follows the style rules; it then records a revision that can be restored
and a row of the audit log. Entries with their replies, phrasings and translations are
written by kb.library.entries, which does the same.

To register a new table of text, add its columns in `text_registry` to one of
- GATED_TABLES: text that is written through `save_text_row`, and give its category
  scope in `category_scopes.SCOPE_FINDERS`;
- ENTRY_TEXT_COLUMNS: part of an entry, written by kb.library.entries;
- UNGATED_TEXTS: text that needs no gate, with the reason.
tests/library/test_text_gate.py fails for a text column that is in none of them.
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
    record_restored_row,
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
    "record_restored_row",
    "require_allowed_text",
    "restore_text",
    "save_text_row",
]
