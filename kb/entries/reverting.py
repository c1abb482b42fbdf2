"""An old version comes back as a new one, with all checks of today."""

from __future__ import annotations

from django.db import transaction

from kb import audit
from kb.entries import rights
from kb.entries.content import lay
from kb.entries.moving import require_words
from kb.entries.writing import locked, touch
from kb.models import Act, Deed, Entry, Revision, Right, User


@transaction.atomic
def revert(
    revision: Revision, *, by: User | None, based_on: int, note: str = ""
) -> tuple[Entry, list[str]]:
    """Let the entry say what it said in `revision`; its state stays as it is.

    Return it, and the names of what is not there any more (a deleted tag).
    Raises ValidationError, also when somebody saved since version `based_on`.
    """
    entry = locked(revision.entry, based_on=based_on)
    rights.require(Right.WRITE, entry.category_id, by=by)
    rights.require_own_hand(entry, by=by)
    lost = lay(entry, revision.content)
    rights.require_remit(Right.WRITE, entry.category_id, by=by)
    if entry.status == Entry.Status.PUBLISHED:
        require_words(entry)
    told = f"恢复到第 {revision.version} 版"
    note = f"{told}：{note}" if note else told
    entry = touch(entry, by=by, act=Act.REVERTED, note=note)
    audit.note(Deed.Act.REVERTED, f"「{entry}」#{entry.pk} {told}", by=by)
    return entry, lost
