"""Draft, revise, review, publish and retire entries: their only writer."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import Any

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.db.models import Model
from django.utils import timezone

from kb import triage
from kb.models import Entry, Phrasing, Question, Reply, ReplyRevision, Tag, User
from kb.text import normalize

Status = Entry.Status
CONFLICT = "有人先保存了这条内容。您的修改还在本页，请对照最新内容后再保存。"


@transaction.atomic
def put(entry: Entry, *, by: User | None, based_on: int | None = None) -> Entry:
    """Save the columns of `entry`, new or changed, except its status.

    `based_on` is the version that the change was made on; when somebody has
    saved since, nothing is written. Raises ValidationError.
    """
    if entry.pk is None:
        entry.created_by, entry.status = by, Status.DRAFT
    else:
        now = _locked(entry, based_on=based_on)
        entry.version, entry.status = now.version + 1, now.status
    entry.updated_by = by
    entry.full_clean()
    entry.save()
    return entry


@transaction.atomic
def draft(
    question: str,
    *,
    by: User | None,
    replies: Iterable[Reply] = (),
    phrasings: Iterable[str] = (),
    **columns: Any,
) -> Entry:
    """Make a new entry that only editors see, with its replies and phrasings."""
    entry = put(Entry(question=question, **columns), by=by)
    for order, reply in enumerate(replies):
        reply.entry, reply.order = entry, order
        reply.full_clean()
        reply.save()
    for text in phrasings:
        _add_phrasing(entry, text)
    return entry


def revise(entry: Entry, *, by: User | None, based_on: int, **columns: Any) -> Entry:
    """Change columns of an entry, unless somebody saved since `based_on`."""
    entry = Entry.objects.get(pk=entry.pk)
    for name, value in columns.items():
        setattr(entry, name, value)
    return put(entry, by=by, based_on=based_on)


@transaction.atomic
def add_phrasing(entry: Entry, text: str, *, by: User | None) -> Entry:
    """Keep `text` as a phrasing; an entry that says so already stays as it is."""
    entry = _locked(entry)
    return _touch(entry, by=by) if _add_phrasing(entry, text) else entry


# Where questions become entries ----------------------------------------------


@transaction.atomic
def absorb(
    entry: Entry, *, question: Question, by: User | None, phrasing: str | None = None
) -> Entry:
    """Count `question` to `entry` and keep its wording as a phrasing.

    `phrasing` is the wording to keep; None keeps the question's own, "" none.
    """
    entry = _locked(entry)
    question = triage.settle(question, entry=entry, by=by)
    text = question.text if phrasing is None else phrasing
    if text.strip():
        _add_phrasing(entry, text, question=question)
    return _touch(entry, by=by)


@transaction.atomic
def draft_from(question: Question, /, *, by: User | None, **columns: Any) -> Entry:
    """Make a draft of an answered question: its answer becomes both faces."""
    question = triage.locked(question, Question.Status.ANSWERED, by=by)
    columns.setdefault("question", normalize.line(question.text)[:200])
    columns.setdefault("answer", question.answer)
    columns.setdefault("module", question.module)
    columns.setdefault("replies", [Reply(body=question.answer[:4000])])
    entry = draft(by=by, **columns)
    triage.settle(question, entry=entry, by=by)
    return entry


@transaction.atomic
def release(question: Question, *, by: User | None) -> Question:
    """Undo `absorb`, `draft_from` or a decline: back to the inbox.

    The phrasing that came with it goes; so does a draft that nobody has
    touched since it was made from this very question.
    """
    entry = question.entry
    question = triage.reopen(question, by=by)
    if entry is None:
        return question
    entry = _locked(entry)
    Phrasing.objects.filter(entry=entry, question=question).delete()
    untouched = entry.version == 1 and entry.status == Status.DRAFT
    if untouched and not entry.questions.exists():
        entry.delete()
    else:
        _touch(entry, by=by)
    return question


# Life of an entry ------------------------------------------------------------


def submit(entry: Entry, *, by: User | None) -> Entry:
    """Draft → in review."""
    return _move(entry, {Status.DRAFT}, Status.REVIEW, by=by)


def send_back(entry: Entry, *, by: User | None) -> Entry:
    """In review → draft."""
    return _move(entry, {Status.REVIEW}, Status.DRAFT, by=by, needs="publish_entry")


def publish(entry: Entry, *, by: User | None) -> Entry:
    """Draft or in review → published: found by all who may read it."""
    ready = {Status.DRAFT, Status.REVIEW}
    return _move(entry, ready, Status.PUBLISHED, by=by, needs="publish_entry")


def retire(entry: Entry, *, by: User | None) -> Entry:
    """Any live state → retired: found by nobody, kept for history."""
    live = {Status.DRAFT, Status.REVIEW, Status.PUBLISHED}
    return _move(entry, live, Status.RETIRED, by=by, needs="publish_entry")


def restore(entry: Entry, *, by: User | None) -> Entry:
    """Retired → draft."""
    return _move(entry, {Status.RETIRED}, Status.DRAFT, by=by, needs="publish_entry")


@transaction.atomic
def _move(
    entry: Entry,
    allowed: set[Entry.Status],
    status: Entry.Status,
    *,
    by: User | None,
    needs: str = "change_entry",
) -> Entry:
    if by is not None and not by.has_perm(f"kb.{needs}"):
        raise PermissionDenied("您没有这个操作的权限。")
    entry = _locked(entry)
    if entry.status not in allowed:
        state = Status(entry.status).label
        raise ValidationError(
            f"「{entry}」现在是「{state}」，不能改为「{status.label}」。", code="state"
        )
    if status == Status.PUBLISHED:
        _require_words(entry)
        entry.published_at = timezone.now()
    entry.status = status
    return _touch(entry, by=by)


def _require_words(entry: Entry) -> None:
    """An entry that says nothing to its readers is not worth finding."""
    if entry.audience == Entry.Audience.PUBLIC and not entry.answer:
        raise ValidationError(f"「{entry}」没有 FAQ 答案，不能公开发布。")
    if not entry.answer and not entry.replies.shared().exists():
        raise ValidationError(f"「{entry}」既没有 FAQ 答案也没有话术，不能发布。")


def _locked(entry: Entry, *, based_on: int | None = None) -> Entry:
    now = Entry.objects.select_for_update().get(pk=entry.pk)
    if based_on is not None and now.version != based_on:
        raise ValidationError(CONFLICT, code="conflict")
    return now


def _touch(entry: Entry, *, by: User | None) -> Entry:
    """Save `entry` as a new version, so that caches and the index notice."""
    entry.version += 1
    entry.updated_by = by
    entry.full_clean()
    entry.save()
    return entry


def _add_phrasing(
    entry: Entry, text: str, *, question: Question | None = None
) -> Phrasing | None:
    """Keep `text` as a phrasing, unless it says nothing new."""
    text = normalize.line(text)[:200]
    key = normalize.key(text)
    if key == entry.question_key or entry.phrasings.filter(text_key=key).exists():
        return None
    phrasing = Phrasing(entry=entry, text=text, text_key=key, question=question)
    phrasing.full_clean()
    phrasing.save()
    return phrasing


# In bulk ---------------------------------------------------------------------


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
    """
    for entry in new:
        entry.created_by = entry.updated_by = by
    for entry in changed:
        entry.version, entry.updated_by = entry.version + 1, by
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
