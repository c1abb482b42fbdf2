"""Snippets: changed in one place, refused where others would break."""

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
    class Meta:
        model = Snippet
        fields: list[str] = []  # the admin names them
        widgets = {"body": forms.Textarea({"rows": 8, "class": "vLargeTextField"})}

    def clean(self) -> dict[str, Any]:
        given = super().clean() or {}
        before = Snippet.objects.filter(pk=self.instance.pk).first()
        renamed = before is not None and before.name != given.get("name")
        if before and renamed and (places := replies.describe_snippet_uses(before)):
            self.add_error("name", f"正在使用，不能改名：{places}。")
        return given


@admin.register(Snippet)
class SnippetAdmin(GatedAdmin):
    form = SnippetForm
    list_display = ["name", "body_excerpt", "update_time"]
    search_fields = ["name", "body"]
    fields = ["name", "body", "usage_places"]
    readonly_fields = ["usage_places"]

    def get_actions(self, request: HttpRequest) -> dict[str, Any]:
        """Leave out deletion in bulk: each is looked at for who includes it."""
        found = super().get_actions(request)
        found.pop("delete_selected", None)
        return found

    def save_gated_text(self, row: Snippet, by: Any) -> None:
        replies.save_snippet(row, by=by)

    def restore_gated_text(self, revision: TextRevision, by: Any) -> None:
        text_gate.restore_text(revision, by=by, write=replies.store_snippet_and_refresh)

    def get_deleted_objects(self, objs: Any, request: HttpRequest) -> Any:
        """Name the places that stand in the way, instead of the button."""
        found, counts, lacking, protected = super().get_deleted_objects(objs, request)
        places = [
            places for obj in objs if (places := replies.describe_snippet_uses(obj))
        ]
        return found, counts, lacking, [*protected, *places]

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
