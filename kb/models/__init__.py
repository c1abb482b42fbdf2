"""Tables, constraints, and the querysets that say which rows."""

from __future__ import annotations

from kb.models import plain
from kb.models.answer import MAX_ANSWER_CHARS, AnswerDraft, AnswerVersion
from kb.models.category import Category, Module, Tag
from kb.models.completion import Completion
from kb.models.content import ContentEdition, Neighbours, Read
from kb.models.copy import Copy
from kb.models.deed import Deed
from kb.models.deleted_item import DeletedItem
from kb.models.entry import Entry, EntryQuerySet
from kb.models.face import Face
from kb.models.followup import FollowUp
from kb.models.gap import Gap, GapSpelling, Gathered
from kb.models.golden import Golden, GoldenRun
from kb.models.habit import Favourite, Manner
from kb.models.history import Act, Revision
from kb.models.importing import ColumnName, Import, ImportedRow
from kb.models.incident import Incident, IncidentQuerySet
from kb.models.index_stamp import IndexStamp
from kb.models.inquiry import Enclosure, Inquiry
from kb.models.job import ClockCheck, Job
from kb.models.login import LoginCounter
from kb.models.merger import Merger
from kb.models.phrasing import Phrasing, require_no_personal_data
from kb.models.picture import Picture
from kb.models.practice import Practice
from kb.models.proposal import Proposal
from kb.models.question import Channel, Question, QuestionQuerySet
from kb.models.remark import ReplyFeedback
from kb.models.remit import Remit, Right
from kb.models.reply import Reply, ReplyQuerySet, replies_for, replies_shared
from kb.models.review import Review, ReviewComment
from kb.models.revision import ReplyRevision
from kb.models.segment import Segment
from kb.models.site import Site
from kb.models.snippet import Snippet
from kb.models.stale import Stale
from kb.models.standing import Standing
from kb.models.team import Team
from kb.models.text_revision import TextRevision
from kb.models.unsaved import Unsaved
from kb.models.usage import Evidence, Pick, Search, Side, Vote
from kb.models.user import AGENT, EDITOR, LEAD, WRITER, Reader, User, shown_to
from kb.models.validity import Validity
from kb.models.vocabulary import Edition, StopWord, SynonymSet, Word
from kb.models.widget import WidgetRule
from kb.models.window import Window
from kb.models.wording import WordingRule

__all__ = [
    "AGENT",
    "EDITOR",
    "LEAD",
    "MAX_ANSWER_CHARS",
    "WRITER",
    "Act",
    "AnswerDraft",
    "AnswerVersion",
    "Category",
    "Channel",
    "ClockCheck",
    "ColumnName",
    "Completion",
    "ContentEdition",
    "Copy",
    "Deed",
    "DeletedItem",
    "Edition",
    "Enclosure",
    "Entry",
    "EntryQuerySet",
    "Evidence",
    "Face",
    "Favourite",
    "FollowUp",
    "Gap",
    "GapSpelling",
    "Gathered",
    "Golden",
    "GoldenRun",
    "Import",
    "ImportedRow",
    "Incident",
    "IncidentQuerySet",
    "IndexStamp",
    "Inquiry",
    "Job",
    "LoginCounter",
    "Manner",
    "Merger",
    "Module",
    "Neighbours",
    "Phrasing",
    "Pick",
    "Picture",
    "Practice",
    "Proposal",
    "Question",
    "QuestionQuerySet",
    "Read",
    "Reader",
    "Remit",
    "Reply",
    "ReplyFeedback",
    "ReplyQuerySet",
    "ReplyRevision",
    "Review",
    "ReviewComment",
    "Revision",
    "Right",
    "Search",
    "Segment",
    "Side",
    "Site",
    "Snippet",
    "Stale",
    "Standing",
    "StopWord",
    "SynonymSet",
    "Tag",
    "Team",
    "TextRevision",
    "Unsaved",
    "User",
    "Validity",
    "Vote",
    "WidgetRule",
    "Window",
    "Word",
    "WordingRule",
    "plain",
    "replies_for",
    "replies_shared",
    "require_no_personal_data",
    "shown_to",
]
