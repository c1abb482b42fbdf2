"""Export in the admin: a file of all rows of a kind, for people with the permission."""

from __future__ import annotations

from django.contrib import messages
from django.contrib.admin import AdminSite
from django.core.exceptions import PermissionDenied, ValidationError
from django.http import (
    Http404,
    HttpRequest,
    HttpResponse,
    StreamingHttpResponse,
)
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.urls import URLPattern, path
from django.utils import timezone
from django.views.decorators.http import require_GET

from kb import import_export
from kb.accounts import audit_log
from kb.admin.page_helpers import get_staff_user, render_admin_page
from kb.models import AuditEvent, User

EXPORT_PERMISSION = "kb.export_library"
EXPORT_CONTENT_TYPES = {
    "csv": "text/csv; charset=utf-8",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "zip": "application/zip",
}
EXPORT_DESCRIPTIONS = {
    "categories": "每个分类一行：路径、次序、繁體名称、复核间隔",
    "snippets": "片段：名称、内容",
    "entries": "标准问题、答案、前三条话术、相似问法、分类、标签、状态、有效期",
    "replies": "共用话术的每一条：名称、语气、渠道、客户类型、次序、内容",
    "phrasings": "每个相似问法一行",
    "questions": "客户问题、客服回答、渠道、客户类型、产品模块、提问时间",
    "synonyms": "同义词、方向、主题",
    "words": "词典里的词和词性",
    "stopwords": "停用词",
    "wording": "用词规则：词、级别、例外、范围、原因、建议",
    "golden": "搜索验收：搜索的话、应该找到的条目、最低名次",
}


def get_export_urls(site: AdminSite) -> list[URLPattern]:
    """Return the URL patterns of the export, for the admin site."""
    view = site.admin_view
    return [
        path("export/", view(show_export_page), name="kb_export"),
        path(
            "export/<slug:kind>.<slug:form>",
            view(download_export),
            name="kb_export_file",
        ),
    ]


@require_GET
def show_export_page(request: HttpRequest) -> HttpResponse:
    """List the kinds of rows that this person may export."""
    user = _require_export_permission(request)
    kinds = [
        (
            kind,
            import_export.prepare_export(kind, user).label,
            EXPORT_DESCRIPTIONS[kind],
        )
        for kind in import_export.ROW_KINDS
        if import_export.can_export(kind, user)
    ]
    return render_admin_page(
        request, "admin/kb/export.html", {"kinds": kinds, "title": "导出"}
    )


@require_GET
def download_export(request: HttpRequest, kind: str, form: str) -> HttpResponseBase:
    """Stream a file of all rows of a kind, as "csv" or "xlsx"; large ones as "zip"."""
    user = _require_export_permission(request)
    if kind not in import_export.ROW_KINDS or form not in {"csv", "xlsx"}:
        raise Http404
    export = import_export.prepare_export(kind, user)
    try:
        extension, body = import_export.build_export_file(
            export, import_export.list_export_headings(kind), form
        )
    except ValidationError as error:
        messages.error(request, "".join(error.messages))
        return redirect("admin:kb_export")
    response = StreamingHttpResponse(body, content_type=EXPORT_CONTENT_TYPES[extension])
    name = f"{kind}-{timezone.localdate():%Y%m%d}.{extension}"
    response["Content-Disposition"] = f'attachment; filename="{name}"'
    audit_log.record_event(
        AuditEvent.Action.EXPORTED, f"{export.label}（{form}）", by=user
    )
    return response


def _require_export_permission(request: HttpRequest) -> User:
    user = get_staff_user(request)
    if not user.has_perm(EXPORT_PERMISSION):
        raise PermissionDenied("您没有导出的权限。")
    return user
