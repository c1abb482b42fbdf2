"""Import in the admin: upload, see what would happen row by row, then confirm."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Iterable
from pathlib import PurePath
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.contrib.admin import AdminSite
from django.core.exceptions import PermissionDenied, ValidationError
from django.core.files.uploadedfile import UploadedFile
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import URLPattern, path
from django.utils.http import content_disposition_header
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from kb import import_export
from kb.admin.imports.column_mapping import ColumnMappingForm
from kb.admin.imports.import_decisions import ImportDecisions
from kb.import_export import ImportOptions, ImportPlan
from kb.import_export.read import uploads
from kb.library import entries
from kb.models import Entry, ImportBatch, User
from kb.text.chinese import normalize

logger = logging.getLogger(__name__)
IMPORT_KINDS = {
    "entries": ("条目", "kb.import_entry"),
    "replies": ("话术", "kb.import_entry"),
    "phrasings": ("相似问法", "kb.import_entry"),
    "questions": ("问题", "kb.import_question"),
    "synonyms": ("同义词", "kb.add_synonymset"),
    "words": ("词典", "kb.add_dictionaryword"),
    "stopwords": ("停用词", "kb.add_stopword"),
    "wording": ("用词规则", "kb.add_stylerule"),
    "golden": ("搜索验收", "kb.add_relevancetest"),
}
ENCODING_CHOICES = [("", "自动识别"), ("utf-8", "UTF-8"), ("gb18030", "GB18030（GBK）")]
ENCODING_CHOICES += [("big5", "Big5"), ("utf-16", "UTF-16")]
MAX_PREVIEW_ROWS = 200  # rows of a preview
MAX_AWAITED_ROWS = 500  # rows that a page waits for until they can be searched for
MAX_LISTED_IMPORTS = 20  # imports that can be taken back from the page
IMPORT_SESSION_KEY = "kb_import"  # what this session has uploaded and not yet confirmed
MAX_SOURCE_CHARS = 50  # characters
STALE_PREVIEW_MESSAGE = (
    "预览以后，库里相关的内容有了变化，所以没有写入任何内容。请再看一遍，然后确认。"
)
DUPLICATE_CHOICES = [("skip", "跳过"), ("merge", "并入为相似问法"), ("new", "新建")]
EntryStatus = Entry.Status


def get_import_urls(site: AdminSite) -> list[URLPattern]:
    """Return the addresses for the site's own list."""
    view = site.admin_view
    return [
        path("import/", view(upload_import_file), name="kb_import"),
        path("import/undo/<int:pk>/", view(undo_import_batch), name="kb_import_undo"),
        path("import/<str:token>/", view(preview_import), name="kb_import_preview"),
        path(
            "import/<str:token>/columns/", view(map_columns), name="kb_import_columns"
        ),
        path(
            "import/<str:token>/report.csv",
            view(download_import_report),
            name="kb_import_report",
        ),
        path(
            "import/<str:token>/refused.csv",
            view(download_refused_rows),
            name="kb_import_refused",
        ),
    ]


