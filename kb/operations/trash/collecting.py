"""Collects the rows that a deletion deletes, and the columns that it sets to NULL."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import datetime
from typing import Any

from django.core import serializers
from django.core.serializers.json import DjangoJSONEncoder
from django.db.models import CASCADE, SET_NULL, ForeignKey, Model

from kb.models import Completion, RelatedEntries, Reply, User

SerializedRow = dict[str, Any]
Link = list[Any]  # [model label, column, primary keys, value]
# Rows that are computed from others.
DERIVED_MODELS: tuple[type[Model], ...] = (Completion, RelatedEntries)
# Values stored instead of the real ones: a restored account has no password.
REPLACED_COLUMNS: dict[type[Model], SerializedRow] = {User: {"password": "!"}}


class _PreciseEncoder(DjangoJSONEncoder):
    """Keeps the microseconds of times, which Django's encoder cuts off."""

    def default(self, o: Any) -> Any:
        return o.isoformat() if isinstance(o, datetime) else super().default(o)


def collect_rows(row: Model) -> tuple[list[SerializedRow], list[Link]]:
    """Return `row` and the rows deleted with it, parents first, and the links to them.

    Both can be stored as JSON.
    """
    rows: list[SerializedRow] = []
    links: list[Link] = []
    seen: set[tuple[type[Model], Any]] = set()
    level: list[Model] = [row]
    while level:
        next_level: list[Model] = []
        for parent in level:
            if (type(parent), parent.pk) in seen:
                continue
            seen.add((type(parent), parent.pk))
            rows.append(_serialize_row(parent))
            for field in _iter_foreign_keys_to(type(parent)):
                children, ids = _split_children(field, parent)
                next_level += children
                if ids:
                    label = field.model._meta.label_lower
                    value = getattr(parent, field.target_field.attname)
                    links.append([label, field.attname, ids, value])
        level = next_level
    return rows, links


def _iter_foreign_keys_to(model: type[Model]) -> Iterator[ForeignKey[Any, Any]]:
    """Yield the foreign keys to `model`, also those of many-to-many tables."""
    for relation in model._meta.get_fields(include_hidden=True):
        if relation.auto_created and (relation.one_to_many or relation.one_to_one):
            field = relation.remote_field
            if isinstance(field, ForeignKey) and field.model not in DERIVED_MODELS:
                yield field


def _split_children(
    field: ForeignKey[Any, Any], parent: Model
) -> tuple[list[Model], list[Any]]:
    """Return the rows deleted with `parent`, and the ids of those that only lose it."""
    rows = field.model._base_manager.filter(**{field.name: parent}).order_by("pk")
    on_delete = field.remote_field.on_delete
    if on_delete is SET_NULL:
        return [], list(rows.values_list("pk", flat=True))
    if on_delete is not CASCADE:
        return [], []
    children = list(rows)
    if field.model is Reply and field.name == "entry":  # see Entry.delete
        private = [child for child in children if not child.is_shared]  # type: ignore[attr-defined]
        shared = [child for child in children if child not in private]
        return shared, [child.pk for child in private]
    return children, []


def _serialize_row(row: Model) -> SerializedRow:
    """Return `row` as Django's serializers do, without its many-to-many columns.

    The rows of their tables are collected as children.
    """
    python = serializers.serialize("python", [row])[0]
    serialized: SerializedRow = json.loads(json.dumps(python, cls=_PreciseEncoder))
    for field in type(row)._meta.many_to_many:
        serialized["fields"].pop(field.name, None)
    serialized["fields"] |= REPLACED_COLUMNS.get(type(row), {})
    return serialized
