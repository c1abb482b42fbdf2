"""The text of docs/permissions.md, written from the table of roles."""

from __future__ import annotations

from collections.abc import Iterator

from kb.accounts.roles import APP_LABEL, GRANTS, ROLES, get_codenames

INTRODUCTION = f"""\
# What each role may do

Written by `make docs` from `kb/accounts/roles.py`; change the table there, not this
file.

A role is a group of accounts. After every `migrate` (and `kb_setup`) the four groups
below get exactly these permissions: missing ones are added, others are removed. For
other combinations make a group of your own in the admin; such groups are not changed.
An account may be in several groups and may do what any of them may do.

- Superusers may do everything.
- To enter the admin an account also needs 工作人员状态 (`is_staff`).
- 职责范围 restricts a user or a group to some categories, separately for writing and
  for publishing. Without it a permission holds in all categories.
- Public pages need no account.

Permissions belong to the app `{APP_LABEL}`: `user.has_perm("{APP_LABEL}.read_library")`.
"""


def render_permissions_page() -> str:
    """Return the Markdown page: a row for each task, a column for each role."""
    return "\n".join([INTRODUCTION, *_iter_table_lines(), ""])


def _iter_table_lines() -> Iterator[str]:
    yield _format_row("Task", *ROLES, "Permissions")
    yield _format_row("---", *[":-:" for _ in ROLES], "---")
    for grant in GRANTS:
        marks = ["✓" if role in grant.roles else "" for role in ROLES]
        names = ", ".join(f"`{name}`" for name in grant.codenames.split())
        yield _format_row(grant.task, *marks, names)
    counts = [str(len(get_codenames(role))) for role in ROLES]
    yield _format_row("Number of permissions", *counts, "")


def _format_row(*cells: str) -> str:
    return f"| {' | '.join(cells)} |"
