"""问题: recorded questions; their text can be corrected, triage is the inbox's."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin
from django.db.models import Count, QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.text import Truncator

from kb.admin.base_admin import BaseAdmin, ConstraintCheckingForm, format_local_time
from kb.admin.list_filters import MAX_FILTER_CHOICES, UsedRelationFilter
from kb.models import Question
from kb.questions import intake, queues, triage
from kb.text.chinese import normalize


class CustomerSegmentFilter(admin.SimpleListFilter):
    """Customer segments as questions name them, the most frequent first."""

    title = "客户类型"
    parameter_name = "segment"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        rows = Question.objects.exclude(segment="").order_by().values_list("segment")
        counted = rows.annotate(n=Count("pk")).order_by("-n", "segment")[
            :MAX_FILTER_CHOICES
        ]
        return [(segment, segment) for segment, _ in counted]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        return queryset.filter(segment=self.value()) if self.value() else queryset


class QuestionForm(ConstraintCheckingForm):
    """A question; `seen` is a digest of the answer that the page showed."""

    seen = forms.CharField(required=False, widget=forms.HiddenInput)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.initial["seen"] = normalize.compute_spelling_key(self.instance.answer)

    def clean(self) -> dict[str, Any]:
        """Refuse to overwrite an answer that was saved while the page was open."""
        cleaned = super().clean() or self.cleaned_data
        now = self.instance.answer
        digest = normalize.compute_spelling_key(now)
        is_stale = cleaned.get("seen") not in {"", None, digest}
        if is_stale and cleaned.get("answer") != now:
            message = (
                f"有人刚刚改过回答，现在是：{now or '（空）'}。"
                "您写的还在框里，看过以后再保存一次。"
            )
            self.add_error("answer", message)
            posted: Any = self.data
            self.data = data = posted.copy()
            data[self.add_prefix("seen")] = digest  # the page shows it now
        return cleaned

    def clean_text(self) -> str:
        return intake.mask_question_text(self.cleaned_data["text"])

    def _post_clean(self) -> None:
        """Move an open question on that gets its answer."""
        if self.instance.status == Question.Status.OPEN:
            self.instance.answer = self.cleaned_data.get("answer", "")
            self.instance.status = intake.get_initial_status(self.instance)
        super()._post_clean()

    class Meta:
        model = Question
        fields: list[str] = []  # the admin names them
        widgets = {
            "text": forms.Textarea({"rows": 4, "class": "vLargeTextField"}),
            "answer": forms.Textarea({"rows": 6, "class": "vLargeTextField"}),
        }


@admin.register(Question)
class QuestionAdmin(BaseAdmin):
    form = QuestionForm
    list_display = [
        "question_excerpt",
        "status",
        "channel",
        "segment",
        "module",
        "entry_link",
        "asked_time",
    ]
    list_filter = [
        "status",
        "channel",
        ("module", UsedRelationFilter),
        CustomerSegmentFilter,
    ]
    list_select_related = ["entry", "module"]
    search_fields = ["text", "answer", "external_id"]
    date_hierarchy = "asked_at"
    readonly_fields = [
        "status",
        "entry_link",
        "reason",
        "answered_by",
        "answered_at",
        "settled_by",
        "settled_at",
        "source",
        "external_id",
    ]
    fieldsets = [
        (
            None,
            {
                "fields": [
                    "text",
                    "answer",
                    "seen",
                    ("channel", "segment"),
                    "module",
                    "asked_at",
                ]
            },
        ),
        (
            "处理",
            {
                "fields": [
                    "status",
                    ("answered_by", "answered_at"),
                    "entry_link",
                    "reason",
                    ("settled_by", "settled_at"),
                ]
            },
        ),
        ("来源", {"fields": ["source", "external_id"], "classes": ["collapse"]}),
    ]

    def save_model(
        self, request: HttpRequest, obj: Question, form: Any, change: bool
    ) -> None:
        """Save the question, and record who answered: a customer may read the answer."""
        before = queues.find_question(obj.pk) if change else None
        was_open = before is None or before.status == Question.Status.OPEN
        super().save_model(request, obj, form, change)
        if obj.answer and (before is None or before.answer != obj.answer):
            user: Any = request.user
            triage.record_admin_answer(obj, by=user, was_open=was_open)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """A question that was merged into an entry stays: the entry counts it."""
        allowed = super().has_delete_permission(request, obj)
        return allowed and (obj is None or obj.status != Question.Status.SETTLED)

    @admin.display(description="问题", ordering="text")
    def question_excerpt(self, question: Question) -> str:
        return Truncator(question.text).chars(60)

    @admin.display(description="提问时间", ordering="asked_at")
    def asked_time(self, question: Question) -> str:
        return format_local_time(question.asked_at)

    @admin.display(description="收录到", ordering="entry")
    def entry_link(self, question: Question) -> str | SafeString:
        if question.entry is None:
            return "—"
        url = reverse("admin:kb_entry_change", args=[question.entry_id])
        name = Truncator(question.entry.question).chars(20)
        return format_html('<a href="{}">{}</a>', url, name)
