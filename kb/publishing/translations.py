"""Entries in 繁體: said once when they change, kept, and worn when they are read."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterable

from django.db import transaction
from django.db.models import F

from kb.models import Category, Entry, EntryTranslation, Tag
from kb.models.entry import MAX_EXCERPT_CHARS, shorten_text
from kb.publishing import edition, locale_prefix
from kb.text.markup import markdown

TRANSLATION_BATCH_ENTRIES = 200  # entries
ANSWER_COLUMNS = ("answer_html", "answer_text")
CONVERTED_COLUMNS = (
    "question",
    "answer_html",
    "answer_text",
    "excerpt",
    "version",
    "said_by",
)


_LIST_TRANSLATION_COLUMNS = (
    "entry",
    "version",
    "question",
    "excerpt",
    "own_question",
    "own_answer",
)


def compute_source_digest(entry: Entry) -> str:
    """Return what tells whether the original has changed."""
    text = f"{entry.question}\0{entry.answer}"
    return hashlib.blake2b(text.encode(), digest_size=16).hexdigest()


@transaction.atomic
def store_translations(entry_ids: Iterable[int]) -> None:
    """Say these entries anew, as they are now; what editors wrote stays theirs."""
    wanted = list(entry_ids)
    for start in range(0, len(wanted), TRANSLATION_BATCH_ENTRIES):
        some = wanted[start : start + TRANSLATION_BATCH_ENTRIES]
        held = {face.entry_id: face for face in _lock_translations(some)}
        entries = Entry.objects.filter(pk__in=some)
        EntryTranslation.objects.bulk_create(
            [
                _fill_converted_columns(held.get(entry.pk) or EntryTranslation(), entry)
                for entry in entries
            ],
            update_conflicts=True,
            unique_fields=["entry"],
            update_fields=[*CONVERTED_COLUMNS, "behind"],
        )


def refresh_outdated_translations() -> int:
    """Say what is missing or was said otherwise; return how many entries."""
    right = EntryTranslation.objects.filter(
        version=F("entry__version"), said_by=locale_prefix.get_conversion_edition()
    ).values("entry")
    behind = list(Entry.objects.exclude(pk__in=right).values_list("pk", flat=True))
    store_translations(behind)
    if behind:
        edition.increment_edition(EntryTranslation)
    for one in (*Category.objects.all(), *Tag.objects.all()):
        if one.hant != locale_prefix.convert_to_traditional(one.name):
            one.save(update_fields=["hant"])
    return len(behind)


@transaction.atomic
def write_manual_translation(
    face: EntryTranslation, *, question: str, answer: str
) -> EntryTranslation:
    """Put an editor's words over the conversion; empty ones give it back.

    For operators and tests: people write through `kb.library.entries.translate_entry`.
    """
    return save_manual_translation(
        Entry.objects.get(pk=face.entry_id), question, answer
    )


def save_manual_translation(
    entry: Entry, question: str, answer: str
) -> EntryTranslation:
    """Let `entry`, as it stands in memory, have this translation by hand.

    The caller has locked the entry, asked who may, and makes its new version.
    Raises ValidationError.
    """
    face = next(iter(_lock_translations([entry.pk])), None) or EntryTranslation(
        entry=entry
    )
    face.own_question, face.own_answer = question, answer
    face.full_clean(exclude=["question", "said_by"])  # derived below
    face.own_source = compute_source_digest(entry) if face.is_hand_written else ""
    _fill_converted_columns(face, entry).save()
    return face


def apply_translations(entries: Iterable[Entry]) -> None:
    """Let `entries` be read in the script of the page: for showing, never to be saved.

    One query, and none in 简体. What is not kept yet is said on the spot.
    """
    shown = list(entries)
    if not (locale_prefix.is_traditional_page() and shown):
        return
    whole = {id(one) for one in shown if not _is_answer_deferred(one)}
    columns = (
        (*_LIST_TRANSLATION_COLUMNS, *ANSWER_COLUMNS)
        if whole
        else _LIST_TRANSLATION_COLUMNS
    )
    kept = EntryTranslation.objects.filter(entry__in={one.pk for one in shown}).only(
        *columns
    )
    faces = {face.entry_id: face for face in kept}
    for entry in shown:
        long = ANSWER_COLUMNS if id(entry) in whole else ()
        face = faces.get(entry.pk)
        if face is None or face.version != entry.version:
            face = build_translation(entry, own=face, long=bool(long))
        for name in ("question", "excerpt", *long):
            setattr(entry, name, getattr(face, name))
        entry.is_translated_copy = True
        if "category" in entry._state.fields_cache and entry.category:
            translate_names(entry.category)


def translate_names(*named: Category | Tag) -> None:
    """Let categories or tags be read in the script of the page, as `wear` does."""
    if locale_prefix.is_traditional_page():
        for one in named:
            if isinstance(one, Category):
                one.simplified_name = one.simplified_name or one.name
            one.name = (
                one.own_hant
                or one.hant
                or locale_prefix.convert_to_traditional(one.name)
            )


def _is_answer_deferred(entry: Entry) -> bool:
    """Tell whether the entry was read without its answer."""
    return "answer_html" in entry.get_deferred_fields()


def _lock_translations(entry_ids: Collection[int]) -> list[EntryTranslation]:
    rows = EntryTranslation.objects.select_for_update(of=("self",)).select_related(
        "entry"
    )
    return list(rows.filter(entry__in=entry_ids))


def _fill_converted_columns(face: EntryTranslation, entry: Entry) -> EntryTranslation:
    fresh = build_translation(entry, own=face)
    for name in CONVERTED_COLUMNS:
        setattr(face, name, getattr(fresh, name))
    face.entry = entry
    face.behind = face.is_hand_written and face.own_source != compute_source_digest(
        entry
    )
    return face


def build_translation(
    entry: Entry, own: EntryTranslation | None = None, *, long: bool = True
) -> EntryTranslation:
    """Return a face made now, of the editor's words where there are some."""
    question = (own and own.own_question) or locale_prefix.convert_to_traditional(
        entry.question
    )
    face = EntryTranslation(question=question[:240], version=entry.version)
    face.said_by = locale_prefix.get_conversion_edition()
    if not long:
        face.excerpt = locale_prefix.convert_to_traditional(entry.excerpt)[
            :MAX_EXCERPT_CHARS
        ]
        return face
    if own and own.own_answer:
        face.answer_html = markdown.render_markdown(own.own_answer)
    else:
        face.answer_html = markdown.render_markdown(
            entry.answer, locale_prefix.convert_to_traditional
        )
    face.answer_text = markdown.extract_plain_text(face.answer_html)
    face.excerpt = shorten_text(face.answer_text, MAX_EXCERPT_CHARS)
    return face
