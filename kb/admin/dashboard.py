"""The dashboard of the admin: a card with a number for each kind of work."""

from __future__ import annotations

from dataclasses import dataclass

from django.urls import reverse

from kb.models import User, Validity
from kb.quality import relevance_tests, work_queue

ENTRY_LIST_URL_NAME = "admin:kb_entry_changelist"
# In the order of the day: kind, label, hint, page, query string, class of the badge.
WORK_KINDS = (
    ("asked", "待回复", "顾客在网上问了，还没有人回复", "desk:asked", "", "bad"),
    ("ratings", "低分评价", "顾客给回复打了 1–2 分", "desk:ratings", "", "bad"),
    ("recorded", "待补答案", "记下的问题，没有回信地址", "desk:recorded", "", ""),
    ("inbox", "收件箱", "客服答过的问题，等着整理进库", "desk:inbox", "", ""),
    ("reviews", "待审核", "别人提交的，等您通过", "desk:reviews", "", "warn"),
    ("remarks", "话术反馈", "客服说话术有问题", "desk:reply-feedback", "", ""),
    ("unhelpful", "没帮助", "顾客点了没帮助的条目", "desk:unhelpful", "", ""),
    ("proposals", "共用提议", "客服想共用的话术", "desk:proposals", "", ""),
    ("phrasings", "相似问法", "大家都这样搜，建议收下", "desk:phrasings", "", ""),
    ("due", "待复核", "到了复核日期，归您看", "desk:due", "", ""),
    ("gaps", "搜索缺口", "搜了没有结果，或没有人用", "desk:gaps", "", "warn"),
    ("golden", "搜索验收不达标", "", "desk:relevance-tests", "", "bad"),
    (
        "drafts",
        "我的草稿",
        "您建的，还没有提交",
        ENTRY_LIST_URL_NAME,
        "?mine=drafts",
        "",
    ),
    (
        "soon",
        "快到期",
        "有效期快到了，要不要续",
        ENTRY_LIST_URL_NAME,
        f"?validity={Validity.EXPIRING_SOON.value}",
        "",
    ),
)


@dataclass(frozen=True, slots=True)
class DashboardCard:
    """A kind of work, how much of it waits, and the page where it is done."""

    label: str
    count: int
    hint: str
    url: str
    badge_class: str = ""


def list_dashboard_cards(user: User) -> list[DashboardCard]:
    """Return a card for each kind of work that `user` may do; kinds that wait first."""
    counts = work_queue.count_waiting_work(user)
    cards = [
        DashboardCard(
            label,
            counts[kind],
            hint or _describe_last_test_run(),
            reverse(page) + query,
            badge_class,
        )
        for kind, label, hint, page, query, badge_class in WORK_KINDS
        if kind in counts
    ]
    return sorted(cards, key=lambda card: not card.count)


def _describe_last_test_run() -> str:
    run = relevance_tests.get_last_run()
    return f"共 {run.total} 条，上次 {run.failing} 条" if run else "还没有跑过"
