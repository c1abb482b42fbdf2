"""Entries in 繁體: converted when they change, stored, and applied to what is shown."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterable

from django.db import transaction
from django.db.models import F

from kb.models import Category, Entry, EntryTranslation, Tag
from kb.models.entry import MAX_EXCERPT_CHARS, shorten_text
from kb.publishing import edition, locale_prefix
from kb.text.markup import markdown

TRANSLATION_BATCH_ENTRIES = 200
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
    """Return a digest of the original texts, as 32 hexadecimal digits."""
    text = f"{entry.question}\0{entry.answer}"
    return hashlib.blake2b(text.encode(), digest_size=16).hexdigest()


@transaction.atomic
def store_translations(entry_ids: Iterable[int]) -> None:
    """Convert these entries again, as they are now; texts of editors are kept."""
    ids = list(entry_ids)
    for start in range(0, len(ids), TRANSLATION_BATCH_ENTRIES):
        batch = ids[start : start + TRANSLATION_BATCH_ENTRIES]
        stored = {row.entry_id: row for row in _lock_translations(batch)}
        EntryTranslation.objects.bulk_create(
            [
                _fill_converted_columns(
                    stored.get(entry.pk) or EntryTranslation(), entry
                )
                for entry in Entry.objects.filter(pk__in=batch)
            ],
            update_conflicts=True,
            unique_fields=["entry"],
            update_fields=[*CONVERTED_COLUMNS, "behind"],
        )


def refresh_outdated_translations() -> int:
    """Convert what is missing or outdated; return the number of entries."""
    current = EntryTranslation.objects.filter(
        version=F("entry__version"), said_by=locale_prefix.get_conversion_edition()
    ).values("entry")
    outdated = list(Entry.objects.exclude(pk__in=current).values_list("pk", flat=True))
    store_translations(outdated)
    if outdated:
        edition.increment_edition(EntryTranslation)
    for row in (*Category.objects.all(), *Tag.objects.all()):
        if row.hant != locale_prefix.convert_to_traditional(row.name):
            row.save(update_fields=["hant"])
    return len(outdated)


@transaction.atomic
def write_manual_translation(
    translation: EntryTranslation, *, question: str, answer: str
) -> EntryTranslation:
    """Replace the conversion by these texts; "" returns to the conversion.

    For operators and tests. Editors use `kb.library.entries.translate_entry`, which
    checks permissions and makes a revision.
    """
    return save_manual_translation(
        Entry.objects.get(pk=translation.entry_id), question, answer
    )


def save_manual_translation(
    entry: Entry, question: str, answer: str
) -> EntryTranslation:
    """Store the texts of an editor as the translation of `entry`, as it is in memory.

    The caller has locked the entry and checked the permission, and makes the new
    version. Raises ValidationError.
    """
    stored = next(iter(_lock_translations([entry.pk])), None)
    translation = stored or EntryTranslation(entry=entry)
    translation.own_question, translation.own_answer = question, answer
    translation.full_clean(exclude=["question", "said_by"])  # derived below
    is_manual = translation.is_hand_written
    translation.own_source = compute_source_digest(entry) if is_manual else ""
    _fill_converted_columns(translation, entry).save()
    return translation


def apply_translations(entries: Iterable[Entry]) -> None:
    """Replace the texts of `entries` by those in the script of the page.

    Such objects must not be saved. One query, and none on a page in 简体. Entries
    without a current translation are converted at once.
    """
    shown = list(entries)
    if not (locale_prefix.is_traditional_page() and shown):
        return
    with_answer = {id(entry) for entry in shown if not _is_answer_deferred(entry)}
    columns = _LIST_TRANSLATION_COLUMNS + (ANSWER_COLUMNS if with_answer else ())
    rows = EntryTranslation.objects.filter(entry__in={entry.pk for entry in shown})
    translations = {row.entry_id: row for row in rows.only(*columns)}
    for entry in shown:
        answer_columns = ANSWER_COLUMNS if id(entry) in with_answer else ()
        translation = translations.get(entry.pk)
        if translation is None or translation.version != entry.version:
            translation = build_translation(
                entry, manual=translation, with_answer=bool(answer_columns)
            )
        for name in ("question", "excerpt", *answer_columns):
            setattr(entry, name, getattr(translation, name))
        entry.is_translated_copy = True
        if "category" in entry._state.fields_cache and entry.category:
            translate_names(entry.category)


def translate_names(*rows: Category | Tag) -> None:
    """Replace the names of categories and tags, as `apply_translations` does."""
    if locale_prefix.is_traditional_page():
        for row in rows:
            if isinstance(row, Category):
                row.simplified_name = row.simplified_name or row.name
            row.name = (
                row.own_hant
                or row.hant
                or locale_prefix.convert_to_traditional(row.name)
            )


def _is_answer_deferred(entry: Entry) -> bool:
    """Return whether the entry was loaded without its answer."""
    return "answer_html" in entry.get_deferred_fields()


def _lock_translations(entry_ids: Collection[int]) -> list[EntryTranslation]:
    rows = EntryTranslation.objects.select_for_update(of=("self",)).select_related(
        "entry"
    )
    return list(rows.filter(entry__in=entry_ids))


def _fill_converted_columns(
    translation: EntryTranslation, entry: Entry
) -> EntryTranslation:
    converted = build_translation(entry, manual=translation)
    for name in CONVERTED_COLUMNS:
        setattr(translation, name, getattr(converted, name))
    translation.entry = entry
    has_changed = translation.own_source != compute_source_digest(entry)
    translation.behind = translation.is_hand_written and has_changed
    return translation


def build_translation(
    entry: Entry, manual: EntryTranslation | None = None, *, with_answer: bool = True
) -> EntryTranslation:
    """Return an unsaved translation of `entry`, converted now.

    `manual` holds the texts of an editor, which win over the conversion. Without
    `with_answer` the answer is empty and the excerpt is converted from the entry's.
    """
    convert = locale_prefix.convert_to_traditional
    question = (manual and manual.own_question) or convert(entry.question)
    translation = EntryTranslation(question=question[:240], version=entry.version)
    translation.said_by = locale_prefix.get_conversion_edition()
    if not with_answer:
        translation.excerpt = convert(entry.excerpt)[:MAX_EXCERPT_CHARS]
        return translation
    if manual and manual.own_answer:
        translation.answer_html = markdown.render_markdown(manual.own_answer)
    else:
        translation.answer_html = markdown.render_markdown(entry.answer, convert)
    translation.answer_text = markdown.extract_plain_text(translation.answer_html)
    translation.excerpt = shorten_text(translation.answer_text, MAX_EXCERPT_CHARS)
    return translation
