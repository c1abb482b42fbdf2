"""Import buttons above lists of the admin."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django import template

from kb.import_export import ROW_KINDS

register = template.Library()
IMPORT_PERMISSION_BY_MODEL = {
    "entry": "kb.import_entry",
    "question": "kb.import_question",
    "synonymset": "kb.add_synonymset",
    "dictionaryword": "kb.add_dictionaryword",
    "stopword": "kb.add_stopword",
    "stylerule": "kb.add_stylerule",
    "relevancetest": "kb.add_relevancetest",
    "category": "kb.add_category",
    "snippet": "kb.add_snippet",
}


@register.simple_tag(takes_context=True)
def get_import_kind(context: Mapping[str, Any], model: str) -> str:
    """Return the import kind of `model`, or "" if the user may not import it."""
    if model not in IMPORT_PERMISSION_BY_MODEL or not context["request"].user.has_perm(
        IMPORT_PERMISSION_BY_MODEL[model]
    ):
        return ""
    names = (
        name for name, kind in ROW_KINDS.items() if kind.model._meta.model_name == model
    )
    return next(names, "")
