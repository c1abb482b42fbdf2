"""Which columns hold text that people read, and what guards each of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from django.db.models import Model

from kb.models import (
    Category,
    Entry,
    Face,
    Incident,
    Module,
    Phrasing,
    Reply,
    Segment,
    Site,
    Snippet,
    Tag,
    Window,
)
from kb.text.wording import ANSWER, QUESTION, SPEECH


def _always(row: Any) -> bool:
    return True


@dataclass(frozen=True, slots=True)
class Table:
    """The columns of a table, each with how the wording rules look at it.

    None is a column that has a history and is not judged. `is_public` tells
    whether customers read the row. The numbers and addresses in `house_contacts`
    are the house's own, so that the rules on personal data do not hold there.
    """

    columns: Mapping[str, str | None]
    is_public: Callable[[Any], bool] = _always
    house_contacts: frozenset[str] = field(default_factory=frozenset)


def _is_public_notice(row: Incident) -> bool:
    return row.audience == Incident.Audience.PUBLIC


def _is_never_public(row: Any) -> bool:
    return False


TABLES: dict[type[Model], Table] = {
    Category: Table({"name": QUESTION, "own_hant": QUESTION}),
    Tag: Table({"name": QUESTION, "own_hant": QUESTION}),
    Module: Table({"name": QUESTION}),
    Segment: Table({"name": QUESTION}, is_public=_is_never_public),
    Window: Table({"name": QUESTION}, is_public=_is_never_public),
    Snippet: Table({"name": None, "body": SPEECH}),
    Incident: Table({"title": QUESTION, "body": ANSWER}, is_public=_is_public_notice),
    Site: Table(
        {"name": QUESTION, "contact": QUESTION},
        house_contacts=frozenset({"contact"}),
    ),
}

# Written by the stages of kb.entries (and shared replies of agents by kb.replies,
# which hands them to kb.entries): versions of the whole entry.
ENTRY_TEXTS: dict[type[Model], frozenset[str]] = {
    Entry: frozenset({"question", "answer", "keywords", "slug"}),
    Reply: frozenset({"label", "body"}),
    Phrasing: frozenset({"text"}),
    Face: frozenset({"own_question", "own_answer"}),
}

_DERIVED = "derived from gated text, written by nobody"
_CODE = "a name for programs or a choice of ours, no text of anybody's"
_NOTE = "a note between colleagues, shown on pages of editors alone"
_VISITOR = "what a visitor typed, read by colleagues and shown to nobody else"
_SEARCH = "words that the search works with, shown on no page of readers"
_HISTORY = "what was said before, for editors to compare"

# Tables and columns ("Table.column") of text that pass no gate, with the reason.
INTERNAL: dict[str, str] = {
    "Category.hant": _DERIVED,
    "Tag.hant": _DERIVED,
    "Team": "a name for colleagues of one team and for leads",
    "User": "accounts; what is not the account's own is changed by root",
    "Entry.answer_html": _DERIVED,
    "Entry.answer_text": _DERIVED,
    "Entry.excerpt": _DERIVED,
    "Entry.question_key": _DERIVED,
    "Entry.source": "where an import came from, shown to editors",
    "Entry.external_id": "where an import came from, shown to editors",
    "Completion": _DERIVED,
    "Question": "raw material, never shown to the public; an answer goes to one asker",
    "AnswerVersion": "an answer to one asker; versions and author are kept with it",
    "AnswerDraft": "an answer that its writer has not sent yet",
    "IndexStamp": _CODE,
    "Job": "the name of a task and what came of it, shown to operators",
    "LoginCounter": _CODE,
    "Reply.title": "how its owner or team finds a reply of their own",
    "Reply.keywords": "how its owner or team finds a reply of their own",
    "Reply.text": _DERIVED,
    "Search": _VISITOR,
    "Pick": _VISITOR,
    "Vote": _VISITOR,
    "Evidence": _VISITOR,
    "Copy": "what an agent searched for and sent, counted and shown to leads",
    "Deed": "the audit log",
    "DeletedItem": _HISTORY,
    "Face.own_source": _DERIVED,
    "Face.question": _DERIVED,
    "Face.answer_html": _DERIVED,
    "Face.answer_text": _DERIVED,
    "Face.excerpt": _DERIVED,
    "Face.said_by": _DERIVED,
    "Gap": _VISITOR,
    "GapSpelling": _VISITOR,
    "Golden": _SEARCH,
    "GoldenRun": _CODE,
    "Manner": "an agent's own greeting, sent by that agent alone",
    "Revision": _HISTORY,
    "Import": "the name of a file and what came of it, shown to editors",
    "ImportedRow": "what an import wrote, shown to editors",
    "ColumnName": "headings of files, shown to editors",
    "Incident.keywords": _SEARCH,
    "Incident.body_html": _DERIVED,
    "Picture.name": _CODE,
    "Picture.alt": "offered where a picture is inserted; the answer holds its own copy",
    "Site.host": _CODE,
    "Site.accent": _CODE,
    "Inquiry": _VISITOR,
    "Phrasing.text_key": _DERIVED,
    "Proposal": _NOTE,
    "ReplyFeedback": _NOTE,
    "Review": _NOTE,
    "ReviewComment": _NOTE,
    "ReplyRevision": _HISTORY,
    "TextRevision": _HISTORY,
    "Unsaved": "what its writer has not saved, shown to nobody else",
    "SynonymSet": _SEARCH,
    "Word": _SEARCH,
    "StopWord": _SEARCH,
    "WidgetRule": _SEARCH,
    "WordingRule": "the rules themselves, shown to editors",
}
