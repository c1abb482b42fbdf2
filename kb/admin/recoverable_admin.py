"""Deletion in the admin: the row goes to the trash, and the message has 撤销."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.db.models import Model, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString

from kb.models import DeletedItem
from kb.operations import trash

if TYPE_CHECKING:
    RecoverableAdminBase = admin.ModelAdmin[Any]
else:
    RecoverableAdminBase = object


class RecoverableMixin(RecoverableAdminBase):
    """Deletions that can be undone; a table whose stage deletes overrides `delete_row`."""

    def delete_row(self, request: HttpRequest, row: Any) -> None:
        """Delete one row. Raises ValidationError where it is still needed."""
        row.delete()

    def delete_model(self, request: Any, obj: Any) -> None:
        try:
            self._move_to_trash(request, [obj])
        except ValidationError as error:
            request.refused_deletion = " ".join(error.messages)

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> None:
        try:
            self._move_to_trash(request, list(queryset))
        except ValidationError as error:  # the action itself would report success
            raise PermissionDenied(f"没有删除：{' '.join(error.messages)}") from None

    def response_delete(
        self, request: HttpRequest, obj_display: str, obj_id: int
    ) -> HttpResponse:
        refusal = getattr(request, "refused_deletion", None)
        if refusal is None:
            return super().response_delete(request, obj_display, obj_id)
        messages.error(request, f"没有删除：{refusal}")
        return redirect(
            f"admin:{self.opts.app_label}_{self.opts.model_name}_changelist"
        )

    @transaction.atomic
    def _move_to_trash(self, request: HttpRequest, rows: Sequence[Model]) -> None:
        by: Any = request.user
        batch = uuid4()
        item = None
        for row in rows:
            item = trash.delete_row(
                row, by=by, batch=batch, write=lambda obj: self.delete_row(request, obj)
            )
        if item is not None:
            offer_undo(request, item)


def offer_undo(request: HttpRequest, item: DeletedItem) -> None:
    """Add a message that says how long a deletion can be undone, with a button."""
    url = reverse("admin:kb_deleteditem_undo", args=[item.pk])
    button = render_undo_button(url, "撤销删除")
    messages.info(request, format_html("{}。{}", trash.describe_period(), button))


def render_undo_button(url: str, label: str) -> SafeString:
    """Return a button that posts to `url` with the form of base_site.html."""
    html = (
        '<button type="submit" class="button undo" form="undo-form"'
        ' formaction="{}">{}</button>'
    )
    return format_html(html, url, label)
