"""The trash: what is deleted in the admin can be restored for some days.

`delete` deletes a row and keeps it with everything that goes along; `restore` puts
all of it back under the same primary keys. Nothing else reads these rows: what is in
the trash is in no list, search, export or count. kb.operations.privacy empties the trash after
RETENTION_DELETED_DAYS and erases persons from it.
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
