"""繁體 by hand: the original beside it, and a list of what has changed since."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.forms import Textarea
from django.http import HttpRequest
from django.urls import reverse
from django.utils import translation
from django.utils.html import format_html
from django.utils.safestring import SafeString

from kb import faces, scripts
from kb.admin.base import Curation
from kb.models import Face


@admin.register(Face)
class FaceAdmin(Curation):
    list_display = ["said", "state", "original"]
    list_filter = ["behind"]
    list_select_related = ["entry"]
    search_fields = ["question", "entry__question"]
    readonly_fields = ["state", "original", "answer", "said", "page"]
    fieldsets = [
        ("原文", {"fields": ["original", "answer"]}),
        ("现在显示的", {"fields": ["state", "said", "page"]}),
        ("人工改写", {"fields": ["own_question", "own_answer"]}),
    ]

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """A face goes with its entry and not without."""
        match = request.resolver_match
        return match is not None and match.url_name == "kb_entry_delete"

    def formfield_for_dbfield(self, db_field: Any, request: Any, **kwargs: Any) -> Any:
        if db_field.name == "own_answer":
            kwargs["widget"] = Textarea({"rows": 14, "class": "vLargeTextField"})
        return super().formfield_for_dbfield(db_field, request, **kwargs)

    def save_model(
        self, request: HttpRequest, obj: Face, form: Any, change: bool
    ) -> None:
        given = form.cleaned_data
        written = (given["own_question"], given["own_answer"])
        faces.write(obj, question=written[0], answer=written[1])

    @admin.display(description="状态", ordering="behind")
    def state(self, face: Face) -> SafeString:
        tone, told = "", "自动转换"
        if face.is_own:
            tone, told = ("warn", "人工，原文已改") if face.behind else ("ok", "人工")
        return format_html('<span class="badge {}">{}</span>', tone, told)

    @admin.display(description="原文问题")
    def original(self, face: Face) -> SafeString:
        where = reverse("admin:kb_entry_change", args=[face.entry_id])
        return format_html('<a href="{}">{}</a>', where, face.entry.question)

    @admin.display(description="原文答案")
    def answer(self, face: Face) -> SafeString:
        return format_html('<pre class="source">{}</pre>', face.entry.answer)

    @admin.display(description="繁體问题", ordering="question")
    def said(self, face: Face) -> str:
        return face.question

    @admin.display(description="网页")
    def page(self, face: Face) -> SafeString:
        with translation.override(scripts.HANT):
            where = face.entry.get_absolute_url()
        return format_html('<a href="{}" target="_blank">{}</a>', where, "打开")
