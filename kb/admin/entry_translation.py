"""繁體: translations written by hand, beside the original they belong to."""

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
    """The translation of an entry; refuses forbidden words and stale versions."""

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
        values = super().clean() or {}
        entry = self.instance.entry
        if values.get("based_on") not in {None, entry.version}:
            self._show_conflict(entry)
        if entry.status == Entry.Status.PUBLISHED:
            changed = {
                name: values.get(name) or ""
                for name in MANUAL_TEXT_FIELDS
                if name in self.changed_data
            }
            texts = style_rules.list_translation_texts(
                changed.get("own_question", ""), changed.get("own_answer", "")
            )
            is_public = entry.audience == Entry.Audience.PUBLIC
            for finding in style_rules.check_texts(
                texts, public=is_public, entry_id=entry.pk, strict=True
            ):
                self.add_error(finding.text.field, str(finding))
        return values

    def _show_conflict(self, entry: Entry) -> None:
        """Show what has been saved meanwhile; saving once more overwrites it."""
        saved = EntryTranslation.objects.get(pk=self.instance.pk)
        answer = saved.own_answer or "自动转换"
        self.add_error(
            None, f"这一条刚被改过。现在保存的繁體答案：{answer}。看过以后再保存。"
        )
        posted: Any = self.data
        data = posted.copy()
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
        """A translation is deleted with its entry only."""
        match = request.resolver_match
        return match is not None and match.url_name == "kb_entry_delete"

    def formfield_for_dbfield(self, db_field: Any, request: Any, **kwargs: Any) -> Any:
        if db_field.name == "own_answer":
            kwargs["widget"] = Textarea({"rows": 14, "class": "vLargeTextField"})
        return super().formfield_for_dbfield(db_field, request, **kwargs)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """People who may write the entry may write its translation."""
        by: Any = request.user
        allowed = super().has_change_permission(request, obj)
        return allowed and (obj is None or entries.can_write_entry(obj.entry, by=by))

    def get_form(
        self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any
    ) -> Any:
        form_class: Any = super().get_form(request, obj, change, **kwargs)
        form_class.by = request.user  # the class is made for this request alone
        return form_class

    def save_model(
        self, request: HttpRequest, obj: EntryTranslation, form: Any, change: bool
    ) -> None:
        values, by = form.cleaned_data, request.user
        saved = entries.translate_entry(
            obj.entry,
            question=values["own_question"],
            answer=values["own_answer"],
            based_on=values["based_on"],
            by=by,  # type: ignore[arg-type]
        )
        request.review = saved if isinstance(saved, Review) else None  # type: ignore[attr-defined]

    def response_change(
        self, request: HttpRequest, obj: EntryTranslation
    ) -> HttpResponse:
        review: Review | None = getattr(request, "review", None)
        if review is None:
            return super().response_change(request, obj)
        message = f"「{obj.entry}」的繁體修改已提交审核。通过以前，已发布的内容不变。"
        messages.success(request, message)
        return redirect(f"{reverse('desk:reviews')}?review={review.pk}")

    def history_view(
        self, request: HttpRequest, object_id: str, extra_context: Any = None
    ) -> HttpResponse:
        """Redirect to the versions of the entry, which hold its translation."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        row = self.get_object(request, object_id)
        if row is None:
            raise Http404
        return redirect("desk:history", row.entry_id)

    @admin.display(description="状态", ordering="behind")
    def state_badge(self, row: EntryTranslation) -> SafeString:
        css_class, label = "", "自动转换"
        if row.is_hand_written:
            css_class, label = (
                ("warn", "人工，原文已改") if row.behind else ("ok", "人工")
            )
        return format_html('<span class="badge {}">{}</span>', css_class, label)

    @admin.display(description="原文问题")
    def original_question_link(self, row: EntryTranslation) -> SafeString:
        url = reverse("admin:kb_entry_change", args=[row.entry_id])
        return format_html('<a href="{}">{}</a>', url, row.entry.question)

    @admin.display(description="原文答案")
    def original_answer(self, row: EntryTranslation) -> SafeString:
        return format_html('<pre class="source">{}</pre>', row.entry.answer)

    @admin.display(description="繁體问题", ordering="question")
    def translated_question(self, row: EntryTranslation) -> str:
        return row.question

    @admin.display(description="网页")
    def page_link(self, row: EntryTranslation) -> SafeString:
        with translation.override(locale_prefix.LOCALE_TRADITIONAL):
            url = row.entry.get_absolute_url()
        return format_html('<a href="{}" target="_blank">{}</a>', url, "打开")
