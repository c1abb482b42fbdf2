"""Write many checked entries at once, for an import."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from typing import Any

from django.core.exceptions import ValidationError
from django.db.models import Model
from django.utils import timezone

from kb.library.entries import entry_rights, revision_history
from kb.models import (
    CategoryRight,
    Entry,
    Phrasing,
    Reply,
    ReplyRevision,
    Review,
    Tag,
    User,
    category_permission,
    require_no_personal_data,
)

OWN_IMPORT_MESSAGE = "导入的内容要由别人审核才能发布，请把状态改为「待审核」再导入。"
StatusAndCategory = tuple[str, int | None]  # status and category id of an entry


def store_entries(
    new: Collection[Entry],
    changed: Collection[Entry],
    *,
    replies: Collection[Reply] = (),
    phrasings: Collection[Phrasing] = (),
    tags: Iterable[tuple[Entry, Tag]] = (),
    by: User | None,
) -> None:
    """Write entries in bulk that were cleaned and have their derived columns set.

    `replies` may be new or changed, `phrasings` and `tags` are added. No signal
    is sent: the caller marks the entries for the index, in the same transaction.
    Raises ValidationError for a phrasing with personal data, and for an entry that
    `by` may not write; None is the operator.
    """
    for phrasing in phrasings:  # bulk_create checks nothing
        require_no_personal_data(phrasing.text)
    _prepare_bulk_write(new, changed, by=by)
    for reply in replies:
        reply.update_derived_columns()
    Entry.objects.bulk_create(new, batch_size=500)
    _upsert_rows(Entry, changed, excluded={"id", "created_at", "created_by"})
    changed_replies = [reply for reply in replies if reply.pk]
    Reply.objects.bulk_create(
        [reply for reply in replies if not reply.pk], batch_size=500
    )
    _store_reply_revisions(changed_replies)
    _upsert_rows(Reply, changed_replies, excluded={"id"})
    Phrasing.objects.bulk_create(phrasings, batch_size=500)
    link = Entry.tags.through
    links = [link(entry_id=entry.pk, tag_id=tag.pk) for entry, tag in tags]
    link.objects.bulk_create(links, batch_size=500)
    revision_history.record_imported_revisions(changed, by=by)
    _sync_open_reviews([*new, *changed], by=by)


def _prepare_bulk_write(
    new: Collection[Entry], changed: Collection[Entry], *, by: User | None
) -> None:
    _require_import_rights(new, changed, by=by)
    revision_history.ensure_current_revisions(changed)
    for entry in new:
        entry.created_by = entry.updated_by = by
    for entry in changed:
        entry.version, entry.updated_by = entry.version + 1, by


def require_import_allowed(
    new: StatusAndCategory, old: StatusAndCategory | None, *, by: User
) -> None:
    """Raise ValidationError where `by` could not make the change in the admin either.

    `old` is the state before the import, None for a new entry. The codes are "remit"
    for a category outside of the user's permissions, "propose" where the entry is
    published and the user may only propose changes, and "own" where the user may not
    publish their own text.
    """
    status, category_id = new
    was_published = old is not None and old[0] == Entry.Status.PUBLISHED
    for required_id in dict.fromkeys([old[1] if old else category_id, category_id]):
        entry_rights.require_permitted_category(CategoryRight.WRITE, required_id, by=by)
    if old and was_published:
        entry_rights.require_direct_edit(
            Entry(status=old[0], category_id=old[1]), by=by
        )
        entry_rights.require_permitted_category(
            CategoryRight.PUBLISH, category_id, by=by
        )
    elif status == Entry.Status.PUBLISHED:
        entry_rights.require_permitted_category(
            CategoryRight.PUBLISH, category_id, by=by
        )
        if not entry_rights.can_approve_own_text(by, category_id):
            raise ValidationError(OWN_IMPORT_MESSAGE, code="own")


def _require_import_rights(
    new: Collection[Entry], changed: Collection[Entry], *, by: User | None
) -> None:
    if by is None:
        return
    # The file may have created categories since the permissions were cached.
    category_permission.clear_category_permissions(by)
    stored = _load_status_and_category(changed)
    changes = {
        ((entry.status, entry.category_id), stored.get(entry.pk))
        for entry in (*new, *changed)
    }
    for new_state, old_state in changes:
        require_import_allowed(new_state, old_state, by=by)


def _load_status_and_category(
    entries: Collection[Entry],
) -> dict[int | None, StatusAndCategory]:
    """Return {entry id: state} as it is in the database."""
    states: dict[int | None, StatusAndCategory] = {}
    for batch in _split_id_batches([entry.pk for entry in entries]):
        rows = Entry.objects.filter(pk__in=batch)
        for pk, status, category_id in rows.values_list("pk", "status", "category_id"):
            states[pk] = (status, category_id)
    return states


def _sync_open_reviews(written: Collection[Entry], *, by: User | None) -> None:
    """Open a review for each entry in review, and withdraw those of the other entries."""
    in_review = {
        entry.pk: entry for entry in written if entry.status == Entry.Status.REVIEW
    }
    draft_reviews = Review.open_reviews().filter(content__isnull=True)
    other_ids = [entry.pk for entry in written if entry.pk not in in_review]
    for batch in _split_id_batches(other_ids):
        draft_reviews.filter(entry__in=batch).update(
            state=Review.State.WITHDRAWN, judged_by=by, judged_at=timezone.now()
        )
    for batch in _split_id_batches(list(in_review)):
        reviewed_ids = set(
            draft_reviews.filter(entry__in=batch).values_list("entry_id", flat=True)
        )
        Review.objects.bulk_create(
            Review(entry=in_review[pk], base=in_review[pk].version, by=by)
            for pk in batch
            if pk not in reviewed_ids
        )


def _store_reply_revisions(changed: Collection[Reply]) -> None:
    """Record the old texts of `changed`, which Reply.save does for a single reply."""
    old_texts = dict(
        Reply.objects.filter(pk__in=[reply.pk for reply in changed]).values_list(
            "pk", "text"
        )
    )
    rows = [
        (reply.pk, old_texts[reply.pk])
        for reply in changed
        if old_texts[reply.pk] != reply.text
    ]
    ReplyRevision.objects.bulk_create(
        (ReplyRevision(reply_id=pk, text=text) for pk, text in rows), batch_size=500
    )


def _upsert_rows(
    model: type[Model], rows: Collection[Any], *, excluded: set[str]
) -> None:
    """Write all columns but `excluded` of existing rows.

    An upsert is used because the SQL of bulk_update contains all texts twice.
    """
    columns = [field.name for field in model._meta.concrete_fields]
    model._default_manager.bulk_create(
        rows,
        batch_size=500,
        update_conflicts=True,
        unique_fields=["id"],
        update_fields=[name for name in columns if name not in excluded],
    )


def _split_id_batches(ids: list[int]) -> Iterator[list[int]]:
    for start in range(0, len(ids), 500):
        yield ids[start : start + 500]
