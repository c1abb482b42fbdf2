"""产品模块: product modules of entries and questions."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import Count, OuterRef, QuerySet, Subquery
from django.db.models.functions import Coalesce
from django.http import HttpRequest
from django.utils.safestring import SafeString

from kb.admin.base_admin import render_yes_no_badge
from kb.admin.category import build_entry_count
from kb.admin.gated_admin import GatedAdmin
from kb.models import Module, Question


@admin.register(Module)
class ModuleAdmin(GatedAdmin):
    list_display = ["name", "owner", "offered_badge", "entry_count", "question_count"]
    list_select_related = ["owner"]
    search_fields = ["name", "owner__name", "owner__username"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        questions = Question.objects.filter(module=OuterRef("pk")).order_by()
        numbers = questions.values("module").annotate(n=Count("pk")).values("n")
        counts = {
            "entry_total": build_entry_count("module"),
            "question_total": Coalesce(Subquery(numbers), 0),
        }
        rows: QuerySet[Any] = super().get_queryset(request)
        counted: QuerySet[Any] = rows.annotate(**counts)
        return counted

    @admin.display(description="提问时可选", ordering="offered")
    def offered_badge(self, module: Module) -> SafeString:
        return render_yes_no_badge(module.offered)

    @admin.display(description="条目", ordering="entry_total")
    def entry_count(self, module: Any) -> int:
        return int(module.entry_total)

    @admin.display(description="问题", ordering="question_total")
    def question_count(self, module: Any) -> int:
        return int(module.question_total)
