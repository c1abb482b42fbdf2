"""后续问题 on the form of an entry: looked up by words, a part of their entry."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.contrib import admin
from django.forms import BaseInlineFormSet
from django.http import HttpRequest

from kb.admin.base import WholeForm
from kb.admin.lookup import LookedUp
from kb.admin.proposing import proposed_parts
from kb.models import Entry, FollowUp

if TYPE_CHECKING:
    Inline = admin.TabularInline[FollowUp, Entry]
    FormSet = BaseInlineFormSet[FollowUp, Entry, Any]
else:
    Inline, FormSet = admin.TabularInline, BaseInlineFormSet


class FollowUpFormSet(FormSet):
    def get_queryset(self) -> Any:
        """Return the follow-ups, or those of the pending change that the form shows."""
        if not self.is_bound and (parts := proposed_parts(self.instance)):
            return parts.follow_ups
        return super().get_queryset()

    def get_unique_error_message(self, unique_check: Any) -> str:
        return "同一个条目只能列一次。"


class FollowUpInline(LookedUp, Inline):
    model = FollowUp
    fk_name = "entry"
    form = WholeForm
    formset = FollowUpFormSet
    fields = ["then", "order"]
    extra = 0
    max_num = 20

    def get_formset(self, request: HttpRequest, obj: Any = None, **kwargs: Any) -> Any:
        """Make no more forms than this, however many are claimed to be sent."""
        return super().get_formset(request, obj, absolute_max=40, **kwargs)

    # Who may change an entry may change what follows it: no permission of its own.

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return request.user.has_perm("kb.view_entry")

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return request.user.has_perm("kb.change_entry")

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return request.user.has_perm("kb.change_entry")

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return request.user.has_perm("kb.change_entry")
