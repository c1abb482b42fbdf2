"""Which lists of the admin can be imported, for the buttons above them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django import template

from kb.transfer import KINDS

register = template.Library()
NEEDS = {
    "entry": "kb.import_entry",
    "question": "kb.import_question",
    "synonymset": "kb.add_synonymset",
    "word": "kb.add_word",
    "stopword": "kb.add_stopword",
    "wordingrule": "kb.add_wordingrule",
    "golden": "kb.add_golden",
}


@register.simple_tag(takes_context=True)
def transferable(context: Mapping[str, Any], model: str) -> str:
    """Return the kind of file that the list of `model` is, for who may import it."""
    if model not in NEEDS or not context["request"].user.has_perm(NEEDS[model]):
        return ""
    named = (n for n, kind in KINDS.items() if kind.model._meta.model_name == model)
    return next(named, "")
