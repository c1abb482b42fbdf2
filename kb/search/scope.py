"""What a search looks in: the texts that a reader may match on, and which entries."""

from __future__ import annotations

from dataclasses import dataclass

from kb.engines import Field, Group

PICKED = 0.6  # weight of words that led people of the reader's own side to an entry

# Texts as one, where an answer may make up for what the question does not say.
# Agents' words and short codes are for those who may read them.
_PUBLIC_TEXTS = (
    Field("question", 4.0, 0.6),
    Field("phrasings", 3.0, 0.3),
    Field("answer", 1.0, 0.5),
    Field("forms", 2.0, 0.5),
)
_STAFF_TEXTS = (
    *_PUBLIC_TEXTS,
    Field("picked_staff", PICKED, 0.0),
    Field("keywords", 8.0, 0.0),
    Field("replies", 0.8, 0.5),
)
# The question for itself: to be asked about a word is more than to mention it.
_HEADING = Group((Field("question", 1.0, 0.9), Field("phrasings", 1.0, 0.3)), 1.2, 2.0)
PUBLIC = (Group((*_PUBLIC_TEXTS, Field("picked", PICKED, 0.0)), k1=3.0), _HEADING)
STAFF = (Group(_STAFF_TEXTS, k1=3.0), _HEADING)


@dataclass(frozen=True, slots=True)
class Scope:
    """What a reader may match on, and labels of what he may find."""

    groups: tuple[Group, ...]
    labels: tuple[frozenset[str], ...]
