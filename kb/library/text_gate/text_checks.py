"""Check a change of text: first the user's rights, then the style rules."""

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

# (column, message); the column is None for a problem of the whole row.
TextProblem = tuple[str | None, str]


def load_stored_row(row: Model) -> Any:
    """Return `row` as it is in the database; None for a new row."""
    if row.pk is None:
        return None
    return type(row)._default_manager.filter(pk=row.pk).first()


def find_changed_columns(row: Model, before: Any) -> dict[str, tuple[str, str]]:
    """Return {column: (old text, new text)} of the gated texts that saving `row` changes."""
    texts = {
        name: (getattr(before, name) if before else "", getattr(row, name))
        for name in GATED_TABLES[type(row)].columns
    }
    return {name: pair for name, pair in texts.items() if pair[0] != pair[1]}


def find_text_problems(
    row: Model, *, by: User | None, library: style_rules.LibraryLookup | None = None
) -> list[TextProblem]:
    """Return why `by` may not save `row`: a list of (column, message), maybe empty.

    Unchanged texts are checked only where the row becomes public. `library` caches
    look-ups of the style rules; pass the same one when many rows are checked.
    """
    if reason := category_scopes.explain_scope_refusal(row, by=by):
        return [(None, reason)]
    return [
        (finding.text.field, str(finding))
        for finding in _find_style_problems(row, load_stored_row(row), library)
    ]


def require_allowed_text(
    row: Model, *, by: User | None, library: style_rules.LibraryLookup | None = None
) -> None:
    """Raise ValidationError for the problems of `row`, grouped by column.

    The code is "remit" for missing rights and "wording" for a style rule.
    """
    problems = find_text_problems(row, by=by, library=library)
    errors: dict[str, list[ValidationError]] = {}
    for name, message in problems:
        error = ValidationError(message, code="wording" if name else "remit")
        errors.setdefault(name or NON_FIELD_ERRORS, []).append(error)
    if errors:
        raise ValidationError(errors)


def _find_style_problems(
    row: Model, before: Any, library: style_rules.LibraryLookup | None
) -> Iterator[StyleFinding]:
    table = GATED_TABLES[type(row)]
    is_public = table.is_public(row)
    is_made_public = before is not None and is_public and not table.is_public(before)
    changed = find_changed_columns(row, before)
    texts = [
        CheckedText(text_kind, getattr(row, name), _get_column_label(row, name), name)
        for name, text_kind in table.columns.items()
        if text_kind and (is_made_public or name in changed)
    ]
    if not texts:
        return
    for finding in style_rules.check_texts(
        texts, public=is_public, library=library, strict=True
    ):
        if not (
            finding.text.field in table.house_contacts
            and _is_personal_data_finding(finding)
        ):
            yield finding


def _is_personal_data_finding(finding: StyleFinding) -> bool:
    rule = finding.rule
    check_label = str(StyleRule.Kind.CHECK.label)
    return rule.kind == check_label and rule.text in personal_data.PERSONAL_DATA_KINDS


def _get_column_label(row: Model, name: str) -> str:
    return str(row._meta.get_field(name).verbose_name)  # type: ignore[union-attr]
