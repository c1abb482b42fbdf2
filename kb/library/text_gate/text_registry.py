"""The registry of text columns: which pass the gate, and why the others do not."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from django.db.models import Model

from kb.models import (
    Announcement,
    CampaignPeriod,
    Category,
    CustomerSegment,
    Entry,
    EntryTranslation,
    Module,
    Phrasing,
    Reply,
    Site,
    Snippet,
    Tag,
)
from kb.text.style_rules import TEXT_ANSWER, TEXT_QUESTION, TEXT_REPLY


def _is_always_public(row: Any) -> bool:
    return True


@dataclass(frozen=True, slots=True)
class GatedTable:
    """The gated columns of a table, {name: kind of text for the style rules}.

    A column of kind None has a history, but no style rule applies to it. `is_public`
    takes a row and returns whether customers read it. Columns in `house_contacts`
    hold contact details of the company itself: rules on personal data do not apply.
    """

    columns: Mapping[str, str | None]
    is_public: Callable[[Any], bool] = _is_always_public
    house_contacts: frozenset[str] = field(default_factory=frozenset)


def _is_public_announcement(row: Announcement) -> bool:
    return row.audience == Announcement.Audience.PUBLIC


def _is_never_public(row: Any) -> bool:
    return False


GATED_TABLES: dict[type[Model], GatedTable] = {
    Category: GatedTable({"name": TEXT_QUESTION, "own_hant": TEXT_QUESTION}),
    Tag: GatedTable({"name": TEXT_QUESTION, "own_hant": TEXT_QUESTION}),
    Module: GatedTable({"name": TEXT_QUESTION}),
    CustomerSegment: GatedTable({"name": TEXT_QUESTION}, is_public=_is_never_public),
    CampaignPeriod: GatedTable({"name": TEXT_QUESTION}, is_public=_is_never_public),
    Snippet: GatedTable({"name": None, "body": TEXT_REPLY}),
    Announcement: GatedTable(
        {"title": TEXT_QUESTION, "body": TEXT_ANSWER}, is_public=_is_public_announcement
    ),
    Site: GatedTable(
        {"name": TEXT_QUESTION, "contact": TEXT_QUESTION},
        house_contacts=frozenset({"contact"}),
    ),
}

# Written by kb.library.entries as versions of the whole entry; kb.library.replies
# hands replies that become shared to it.
ENTRY_TEXT_COLUMNS: dict[type[Model], frozenset[str]] = {
    Entry: frozenset({"question", "answer", "keywords", "slug"}),
    Reply: frozenset({"label", "body"}),
    Phrasing: frozenset({"text"}),
    EntryTranslation: frozenset({"own_question", "own_answer"}),
}

_REASON_DERIVED = "derived from gated text, not written by users"
_REASON_CODE = "a name for programs or a fixed choice, not written by users"
_REASON_NOTE = "a note between colleagues, shown on staff pages only"
_REASON_VISITOR = "what a visitor typed, shown to staff only"
_REASON_SEARCH = "words for the search, shown on no public page"
_REASON_HISTORY = "an earlier text, for editors to compare"

# Tables and columns ("Table.column") of text that pass no gate, with the reason.
UNGATED_TEXTS: dict[str, str] = {
    "Category.hant": _REASON_DERIVED,
    "Tag.hant": _REASON_DERIVED,
    "Team": "a name for colleagues of one team and for leads",
    "User": "accounts; users edit their own, superusers the rest",
    "Entry.answer_html": _REASON_DERIVED,
    "Entry.answer_text": _REASON_DERIVED,
    "Entry.excerpt": _REASON_DERIVED,
    "Entry.question_key": _REASON_DERIVED,
    "Entry.source": "where an import came from, shown to editors",
    "Entry.external_id": "where an import came from, shown to editors",
    "Completion": _REASON_DERIVED,
    "Question": "unedited input, never public; an answer goes to one customer",
    "AnswerVersion": "an answer to one customer; versions and author are stored with it",
    "AnswerDraft": "an answer that its author has not sent yet",
    "IndexStamp": _REASON_CODE,
    "Job": "the name of a job and its result, shown to operators",
    "LoginCounter": _REASON_CODE,
    "Reply.title": "how its owner or team finds a reply of their own",
    "Reply.keywords": "how its owner or team finds a reply of their own",
    "Reply.text": _REASON_DERIVED,
    "Search": _REASON_VISITOR,
    "Pick": _REASON_VISITOR,
    "Vote": _REASON_VISITOR,
    "Evidence": _REASON_VISITOR,
    "CopyEvent": "what an agent searched for and sent, counted and shown to leads",
    "AuditEvent": "the audit log",
    "DeletedItem": _REASON_HISTORY,
    "EntryTranslation.own_source": _REASON_DERIVED,
    "EntryTranslation.question": _REASON_DERIVED,
    "EntryTranslation.answer_html": _REASON_DERIVED,
    "EntryTranslation.answer_text": _REASON_DERIVED,
    "EntryTranslation.excerpt": _REASON_DERIVED,
    "EntryTranslation.said_by": _REASON_DERIVED,
    "SearchGap": _REASON_VISITOR,
    "SearchGapSpelling": _REASON_VISITOR,
    "RelevanceTest": _REASON_SEARCH,
    "RelevanceTestRun": _REASON_CODE,
    "AgentProfile": "an agent's own greeting, sent by that agent only",
    "EntryRevision": _REASON_HISTORY,
    "ImportBatch": "the name of a file and the result of its import, shown to editors",
    "ImportedRow": "what an import wrote, shown to editors",
    "ImportColumnName": "headings of files, shown to editors",
    "Announcement.keywords": _REASON_SEARCH,
    "Announcement.body_html": _REASON_DERIVED,
    "Picture.name": _REASON_CODE,
    "Picture.alt": "a default where a picture is inserted; the answer stores its own copy",
    "Site.host": _REASON_CODE,
    "Site.accent": _REASON_CODE,
    "Inquiry": _REASON_VISITOR,
    "Phrasing.text_key": _REASON_DERIVED,
    "ReplyProposal": _REASON_NOTE,
    "ReplyFeedback": _REASON_NOTE,
    "Review": _REASON_NOTE,
    "ReviewComment": _REASON_NOTE,
    "ReplyRevision": _REASON_HISTORY,
    "TextRevision": _REASON_HISTORY,
    "Autosave": "a form that its author has not saved, shown to that user only",
    "SynonymSet": _REASON_SEARCH,
    "DictionaryWord": _REASON_SEARCH,
    "StopWord": _REASON_SEARCH,
    "WidgetRule": _REASON_SEARCH,
    "StyleRule": "the rules themselves, shown to editors",
}
