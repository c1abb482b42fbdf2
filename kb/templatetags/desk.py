"""The desk's tabs: every kind of work that the reader may do, and how much waits."""

from __future__ import annotations

from dataclasses import dataclass

from django import template
from django.urls import reverse

from kb import waiting

ANSWER, SORT, EDIT = (
    "kb.answer_question",
    "kb.triage_question",
    "kb.change_entry",
)
TABS = (  # in the order of the day: kind, label, permission, names of its pages
    ("asked", "待回复", ANSWER, "asked answer"),
    ("", "已回复", ANSWER, "answered answered-one"),
    ("ratings", "低分评价", ANSWER, "ratings"),
    ("recorded", "待补答案", ANSWER, "recorded"),
    ("", "收件箱", SORT, "inbox merge create decline undo"),
    ("", "草稿与待审核", EDIT, "drafts"),
    ("reviews", "审核", EDIT, "reviews"),
    ("due", "待复核", EDIT, "due"),
    ("phrasings", "相似问法", EDIT, "phrasings"),
    ("proposals", "共用提议", EDIT, "proposals"),
    ("unhelpful", "没帮助", EDIT, "unhelpful"),
    ("remarks", "话术反馈", EDIT, "remarks"),
    ("gaps", "搜索缺口", EDIT, "gaps"),
    ("golden", "搜索验收", EDIT, "golden golden-warning"),
)
register = template.Library()


@dataclass(frozen=True, slots=True)
class Tab:
    label: str
    url: str
    count: int
    current: bool


@register.simple_tag(takes_context=True)
def desk_tabs(context: template.Context) -> list[Tab]:
    """Return the tabs of the reader; an inbox tells its number on its own page."""
    request = context["request"]
    here = request.resolver_match.url_name
    counts = waiting.counts(request.user)
    return [
        Tab(
            label,
            reverse(f"desk:{pages.split()[0]}"),
            counts.get(kind, 0),
            here in pages.split(),
        )
        for kind, label, permission, pages in TABS
        if request.user.has_perm(permission)
    ]
