"""Saving and publishing in one click: what would harm the search is told in between."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect

from kb import golden
from kb.admin.base import ModelAdmin
from kb.models import Entry

if TYPE_CHECKING:
    Base = ModelAdmin
else:
    Base = object


class Forewarned(Base):
    """Publishes after the transaction of saving: only then the draft can be tried."""

    def hold(self, request: HttpRequest, entry: Entry) -> HttpResponse:
        """Let `changeform_view` publish `entry` once it is saved for certain."""
        request.held = entry  # type: ignore[attr-defined]
        return redirect("admin:kb_entry_change", entry.pk)

    def carry_out(self, request: HttpRequest, entry: Entry) -> HttpResponse:
        raise NotImplementedError

    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> Any:
        response = super().changeform_view(request, object_id, form_url, extra_context)
        held: Entry | None = getattr(request, "held", None)
        if held is None:
            return response
        if golden.harms(held):
            messages.warning(request, f"「{held}」已保存，还没有发布。")
            return redirect("desk:golden-warning", held.pk)
        return self.carry_out(request, held)
