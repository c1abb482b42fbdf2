"""Many entries at once, for an import that has checked them all."""

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
StatusAndCategory = tuple[str, int | None]  # the status of an entry, and its category


def store_entries(
    new: Collection[Entry],
    changed: Collection[Entry],
    *,
    replies: Collection[Reply] = (),
    phrasings: Collection[Phrasing] = (),
    tags: Iterable[tuple[Entry, Tag]] = (),
    by: User | None,
) -> None:
    """Write clean, derived entries in bulk, for an import that has checked them all.

    `replies` may be new or changed, `phrasings` and `tags` are added. No signal
    is sent: the caller marks the entries for the index, in the same transaction.
    Raises ValidationError for a phrasing with personal data.
    """
    for phrasing in phrasings:  # bulk_create checks nothing
        require_no_personal_data(phrasing.text)
    _prepare_bulk_write(new, changed, by=by)
    for reply in replies:
        reply.update_derived_columns()
    Entry.objects.bulk_create(new, batch_size=500)
    _upsert_rows(Entry, changed, apart={"id", "created_at", "created_by"})
    Reply.objects.bulk_create([one for one in replies if not one.pk], batch_size=500)
    _store_reply_revisions([one for one in replies if one.pk])
    _upsert_rows(Reply, [one for one in replies if one.pk], apart={"id"})
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
    now: StatusAndCategory, was: StatusAndCategory | None, *, by: User
) -> None:
    """Raise ValidationError where `by` could not do so by hand either.

    `was` is how an entry stood before, None for a new one. The code is "remit",
    "propose" where it is live and he may only propose, or "own".
    """
    status, place = now
    live = was is not None and was[0] == Entry.Status.PUBLISHED
    for one in dict.fromkeys([was[1] if was else place, place]):
        entry_rights.require_permitted_category(CategoryRight.WRITE, one, by=by)
    if was and live:
        entry_rights.require_direct_edit(
            Entry(status=was[0], category_id=was[1]), by=by
        )
        entry_rights.require_permitted_category(CategoryRight.PUBLISH, place, by=by)
    elif status == Entry.Status.PUBLISHED:
        entry_rights.require_permitted_category(CategoryRight.PUBLISH, place, by=by)
        if not entry_rights.can_approve_own_words(by, place):
            raise ValidationError(OWN_IMPORT_MESSAGE, code="own")


def _require_import_rights(
    new: Collection[Entry], changed: Collection[Entry], *, by: User | None
) -> None:
    if by is None:
        return
    category_permission.clear_category_permissions(
        by
    )  # a file may have brought new categories
    before = _load_status_and_category(changed)
    wanted = {
        ((entry.status, entry.category_id), before.get(entry.pk))
        for entry in (*new, *changed)
    }
    for now, was in wanted:
        require_import_allowed(now, was, by=by)


def _load_status_and_category(
    entries: Collection[Entry],
) -> dict[int | None, StatusAndCategory]:
    """Return how entries stand in the database."""
    found: dict[int | None, StatusAndCategory] = {}
    for some in _split_id_batches([entry.pk for entry in entries]):
        rows = Entry.objects.filter(pk__in=some)
        for pk, status, place in rows.values_list("pk", "status", "category_id"):
            found[pk] = (status, place)
    return found


def _sync_open_reviews(written: Collection[Entry], *, by: User | None) -> None:
    """Open a review for what waits for one, and end those of what does no more."""
    reviewed = {one.pk: one for one in written if one.status == Entry.Status.REVIEW}
    mine = Review.open_reviews().filter(content__isnull=True)
    done = [one.pk for one in written if one.pk not in reviewed]
    for some in _split_id_batches(done):
        mine.filter(entry__in=some).update(
            state=Review.State.WITHDRAWN, judged_by=by, judged_at=timezone.now()
        )
    for some in _split_id_batches(list(reviewed)):
        held = set(mine.filter(entry__in=some).values_list("entry_id", flat=True))
        Review.objects.bulk_create(
            Review(entry=reviewed[pk], base=reviewed[pk].version, by=by)
            for pk in some
            if pk not in held
        )


def _store_reply_revisions(changed: Collection[Reply]) -> None:
    """Reply.save does it for one; here many are about to be written."""
    said = dict(
        Reply.objects.filter(pk__in=[one.pk for one in changed]).values_list(
            "pk", "text"
        )
    )
    rows = [(one.pk, said[one.pk]) for one in changed if said[one.pk] != one.text]
    ReplyRevision.objects.bulk_create(
        (ReplyRevision(reply_id=pk, text=text) for pk, text in rows), batch_size=500
    )


def _upsert_rows(model: type[Model], rows: Collection[Any], *, apart: set[str]) -> None:
    """Write all columns but `apart` of rows that exist.

    An upsert: bulk_update spells out each row's texts once more, as SQL.
    """
    columns = [field.name for field in model._meta.concrete_fields]
    model._default_manager.bulk_create(
        rows,
        batch_size=500,
        update_conflicts=True,
        unique_fields=["id"],
        update_fields=[name for name in columns if name not in apart],
    )


def _split_id_batches(ids: list[int]) -> Iterator[list[int]]:
    for start in range(0, len(ids), 500):
        yield ids[start : start + 500]
