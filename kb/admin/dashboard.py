"""What waits for the reader: one number for each kind of work, and where it is done."""

from __future__ import annotations

from dataclasses import dataclass

from django.urls import reverse

from kb.models import RelevanceTestRun, User, Validity
from kb.quality import work_queue

ENTRY_LIST_URL_NAME = "admin:kb_entry_changelist"
WORK_KINDS = (  # in the order of the day: kind, label, hint, page, query, tone
    ("asked", "待回复", "顾客在网上问了，还没有人回复", "desk:asked", "", "bad"),
    ("ratings", "低分评价", "顾客给回复打了 1–2 分", "desk:ratings", "", "bad"),
    ("recorded", "待补答案", "记下的问题，没有回信地址", "desk:recorded", "", ""),
    ("inbox", "收件箱", "客服答过的问题，等着整理进库", "desk:inbox", "", ""),
    ("reviews", "待审核", "别人提交的，等您通过", "desk:reviews", "", "warn"),
    ("remarks", "话术反馈", "客服说话术有问题", "desk:remarks", "", ""),
    ("unhelpful", "没帮助", "顾客点了没帮助的条目", "desk:unhelpful", "", ""),
    ("proposals", "共用提议", "客服想共用的话术", "desk:proposals", "", ""),
    ("phrasings", "相似问法", "大家都这样搜，建议收下", "desk:phrasings", "", ""),
    ("due", "待复核", "到了复核日期，归您看", "desk:due", "", ""),
    ("gaps", "搜索缺口", "搜了没有结果，或没有人用", "desk:gaps", "", "warn"),
    ("golden", "搜索验收不达标", "", "desk:golden", "", "bad"),
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
    """A kind of work: how much of it waits, what it is, and its page."""

    label: str
    count: int
    hint: str
    url: str
    badge_class: str = ""


def list_dashboard_cards(user: User) -> list[DashboardCard]:
    """Return the work that `user` may do, what waits first, in the order of the day."""
    counts = work_queue.count_waiting_work(user)
    found = [
        DashboardCard(
            label,
            counts[kind],
            hint or _describe_last_test_run(),
            reverse(page) + query,
            tone,
        )
        for kind, label, hint, page, query, tone in WORK_KINDS
        if kind in counts
    ]
    return sorted(found, key=lambda card: not card.count)


def _describe_last_test_run() -> str:
    last = RelevanceTestRun.objects.exclude(finished_at=None).first()
    return f"共 {last.total} 条，上次 {last.failing} 条" if last else "还没有跑过"
