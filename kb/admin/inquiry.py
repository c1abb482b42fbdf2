"""提问: questions asked on the site, with their ratings; read-only."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.text import Truncator

from kb.admin.base_admin import ReadOnlyAdmin, format_local_time
from kb.models import Inquiry


class SatisfactionFilter(admin.SimpleListFilter):
    title = "满意度"
    parameter_name = "satisfied"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [
            ("good", "4–5 分"),
            ("fair", "3 分"),
            ("bad", "1–2 分"),
            ("none", "没评"),
        ]

    def queryset(
        self, request: HttpRequest, queryset: QuerySet[Inquiry]
    ) -> QuerySet[Inquiry]:
        conditions: dict[str, dict[str, Any]] = {
            "good": {"score__gte": 4},
            "fair": {"score": 3},
            "bad": {"score__lte": 2},
            "none": {"score": None},
        }
        return queryset.filter(**conditions.get(self.value() or "", {}))


@admin.register(Inquiry)
class InquiryAdmin(ReadOnlyAdmin):
    list_display = [
        "question_excerpt",
        "question_status",
        "score",
        "comment",
        "words",
        "site",
        "asked_time",
        "answer_summary",
    ]
    list_filter = [SatisfactionFilter, "question__status", "site"]
    list_select_related = ["question__answered_by", "site"]
    search_fields = ["question__text", "comment", "words"]
    # Never the token: it opens the page of the customer.
    fields = [
        "question",
        "answer_summary",
        "contact",
        "words",
        "page",
        "site",
        "told_at",
        "score",
        "comment",
        "scored_at",
    ]
    readonly_fields = ["answer_summary"]

    @admin.display(description="问题", ordering="question__text")
    def question_excerpt(self, inquiry: Inquiry) -> str:
        return Truncator(inquiry.question.text).chars(40)

    @admin.display(description="状态", ordering="question__status")
    def question_status(self, inquiry: Inquiry) -> str:
        return inquiry.question.get_status_display()

    @admin.display(description="谁回复的", ordering="question__answered_at")
    def answer_summary(self, inquiry: Inquiry) -> str:
        question = inquiry.question
        if question.answered_at is None:
            return "—"
        who = question.answered_by or "不知道是谁"
        return f"{who}，{format_local_time(question.answered_at)}"

    @admin.display(description="提问时间", ordering="question__asked_at")
    def asked_time(self, inquiry: Inquiry) -> str:
        return format_local_time(inquiry.question.asked_at)
