"""What two versions of an entry say differently, told face by face."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import DateTimeField, Field
from django.utils import timezone
from django.utils.dateparse import parse_datetime

from kb.entries.content import TRANSLATION, Content, changed, columns
from kb.models import Entry, Face, Reply
from kb.text import difference
from kb.text.difference import Part

AROUND = 120  # letters shown on each side of a change of a long text
NOTHING = "（空）"
LONG = {"question", "answer", "keywords"}  # told word by word
LISTS = {"phrasings": "相似问法", "tags": "标签", "follow_ups": "后续问题"}


@dataclass(frozen=True, slots=True)
class Difference:
    """What became of one part of an entry; `text` is prose, the rest are values."""

    name: str
    label: str
    parts: Sequence[Part]
    text: bool = False


def compare(old: Content, new: Content) -> list[Difference]:
    """Return what differs, the faces first, in the order of the page."""
    names = changed(old, new)
    fields = [field for field in columns() if field.attname in names]
    fields.sort(key=lambda field: field.name not in LONG)
    faces = [_column(f, old, new) for f in fields if f.name in LONG]
    faces += [_translation(name, old, new) for name in TRANSLATION if name in names]
    rest = [_column(f, old, new) for f in fields if f.name not in LONG]
    replies = _replies(old.get("replies") or [], new.get("replies") or [])
    lists = [_list(name, old, new) for name in LISTS if name in names]
    return [*faces, *replies, *lists, *rest]


def labels(names: Iterable[str]) -> list[str]:
    """Return what people call these parts of an entry."""
    told = {field.attname: str(field.verbose_name) for field in columns()}
    told |= LISTS | {"replies": "话术"}
    told |= {name: _named(name) for name in TRANSLATION}
    return [told.get(name, name) for name in names]


def _column(field: Field[Any, Any], old: Content, new: Content) -> Difference:
    name, label = field.attname, str(field.verbose_name)
    before, after = old.get(name), new.get(name)
    if field.name in LONG:
        parts = difference.short(before or "", after or "", AROUND)
        return Difference(name, label, parts, text=True)
    return Difference(name, label, _swap(_told(field, before), _told(field, after)))


def _translation(name: str, old: Content, new: Content) -> Difference:
    parts = difference.short(old.get(name) or "", new.get(name) or "", AROUND)
    return Difference(name, _named(name), parts, text=True)


def _named(name: str) -> str:
    """Return what people call a part of the translation."""
    return str(Face._meta.get_field(TRANSLATION[name]).verbose_name)  # type: ignore[union-attr]


def _swap(before: str, after: str) -> list[Part]:
    return [Part("gone", before or NOTHING), Part("new", after or NOTHING)]


def _told(field: Field[Any, Any], value: Any) -> str:
    """Return a value as people read it."""
    if value in (None, ""):
        return ""
    if field.choices:
        return str(dict(field.flatchoices).get(value, value))
    if field.related_model is not None:
        row = field.related_model._default_manager.filter(pk=value).first()
        return str(row or f"#{value}（已删除）")
    if isinstance(field, DateTimeField):
        moment = value if isinstance(value, datetime) else parse_datetime(value)
        return timezone.localtime(moment).strftime("%Y-%m-%d %H:%M") if moment else ""
    return str(value)


def _list(name: str, old: Content, new: Content) -> Difference:
    before, after = old.get(name) or [], new.get(name) or []
    said: Callable[[Any], str] = str
    if name == "follow_ups":
        rows = Entry.objects.filter(pk__in={*before, *after})
        said = dict(rows.values_list("pk", "question")).get  # type: ignore[assignment]
    gone = [Part("gone", said(one) or f"#{one}") for one in before if one not in after]
    came = [Part("new", said(one) or f"#{one}") for one in after if one not in before]
    order = [] if gone or came else [Part("same", "次序变了")]
    return Difference(name, LISTS[name], [*gone, *came, *order])


def _replies(
    old: Sequence[Mapping[str, Any]], new: Sequence[Mapping[str, Any]]
) -> list[Difference]:
    held = {row["id"]: row for row in old}
    found = []
    for row in new:
        before = held.pop(row["id"], {})
        found += _reply(before, row)
    for row in held.values():
        found += _reply(row, {})
    return found


def _reply(old: Mapping[str, Any], new: Mapping[str, Any]) -> list[Difference]:
    """Return what became of a reply: its words, and what it is for."""
    name = f"reply-{(new or old)['id']}"
    label = f"话术 · {(new or old)['label']}"
    found = []
    if old.get("body") != new.get("body"):
        state = "（新增）" if not old else "（删除）" if not new else ""
        words = difference.short(old.get("body", ""), new.get("body", ""), AROUND)
        found.append(Difference(name, label + state, words, text=True))
    if not (old and new):
        return found
    for column in ("label", "tone", "channel", "segment_id", "order"):
        if old.get(column) != new.get(column):
            field: Any = Reply._meta.get_field(column.removesuffix("_id"))
            parts = _swap(*(_told(field, row.get(column)) for row in (old, new)))
            found.append(Difference(name, f"{label} · {field.verbose_name}", parts))
    return found
