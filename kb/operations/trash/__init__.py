"""The trash: what is deleted in the admin can be restored for some days.

`delete_row` deletes a row and stores it with all rows that are deleted with it;
`restore_item` restores them under the same primary keys. Nothing else reads these rows:
they are in no list, search, export or count. kb.operations.privacy deletes them after
RETENTION_DELETED_DAYS and erases persons from them.
"""

from __future__ import annotations

from kb.operations.trash.collecting import collect_rows
from kb.operations.trash.deleting import delete_row, describe_period
from kb.operations.trash.restoring import load_row, restore_item, restore_items

__all__ = [
    "collect_rows",
    "delete_row",
    "describe_period",
    "load_row",
    "restore_item",
    "restore_items",
]
