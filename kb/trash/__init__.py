"""The trash: what is deleted in the admin can be restored for some days.

`delete` deletes a row and keeps it with everything that goes along; `restore` puts
all of it back under the same primary keys. Nothing else reads these rows: what is in
the trash is in no list, search, export or count. kb.privacy empties the trash after
RETENTION_DELETED_DAYS and erases persons from it.
"""

from __future__ import annotations

from kb.trash.collecting import collect_rows
from kb.trash.deleting import delete, describe_period
from kb.trash.restoring import load_row, restore, restore_all

__all__ = [
    "collect_rows",
    "delete",
    "describe_period",
    "load_row",
    "restore",
    "restore_all",
]
