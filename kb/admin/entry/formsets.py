"""话术 and 后续问题 on the form of an entry, saved or only proposed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django import forms
from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest

from kb.admin.autocomplete_lookup import AutocompleteMixin
from kb.admin.base_admin import ConstraintCheckingForm
from kb.admin.entry.state import get_proposed_parts
from kb.language import style_rules
from kb.models import Entry, FollowUp, Reply

if TYPE_CHECKING:
    ReplyFormSetBase = forms.BaseInlineFormSet[Reply, Entry, Any]
    FollowUpFormSetBase = forms.BaseInlineFormSet[FollowUp, Entry, Any]
    ReplyInlineBase = admin.StackedInline[Reply, Entry]
    FollowUpInlineBase = admin.TabularInline[FollowUp, Entry]
else:
    ReplyFormSetBase = FollowUpFormSetBase = forms.BaseInlineFormSet
    ReplyInlineBase, FollowUpInlineBase = admin.StackedInline, admin.TabularInline


def set_proposed_id(formset: Any, form: Any, index: int | None) -> None:
    """Let the form of a proposed row post its id, though the row may not be saved yet."""
    if index is None or index >= formset.initial_form_count():
        return
    invalid = forms.ModelChoiceField.default_error_messages["invalid_choice"]
    form.fields["id"] = forms.TypedChoiceField(
        choices=[(row.pk, str(row.pk)) for row in formset.get_queryset()],
        coerce=int,
        initial=form.instance.pk,
        required=False,
        widget=forms.HiddenInput,
        error_messages={"invalid_choice": invalid},
    )


# Replies --------------------------------------------------------------------------


class ReplyForm(ConstraintCheckingForm):
    """A shared reply of the entry."""

    class Meta:
        model = Reply
        fields: list[str] = []  # the admin names them
        widgets = {"body": forms.Textarea({"rows": 4, "class": "vLargeTextField"})}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["tone"].required = False
        self.fields["body"].help_text += "重复用到的话写成片段，这里写 {{> 片段名称}}。"

    def get_columns_set_on_save(self) -> set[str]:
        return set() if self.instance.entry_id else {"entry"}  # the entry is new, too

    def clean_tone(self) -> str:
        return self.cleaned_data["tone"] or Reply.Tone.STANDARD


class ReplyFormSet(ReplyFormSetBase):
    """Replies; those of a published entry must pass the style rules."""

    def get_queryset(self) -> Any:
        """Return the replies, or those of the proposal that the form shows."""
        if parts := get_proposed_parts(self.instance):
            return parts.replies
        return super().get_queryset()

    def add_fields(self, form: Any, index: int | None) -> None:
        super().add_fields(form, index)
        if get_proposed_parts(self.instance):
            set_proposed_id(self, form, index)

    def clean(self) -> None:
        super().clean()
        if self.instance.pk is None or self.instance.status != Entry.Status.PUBLISHED:
            return
        library = style_rules.LibraryLookup()
        for form in self.forms:
            if "body" not in form.changed_data or self._should_delete_form(form):  # type: ignore[attr-defined]
                continue
            replies = [("", form.cleaned_data.get("body") or "")]
            for finding in style_rules.check_texts(
                style_rules.list_form_texts("", "", replies),
                entry_id=self.instance.pk,
                library=library,
                strict=True,
            ):
                form.add_error("body", str(finding))


class ReplyInline(AutocompleteMixin, ReplyInlineBase):
    """Shared replies on the form of their entry."""

    model = Reply
    form = ReplyForm
    formset = ReplyFormSet
    extra = 0
    fields = [("label", "tone", "channel", "segment", "order"), "body"]
    max_num = 30

    def get_queryset(self, request: HttpRequest) -> QuerySet[Reply]:
        """Return the shared replies; private ones are not for editors to read."""
        return Reply.objects.readable_by(request.user).shared()

    def get_formset(self, request: HttpRequest, obj: Any = None, **kwargs: Any) -> Any:
        """Limit the number of forms, however many the posted data claims."""
        return super().get_formset(request, obj, absolute_max=60, **kwargs)


# Follow-ups -----------------------------------------------------------------------


class FollowUpFormSet(FollowUpFormSetBase):
    """Follow-ups of an entry, saved or proposed."""

    def get_queryset(self) -> Any:
        """Return the follow-ups, or those of the proposal that the form shows."""
        if parts := get_proposed_parts(self.instance):
            return parts.follow_ups
        return super().get_queryset()

    def add_fields(self, form: Any, index: int | None) -> None:
        super().add_fields(form, index)
        if parts := get_proposed_parts(self.instance):
            set_proposed_id(self, form, index)
            form.instance.proposed_ids = parts.follow_up_ids

    def get_unique_error_message(self, unique_check: Any) -> str:
        return "同一个条目只能列一次。"


class FollowUpInline(AutocompleteMixin, FollowUpInlineBase):
    """Entries that customers read next, on the form of their entry."""

    model = FollowUp
    fk_name = "entry"
    form = ConstraintCheckingForm
    formset = FollowUpFormSet
    fields = ["then", "order"]
    extra = 0
    max_num = 20

    def get_formset(self, request: HttpRequest, obj: Any = None, **kwargs: Any) -> Any:
        """Limit the number of forms, however many the posted data claims."""
        return super().get_formset(request, obj, absolute_max=40, **kwargs)

    # People who may change an entry may change its follow-ups.

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return request.user.has_perm("kb.view_entry")

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return request.user.has_perm("kb.change_entry")

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return request.user.has_perm("kb.change_entry")

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return request.user.has_perm("kb.change_entry")
