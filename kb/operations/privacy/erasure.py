"""Erase one person: what names them is found in every column of text, and masked.

The columns are taken from the models, so that a table that is added later is searched
as well. What is not searched stands in LEFT_ALONE, with the reason.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Sequence
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
# Tables and columns that hold nobody's words but those who work here, or none at all.
UNSEARCHED_COLUMNS = {
    "kb.User": "accounts of people who work here",
    "kb.Picture.name": "a digest of the picture",
    "kb.DeletedItem.links": "primary keys of rows",
}
# Rows that are worth nothing without their words: they go.
DELETED_MODELS: tuple[type[Model], ...] = (
    Search,
    Pick,
    Evidence,
    SearchGapSpelling,
    Phrasing,
)
# A column that is a key for the spelling of another one.
KEY_COLUMNS = {"words_key": "words", "text_key": "text", "question_key": "question"}
MIN_IDENTIFIER_CHARS = 2  # characters of what is looked for
MIN_GROUPED_DIGITS = 5  # from which a number is also found in groups: 138-1234-5678
SAMPLE_CHARS = 12  # characters shown on either side of a match
MAX_ERASURE_PASSES = 3  # masking one column may let triggers write another one
_DIGIT_SEPARATORS = r"[\s.()\-–—_·]{0,2}"


class PersonIdentifier:
    """What names a person: a phone, an e-mail address, a number, a token or any text."""

    def __init__(self, said: str) -> None:
        """Raise ValueError where `said` would be found everywhere."""
        self.text = normalize.clean_single_line(said)
        if len(re.sub(r"\W", "", self.text)) < MIN_IDENTIFIER_CHARS:
            raise ValueError(said)
        self._pattern = re.compile(
            _make_pattern(personal_data.fold_width_and_script(self.text)), re.IGNORECASE
        )

    def find_spans(self, text: str) -> list[tuple[int, int]]:
        return [
            match.span()
            for match in self._pattern.finditer(
                personal_data.fold_width_and_script(text)
            )
        ]


def _make_pattern(said: str) -> str:
    digits = re.sub(r"[\s.()\-–—_·]", "", said).removeprefix("+86")
    if digits.isdecimal() and len(digits) >= MIN_GROUPED_DIGITS:
        return rf"(?<!\d){_DIGIT_SEPARATORS.join(digits)}(?!\d)"
    words = [re.escape(word) for word in said.split()]
    return r"\s*".join(words)


@dataclass(frozen=True, slots=True)
class PersonMatch:
    """A column of a row that names the person."""

    model: type[Model]
    pk: Any
    field: str
    sample: str  # what stands around it, masked

    @property
    def table_label(self) -> str:
        field = self.model._meta.get_field(self.field)
        name = getattr(field, "verbose_name", self.field)
        return f"{self.model._meta.verbose_name} · {name}"


def find_person(said: Collection[str]) -> list[PersonMatch]:
    """Return every column of every row that holds one of `said`; nothing is written.

    Raises ValueError for what is too short to name anybody.
    """
    needles = [PersonIdentifier(one) for one in said]
    return list(_iter_matches(needles))


@transaction.atomic
def erase_person(said: Collection[str], *, by: User | None = None) -> Counter[str]:
    """Mask or delete all that names the person; return how many by table.

    Everything or nothing is written. The index follows after commit. What is logged
    says how much went, and not what.
    """
    needles = [PersonIdentifier(one) for one in said]
    counts: Counter[str] = Counter()
    touched: set[int] = set()
    for inquiry in _find_inquiries(needles):
        _erase_inquiry(inquiry)
        counts[str(Inquiry._meta.verbose_name)] += 1
    for _ in range(MAX_ERASURE_PASSES):
        matches = list(_iter_matches(needles))
        if not matches:
            break
        for match in matches:
            touched |= _find_affected_entries(match)
            _erase_match(match, needles)
            counts[match.table_label] += 1
    Completion.objects.filter(entry__in=touched).delete()  # made anew by the index
    if counts:
        _invalidate_caches()
    if touched:
        sync.mark_stale(
            Entry.objects.filter(pk__in=touched).values_list("pk", flat=True)
        )
    told = "、".join(f"{table} {count} 处" for table, count in counts.most_common(8))
    audit_log.record_event(
        AuditEvent.Action.PERSONAL_DATA_ERASED,
        f"应本人要求删除个人信息：{told or '没有找到'}",
        by=by,
    )
    return counts


def _invalidate_caches() -> None:
    """Have kept pages and the lists that processes hold in memory made anew."""
    edition.increment_edition()
    for which in list(LanguageEdition.objects.values_list("pk", flat=True)):
        LanguageEdition.increment_edition(which)


# Where it stands ----------------------------------------------------------------------


def list_text_fields(model: type[Model]) -> list[Field[Any, Any]]:
    """Return the columns of `model` in which somebody's words may stand."""
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


