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

from kb import audit, content, index
from kb.models import (
    Completion,
    Copy,
    Deed,
    DeletedItem,
    Edition,
    Enclosure,
    Entry,
    Evidence,
    GapSpelling,
    Inquiry,
    Phrasing,
    Pick,
    Question,
    Search,
    User,
)
from kb.models.inquiry import make_token
from kb.privacy.retention import mask_questions
from kb.text import normalize, personal
from kb.text.personal import MASK

APPS = ("kb", "admin")
# Tables and columns that hold nobody's words but those who work here, or none at all.
LEFT_ALONE = {
    "kb.User": "accounts of people who work here",
    "kb.Picture.name": "a digest of the picture",
    "kb.DeletedItem.links": "primary keys of rows",
}
# Rows that are worth nothing without their words: they go.
DELETED: tuple[type[Model], ...] = (Search, Pick, Evidence, GapSpelling, Phrasing)
# A column that is a key for the spelling of another one.
KEYS = {"words_key": "words", "text_key": "text", "question_key": "question"}
SHORTEST = 2  # characters of what is looked for
FEWEST_DIGITS = 5  # from which a number is also found in groups: 138-1234-5678
SAMPLE = 12  # characters shown on either side of a match
PASSES = 3  # masking one column may let triggers write another one
_SEPARATORS = r"[\s.()\-–—_·]{0,2}"


class Needle:
    """What names a person: a phone, an e-mail address, a number, a token or any text."""

    def __init__(self, said: str) -> None:
        """Raise ValueError where `said` would be found everywhere."""
        self.said = normalize.line(said)
        if len(re.sub(r"\W", "", self.said)) < SHORTEST:
            raise ValueError(said)
        self._pattern = re.compile(
            _pattern_of(personal.plain(self.said)), re.IGNORECASE
        )

    def spans(self, text: str) -> list[tuple[int, int]]:
        return [match.span() for match in self._pattern.finditer(personal.plain(text))]


def _pattern_of(said: str) -> str:
    digits = re.sub(r"[\s.()\-–—_·]", "", said).removeprefix("+86")
    if digits.isdecimal() and len(digits) >= FEWEST_DIGITS:
        return rf"(?<!\d){_SEPARATORS.join(digits)}(?!\d)"
    words = [re.escape(word) for word in said.split()]
    return r"\s*".join(words)


@dataclass(frozen=True, slots=True)
class Match:
    """A column of a row that names the person."""

    model: type[Model]
    pk: Any
    field: str
    sample: str  # what stands around it, masked

    @property
    def table(self) -> str:
        field = self.model._meta.get_field(self.field)
        name = getattr(field, "verbose_name", self.field)
        return f"{self.model._meta.verbose_name} · {name}"


def find_person(said: Collection[str]) -> list[Match]:
    """Return every column of every row that holds one of `said`; nothing is written.

    Raises ValueError for what is too short to name anybody.
    """
    needles = [Needle(one) for one in said]
    return list(_matches(needles))


@transaction.atomic
def erase_person(said: Collection[str], *, by: User | None = None) -> Counter[str]:
    """Mask or delete all that names the person; return how many by table.

    Everything or nothing is written. The index follows after commit. What is logged
    says how much went, and not what.
    """
    needles = [Needle(one) for one in said]
    counts: Counter[str] = Counter()
    touched: set[int] = set()
    for inquiry in _inquiries(needles):
        _erase_inquiry(inquiry)
        counts[str(Inquiry._meta.verbose_name)] += 1
    for _ in range(PASSES):
        matches = list(_matches(needles))
        if not matches:
            break
        for match in matches:
            touched |= _entries_of(match)
            _erase(match, needles)
            counts[match.table] += 1
    Completion.objects.filter(entry__in=touched).delete()  # made anew by the index
    if counts:
        _renew_copies()
    if touched:
        index.mark(Entry.objects.filter(pk__in=touched).values_list("pk", flat=True))
    told = "、".join(f"{table} {count} 处" for table, count in counts.most_common(8))
    audit.note(Deed.Act.ERASED, f"应本人要求删除个人信息：{told or '没有找到'}", by=by)
    return counts


def _renew_copies() -> None:
    """Have kept pages and the lists that processes hold in memory made anew."""
    content.raise_edition()
    for which in list(Edition.objects.values_list("pk", flat=True)):
        Edition.rise(which)


# Where it stands ----------------------------------------------------------------------


def text_fields(model: type[Model]) -> list[Field[Any, Any]]:
    """Return the columns of `model` in which somebody's words may stand."""
    return [
        field
        for field in model._meta.concrete_fields
        if isinstance(field, models.CharField | models.TextField | models.JSONField)
        and not field.choices
        and field.name not in KEYS
        and f"{model._meta.label}.{field.name}" not in LEFT_ALONE
    ]


