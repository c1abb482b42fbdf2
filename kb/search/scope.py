"""What a search looks in: the texts that a reader may match on, and which entries."""

from __future__ import annotations

from dataclasses import dataclass

from kb.index.engines import FieldGroup, WeightedField

PICKED_WORDS_WEIGHT = (
    0.6  # weight of words that led people of the reader's own side to an entry
)

# Texts as one, where an answer may make up for what the question does not say.
# Agents' words and short codes are for those who may read them.
_PUBLIC_FIELDS = (
    WeightedField("question", 4.0, 0.6),
    WeightedField("phrasings", 3.0, 0.3),
    WeightedField("answer", 1.0, 0.5),
    WeightedField("forms", 2.0, 0.5),
)
_STAFF_FIELDS = (
    *_PUBLIC_FIELDS,
    WeightedField("picked_staff", PICKED_WORDS_WEIGHT, 0.0),
    WeightedField("keywords", 8.0, 0.0),
    WeightedField("replies", 0.8, 0.5),
)
# The question for itself: to be asked about a word is more than to mention it.
_QUESTION_GROUP = FieldGroup(
    (WeightedField("question", 1.0, 0.9), WeightedField("phrasings", 1.0, 0.3)),
    1.2,
    2.0,
)
PUBLIC_FIELD_GROUPS = (
    FieldGroup(
        (*_PUBLIC_FIELDS, WeightedField("picked", PICKED_WORDS_WEIGHT, 0.0)), k1=3.0
    ),
    _QUESTION_GROUP,
)
STAFF_FIELD_GROUPS = (FieldGroup(_STAFF_FIELDS, k1=3.0), _QUESTION_GROUP)


@dataclass(frozen=True, slots=True)
class SearchScope:
    """What a reader may match on, and labels of what he may find."""

    field_groups: tuple[FieldGroup, ...]
    labels: tuple[frozenset[str], ...]
