"""The text of docs/permissions.md, written from the table of roles."""

from __future__ import annotations

from collections.abc import Iterator

from kb.accounts.roles import APP_LABEL, GRANTS, ROLES, codenames_of

INTRODUCTION = f"""\
# What each role may do

Written by `make docs` from `kb/accounts/roles.py`; change the table there, not this
file.

A role is a group of accounts. After every `migrate` (and `kb_setup`) the four groups
below get exactly these permissions: missing ones are added, others are removed. For
other combinations make a group of your own in the admin; such groups are left alone.
An account may be in several groups and may do what any of them may do.

- Superusers may do everything.
- To enter the admin an account also needs 工作人员状态 (`is_staff`).
- 职责范围 may hold a person or a group to some categories, for writing and for
  publishing apart. Without it a permission counts in all categories.
- Public pages need no account.

Permissions belong to the app `{APP_LABEL}`: `user.has_perm("{APP_LABEL}.read_library")`.
"""


def render_page() -> str:
    """Return the Markdown page: a row for each task, a column for each role."""
    return "\n".join([INTRODUCTION, *_table(), ""])


def _table() -> Iterator[str]:
    yield _row("Task", *ROLES, "Permissions")
    yield _row("---", *[":-:" for _ in ROLES], "---")
    for grant in GRANTS:
        marks = ["✓" if role in grant.roles else "" for role in ROLES]
        names = ", ".join(f"`{name}`" for name in grant.codenames.split())
        yield _row(grant.task, *marks, names)
    counts = [str(len(codenames_of(role))) for role in ROLES]
    yield _row("Number of permissions", *counts, "")


def _row(*cells: str) -> str:
    return f"| {' | '.join(cells)} |"
