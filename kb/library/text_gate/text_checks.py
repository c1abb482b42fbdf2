"""What stands against a change of text: the writer's rights, then the wording rules."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django.core.exceptions import NON_FIELD_ERRORS, ValidationError
from django.db.models import Model

from kb.language import style_rules
from kb.language.style_rules import CheckedText, StyleFinding
from kb.library.entries import category_scopes
from kb.library.text_gate.text_registry import GATED_TABLES
from kb.models import StyleRule, User
from kb.text.privacy import personal_data

TextProblem = tuple[
    str | None, str
]  # the column, None for the whole row; what is wrong


def load_stored_row(row: Model) -> Any:
    """Return `row` as the database has it, None where it is new."""
    if row.pk is None:
        return None
    return type(row)._default_manager.filter(pk=row.pk).first()


def find_changed_columns(row: Model, before: Any) -> dict[str, tuple[str, str]]:
    """Return {column: (old text, new text)} of the texts that `row` would change."""
    texts = {
        name: (getattr(before, name) if before else "", getattr(row, name))
        for name in GATED_TABLES[type(row)].columns
    }
    return {name: pair for name, pair in texts.items() if pair[0] != pair[1]}


def find_text_problems(
    row: Model, *, by: User | None, library: style_rules.LibraryLookup | None = None
) -> list[TextProblem]:
    """Return why `by` may not save `row`, each with the column that it is about.

    Of texts that stay as they are only those are judged that more people will read.
    Give one `library` when many rows are looked at.
    """
    if reason := category_scopes.explain_scope_refusal(row, by=by):
        return [(None, reason)]
    return [
        (one.text.field, str(one))
        for one in _find_style_problems(row, load_stored_row(row), library)
    ]


def require_allowed_text(
    row: Model, *, by: User | None, library: style_rules.LibraryLookup | None = None
) -> None:
    """Raise ValidationError with `problems`; code "remit" or "wording"."""
    found = find_text_problems(row, by=by, library=library)
    errors: dict[str, list[ValidationError]] = {}
    for name, told in found:
        error = ValidationError(told, code="wording" if name else "remit")
        errors.setdefault(name or NON_FIELD_ERRORS, []).append(error)
    if errors:
        raise ValidationError(errors)


def _find_style_problems(
    row: Model, before: Any, library: style_rules.LibraryLookup | None
) -> Iterator[StyleFinding]:
    table = GATED_TABLES[type(row)]
    public = table.is_public(row)
    wider = before is not None and public and not table.is_public(before)
    changed = find_changed_columns(row, before)
    texts = [
        CheckedText(face, getattr(row, name), _get_column_label(row, name), name)
        for name, face in table.columns.items()
        if face and (wider or name in changed)
    ]
    if not texts:
        return
    for one in style_rules.check_texts(
        texts, public=public, library=library, strict=True
    ):
        if not (
            one.text.field in table.house_contacts and _is_personal_data_finding(one)
        ):
            yield one


def _is_personal_data_finding(finding: StyleFinding) -> bool:
    rule = finding.rule
    check_kind = str(StyleRule.Kind.CHECK.label)
    return rule.kind == check_kind and rule.text in personal_data.PERSONAL_DATA_KINDS


def _get_column_label(row: Model, name: str) -> str:
    return str(row._meta.get_field(name).verbose_name)  # type: ignore[union-attr]
