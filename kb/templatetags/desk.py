"""The tabs of the desk: the work that the user may do, with counts of open items."""

from __future__ import annotations

from dataclasses import dataclass

from django import template
from django.urls import reverse

from kb.quality import work_queue

PERMISSION_ANSWER, PERMISSION_TRIAGE, PERMISSION_EDIT = (
    "kb.answer_question",
    "kb.triage_question",
    "kb.change_entry",
)
# Kind in the work queue ("" without a count), label, permission, URL names of its pages.
DESK_TABS = (
    ("asked", "待回复", PERMISSION_ANSWER, "asked answer"),
    ("", "已回复", PERMISSION_ANSWER, "answered answered-one"),
    ("ratings", "低分评价", PERMISSION_ANSWER, "ratings"),
    ("recorded", "待补答案", PERMISSION_ANSWER, "recorded"),
    ("", "收件箱", PERMISSION_TRIAGE, "inbox merge create decline undo"),
    ("", "草稿与待审核", PERMISSION_EDIT, "drafts"),
    ("reviews", "审核", PERMISSION_EDIT, "reviews"),
    ("due", "待复核", PERMISSION_EDIT, "due"),
    ("phrasings", "相似问法", PERMISSION_EDIT, "phrasings"),
    ("proposals", "共用提议", PERMISSION_EDIT, "proposals"),
    ("unhelpful", "没帮助", PERMISSION_EDIT, "unhelpful"),
    ("remarks", "话术反馈", PERMISSION_EDIT, "reply-feedback"),
    ("gaps", "搜索缺口", PERMISSION_EDIT, "gaps"),
    ("golden", "搜索验收", PERMISSION_EDIT, "relevance-tests publish-warning"),
)
register = template.Library()


@dataclass(frozen=True, slots=True)
class DeskTab:
    label: str
    url: str
    count: int
    is_current: bool


@register.simple_tag(takes_context=True)
def list_desk_tabs(context: template.Context) -> list[DeskTab]:
    """Return the tabs that the user may open; the inbox has its count on its page."""
    request = context["request"]
    current_page = request.resolver_match.url_name
    counts = work_queue.count_waiting_work(request.user)
    return [
        DeskTab(
            label,
            reverse(f"desk:{pages.split()[0]}"),
            counts.get(kind, 0),
            current_page in pages.split(),
        )
        for kind, label, permission, pages in DESK_TABS
        if request.user.has_perm(permission)
    ]
