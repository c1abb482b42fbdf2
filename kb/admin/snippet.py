"""片段: snippets that replies include; one in use is neither renamed nor deleted."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin
from django.http import HttpRequest

from kb.admin.base_admin import format_local_time
from kb.admin.gated_admin import GatedAdmin, GatedForm
from kb.library import replies, text_gate
from kb.models import Snippet, TextRevision


class SnippetForm(GatedForm):
    """A snippet; refuses a new name while replies include it."""

    class Meta:
        model = Snippet
        fields: list[str] = []  # the admin names them
        widgets = {"body": forms.Textarea({"rows": 8, "class": "vLargeTextField"})}

    def clean(self) -> dict[str, Any]:
        values = super().clean() or {}
        before = Snippet.objects.filter(pk=self.instance.pk).first()
        is_renamed = before is not None and before.name != values.get("name")
        if before and is_renamed and (places := replies.describe_snippet_uses(before)):
            self.add_error("name", f"正在使用，不能改名：{places}。")
        return values


@admin.register(Snippet)
class SnippetAdmin(GatedAdmin):
    form = SnippetForm
    list_display = ["name", "body_excerpt", "update_time"]
    search_fields = ["name", "body"]
    fields = ["name", "body", "usage_places"]
    readonly_fields = ["usage_places"]

    def get_actions(self, request: HttpRequest) -> dict[str, Any]:
        """Leave out deletion in bulk, which would not show where each is used."""
        actions = super().get_actions(request)
        actions.pop("delete_selected", None)
        return actions

    def save_gated_text(self, row: Snippet, by: Any) -> None:
        replies.save_snippet(row, by=by)

    def restore_gated_text(self, revision: TextRevision, by: Any) -> None:
        text_gate.restore_text(revision, by=by, write=replies.store_snippet_and_refresh)

    def get_deleted_objects(self, objs: Any, request: HttpRequest) -> Any:
        """Return the places where a snippet is used as what protects it."""
        deleted, counts, missing_perms, protected = super().get_deleted_objects(
            objs, request
        )
        places = [
            places for obj in objs if (places := replies.describe_snippet_uses(obj))
        ]
        return deleted, counts, missing_perms, [*protected, *places]

    def delete_row(self, request: HttpRequest, row: Snippet) -> None:
        by: Any = request.user
        replies.delete_snippet(row, by=by)

    @admin.display(description="内容")
    def body_excerpt(self, snippet: Snippet) -> str:
        return " ".join(snippet.body.split())[:60]

    @admin.display(description="更新时间", ordering="updated_at")
    def update_time(self, snippet: Snippet) -> str:
        return format_local_time(snippet.updated_at)

    @admin.display(description="用在哪里")
    def usage_places(self, snippet: Snippet) -> str:
        return (snippet.pk and replies.describe_snippet_uses(snippet)) or "还没有用到"
