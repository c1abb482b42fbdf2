"""Save entries as versions; a save that is based on an old version is a conflict."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import Max

from kb.language import style_rules
from kb.library.entries import entry_rights, revision_history
from kb.models import (
    CategoryRight,
    Entry,
    Phrasing,
    Question,
    Reply,
    RevisionAction,
    User,
)
from kb.text.chinese import normalize

EDIT_CONFLICT_MESSAGE = (
    "有人先保存了这条内容。您的修改还在本页，请对照最新内容后再保存。"
)


@transaction.atomic
def save_entry(
    entry: Entry,
    *,
    by: User | None,
    based_on: int | None = None,
    note: str = "",
) -> Entry:
    """Save the columns of `entry`, new or changed, except its status.

    `based_on` is the version that the user edited; a newer one raises ValidationError,
    code "conflict". `note` is the reason for the change. A published entry can be
    saved only by users who may publish; others call `propose_change`. A caller that
    writes replies or phrasings afterwards ends with `refresh_revision_content`.
    Raises ValidationError.
    """
    act = RevisionAction.EDITED
    if entry.pk is None:
        entry.created_by, entry.status, act = (
            by,
            Entry.Status.DRAFT,
            RevisionAction.CREATED,
        )
    else:
        stored = lock_entry(entry, based_on=based_on)
        entry.version, entry.status = stored.version + 1, stored.status
        _require_edit_allowed(entry, stored, by=by)
    entry_rights.require_permitted_category(
        CategoryRight.WRITE, entry.category_id, by=by
    )
    if entry.status == Entry.Status.PUBLISHED:
        entry_rights.require_permitted_category(
            CategoryRight.PUBLISH, entry.category_id, by=by
        )
    entry.updated_by = by
    entry.full_clean()
    entry.save()
    revision_history.record_revision(entry, by=by, act=act, note=note)
    return entry


def _require_edit_allowed(entry: Entry, stored: Entry, *, by: User | None) -> None:
    entry_rights.require_permitted_category(
        CategoryRight.WRITE, stored.category_id, by=by
    )
    entry_rights.require_direct_edit(stored, by=by)
    if entry.status == Entry.Status.PUBLISHED:
        _require_style_of_changes(entry, stored)


def _require_style_of_changes(entry: Entry, stored: Entry) -> None:
    """Raise ValidationError where a changed text of a published entry breaks a rule."""
    has_new_audience = entry.audience != stored.audience
    question = (
        entry.question if has_new_audience or entry.question != stored.question else ""
    )
    answer = entry.answer if has_new_audience or entry.answer != stored.answer else ""
    style_rules.require_publishable_style(
        entry, style_rules.list_form_texts(question, answer)
    )


@transaction.atomic
def create_draft(
    question: str,
    *,
    by: User | None,
    replies: Iterable[Reply] = (),
    phrasings: Iterable[str] = (),
    **columns: Any,
) -> Entry:
    """Create a draft with its replies and phrasings. Raises ValidationError."""
    entry = save_entry(Entry(question=question, **columns), by=by)
    for order, reply in enumerate(replies):
        reply.entry, reply.order = entry, order
        reply.full_clean()
        reply.save()
    for text in phrasings:
        create_phrasing(entry, text)
    revision_history.refresh_revision_content(entry)
    return entry


def update_entry(
    entry: Entry, *, by: User | None, based_on: int, note: str = "", **columns: Any
) -> Entry:
    """Set columns of an entry and save it; see `save_entry`."""
    entry = Entry.objects.get(pk=entry.pk)
    for name, value in columns.items():
        setattr(entry, name, value)
    return save_entry(entry, by=by, based_on=based_on, note=note)


@transaction.atomic
def add_shared_reply(
    entry: Entry, reply: Reply, *, by: User | None, note: str = ""
) -> Entry:
    """Make `reply`, so far a private one, the last shared reply of `entry`."""
    entry = lock_entry(entry)
    entry_rights.require_permitted_category(
        CategoryRight.WRITE, entry.category_id, by=by
    )
    entry_rights.require_direct_edit(entry, by=by)
    if entry.status == Entry.Status.PUBLISHED:
        reply_texts = [(f"「{reply.label}」", reply.body)]
        style_rules.require_publishable_style(
            entry, style_rules.list_form_texts("", "", reply_texts)
        )
    last_order = entry.replies.shared().aggregate(Max("order"))["order__max"]
    reply.entry, reply.order = entry, 0 if last_order is None else last_order + 1
    reply.full_clean()
    reply.save()
    return save_new_version(entry, by=by, act=RevisionAction.REPLY_ADOPTED, note=note)


@transaction.atomic
def remove_reply(
    entry: Entry, reply: Reply, *, by: User | None, based_on: int, note: str = ""
) -> Entry:
    """Undo `add_shared_reply`: save `reply` as the caller set it, private again.

    Raises ValidationError, code "conflict", where the entry was saved since `based_on`.
    """
    entry = lock_entry(entry, based_on=based_on)
    entry_rights.require_permitted_category(
        CategoryRight.WRITE, entry.category_id, by=by
    )
    entry_rights.require_direct_edit(entry, by=by)
    reply.full_clean()
    reply.save()
    return save_new_version(entry, by=by, act=RevisionAction.REPLY_ADOPTED, note=note)


def lock_entry(entry: Entry, *, based_on: int | None = None) -> Entry:
    """Return the stored entry, locked until the transaction ends.

    Its current version is recorded if it was not. Raises ValidationError, code
    "conflict", where the version is not `based_on`.
    """
    locked = Entry.objects.select_for_update().get(pk=entry.pk)
    if based_on is not None and locked.version != based_on:
        raise ValidationError(EDIT_CONFLICT_MESSAGE, code="conflict")
    revision_history.ensure_current_revision(locked)
    return locked


def save_new_version(
    entry: Entry,
    *,
    by: User | None,
    act: RevisionAction,
    note: str = "",
    judge: User | None = None,
) -> Entry:
    """Save `entry` as a new version, which also updates caches and the index."""
    entry.version += 1
    entry.updated_by = by
    entry.full_clean()
    entry.save()
    revision_history.record_revision(entry, by=by, act=act, note=note, judge=judge)
    return entry


def create_phrasing(
    entry: Entry, text: str, *, question: Question | None = None
) -> Phrasing | None:
    """Create a phrasing; return None if the entry has an equal question or phrasing.

    Raises ValidationError, also for personal data, because phrasings are public.
    """
    text = normalize.clean_single_line(text)[:200]
    key = normalize.compute_spelling_key(text)
    if key == entry.question_key or entry.phrasings.filter(text_key=key).exists():
        return None
    phrasing = Phrasing(entry=entry, text=text, text_key=key, question=question)
    phrasing.full_clean()
    phrasing.save()
    return phrasing
