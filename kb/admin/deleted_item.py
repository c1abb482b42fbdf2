"""回收站: deleted rows, which people who may delete such rows can restore."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from django.apps import apps
from django.conf import settings
from django.contrib import admin, messages
from django.contrib.contenttypes.models import ContentType
from django.core.exceptions import PermissionDenied, ValidationError
from django.db.models import Model, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import NoReverseMatch, path, reverse
from django.utils import timezone
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.text import Truncator
from django.views.decorators.http import require_POST

from kb.admin.base_admin import ReadOnlyAdmin, format_local_time
from kb.admin.recoverable_admin import render_undo_button
from kb.library.entries import category_scopes
from kb.models import Autosave, DeletedItem
from kb.operations import trash

RESTORABLE_APPS = ("kb", "auth")
MAX_SHOWN_CHARS = 2_000  # of one column on the page of an item
HIDDEN_COLUMNS = ("password",)  # not shown on the page of an item


@admin.register(DeletedItem)
class DeletedItemAdmin(ReadOnlyAdmin):
    list_display = [
        "item_name",
        "restore_button",
        "table_label",
        "deleted_by",
        "deletion_time",
        "expiry_date",
    ]
    list_display_links = ["item_name"]
    list_select_related = ["content_type", "deleted_by"]
    search_fields = ["name"]
    date_hierarchy = "deleted_at"
    fields = [
        "item_name",
        "restore_button",
        "table_label",
        "deleted_by",
        "deletion_time",
        "expiry_date",
        "deleted_texts",
    ]

    # Permissions ---------------------------------------------------------------

    def has_module_permission(self, request: HttpRequest) -> bool:
        return self.has_view_permission(request)

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return bool(self._list_restorable_models(request))

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """Return items of tables where this person may delete, of permitted categories."""
        user: Any = request.user
        kinds = ContentType.objects.get_for_models(
            *self._list_restorable_models(request)
        )
        items = super().get_queryset(request).defer("rows", "links", "file")
        items = items.filter(content_type__in=[kind.pk for kind in kinds.values()])
        if not category_scopes.is_restricted_to_categories(user):
            return items
        candidates = DeletedItem.objects.filter(content_type__in=kinds.values())
        rows = candidates.defer("file", "links").iterator(chunk_size=100)
        permitted = [row.pk for row in rows if self._can_change_row(request, row)]
        return items.filter(pk__in=permitted)

    def can_restore_item(self, request: HttpRequest, item: DeletedItem) -> bool:
        """Return whether this person may restore the item.

        An autosaved form is restored only by the person who wrote it.
        """
        model = item.content_type.model_class()
        if model is Autosave:
            return item.deleted_by_id == request.user.pk
        if model not in self._list_restorable_models(request):
            return False
        return self._can_change_row(request, item)

    def _can_change_row(self, request: HttpRequest, item: DeletedItem) -> bool:
        """Return whether this person may change the row of an item."""
        model: Any = item.content_type.model_class()
        row = trash.load_row(item)
        model_admin = self.admin_site.get_model_admin(model)
        return row is not None and model_admin.has_change_permission(request, row)

    def _list_restorable_models(self, request: HttpRequest) -> list[type[Model]]:
        return [
            model
            for label in RESTORABLE_APPS
            for model in apps.get_app_config(label).get_models()
            if self.admin_site.is_registered(model)
            and model is not DeletedItem
            and self.admin_site.get_model_admin(model).has_delete_permission(request)
        ]

    # Restoring -----------------------------------------------------------------

    def get_urls(self) -> list[Any]:
        def guard_view(view: Any) -> Any:
            return self.admin_site.admin_view(require_POST(view))

        return [
            path(
                "<int:pk>/restore/",
                guard_view(self.restore_view),
                name="kb_deleteditem_restore",
            ),
            path(
                "<int:pk>/undo/",
                guard_view(self.undo_view),
                name="kb_deleteditem_undo",
            ),
            *super().get_urls(),
        ]

    def restore_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Restore one item of the list."""
        return self._restore_items(request, DeletedItem.objects.filter(pk=pk))

    def undo_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Restore everything that was deleted together with an item, or nothing."""
        batch = DeletedItem.objects.filter(pk=pk).values("batch")
        return self._restore_items(request, DeletedItem.objects.filter(batch__in=batch))

    def _restore_items(
        self, request: HttpRequest, items: QuerySet[DeletedItem]
    ) -> HttpResponse:
        by: Any = request.user
        selected = list(items.select_related("content_type"))
        if not selected:
            messages.warning(request, "没有可以恢复的：已经恢复过，或者过期清掉了。")
            return redirect("admin:index")
        if not all(self.can_restore_item(request, item) for item in selected):
            raise PermissionDenied("您没有恢复这一项的权限。")
        try:
            rows = trash.restore_items(selected, by=by)
        except ValidationError as error:
            messages.error(request, f"没有恢复：{' '.join(error.messages)}")
            return redirect(self._get_list_url(request, selected[0]))
        messages.success(request, _describe_restored(selected))
        return redirect(self._get_rows_url(request, rows))

    def _get_list_url(self, request: HttpRequest, item: DeletedItem) -> str:
        if self.has_view_permission(request):
            return reverse("admin:kb_deleteditem_changelist")
        return reverse("admin:index")

    def _get_rows_url(self, request: HttpRequest, rows: Sequence[Model]) -> str:
        row = rows[0]
        if isinstance(row, Autosave):
            if row.entry_id:
                return reverse("admin:kb_entry_change", args=[row.entry_id])
            return reverse("admin:kb_entry_add")
        name = f"admin:{row._meta.app_label}_{row._meta.model_name}"
        try:
            if len(rows) == 1:
                return reverse(f"{name}_change", args=[row.pk])
            return reverse(f"{name}_changelist")
        except NoReverseMatch:
            return reverse("admin:index")

    # Columns ---------------------------------------------------------------------

    @admin.display(description="名称", ordering="name")
    def item_name(self, item: DeletedItem) -> str:
        return Truncator(item.name).chars(60)

    @admin.display(description="类型", ordering="content_type")
    def table_label(self, item: DeletedItem) -> str:
        model = item.content_type.model_class()
        return str(model._meta.verbose_name) if model else item.content_type.model

    @admin.display(description="删除时间", ordering="deleted_at")
    def deletion_time(self, item: DeletedItem) -> str:
        return format_local_time(item.deleted_at)

    @admin.display(description="保留到", ordering="deleted_at")
    def expiry_date(self, item: DeletedItem) -> str:
        days = settings.KB_RETENTION_DAYS["deleted"]
        if not days:
            return "一直保留"
        end = timezone.localtime(item.deleted_at + timedelta(days=days))
        return end.strftime("%Y-%m-%d")

    @admin.display(description="恢复")
    def restore_button(self, item: DeletedItem) -> SafeString:
        url = reverse("admin:kb_deleteditem_restore", args=[item.pk])
        return render_undo_button(url, "恢复")

    @admin.display(description="内容")
    def deleted_texts(self, item: DeletedItem) -> SafeString:
        """Return the texts of the deleted row itself, not those of its child rows."""
        row = trash.load_row(item)
        if row is None:
            return format_html("{}", "旧版本的程序删除的，现在读不出来。")
        texts = [
            (field.verbose_name, Truncator(str(value)).chars(MAX_SHOWN_CHARS))
            for field in row._meta.concrete_fields
            if field.editable and not field.choices and field.name not in HIDDEN_COLUMNS
            if isinstance(value := getattr(row, field.attname), str) and value
        ]
        html = '<p class="deleted-text"><strong>{}</strong><br>{}</p>'
        return format_html_join("", html, texts)


def _describe_restored(items: Sequence[DeletedItem]) -> str:
    if len(items) == 1:
        return f"已恢复「{items[0].name}」。"
    return f"已恢复 {len(items)} 项。"
