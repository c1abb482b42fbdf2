"""Erases one person: finds what identifies them in every text column, and masks it.

The columns are read from the models, so tables that are added later are searched as
well. UNSEARCHED_COLUMNS lists the exceptions, with the reason.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from django.apps import apps
from django.core.exceptions import FieldDoesNotExist
from django.db import IntegrityError, models, transaction
from django.db.models import Field, Model

from kb.accounts import audit_log
from kb.index import sync
from kb.models import (
    AuditEvent,
    Completion,
    CopyEvent,
    DeletedItem,
    Entry,
    Evidence,
    Inquiry,
    InquiryAttachment,
    LanguageEdition,
    Phrasing,
    Pick,
    Question,
    Search,
    SearchGapSpelling,
    User,
)
from kb.models.inquiry import generate_inquiry_token
from kb.operations.privacy.retention import mask_questions
from kb.publishing import edition
from kb.text.chinese import normalize
from kb.text.privacy import personal_data
from kb.text.privacy.personal_data import PERSONAL_DATA_MASK

SEARCHED_APPS = ("kb", "admin")
# Tables and columns without text of customers.
UNSEARCHED_COLUMNS = {
    "kb.User": "accounts of people who work here",
    "kb.Picture.name": "a digest of the picture",
    "kb.DeletedItem.links": "primary keys of rows",
}
# Rows that are useless without their text: they are deleted.
DELETED_MODELS: tuple[type[Model], ...] = (
    Search,
    Pick,
    Evidence,
    SearchGapSpelling,
    Phrasing,
)
# {column with the spelling key: column that it is computed from}
KEY_COLUMNS = {"words_key": "words", "text_key": "text", "question_key": "question"}
MIN_IDENTIFIER_CHARS = 2  # letters and digits
MIN_GROUPED_DIGITS = 5  # numbers this long are also found grouped: 138-1234-5678
SAMPLE_CHARS = 12  # on either side of a match
MAX_ERASURE_PASSES = 3  # writing one column may make a trigger write another
_DIGIT_SEPARATORS = r"[\s.()\-–—_·]{0,2}"


class PersonIdentifier:
    """A text that identifies a person: a phone number, e-mail address, token or name."""

    def __init__(self, text: str) -> None:
        """Raise ValueError for a text so short that it is found everywhere."""
        self.text = normalize.clean_single_line(text)
        if len(re.sub(r"\W", "", self.text)) < MIN_IDENTIFIER_CHARS:
            raise ValueError(text)
        self._pattern = re.compile(
            _make_pattern(personal_data.fold_width_and_script(self.text)), re.IGNORECASE
        )

    def find_spans(self, text: str) -> list[tuple[int, int]]:
        """Return the (start, end) of every match in `text`."""
        return [
            match.span()
            for match in self._pattern.finditer(
                personal_data.fold_width_and_script(text)
            )
        ]


def _make_pattern(text: str) -> str:
    digits = re.sub(r"[\s.()\-–—_·]", "", text).removeprefix("+86")
    if digits.isdecimal() and len(digits) >= MIN_GROUPED_DIGITS:
        return rf"(?<!\d){_DIGIT_SEPARATORS.join(digits)}(?!\d)"
    words = [re.escape(word) for word in text.split()]
    return r"\s*".join(words)


@dataclass(frozen=True, slots=True)
class PersonMatch:
    """A column of a row that contains an identifier of the person."""

    model: type[Model]
    pk: Any
    field: str
    sample: str  # the text around it, masked

    @property
    def table_label(self) -> str:
        field = self.model._meta.get_field(self.field)
        name = getattr(field, "verbose_name", self.field)
        return f"{self.model._meta.verbose_name} · {name}"


def find_person(texts: Collection[str]) -> list[PersonMatch]:
    """Return every column of every row that contains one of `texts`; nothing is written.

    Raises ValueError for a text that is too short to identify a person.
    """
    identifiers = [PersonIdentifier(text) for text in texts]
    return list(_iter_matches(identifiers))


@transaction.atomic
def erase_person(texts: Collection[str], *, by: User | None = None) -> Counter[str]:
    """Mask or delete every match of `texts`; return {table: number of matches}.

    All or nothing is written; the index is updated after the commit. The audit log
    records the numbers, not the texts. Raises ValueError as `find_person`.
    """
    identifiers = [PersonIdentifier(text) for text in texts]
    counts: Counter[str] = Counter()
    touched: set[int] = set()
    for inquiry in _find_inquiries(identifiers):
        _erase_inquiry(inquiry)
        counts[str(Inquiry._meta.verbose_name)] += 1
    for _ in range(MAX_ERASURE_PASSES):
        matches = list(_iter_matches(identifiers))
        if not matches:
            break
        for match in matches:
            touched |= _find_affected_entries(match)
            _erase_match(match, identifiers)
            counts[match.table_label] += 1
    Completion.objects.filter(entry__in=touched).delete()  # the index makes them again
    if counts:
        _invalidate_caches()
    if touched:
        sync.mark_stale(
            Entry.objects.filter(pk__in=touched).values_list("pk", flat=True)
        )
    summary = "、".join(f"{table} {count} 处" for table, count in counts.most_common(8))
    audit_log.record_event(
        AuditEvent.Action.PERSONAL_DATA_ERASED,
        f"应本人要求删除个人信息：{summary or '没有找到'}",
        by=by,
    )
    return counts


def _invalidate_caches() -> None:
    """Invalidate cached pages, and what processes have loaded of the vocabulary."""
    edition.increment_edition()
    for pk in list(LanguageEdition.objects.values_list("pk", flat=True)):
        LanguageEdition.increment_edition(pk)


# Finding ----------------------------------------------------------------------


def list_text_fields(model: type[Model]) -> list[Field[Any, Any]]:
    """Return the columns of `model` that may contain text of a person."""
    return [
        field
        for field in model._meta.concrete_fields
        if isinstance(field, models.CharField | models.TextField | models.JSONField)
        and not field.choices
        and field.name not in KEY_COLUMNS
        and f"{model._meta.label}.{field.name}" not in UNSEARCHED_COLUMNS
    ]


def list_searched_models() -> list[type[Model]]:
    return [
        model
        for label in SEARCHED_APPS
        for model in apps.get_app_config(label).get_models()
        if model._meta.label not in UNSEARCHED_COLUMNS and list_text_fields(model)
    ]


def _iter_matches(identifiers: Sequence[PersonIdentifier]) -> Iterator[PersonMatch]:
    for model in list_searched_models():
        names = [field.name for field in list_text_fields(model)]
        rows = model._default_manager.order_by().values_list("pk", *names)
        for pk, *values in rows.iterator(chunk_size=500):
            for name, value in zip(names, values, strict=True):
                if sample := _make_sample(value, identifiers):
                    yield PersonMatch(model, pk, name, sample)


def _make_sample(value: Any, identifiers: Sequence[PersonIdentifier]) -> str:
    """Return the text around the first match in `value`, masked; "" without a match."""
    text = value if isinstance(value, str) else _to_searched_text(value)
    if not text:
        return ""
    for identifier in identifiers:
        for start, end in identifier.find_spans(text):
            around = (
                text[max(0, start - SAMPLE_CHARS) : start],
                text[end : end + SAMPLE_CHARS],
            )
            before, after = map(personal_data.mask_personal_data, around)
            return normalize.clean_single_line(f"{before}{PERSONAL_DATA_MASK}{after}")
    return ""


def _to_searched_text(value: Any) -> str:
    if value is None:
        return ""
    return json.dumps(value, ensure_ascii=False, default=str)


def _find_affected_entries(match: PersonMatch) -> set[int]:
    """Return the ids of the entries that must be indexed again."""
    if match.model is Entry:
        return {match.pk}
    try:
        match.model._meta.get_field("entry")
    except FieldDoesNotExist:
        return set()
    row = match.model._default_manager.filter(pk=match.pk)
    return {pk for pk in row.values_list("entry_id", flat=True) if pk}


# Erasing ---------------------------------------------------------------------------


def _find_inquiries(identifiers: Sequence[PersonIdentifier]) -> list[Inquiry]:
    """Return the inquiries with the contact or the token of the person."""
    names = ("pk", "token", "contact")
    pks = [
        pk
        for pk, *values in Inquiry.objects.values_list(*names)
        if any(
            identifier.find_spans(value)
            for value in values
            for identifier in identifiers
        )
    ]
    return list(Inquiry.objects.select_related("question").filter(pk__in=pks))


def _erase_inquiry(inquiry: Inquiry) -> None:
    """Remove from an inquiry everything that identifies the person; its link is void."""
    InquiryAttachment.objects.filter(inquiry=inquiry).delete()
    Inquiry.objects.filter(pk=inquiry.pk).update(
        token=generate_inquiry_token(), contact="", comment="", words="", page=""
    )
    mask_questions([inquiry.question_id])


def _erase_match(match: PersonMatch, identifiers: Sequence[PersonIdentifier]) -> None:
    rows = match.model._default_manager.filter(pk=match.pk)
    if match.model in DELETED_MODELS:
        rows.delete()
        return
    if match.model is DeletedItem:
        # The item has the question's answers, contact and pictures as well.
        model_name = Question._meta.model_name
        if rows.filter(content_type__model=model_name).delete()[0]:
            return
    if match.model is CopyEvent and match.field == "words":
        rows.update(words="")
        return
    value = rows.values_list(match.field, flat=True).first()
    field = match.model._meta.get_field(match.field)
    assert isinstance(field, Field)  # noqa: S101 - see list_text_fields
    columns = _make_column_values(match.model, field, _mask_value(value, identifiers))
    try:
        with transaction.atomic():
            rows.update(**columns)
    except IntegrityError:  # another row has the same text now
        rows.update(
            **_make_column_values(match.model, field, f"{PERSONAL_DATA_MASK}{match.pk}")
        )


def _make_column_values(
    model: type[Model], field: Field[Any, Any], value: Any
) -> dict[str, Any]:
    """Return {column: value} for `field`: the value made valid, and its spelling key."""
    if isinstance(field, models.SlugField):
        value = value.replace(PERSONAL_DATA_MASK, "")
    elif isinstance(value, str):
        value = "" if value == PERSONAL_DATA_MASK and field.blank else value
        value = value[: field.max_length] if field.max_length else value
    columns = {field.name: value}
    names = {column.name for column in model._meta.concrete_fields}
    for key, source in KEY_COLUMNS.items():
        if source == field.name and key in names:
            columns[key] = normalize.compute_spelling_key(value)
    return columns


def _mask_value(value: Any, identifiers: Sequence[PersonIdentifier]) -> Any:
    """Return `value`, text or JSON of any depth, with all matches masked."""
    if isinstance(value, str):
        for identifier in identifiers:
            value = _mask_text(value, identifier)
        return value
    if isinstance(value, dict):
        masked = {
            _mask_value(key, identifiers): _mask_value(item, identifiers)
            for key, item in value.items()
        }
        for key, source in KEY_COLUMNS.items():  # of a row in the trash
            if key in masked and masked.get(source) != value.get(source):
                masked[key] = normalize.compute_spelling_key(masked.get(source) or "")
        return masked
    if isinstance(value, list):
        return [_mask_value(item, identifiers) for item in value]
    if isinstance(value, int | float) and not isinstance(value, bool):
        return (
            PERSONAL_DATA_MASK
            if any(identifier.find_spans(str(value)) for identifier in identifiers)
            else value
        )
    return value


def _mask_text(text: str, identifier: PersonIdentifier) -> str:
    parts, end = [], 0
    for match_start, match_end in identifier.find_spans(text):
        parts += [text[end:match_start], PERSONAL_DATA_MASK]
        end = match_end
    return "".join([*parts, text[end:]])
