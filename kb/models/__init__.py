"""Tables, their constraints, and querysets that say which rows a reader may see."""

from __future__ import annotations

from kb.models.agent_profile import AgentProfile
from kb.models.announcement import Announcement, AnnouncementQuerySet
from kb.models.answer import MAX_ANSWER_CHARS, AnswerDraft, AnswerVersion
from kb.models.audit_event import AuditEvent
from kb.models.autosave import Autosave
from kb.models.campaign_period import CampaignPeriod
from kb.models.category import Category
from kb.models.category_permission import CategoryPermission, CategoryRight
from kb.models.channel import Channel
from kb.models.clock_check import ClockCheck
from kb.models.completion import Completion
from kb.models.content_edition import ContentEdition
from kb.models.copy_event import CopyEvent
from kb.models.customer_segment import CustomerSegment
from kb.models.deleted_item import DeletedItem
from kb.models.entry import Entry, EntryQuerySet
from kb.models.entry_merge import EntryMerge
from kb.models.entry_revision import EntryRevision, RevisionAction
from kb.models.entry_translation import EntryTranslation
from kb.models.entry_visibility import EntryVisibility
from kb.models.evidence import Evidence
from kb.models.favorite import Favorite
from kb.models.follow_up import FollowUp
from kb.models.import_batch import ImportBatch, ImportColumnName, ImportedRow
from kb.models.index_queue import IndexQueue
from kb.models.index_stamp import IndexStamp
from kb.models.inquiry import Inquiry, InquiryAttachment
from kb.models.job import Job
from kb.models.language_edition import LanguageEdition
from kb.models.login_counter import LoginCounter
from kb.models.page_view import PageView
from kb.models.phrasing import Phrasing, require_no_personal_data
from kb.models.pick import Pick
from kb.models.picture import Picture
from kb.models.practice_attempt import PracticeAttempt
from kb.models.product_module import Module
from kb.models.question import Question, QuestionQuerySet
from kb.models.related_entries import RelatedEntries
from kb.models.relevance_test import RelevanceTest, RelevanceTestRun
from kb.models.reply import (
    Reply,
    ReplyQuerySet,
    prefetch_readable_replies,
    prefetch_shared_replies,
)
from kb.models.reply_feedback import ReplyFeedback
from kb.models.reply_proposal import ReplyProposal
from kb.models.reply_revision import ReplyRevision
from kb.models.review import Review, ReviewComment
from kb.models.search import Search, SearchSide
from kb.models.search_gap import SearchGap, SearchGapCheckpoint, SearchGapSpelling
from kb.models.site import Site
from kb.models.snippet import Snippet
from kb.models.style_rule import StyleRule
from kb.models.tag import Tag
from kb.models.team import Team
from kb.models.text_revision import TextRevision
from kb.models.user import (
    ROLE_AGENT,
    ROLE_EDITOR,
    ROLE_LEAD,
    ROLE_WRITER,
    Reader,
    User,
    get_visible_category_ids,
)
from kb.models.validity import Validity
from kb.models.vocabulary import DictionaryWord, StopWord, SynonymSet
from kb.models.vote import Vote
from kb.models.widget_rule import WidgetRule
from kb.system.database import raw_sql

__all__ = [
    "MAX_ANSWER_CHARS",
    "ROLE_AGENT",
    "ROLE_EDITOR",
    "ROLE_LEAD",
    "ROLE_WRITER",
    "AgentProfile",
    "Announcement",
    "AnnouncementQuerySet",
    "AnswerDraft",
    "AnswerVersion",
    "AuditEvent",
    "Autosave",
    "CampaignPeriod",
    "Category",
    "CategoryPermission",
    "CategoryRight",
    "Channel",
    "ClockCheck",
    "Completion",
    "ContentEdition",
    "CopyEvent",
    "CustomerSegment",
    "DeletedItem",
    "DictionaryWord",
    "Entry",
    "EntryMerge",
    "EntryQuerySet",
    "EntryRevision",
    "EntryTranslation",
    "EntryVisibility",
    "Evidence",
    "Favorite",
    "FollowUp",
    "ImportBatch",
    "ImportColumnName",
    "ImportedRow",
    "IndexQueue",
    "IndexStamp",
    "Inquiry",
    "InquiryAttachment",
    "Job",
    "LanguageEdition",
    "LoginCounter",
    "Module",
    "PageView",
    "Phrasing",
    "Pick",
    "Picture",
    "PracticeAttempt",
    "Question",
    "QuestionQuerySet",
    "Reader",
    "RelatedEntries",
    "RelevanceTest",
    "RelevanceTestRun",
    "Reply",
    "ReplyFeedback",
    "ReplyProposal",
    "ReplyQuerySet",
    "ReplyRevision",
    "Review",
    "ReviewComment",
    "RevisionAction",
    "Search",
    "SearchGap",
    "SearchGapCheckpoint",
    "SearchGapSpelling",
    "SearchSide",
    "Site",
    "Snippet",
    "StopWord",
    "StyleRule",
    "SynonymSet",
    "Tag",
    "Team",
    "TextRevision",
    "User",
    "Validity",
    "Vote",
    "WidgetRule",
    "get_visible_category_ids",
    "prefetch_readable_replies",
    "prefetch_shared_replies",
    "raw_sql",
    "require_no_personal_data",
]
