"""Entries in 繁體: said once when they change, kept, and worn when they are read."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterable

from django.db import transaction
from django.db.models import F

from kb import content, scripts
from kb.models import Category, Entry, Face, Tag
from kb.models.entry import EXCERPT_LENGTH, shorten
from kb.text import markdown

BATCH = 200  # entries
LONG = ("answer_html", "answer_text")
SAID = ("question", "answer_html", "answer_text", "excerpt", "version", "said_by")


_WORN = ("entry", "version", "question", "excerpt", "own_question", "own_answer")


def source(entry: Entry) -> str:
    """Return what tells whether the original has changed."""
    text = f"{entry.question}\0{entry.answer}"
    return hashlib.blake2b(text.encode(), digest_size=16).hexdigest()


@transaction.atomic
def keep(entry_ids: Iterable[int]) -> None:
    """Say these entries anew, as they are now; what editors wrote stays theirs."""
    wanted = list(entry_ids)
    for start in range(0, len(wanted), BATCH):
        some = wanted[start : start + BATCH]
        held = {face.entry_id: face for face in _locked(some)}
        entries = Entry.objects.filter(pk__in=some)
        Face.objects.bulk_create(
            [_derive(held.get(entry.pk) or Face(), entry) for entry in entries],
            update_conflicts=True,
            unique_fields=["entry"],
            update_fields=[*SAID, "behind"],
        )


def catch_up() -> int:
    """Say what is missing or was said otherwise; return how many entries."""
    right = Face.objects.filter(
        version=F("entry__version"), said_by=scripts.edition()
    ).values("entry")
    behind = list(Entry.objects.exclude(pk__in=right).values_list("pk", flat=True))
    keep(behind)
    if behind:
        content.raise_edition(Face)
    for one in (*Category.objects.all(), *Tag.objects.all()):
        if one.hant != scripts.hant_of(one.name):
            one.save(update_fields=["hant"])
    return len(behind)


@transaction.atomic
def write(face: Face, *, question: str, answer: str) -> Face:
    """Put an editor's words over the conversion; empty ones give it back.

    For operators and tests: people write through `kb.entries.translate`.
    """
    return put_own(Entry.objects.get(pk=face.entry_id), question, answer)


def put_own(entry: Entry, question: str, answer: str) -> Face:
    """Let `entry`, as it stands in memory, have this translation by hand.

    The caller has locked the entry, asked who may, and makes its new version.
    Raises ValidationError.
    """
    face = next(iter(_locked([entry.pk])), None) or Face(entry=entry)
    face.own_question, face.own_answer = question, answer
    face.full_clean(exclude=["question", "said_by"])  # derived below
    face.own_source = source(entry) if face.is_own else ""
    _derive(face, entry).save()
    return face


def wear(entries: Iterable[Entry]) -> None:
    """Let `entries` be read in the script of the page: for showing, never to be saved.

    One query, and none in 简体. What is not kept yet is said on the spot.
    """
    shown = list(entries)
    if not (scripts.is_hant() and shown):
        return
    whole = {id(one) for one in shown if not _is_listed(one)}
    columns = (*_WORN, *LONG) if whole else _WORN
    kept = Face.objects.filter(entry__in={one.pk for one in shown}).only(*columns)
    faces = {face.entry_id: face for face in kept}
    for entry in shown:
        long = LONG if id(entry) in whole else ()
        face = faces.get(entry.pk)
        if face is None or face.version != entry.version:
            face = said(entry, own=face, long=bool(long))
        for name in ("question", "excerpt", *long):
            setattr(entry, name, getattr(face, name))
        entry.worn = True
        if "category" in entry._state.fields_cache and entry.category:
            dress(entry.category)


def dress(*named: Category | Tag) -> None:
    """Let categories or tags be read in the script of the page, as `wear` does."""
    if scripts.is_hant():
        for one in named:
            if isinstance(one, Category):
                one.in_hans = one.in_hans or one.name
            one.name = one.own_hant or one.hant or scripts.hant_of(one.name)


def _is_listed(entry: Entry) -> bool:
    """Tell whether the entry was read without its answer."""
    return "answer_html" in entry.get_deferred_fields()


def _locked(entry_ids: Collection[int]) -> list[Face]:
    rows = Face.objects.select_for_update(of=("self",)).select_related("entry")
    return list(rows.filter(entry__in=entry_ids))


def _derive(face: Face, entry: Entry) -> Face:
    fresh = said(entry, own=face)
    for name in SAID:
        setattr(face, name, getattr(fresh, name))
    face.entry = entry
    face.behind = face.is_own and face.own_source != source(entry)
    return face


def said(entry: Entry, own: Face | None = None, *, long: bool = True) -> Face:
    """Return a face made now, of the editor's words where there are some."""
    question = (own and own.own_question) or scripts.hant_of(entry.question)
    face = Face(question=question[:240], version=entry.version)
    face.said_by = scripts.edition()
    if not long:
        face.excerpt = scripts.hant_of(entry.excerpt)[:EXCERPT_LENGTH]
        return face
    if own and own.own_answer:
        face.answer_html = markdown.render(own.own_answer)
    else:
        face.answer_html = markdown.render(entry.answer, scripts.hant_of)
    face.answer_text = markdown.plain(face.answer_html)
    face.excerpt = shorten(face.answer_text, EXCERPT_LENGTH)
    return face
