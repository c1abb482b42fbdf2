"""Many entries at once, for an import that has checked them all."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from typing import Any

from django.core.exceptions import ValidationError
from django.db.models import Model
from django.utils import timezone

from kb.entries import history, rights
from kb.models import (
    Entry,
    Phrasing,
    Reply,
    ReplyRevision,
    Review,
    Right,
    Tag,
    User,
    remit,
    require_no_personal_data,
)

OWN = "导入的内容要由别人审核才能发布，请把状态改为「待审核」再导入。"
Footing = tuple[str, int | None]  # the status of an entry, and its category


def store(
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
    _begin(new, changed, by=by)
    for reply in replies:
        reply.derive()
    Entry.objects.bulk_create(new, batch_size=500)
    _overwrite(Entry, changed, apart={"id", "created_at", "created_by"})
    Reply.objects.bulk_create([one for one in replies if not one.pk], batch_size=500)
    _keep_revisions([one for one in replies if one.pk])
    _overwrite(Reply, [one for one in replies if one.pk], apart={"id"})
    Phrasing.objects.bulk_create(phrasings, batch_size=500)
    link = Entry.tags.through
    links = [link(entry_id=entry.pk, tag_id=tag.pk) for entry, tag in tags]
    link.objects.bulk_create(links, batch_size=500)
    history.keep_all(changed, by=by)
    _keep_reviews([*new, *changed], by=by)


def _begin(
    new: Collection[Entry], changed: Collection[Entry], *, by: User | None
) -> None:
    _require_rights(new, changed, by=by)
    history.begin_all(changed)
    for entry in new:
        entry.created_by = entry.updated_by = by
    for entry in changed:
        entry.version, entry.updated_by = entry.version + 1, by


def require_by_file(now: Footing, was: Footing | None, *, by: User) -> None:
    """Raise ValidationError where `by` could not do so by hand either.

    `was` is how an entry stood before, None for a new one. The code is "remit",
    "propose" where it is live and he may only propose, or "own".
    """
    status, place = now
    live = was is not None and was[0] == Entry.Status.PUBLISHED
    for one in dict.fromkeys([was[1] if was else place, place]):
        rights.require_remit(Right.WRITE, one, by=by)
    if was and live:
        rights.require_own_hand(Entry(status=was[0], category_id=was[1]), by=by)
        rights.require_remit(Right.PUBLISH, place, by=by)
    elif status == Entry.Status.PUBLISHED:
        rights.require_remit(Right.PUBLISH, place, by=by)
        if not rights.judges_own(by, place):
            raise ValidationError(OWN, code="own")


def _require_rights(
    new: Collection[Entry], changed: Collection[Entry], *, by: User | None
) -> None:
    if by is None:
        return
    remit.forget(by)  # a file may have brought new categories
    before = _footing(changed)
    wanted = {
        ((entry.status, entry.category_id), before.get(entry.pk))
        for entry in (*new, *changed)
    }
    for now, was in wanted:
        require_by_file(now, was, by=by)


def _footing(entries: Collection[Entry]) -> dict[int | None, Footing]:
    """Return how entries stand in the database."""
    found: dict[int | None, Footing] = {}
    for some in _parts([entry.pk for entry in entries]):
        rows = Entry.objects.filter(pk__in=some)
        for pk, status, place in rows.values_list("pk", "status", "category_id"):
            found[pk] = (status, place)
    return found


def _keep_reviews(written: Collection[Entry], *, by: User | None) -> None:
    """Open a review for what waits for one, and end those of what does no more."""
    reviewed = {one.pk: one for one in written if one.status == Entry.Status.REVIEW}
    mine = Review.waiting().filter(content__isnull=True)
    done = [one.pk for one in written if one.pk not in reviewed]
    for some in _parts(done):
        mine.filter(entry__in=some).update(
            state=Review.State.WITHDRAWN, judged_by=by, judged_at=timezone.now()
        )
    for some in _parts(list(reviewed)):
        held = set(mine.filter(entry__in=some).values_list("entry_id", flat=True))
        Review.objects.bulk_create(
            Review(entry=reviewed[pk], base=reviewed[pk].version, by=by)
            for pk in some
            if pk not in held
        )


def _keep_revisions(changed: Collection[Reply]) -> None:
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


def _overwrite(model: type[Model], rows: Collection[Any], *, apart: set[str]) -> None:
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


def _parts(ids: list[int]) -> Iterator[list[int]]:
    for start in range(0, len(ids), 500):
        yield ids[start : start + 500]