class ImportUploadForm(forms.Form):
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
        help_text="文件里没有「来源」列时用它，不写就用文件名，预览时还可以改；"
        "和编号一起认出同一行。",
    )
    encoding = forms.ChoiceField(
        label="CSV 编码",
        choices=ENCODING_CHOICES,
        required=False,
        help_text="认错时才要选。",
    )

    def __init__(self, user: User, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        statuses = [EntryStatus.DRAFT, EntryStatus.REVIEW]
        if user.has_perm("kb.publish_entry") and entries.can_approve_own_text(
            user, None
        ):
            statuses.append(EntryStatus.PUBLISHED)
        self.set_choices(
            "kind", [(k, IMPORT_KINDS[k][0]) for k in list_allowed_kinds(user)]
        )
        self.set_choices(
            "status", [(status.value, status.label) for status in statuses]
        )

    def set_choices(self, name: str, choices: list[tuple[str, Any]]) -> None:
        field = self.fields[name]
        assert isinstance(field, forms.ChoiceField)  # noqa: S101 - for the type
        field.choices = choices

    def clean_source(self) -> str:
        return normalize.clean_single_line(self.cleaned_data["source"])

    def clean(self) -> dict[str, Any]:
        """Read the file once, so that a wrong one is refused beside its field."""
        facts = self.cleaned_data
        upload: UploadedFile[Any] | None = facts.get("file")
        if upload is not None and "kind" in facts:
            facts["name"] = normalize.clean_single_line(upload.name or "")[:200]
            facts["data"] = upload.read(import_export.MAX_FILE_BYTES + 1)
            try:
                _check_upload(facts, facts["data"])
            except ValidationError as error:
                self.add_error("file", error)
        return facts


def _store_uploaded_file(form: ImportUploadForm) -> str:
    """Return the token of the uploaded file, or "" where it could not be written."""
    try:
        return uploads.store_upload(form.cleaned_data["data"])
    except ValidationError as error:
        form.add_error("file", error)
    return ""


@require_http_methods(["GET", "HEAD", "POST"])
def upload_import_file(request: HttpRequest) -> HttpResponse:
    """Take a file, keep it, and lead to its preview."""
    if not list_allowed_kinds(_get_staff_user(request)):
        raise PermissionDenied("您没有导入的权限。")
    chosen = {"kind": request.GET.get("kind", "entries")}
    form = ImportUploadForm(
        _get_staff_user(request),
        request.POST or None,
        request.FILES or None,
        initial=chosen,
    )
    if (
        request.method == "POST"
        and form.is_valid()
        and (token := _store_uploaded_file(form))
    ):
        _delete_session_upload(request)
        names = ("kind", "name", "status", "source", "encoding")
        kept = {name: form.cleaned_data[name] for name in names}
        request.session[IMPORT_SESSION_KEY] = {"token": token, **kept}
        return redirect("admin:kb_import_preview", token)
    mine = ImportBatch.objects.filter(
        kind__in=list_allowed_kinds(_get_staff_user(request))
    )
    context = {"form": form, "title": "导入", "kinds": IMPORT_KINDS}
    done = list(mine.select_related("by", "undone_by")[:MAX_LISTED_IMPORTS])
    stayed = import_export.count_rows_not_undone(done)
    context["done"] = [(batch, stayed.get(batch.pk, 0)) for batch in done]
    return _render_admin_page(request, "admin/kb/imports/page.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
def preview_import(request: HttpRequest, token: str) -> HttpResponse:
    """Show what would happen; on POST, plan once more and do it.

    What is confirmed is bound to the plan that was shown. When somebody has saved
    one of its entries since, nothing is written, and the preview is shown again.
    """
    try:
        facts = _get_session_upload(request, token)
        if request.method == "POST":
            return _confirm_import(request, facts)
        plan = _plan_import(request, facts)
        if _load_decisions(facts).replaced_rows and plan.fingerprint != facts.get(
            "seen"
        ):
            facts["decisions"] = (
                _load_decisions(facts).without_replacements().to_session()
            )
            plan = _plan_import(request, facts)
    except ValidationError as error:
        messages.error(request, "".join(error.messages))
        if getattr(error, "code", "") == "columns":
            return redirect("admin:kb_import_columns", token)
        return redirect("admin:kb_import")
    context = {"title": f"导入{IMPORT_KINDS[facts['kind']][0]}：预览", "facts": facts}
    context |= _build_preview_context(plan, facts)
    return _render_admin_page(request, "admin/kb/imports/preview.html", context)


def _confirm_import(request: HttpRequest, facts: dict[str, Any]) -> HttpResponse:
    """Import what was shown, or show it anew where something is different by now."""
    seen, given = request.POST.get("fingerprint", ""), request.POST.get("source")
    decisions = ImportDecisions.from_post(request.POST)
    source = (
        normalize.clean_single_line(given)[:MAX_SOURCE_CHARS]
        if given is not None
        else None
    )
    is_moved = source is not None and source != request.POST.get("source_shown", "")
    facts |= {"decisions": decisions.to_session(), "seen": seen}
    if is_moved:
        facts["source"] = source
    plan = _plan_import(request, facts)
    is_stale = seen != plan.fingerprint
    if not (is_moved or is_stale or "again" in request.POST):
        try:
            return _apply_import(request, facts, plan)
        except ValidationError as error:  # nothing is written: it can be mended here
            messages.error(request, "".join(error.messages))
    elif is_moved:
        messages.info(request, "来源改了，请再看一遍。还没有写入任何内容。")
    elif is_stale:
        messages.warning(request, STALE_PREVIEW_MESSAGE)
    request.session[IMPORT_SESSION_KEY] = facts
    return redirect("admin:kb_import_preview", facts["token"])


def _build_preview_context(plan: ImportPlan, facts: dict[str, Any]) -> dict[str, Any]:
    """Return what the preview shows: what needs a decision apart from the rest."""
    apart = {id(step) for step in (*plan.replaced_rows, *plan.duplicate_rows)}
    steps = [step for step in plan.planned_rows if id(step) not in apart]
    steps.sort(key=lambda step: (not step.reasons, not step.notes))
    held = [step for step in plan.live_rows if not step.is_live]
    live = [step for step in plan.live_rows if step.is_live]
    decisions = _load_decisions(facts)
    return {
        "plan": plan,
        "source": plan.row_kind.options.source,
        "has_source": "source"
        in import_export.ROW_KINDS[facts["kind"]].columns.headings_by_field,
        "replaced": plan.replaced_rows[:MAX_PREVIEW_ROWS],
        "duplicates": plan.duplicate_rows[:MAX_PREVIEW_ROWS],
        "entry_total": held[:MAX_PREVIEW_ROWS],
        "live": live[:MAX_PREVIEW_ROWS],
        "counts": {
            "replaced": len(plan.replaced_rows),
            "duplicates": len(plan.duplicate_rows),
            "entry_total": len(held),
            "live": len(live),
        },
        "decisions": decisions,
        "choices": DUPLICATE_CHOICES,
        "undecided": bool(apart or held),
        "limit": MAX_PREVIEW_ROWS,
        "steps": steps[:MAX_PREVIEW_ROWS],
        "hidden": len(steps) - MAX_PREVIEW_ROWS,
        "states": _describe_new_states(plan, facts["kind"]),
    }


@require_GET
def download_refused_rows(request: HttpRequest, token: str) -> HttpResponse:
    """Hand out the refused rows with their reasons, to be mended and imported."""
    try:
        plan = _plan_import(request, _get_session_upload(request, token))
    except ValidationError as error:
        raise Http404(error.messages[0]) from None
    stem = PurePath(plan.table.name).stem or "rows"
    return _make_csv_response(
        import_export.iter_refused_csv(plan), f"{stem}.refused.csv"
    )


@require_http_methods(["GET", "HEAD", "POST"])
def map_columns(request: HttpRequest, token: str) -> HttpResponse:
    """Ask which columns of ours those are that we do not know; it is remembered."""
    try:
        facts = _get_session_upload(request, token)
        table = _read_upload(facts, uploads.load_upload(facts["token"]), strict=False)
    except ValidationError as error:
        messages.error(request, "".join(error.messages))
        return redirect("admin:kb_import")
    form = ColumnMappingForm(facts["kind"], table, request.POST or None)
    if request.method == "POST" and form.is_valid():
        if form.cleaned_data.get("bare"):
            facts["heads"] = form.list_own_headings(len(table.header.cells))
            request.session[IMPORT_SESSION_KEY] = facts
        else:
            import_export.save_column_names(facts["kind"], form.get_fields_by_heading())
        return redirect("admin:kb_import_preview", token)
    context = {"title": "对应列名", "facts": facts, "form": form}
    return _render_admin_page(request, "admin/kb/imports/columns.html", context)


@require_GET
def download_import_report(request: HttpRequest, token: str) -> HttpResponse:
    """Hand out what would happen to every row."""
    try:
        plan = _plan_import(request, _get_session_upload(request, token))
    except ValidationError as error:
        raise Http404(error.messages[0]) from None
    return _make_csv_response(import_export.iter_plan_csv(plan), "report.csv")


@require_POST
def undo_import_batch(request: HttpRequest, pk: int) -> HttpResponse:
    """Take a whole import back, and say which rows stay and why."""
    mine = ImportBatch.objects.filter(
        kind__in=list_allowed_kinds(_get_staff_user(request))
    )
    batch = get_object_or_404(mine, pk=pk)
    try:
        done = import_export.undo_import(batch, by=_get_staff_user(request))
    except ValidationError as error:
        messages.warning(request, "".join(error.messages))
        return redirect("admin:kb_import")
    logger.info("import: %d undone by user %s", batch.pk, _get_staff_user(request).pk)
    context = {"title": "撤销导入", "batch": batch, "done": done}
    return _render_admin_page(request, "admin/kb/imports/undone.html", context)


def list_allowed_kinds(user: User) -> list[str]:
    return [kind for kind, (_, needed) in IMPORT_KINDS.items() if user.has_perm(needed)]


def _load_decisions(facts: dict[str, Any]) -> ImportDecisions:
    return ImportDecisions.from_session(facts.get("decisions") or {})


def _apply_import(
    request: HttpRequest, facts: dict[str, Any], plan: ImportPlan
) -> HttpResponse:
    skip_bad = request.POST.get("skip_bad") == "on"
    wait = plan.written_row_count <= MAX_AWAITED_ROWS
    written = import_export.apply_import(
        plan, by=_get_staff_user(request), skip_bad=skip_bad, wait=wait
    )
    _delete_session_upload(request)
    logger.info(
        "import: %d %s by user %s", written, facts["kind"], _get_staff_user(request).pk
    )
    later = "" if wait else "正在建立索引，几分钟内陆续可以搜到。"
    messages.success(request, f"导入完成：{plan.summary}{later}")
    return redirect("admin:kb_import")


def _plan_import(request: HttpRequest, facts: dict[str, Any]) -> ImportPlan:
    decisions = _load_decisions(facts)
    options = ImportOptions(
        source=facts["source"],
        status=facts["status"],
        may_publish=_get_staff_user(request).has_perm("kb.publish_entry"),
        by=_get_staff_user(request),
        replaced_rows=decisions.replaced_rows,
        duplicate_action=decisions.duplicates,
        row_duplicate_actions=decisions.choices_by_row,
        may_change_live=decisions.change_live or None,
    )
    table = _read_upload(facts, uploads.load_upload(facts["token"]))
    options = import_export.fill_default_source(options, table, kind=facts["kind"])
    return import_export.plan_import(table, kind=facts["kind"], options=options)


def _read_upload(
    facts: dict[str, Any], data: bytes, *, strict: bool = True
) -> import_export.Table:
    told = {"kind": facts["kind"], "encoding": facts.get("encoding", "")}
    told["heads"] = facts.get("heads", ()) if strict else ()
    return import_export.read_import_file(facts["name"], data, strict=strict, **told)


def _check_upload(facts: dict[str, Any], data: bytes) -> None:
    """Refuse a file that no telling of columns could make one of ours."""
    table = _read_upload(facts, data, strict=False)
    if not ColumnMappingForm(facts["kind"], table).fields:
        _read_upload(facts, data)


def _make_csv_response(lines: Iterable[str], name: str) -> HttpResponse:
    response = HttpResponse("".join(lines), content_type="text/csv; charset=utf-8")
    disposition = content_disposition_header(as_attachment=True, filename=name)
    response["Content-Disposition"] = disposition
    return response


def _describe_new_states(plan: ImportPlan, kind: str) -> list[str]:
    """Say what new entries would be, and for whose eyes, before anybody confirms."""
    if kind != "entries":
        return []
    new = Counter(
        (draft.entry.get_status_display(), draft.entry.get_audience_display())
        for draft in plan.row_kind.new
    )
    return [f"{state}、{who} {count:,} 条" for (state, who), count in new.items()]


def _get_session_upload(request: HttpRequest, token: str) -> dict[str, Any]:
    """Return what this session has uploaded under `token`."""
    facts: dict[str, Any] = request.session.get(IMPORT_SESSION_KEY) or {}
    if facts.get("token") != token:
        raise ValidationError("这个预览已失效，请重新上传文件。")
    if facts["kind"] not in list_allowed_kinds(_get_staff_user(request)):
        raise PermissionDenied("您没有导入的权限。")
    return facts


def _delete_session_upload(request: HttpRequest) -> None:
    if facts := request.session.pop(IMPORT_SESSION_KEY, None):
        uploads.delete_upload(facts["token"])


def _get_staff_user(request: HttpRequest) -> User:
    assert isinstance(request.user, User)  # noqa: S101 - the site lets in staff only
    return request.user


def _render_admin_page(
    request: HttpRequest, name: str, context: dict[str, Any]
) -> HttpResponse:
    return render(request, name, {**admin.site.each_context(request), **context})
