"""What stands against a change of text: the writer's rights, then the wording rules."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django.core.exceptions import NON_FIELD_ERRORS, ValidationError
from django.db.models import Model

from kb import wording
from kb.entries import scopes
from kb.models import User, WordingRule
from kb.text import personal
from kb.text_gate.registry import TABLES
from kb.wording import Finding, Text

Problem = tuple[str | None, str]  # the column, None for the whole row; what is wrong


def stored(row: Model) -> Any:
    """Return `row` as the database has it, None where it is new."""
    if row.pk is None:
        return None
    return type(row)._default_manager.filter(pk=row.pk).first()


def changed_columns(row: Model, before: Any) -> dict[str, tuple[str, str]]:
    """Return {column: (old text, new text)} of the texts that `row` would change."""
    texts = {
        name: (getattr(before, name) if before else "", getattr(row, name))
        for name in TABLES[type(row)].columns
    }
    return {name: pair for name, pair in texts.items() if pair[0] != pair[1]}


def problems(
    row: Model, *, by: User | None, library: wording.Library | None = None
) -> list[Problem]:
    """Return why `by` may not save `row`, each with the column that it is about.

    Of texts that stay as they are only those are judged that more people will read.
    Give one `library` when many rows are looked at.
    """
    if reason := scopes.refusal(row, by=by):
        return [(None, reason)]
    return [(one.text.field, str(one)) for one in _findings(row, stored(row), library)]


def check(
    row: Model, *, by: User | None, library: wording.Library | None = None
) -> None:
    """Raise ValidationError with `problems`; code "remit" or "wording"."""
    found = problems(row, by=by, library=library)
    errors: dict[str, list[ValidationError]] = {}
    for name, told in found:
        error = ValidationError(told, code="wording" if name else "remit")
        errors.setdefault(name or NON_FIELD_ERRORS, []).append(error)
    if errors:
        raise ValidationError(errors)


def _findings(
    row: Model, before: Any, library: wording.Library | None
) -> Iterator[Finding]:
    table = TABLES[type(row)]
    public = table.is_public(row)
    wider = before is not None and public and not table.is_public(before)
    changed = changed_columns(row, before)
    texts = [
        Text(face, getattr(row, name), _label(row, name), name)
        for name, face in table.columns.items()
        if face and (wider or name in changed)
    ]
    if not texts:
        return
    for one in wording.findings(texts, public=public, library=library, strict=True):
        if not (one.text.field in table.house_contacts and _is_personal(one)):
            yield one


def _is_personal(finding: Finding) -> bool:
    rule = finding.rule
    check_kind = str(WordingRule.Kind.CHECK.label)
    return rule.kind == check_kind and rule.text in personal.KINDS


def _label(row: Model, name: str) -> str:
    return str(row._meta.get_field(name).verbose_name)  # type: ignore[union-attr]
