"""What a search looks in: the texts that a reader may match on, and which entries."""

from __future__ import annotations

from dataclasses import dataclass

from kb.index.engines import FieldGroup, WeightedField
from kb.search.weights import WEIGHTS, QuestionFieldWeights, TextFieldWeights


def _make_field_group(
    weights: TextFieldWeights | QuestionFieldWeights, names: tuple[str, ...]
) -> FieldGroup:
    """Return the group of the fields `names`, weighted as weights.toml says."""
    by_name = {name: getattr(weights, name) for name in names}
    fields = (WeightedField(name, w.boost, w.b) for name, w in by_name.items())
    return FieldGroup(tuple(fields), weights.k1, weights.boost)


# Texts as one, where an answer may make up for what the question does not say.
# Agents' words and short codes are for those who may read them.
_PUBLIC_FIELDS = ("question", "phrasings", "answer", "forms")
# The question for itself: to be asked about a word is more than to mention it.
_QUESTION_GROUP = _make_field_group(WEIGHTS.fields.question, ("question", "phrasings"))
PUBLIC_FIELD_GROUPS = (
    _make_field_group(WEIGHTS.fields.text, (*_PUBLIC_FIELDS, "picked")),
    _QUESTION_GROUP,
)
STAFF_FIELD_GROUPS = (
    _make_field_group(
        WEIGHTS.fields.text, (*_PUBLIC_FIELDS, "picked_staff", "keywords", "replies")
    ),
    _QUESTION_GROUP,
)


@dataclass(frozen=True, slots=True)
class SearchScope:
    """What a reader may match on, and labels of what he may find."""

    field_groups: tuple[FieldGroup, ...]
    labels: tuple[frozenset[str], ...]
