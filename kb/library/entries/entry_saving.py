"""Columns, replies and phrasings are saved as versions; a stale save is refused."""

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

    `based_on` is the version that the change was made on; when somebody has
    saved since, nothing is written. `note` says why. Raises ValidationError.
    Who writes replies or phrasings along with it calls `complete` in the end.
    What is published is changed by who may publish; others `propose`.
    """
    act = RevisionAction.EDITED
    if entry.pk is None:
        entry.created_by, entry.status, act = (
            by,
            Entry.Status.DRAFT,
            RevisionAction.CREATED,
        )
    else:
        now = lock_entry(entry, based_on=based_on)
        entry.version, entry.status = now.version + 1, now.status
        _require_edit_allowed(entry, now, by=by)
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


def _require_edit_allowed(entry: Entry, now: Entry, *, by: User | None) -> None:
    entry_rights.require_permitted_category(CategoryRight.WRITE, now.category_id, by=by)
    entry_rights.require_direct_edit(now, by=by)
    if entry.status == Entry.Status.PUBLISHED:
        _require_style_of_changes(entry, now)


def _require_style_of_changes(entry: Entry, now: Entry) -> None:
    """What is live must not be changed into what could not be published."""
    wider = entry.audience != now.audience
    question = entry.question if wider or entry.question != now.question else ""
    answer = entry.answer if wider or entry.answer != now.answer else ""
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
    """Make a new entry that only editors see, with its replies and phrasings."""
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
    """Change columns of an entry, unless somebody saved since `based_on`."""
    entry = Entry.objects.get(pk=entry.pk)
    for name, value in columns.items():
        setattr(entry, name, value)
    return save_entry(entry, by=by, based_on=based_on, note=note)


@transaction.atomic
def add_shared_reply(
    entry: Entry, reply: Reply, *, by: User | None, note: str = ""
) -> Entry:
    """Let `reply`, somebody's own so far, be the last of the entry's."""
    entry = lock_entry(entry)
    entry_rights.require_permitted_category(
        CategoryRight.WRITE, entry.category_id, by=by
    )
    entry_rights.require_direct_edit(entry, by=by)
    if entry.status == Entry.Status.PUBLISHED:
        body = [(f"「{reply.label}」", reply.body)]
        style_rules.require_publishable_style(
            entry, style_rules.list_form_texts("", "", body)
        )
    last = entry.replies.shared().aggregate(Max("order"))["order__max"]
    reply.entry, reply.order = entry, 0 if last is None else last + 1
    reply.full_clean()
    reply.save()
    return save_new_version(entry, by=by, act=RevisionAction.REPLY_ADOPTED, note=note)


@transaction.atomic
def remove_reply(
    entry: Entry, reply: Reply, *, by: User | None, based_on: int, note: str = ""
) -> Entry:
    """Undo `add_reply`: save `reply` as the caller set it, no longer the entry's.

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
    """Return the entry as it is, ours until the transaction ends, its version kept."""
    now = Entry.objects.select_for_update().get(pk=entry.pk)
    if based_on is not None and now.version != based_on:
        raise ValidationError(EDIT_CONFLICT_MESSAGE, code="conflict")
    revision_history.ensure_current_revision(now)
    return now


def save_new_version(
    entry: Entry,
    *,
    by: User | None,
    act: RevisionAction,
    note: str = "",
    judge: User | None = None,
) -> Entry:
    """Save `entry` as a new version, so that caches, index and history notice."""
    entry.version += 1
    entry.updated_by = by
    entry.full_clean()
    entry.save()
    revision_history.record_revision(entry, by=by, act=act, note=note, judge=judge)
    return entry


def create_phrasing(
    entry: Entry, text: str, *, question: Question | None = None
) -> Phrasing | None:
    """Keep `text` as a phrasing, unless it says nothing new.

    Raises ValidationError for personal data, which everybody would read.
    """
    text = normalize.clean_single_line(text)[:200]
    key = normalize.compute_spelling_key(text)
    if key == entry.question_key or entry.phrasings.filter(text_key=key).exists():
        return None
    phrasing = Phrasing(entry=entry, text=text, text_key=key, question=question)
    phrasing.full_clean()
    phrasing.save()
    return phrasing