def searched_models() -> list[type[Model]]:
    return [
        model
        for label in APPS
        for model in apps.get_app_config(label).get_models()
        if model._meta.label not in LEFT_ALONE and text_fields(model)
    ]


def _matches(needles: Sequence[Needle]) -> Iterator[Match]:
    for model in searched_models():
        names = [field.name for field in text_fields(model)]
        rows = model._default_manager.order_by().values_list("pk", *names)
        for pk, *values in rows.iterator(chunk_size=500):
            for name, value in zip(names, values, strict=True):
                if sample := _sample(value, needles):
                    yield Match(model, pk, name, sample)


def _sample(value: Any, needles: Sequence[Needle]) -> str:
    """Return what stands around the first match in `value`, masked; "" without one."""
    text = value if isinstance(value, str) else _said_in(value)
    if not text:
        return ""
    for needle in needles:
        for start, end in needle.spans(text):
            around = text[max(0, start - SAMPLE) : start], text[end : end + SAMPLE]
            before, after = map(personal.mask_personal_data, around)
            return normalize.line(f"{before}{MASK}{after}")
    return ""


def _said_in(value: Any) -> str:
    if value is None:
        return ""
    return json.dumps(value, ensure_ascii=False, default=str)


def _entries_of(match: Match) -> set[int]:
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


def _inquiries(needles: Sequence[Needle]) -> list[Inquiry]:
    """Return what the person asked on the site, known by address or by token."""
    names = ("pk", "token", "contact")
    found = [
        pk
        for pk, *values in Inquiry.objects.values_list(*names)
        if any(needle.spans(value) for value in values for needle in needles)
    ]
    return list(Inquiry.objects.select_related("question").filter(pk__in=found))


def _erase_inquiry(inquiry: Inquiry) -> None:
    """Take off the question everything that tells who asked it; the link is dead."""
    Enclosure.objects.filter(inquiry=inquiry).delete()
    Inquiry.objects.filter(pk=inquiry.pk).update(
        token=make_token(), contact="", comment="", words="", page=""
    )
    mask_questions([inquiry.question_id])


def _erase(match: Match, needles: Sequence[Needle]) -> None:
    rows = match.model._default_manager.filter(pk=match.pk)
    if match.model in DELETED:
        rows.delete()
        return
    if match.model is DeletedItem:
        asked = Question._meta.model_name  # with its answers, address and pictures
        if rows.filter(content_type__model=asked).delete()[0]:
            return
    if match.model is Copy and match.field == "words":
        rows.update(words="")
        return
    value = rows.values_list(match.field, flat=True).first()
    field = match.model._meta.get_field(match.field)
    assert isinstance(field, Field)  # noqa: S101 - text_fields returns no others
    columns = _columns(match.model, field, _masked(value, needles))
    try:
        with transaction.atomic():
            rows.update(**columns)
    except IntegrityError:  # another row says the same now
        rows.update(**_columns(match.model, field, f"{MASK}{match.pk}"))


def _columns(model: type[Model], field: Field[Any, Any], value: Any) -> dict[str, Any]:
    """Return what to write for `field`: the value, fit for it, and the key that follows."""
    if isinstance(field, models.SlugField):
        value = value.replace(MASK, "")
    elif isinstance(value, str):
        value = "" if value == MASK and field.blank else value
        value = value[: field.max_length] if field.max_length else value
    columns = {field.name: value}
    known = {one.name for one in model._meta.concrete_fields}
    for key, source in KEYS.items():
        if source == field.name and key in known:
            columns[key] = normalize.key(value)
    return columns


def _masked(value: Any, needles: Iterable[Needle]) -> Any:
    """Return `value` without the needles, in whatever depth of JSON they stand."""
    if isinstance(value, str):
        for needle in needles:
            value = _without(value, needle)
        return value
    if isinstance(value, dict):
        wanted = list(needles)
        masked = {_masked(k, wanted): _masked(v, wanted) for k, v in value.items()}
        for key, source in KEYS.items():  # of a row in the trash
            if key in masked and masked.get(source) != value.get(source):
                masked[key] = normalize.key(masked.get(source) or "")
        return masked
    if isinstance(value, list):
        wanted = list(needles)
        return [_masked(one, wanted) for one in value]
    if isinstance(value, int | float) and not isinstance(value, bool):
        return MASK if any(needle.spans(str(value)) for needle in needles) else value
    return value


def _without(text: str, needle: Needle) -> str:
    parts, end = [], 0
    for start, stop in needle.spans(text):
        parts += [text[end:start], MASK]
        end = stop
    return "".join([*parts, text[end:]])
