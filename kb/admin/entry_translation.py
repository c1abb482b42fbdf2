"""繁體 by hand: the original beside it, and a list of what has changed since."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.forms import Textarea
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import translation
from django.utils.html import format_html
from django.utils.safestring import SafeString

from kb.admin.base_admin import BaseAdmin, ConstraintCheckingForm
from kb.language import style_rules
from kb.library import entries
from kb.models import Entry, EntryTranslation, Review, User
from kb.publishing import locale_prefix

MANUAL_TEXT_FIELDS = ("own_question", "own_answer")
PROPOSAL_HINT = "保存就是提交审核，通过以后才会显示。"


class EntryTranslationForm(ConstraintCheckingForm):
    """Says at each field what must not go live, and when somebody came first."""

    based_on = forms.IntegerField(required=False, widget=forms.HiddenInput)
    by: User | None = None  # set by the admin on the class that it makes

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        entry = self.instance.entry
        self.initial["based_on"] = entry.version
        if self.by is not None and entries.is_proposal_required(entry, by=self.by):
            question, answer = entries.get_proposed_translation(entry)
            self.initial.update({"own_question": question, "own_answer": answer})
            if "own_answer" in self.fields:
                self.fields["own_answer"].help_text += PROPOSAL_HINT

    def clean(self) -> dict[str, Any]:
        given = super().clean() or {}
        entry = self.instance.entry
        if given.get("based_on") not in {None, entry.version}:
            self._show_conflict(entry)
        if entry.status == Entry.Status.PUBLISHED:
            changed = {
                n: given.get(n) or ""
                for n in MANUAL_TEXT_FIELDS
                if n in self.changed_data
            }
            said = style_rules.list_translation_texts(
                changed.get("own_question", ""), changed.get("own_answer", "")
            )
            public = entry.audience == Entry.Audience.PUBLIC
            for one in style_rules.check_texts(
                said, public=public, entry_id=entry.pk, strict=True
            ):
                self.add_error(one.text.field, str(one))
        return given

    def _show_conflict(self, entry: Entry) -> None:
        """Show what has been saved meanwhile; saving again is a decision then."""
        kept = EntryTranslation.objects.get(pk=self.instance.pk)
        told = f"这一条刚被改过。现在保存的繁體答案：{kept.own_answer or '自动转换'}"
        self.add_error(None, f"{told}。看过以后再保存。")
        sent: Any = self.data
        data = sent.copy()
        data["based_on"] = str(entry.version)
        self.data = data


@admin.register(EntryTranslation)
class EntryTranslationAdmin(BaseAdmin):
    form = EntryTranslationForm
    list_display = ["translated_question", "state_badge", "original_question_link"]
    list_filter = ["behind"]
    list_select_related = ["entry"]
    search_fields = ["question", "entry__question"]
    readonly_fields = [
        "state_badge",
        "original_question_link",
        "original_answer",
        "translated_question",
        "page_link",
    ]
    fieldsets = [
        ("原文", {"fields": ["original_question_link", "original_answer"]}),
        ("现在显示的", {"fields": ["state_badge", "translated_question", "page_link"]}),
        ("人工改写", {"fields": ["own_question", "own_answer", "based_on"]}),
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

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Who may write the entry may write its translation."""
        by: Any = request.user
        allowed = super().has_change_permission(request, obj)
        return allowed and (obj is None or entries.can_write_entry(obj.entry, by=by))

    def get_form(
        self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any
    ) -> Any:
        made: Any = super().get_form(request, obj, change, **kwargs)
        made.by = request.user  # a class of this request alone
        return made

    def save_model(
        self, request: HttpRequest, obj: EntryTranslation, form: Any, change: bool
    ) -> None:
        given, by = form.cleaned_data, request.user
        saved = entries.translate_entry(
            obj.entry,
            question=given["own_question"],
            answer=given["own_answer"],
            based_on=given["based_on"],
            by=by,  # type: ignore[arg-type]
        )
        request.review = saved if isinstance(saved, Review) else None  # type: ignore[attr-defined]

    def response_change(
        self, request: HttpRequest, obj: EntryTranslation
    ) -> HttpResponse:
        review: Review | None = getattr(request, "review", None)
        if review is None:
            return super().response_change(request, obj)
        told = f"「{obj.entry}」的繁體修改已提交审核。通过以前，已发布的内容不变。"
        messages.success(request, told)
        return redirect(f"{reverse('desk:reviews')}?review={review.pk}")

    def history_view(
        self, request: HttpRequest, object_id: str, extra_context: Any = None
    ) -> HttpResponse:
        """Lead to the versions of the entry, which hold its translation."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        face = self.get_object(request, object_id)
        if face is None:
            raise Http404
        return redirect("desk:history", face.entry_id)

    @admin.display(description="状态", ordering="behind")
    def state_badge(self, face: EntryTranslation) -> SafeString:
        tone, told = "", "自动转换"
        if face.is_hand_written:
            tone, told = ("warn", "人工，原文已改") if face.behind else ("ok", "人工")
        return format_html('<span class="badge {}">{}</span>', tone, told)

    @admin.display(description="原文问题")
    def original_question_link(self, face: EntryTranslation) -> SafeString:
        where = reverse("admin:kb_entry_change", args=[face.entry_id])
        return format_html('<a href="{}">{}</a>', where, face.entry.question)

    @admin.display(description="原文答案")
    def original_answer(self, face: EntryTranslation) -> SafeString:
        return format_html('<pre class="source">{}</pre>', face.entry.answer)

    @admin.display(description="繁體问题", ordering="question")
    def translated_question(self, face: EntryTranslation) -> str:
        return face.question

    @admin.display(description="网页")
    def page_link(self, face: EntryTranslation) -> SafeString:
        with translation.override(locale_prefix.LOCALE_TRADITIONAL):
            where = face.entry.get_absolute_url()
        return format_html('<a href="{}" target="_blank">{}</a>', where, "打开")
