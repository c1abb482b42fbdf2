"""Import in the admin: upload, see what would happen row by row, then confirm."""

from __future__ import annotations

import logging
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.contrib.admin import AdminSite
from django.core.exceptions import PermissionDenied, ValidationError
from django.core.files.uploadedfile import UploadedFile
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import URLPattern, path
from django.views.decorators.http import require_GET, require_http_methods

from kb import transfer
from kb.models import Entry, User
from kb.text import normalize
from kb.transfer import Action, Options, Plan, uploads

logger = logging.getLogger(__name__)
KINDS = {
    "entries": ("条目", "kb.import_entry"),
    "questions": ("问题", "kb.import_question"),
}
ENCODINGS = [("", "自动识别"), ("utf-8", "UTF-8"), ("gb18030", "GB18030（GBK）")]
ENCODINGS += [("big5", "Big5"), ("utf-16", "UTF-16")]
SHOWN = 200  # rows of a preview
SESSION = "kb_import"  # what this session has uploaded and not yet confirmed
Status = Entry.Status


def urls(site: AdminSite) -> list[URLPattern]:
    """Return the addresses for the site's own list."""
    view = site.admin_view
    return [
        path("import/", view(import_view), name="kb_import"),
        path("import/<str:token>/", view(preview), name="kb_import_preview"),
        path("import/<str:token>/refused.csv", view(refused), name="kb_import_refused"),
    ]


class UploadForm(forms.Form):
    """What to import, and what holds for rows that do not say otherwise."""

    kind = forms.ChoiceField(label="导入什么")
    file = forms.FileField(
        label="文件",
        allow_empty_file=True,  # refused below, in the words of all other files
        help_text="CSV 或 XLSX，第一行是列名；最多 20,000 行、10 MB。",
        widget=forms.FileInput(attrs={"accept": ".csv,.tsv,.txt,.xlsx"}),
    )
    status = forms.ChoiceField(
        label="新条目的状态", help_text="文件里有「状态」列时，以文件为准。"
    )
    source = forms.CharField(
        label="来源",
        max_length=50,
        required=False,
        help_text="文件里没有「来源」列时用它；和编号一起认出同一行。",
    )
    encoding = forms.ChoiceField(
        label="CSV 编码", choices=ENCODINGS, required=False, help_text="认错时才要选。"
    )

    def __init__(self, user: User, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        statuses = [Status.DRAFT, Status.REVIEW]
        if user.has_perm("kb.publish_entry"):
            statuses.append(Status.PUBLISHED)
        self.choose("kind", [(k, KINDS[k][0]) for k in allowed_kinds(user)])
        self.choose("status", [(status.value, status.label) for status in statuses])

    def choose(self, name: str, choices: list[tuple[str, Any]]) -> None:
        field = self.fields[name]
        assert isinstance(field, forms.ChoiceField)  # noqa: S101 - for the type
        field.choices = choices

    def clean_source(self) -> str:
        return normalize.line(self.cleaned_data["source"])

    def clean(self) -> dict[str, Any]:
        """Read the file once, so that a wrong one is refused beside its field."""
        facts = self.cleaned_data
        upload: UploadedFile[Any] | None = facts.get("file")
        if upload is not None and "kind" in facts:
            facts["name"] = normalize.line(upload.name or "")[:200]
            facts["data"] = upload.read(transfer.MAX_BYTES + 1)
            try:
                _read(facts, facts["data"])
            except ValidationError as error:
                self.add_error("file", error)
        return facts


@require_http_methods(["GET", "HEAD", "POST"])
def import_view(request: HttpRequest) -> HttpResponse:
    """Take a file, keep it, and lead to its preview."""
    if not allowed_kinds(_user(request)):
        raise PermissionDenied("您没有导入的权限。")
    form = UploadForm(_user(request), request.POST or None, request.FILES or None)
    if request.method == "POST" and form.is_valid():
        _forget(request)
        token = uploads.keep(form.cleaned_data["data"])
        names = ("kind", "name", "status", "source", "encoding")
        kept = {name: form.cleaned_data[name] for name in names}
        request.session[SESSION] = {"token": token, **kept}
        return redirect("admin:kb_import_preview", token)
    return _page(request, "admin/kb/import.html", {"form": form, "title": "导入"})


@require_http_methods(["GET", "HEAD", "POST"])
def preview(request: HttpRequest, token: str) -> HttpResponse:
    """Show what would happen; on POST, plan once more and do it."""
    try:
        facts = _kept(request, token)
        plan = _plan(request, facts)
        if request.method == "POST":
            return _import(request, facts, plan)
    except ValidationError as error:
        messages.error(request, "".join(error.messages))
        return redirect("admin:kb_import")
    steps = sorted(plan.steps, key=lambda step: step.action is not Action.REFUSE)
    context = {
        "title": f"导入{KINDS[facts['kind']][0]}：预览",
        "facts": facts,
        "plan": plan,
        "steps": steps[:SHOWN],
        "hidden": len(steps) - SHOWN,
    }
    return _page(request, "admin/kb/import_preview.html", context)


@require_GET
def refused(request: HttpRequest, token: str) -> HttpResponse:
    """Hand out the refused rows with their reasons, to be mended and imported."""
    try:
        plan = _plan(request, _kept(request, token))
    except ValidationError as error:
        raise Http404(error.messages[0]) from None
    response = HttpResponse(
        "".join(transfer.rejects(plan)), content_type="text/csv; charset=utf-8"
    )
    response["Content-Disposition"] = 'attachment; filename="refused.csv"'
    return response


def allowed_kinds(user: User) -> list[str]:
    return [kind for kind, (_, needed) in KINDS.items() if user.has_perm(needed)]


def _import(request: HttpRequest, facts: dict[str, str], plan: Plan) -> HttpResponse:
    skip_bad = request.POST.get("skip_bad") == "on"
    written = transfer.apply(plan, by=_user(request), skip_bad=skip_bad)
    _forget(request)
    logger.info("import: %d %s by user %s", written, facts["kind"], _user(request).pk)
    messages.success(request, f"导入完成：{plan.summary}")
    return redirect("admin:kb_import")


def _plan(request: HttpRequest, facts: dict[str, str]) -> Plan:
    options = Options(
        source=facts["source"],
        status=facts["status"],
        may_publish=_user(request).has_perm("kb.publish_entry"),
    )
    table = _read(facts, uploads.load(facts["token"]))
    return transfer.plan(table, kind=facts["kind"], options=options)


def _read(facts: dict[str, Any], data: bytes) -> transfer.Table:
    kind, encoding = facts["kind"], facts.get("encoding", "")
    return transfer.read(facts["name"], data, kind=kind, encoding=encoding)


def _kept(request: HttpRequest, token: str) -> dict[str, str]:
    """Return what this session has uploaded under `token`."""
    facts: dict[str, str] = request.session.get(SESSION) or {}
    if facts.get("token") != token:
        raise ValidationError("这个预览已失效，请重新上传文件。")
    if facts["kind"] not in allowed_kinds(_user(request)):
        raise PermissionDenied("您没有导入的权限。")
    return facts


def _forget(request: HttpRequest) -> None:
    if facts := request.session.pop(SESSION, None):
        uploads.forget(facts["token"])


def _user(request: HttpRequest) -> User:
    assert isinstance(request.user, User)  # noqa: S101 - the site lets in staff only
    return request.user


def _page(request: HttpRequest, name: str, context: dict[str, Any]) -> HttpResponse:
    return render(request, name, {**admin.site.each_context(request), **context})