def _iter_matches(needles: Sequence[PersonIdentifier]) -> Iterator[PersonMatch]:
    for model in list_searched_models():
        names = [field.name for field in list_text_fields(model)]
        rows = model._default_manager.order_by().values_list("pk", *names)
        for pk, *values in rows.iterator(chunk_size=500):
            for name, value in zip(names, values, strict=True):
                if sample := _make_sample(value, needles):
                    yield PersonMatch(model, pk, name, sample)


def _make_sample(value: Any, needles: Sequence[PersonIdentifier]) -> str:
    """Return what stands around the first match in `value`, masked; "" without one."""
    text = value if isinstance(value, str) else _to_searched_text(value)
    if not text:
        return ""
    for needle in needles:
        for start, end in needle.find_spans(text):
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
    """Return the entries whose readers would still find what is masked now."""
    if match.model is Entry:
        return {match.pk}
    try:
        match.model._meta.get_field("entry")
    except FieldDoesNotExist:
        return set()
    row = match.model._default_manager.filter(pk=match.pk)
    return {pk for pk in row.values_list("entry_id", flat=True) if pk}


# How it goes ---------------------------------------------------------------------------


def _find_inquiries(needles: Sequence[PersonIdentifier]) -> list[Inquiry]:
    """Return what the person asked on the site, known by address or by token."""
    names = ("pk", "token", "contact")
    found = [
        pk
        for pk, *values in Inquiry.objects.values_list(*names)
        if any(needle.find_spans(value) for value in values for needle in needles)
    ]
    return list(Inquiry.objects.select_related("question").filter(pk__in=found))


def _erase_inquiry(inquiry: Inquiry) -> None:
    """Take off the question everything that tells who asked it; the link is dead."""
    InquiryAttachment.objects.filter(inquiry=inquiry).delete()
    Inquiry.objects.filter(pk=inquiry.pk).update(
        token=generate_inquiry_token(), contact="", comment="", words="", page=""
    )
    mask_questions([inquiry.question_id])


def _erase_match(match: PersonMatch, needles: Sequence[PersonIdentifier]) -> None:
    rows = match.model._default_manager.filter(pk=match.pk)
    if match.model in DELETED_MODELS:
        rows.delete()
        return
    if match.model is DeletedItem:
        asked = Question._meta.model_name  # with its answers, address and pictures
        if rows.filter(content_type__model=asked).delete()[0]:
            return
    if match.model is CopyEvent and match.field == "words":
        rows.update(words="")
        return
    value = rows.values_list(match.field, flat=True).first()
    field = match.model._meta.get_field(match.field)
    assert isinstance(field, Field)  # noqa: S101 - text_fields returns no others
    columns = _make_column_values(match.model, field, _mask_value(value, needles))
    try:
        with transaction.atomic():
            rows.update(**columns)
    except IntegrityError:  # another row says the same now
        rows.update(
            **_make_column_values(match.model, field, f"{PERSONAL_DATA_MASK}{match.pk}")
        )


def _make_column_values(
    model: type[Model], field: Field[Any, Any], value: Any
) -> dict[str, Any]:
    """Return what to write for `field`: the value, fit for it, and the key that follows."""
    if isinstance(field, models.SlugField):
        value = value.replace(PERSONAL_DATA_MASK, "")
    elif isinstance(value, str):
        value = "" if value == PERSONAL_DATA_MASK and field.blank else value
        value = value[: field.max_length] if field.max_length else value
    columns = {field.name: value}
    known = {one.name for one in model._meta.concrete_fields}
    for key, source in KEY_COLUMNS.items():
        if source == field.name and key in known:
            columns[key] = normalize.compute_spelling_key(value)
    return columns


def _mask_value(value: Any, needles: Iterable[PersonIdentifier]) -> Any:
    """Return `value` without the needles, in whatever depth of JSON they stand."""
    if isinstance(value, str):
        for needle in needles:
            value = _mask_text(value, needle)
        return value
    if isinstance(value, dict):
        wanted = list(needles)
        masked = {
            _mask_value(k, wanted): _mask_value(v, wanted) for k, v in value.items()
        }
        for key, source in KEY_COLUMNS.items():  # of a row in the trash
            if key in masked and masked.get(source) != value.get(source):
                masked[key] = normalize.compute_spelling_key(masked.get(source) or "")
        return masked
    if isinstance(value, list):
        wanted = list(needles)
        return [_mask_value(one, wanted) for one in value]
    if isinstance(value, int | float) and not isinstance(value, bool):
        return (
            PERSONAL_DATA_MASK
            if any(needle.find_spans(str(value)) for needle in needles)
            else value
        )
    return value


def _mask_text(text: str, needle: PersonIdentifier) -> str:
    parts, end = [], 0
    for start, stop in needle.find_spans(text):
        parts += [text[end:start], PERSONAL_DATA_MASK]
        end = stop
    return "".join([*parts, text[end:]])
