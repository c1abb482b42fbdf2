"""End the lines of kept texts with LF alone.

Forms sent CR LF and files LF, so that the first change by hand of an imported
entry was shown as a change of every line. No version and no moment is touched:
nobody has written anything.
"""

from __future__ import annotations

import hashlib
from typing import Any

from django.db import migrations, models

BATCH = 200  # rows


def unify_text(text: str) -> str:
    return text.replace("\r\n", "\n").replace("\r", "\n")


def unify_value(value: Any) -> Any:
    """Return a JSON value with all texts in it unified."""
    if isinstance(value, str):
        return unify_text(value)
    if isinstance(value, list):
        return [unify_value(one) for one in value]
    if isinstance(value, dict):
        return {name: unify_value(one) for name, one in value.items()}
    return value


def unify(apps: Any, schema_editor: Any) -> None:
    _renew_sources(apps.get_model("kb", "Face"))
    for model in apps.get_models():
        if model._meta.app_label == "kb":
            for field in model._meta.concrete_fields:
                if isinstance(field, models.CharField | models.TextField):
                    _unify_texts(model, field.name)
                elif isinstance(field, models.JSONField):
                    _unify_json(model, field.name)


def _unify_texts(model: Any, name: str) -> None:
    rows = model._default_manager.filter(**{f"{name}__contains": "\r"}).order_by("pk")
    for pk, text in list(rows.values_list("pk", name)):
        if model._meta.pk.name != name:
            model._default_manager.filter(pk=pk).update(**{name: unify_text(text)})


def _unify_json(model: Any, name: str) -> None:
    manager = model._default_manager
    ids = list(manager.order_by("pk").values_list("pk", flat=True))
    for start in range(0, len(ids), BATCH):
        some = manager.filter(pk__in=ids[start : start + BATCH])
        for pk, value in list(some.values_list("pk", name)):
            unified = unify_value(value)
            if unified != value:
                manager.filter(pk=pk).update(**{name: unified})


def _renew_sources(faces: Any) -> None:
    """Let translations stay up to date whose original changes its line ends alone."""
    rows = faces._default_manager.exclude(own_source="")
    rows = rows.filter(entry__answer__contains="\r").select_related("entry")
    for face in list(rows):
        question, answer = face.entry.question, face.entry.answer
        if face.own_source == _source(question, answer):
            source = _source(question, unify_text(answer))
            faces._default_manager.filter(pk=face.pk).update(own_source=source)


def _source(question: str, answer: str) -> str:
    """Return what kb.faces.source made of an original at the time."""
    text = f"{question}\0{answer}"
    return hashlib.blake2b(text.encode(), digest_size=16).hexdigest()


class Migration(migrations.Migration):
    dependencies = [("kb", "0052_remit_protects")]
    operations = [migrations.RunPython(unify, migrations.RunPython.noop)]
