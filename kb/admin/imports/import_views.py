"""Import in the admin: upload a file, preview its rows, confirm, undo."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Iterable
from pathlib import PurePath
from typing import Any

from django import forms
from django.contrib import messages
from django.contrib.admin import AdminSite
from django.core.exceptions import PermissionDenied, ValidationError
from django.core.files.uploadedfile import UploadedFile
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import URLPattern, path
from django.utils.http import content_disposition_header
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from kb import import_export
from kb.admin.imports.column_mapping import ColumnMappingForm
from kb.admin.imports.import_decisions import ImportDecisions
from kb.admin.page_helpers import get_staff_user, render_admin_page
from kb.import_export import ImportOptions, ImportPlan
from kb.import_export.read import uploads
from kb.import_export.read.file_source import MAX_SOURCE_CHARS
from kb.library import entries
from kb.models import Entry, ImportBatch, User
from kb.text.chinese import normalize

logger = logging.getLogger(__name__)
IMPORT_KINDS = {
    "categories": ("分类", "kb.add_category"),
    "snippets": ("片段", "kb.add_snippet"),
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
MAX_PREVIEW_ROWS = 200
MAX_AWAITED_ROWS = 500  # the page waits until so many rows are in the index
MAX_LISTED_IMPORTS = 20  # that can be undone from the page
MAX_FILE_NAME_CHARS = 200
IMPORT_SESSION_KEY = "kb_import"  # the upload of this session that is not confirmed
STALE_PREVIEW_MESSAGE = (
    "预览以后，库里相关的内容有了变化，所以没有写入任何内容。请再看一遍，然后确认。"
)
DUPLICATE_CHOICES = [("skip", "跳过"), ("merge", "并入为相似问法"), ("new", "新建")]
EntryStatus = Entry.Status


def get_import_urls(site: AdminSite) -> list[URLPattern]:
    """Return the URL patterns of the import, for the admin site."""
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
    """The file and its kind, and defaults for rows that have no value of their own."""

    kind = forms.ChoiceField(label="导入什么")
    file = forms.FileField(
        label="文件",
        allow_empty_file=True,  # refused below, with the message of other bad files
        help_text="CSV 或 XLSX，第一行是列名；最多 20,000 行、10 MB。",
        widget=forms.FileInput(attrs={"accept": ".csv,.tsv,.txt,.xlsx"}),
    )
    status = forms.ChoiceField(
        label="新条目的状态", help_text="文件里有「状态」列时，以文件为准。"
    )
    source = forms.CharField(
        label="来源",
        max_length=MAX_SOURCE_CHARS,
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
        """Read the file, so that a file with errors is refused beside its field."""
        facts = self.cleaned_data
        upload: UploadedFile[Any] | None = facts.get("file")
        if upload is not None and "kind" in facts:
            facts["name"] = normalize.clean_single_line(upload.name or "")[
                :MAX_FILE_NAME_CHARS
            ]
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
    """Store the uploaded file and redirect to its preview; list recent imports."""
    if not list_allowed_kinds(get_staff_user(request)):
        raise PermissionDenied("您没有导入的权限。")
    initial = {"kind": request.GET.get("kind", "entries")}
    form = ImportUploadForm(
        get_staff_user(request),
        request.POST or None,
        request.FILES or None,
        initial=initial,
    )
    if (
        request.method == "POST"
        and form.is_valid()
        and (token := _store_uploaded_file(form))
    ):
        _delete_session_upload(request)
        names = ("kind", "name", "status", "source", "encoding")
        facts = {name: form.cleaned_data[name] for name in names}
        request.session[IMPORT_SESSION_KEY] = {"token": token, **facts}
        return redirect("admin:kb_import_preview", token)
    rows = _list_batches(request).select_related("by", "undone_by")
    batches = list(rows[:MAX_LISTED_IMPORTS])
    not_undone = import_export.count_rows_not_undone(batches)
    context = {
        "form": form,
        "title": "导入",
        "kinds": IMPORT_KINDS,
        "batches": [(batch, not_undone.get(batch.pk, 0)) for batch in batches],
    }
    return render_admin_page(request, "admin/kb/imports/page.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
def preview_import(request: HttpRequest, token: str) -> HttpResponse:
    """Show what the import would do; on POST plan it once more and apply it.

    The confirmation holds for the plan that was shown. Where somebody has saved one of
    its entries since, nothing is written, and the preview is shown again.
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
    return render_admin_page(request, "admin/kb/imports/preview.html", context)


def _confirm_import(request: HttpRequest, facts: dict[str, Any]) -> HttpResponse:
    """Apply the plan that was shown, or show the preview again where it has changed."""
    seen = request.POST.get("fingerprint", "")
    posted_source = request.POST.get("source")
    decisions = ImportDecisions.from_post(request.POST)
    source = (
        normalize.clean_single_line(posted_source)[:MAX_SOURCE_CHARS]
        if posted_source is not None
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
        except ValidationError as error:  # nothing is written
            messages.error(request, "".join(error.messages))
    elif is_moved:
        messages.info(request, "来源改了，请再看一遍。还没有写入任何内容。")
    elif is_stale:
        messages.warning(request, STALE_PREVIEW_MESSAGE)
    request.session[IMPORT_SESSION_KEY] = facts
    return redirect("admin:kb_import_preview", facts["token"])


def _build_preview_context(plan: ImportPlan, facts: dict[str, Any]) -> dict[str, Any]:
    """Return the context of the preview: rows that need a decision, then the others."""
    to_decide = {id(step) for step in (*plan.replaced_rows, *plan.duplicate_rows)}
    steps = [step for step in plan.planned_rows if id(step) not in to_decide]
    steps.sort(key=lambda step: (not step.reasons, not step.notes))
    not_live = [step for step in plan.live_rows if not step.is_live]
    live = [step for step in plan.live_rows if step.is_live]
    decisions = _load_decisions(facts)
    return {
        "plan": plan,
        "source": plan.row_kind.options.source,
        "has_source": "source"
        in import_export.ROW_KINDS[facts["kind"]].columns.headings_by_field,
        "replaced": plan.replaced_rows[:MAX_PREVIEW_ROWS],
        "duplicates": plan.duplicate_rows[:MAX_PREVIEW_ROWS],
        "held": not_live[:MAX_PREVIEW_ROWS],
        "live": live[:MAX_PREVIEW_ROWS],
        "counts": {
            "replaced": len(plan.replaced_rows),
            "duplicates": len(plan.duplicate_rows),
            "held": len(not_live),
            "live": len(live),
        },
        "decisions": decisions,
        "choices": DUPLICATE_CHOICES,
        "undecided": bool(to_decide or not_live),
        "limit": MAX_PREVIEW_ROWS,
        "steps": steps[:MAX_PREVIEW_ROWS],
        "hidden": len(steps) - MAX_PREVIEW_ROWS,
        "states": _describe_new_states(plan, facts["kind"]),
    }


@require_GET
def download_refused_rows(request: HttpRequest, token: str) -> HttpResponse:
    """Return the refused rows with their reasons as CSV, to correct and import."""
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
    """Let the person map unknown headings to our columns, and store the mapping."""
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
    return render_admin_page(request, "admin/kb/imports/columns.html", context)


@require_GET
def download_import_report(request: HttpRequest, token: str) -> HttpResponse:
    """Return what the import would do with every row, as CSV."""
    try:
        plan = _plan_import(request, _get_session_upload(request, token))
    except ValidationError as error:
        raise Http404(error.messages[0]) from None
    return _make_csv_response(import_export.iter_plan_csv(plan), "report.csv")


@require_POST
def undo_import_batch(request: HttpRequest, pk: int) -> HttpResponse:
    """Undo a whole import, and show which rows stay and why."""
    batch = get_object_or_404(_list_batches(request), pk=pk)
    try:
        undo = import_export.undo_import(batch, by=get_staff_user(request))
    except ValidationError as error:
        messages.warning(request, "".join(error.messages))
        return redirect("admin:kb_import")
    logger.info("import: %d undone by user %s", batch.pk, get_staff_user(request).pk)
    context = {"title": "撤销导入", "batch": batch, "undo": undo}
    return render_admin_page(request, "admin/kb/imports/undone.html", context)


def _list_batches(request: HttpRequest) -> QuerySet[ImportBatch]:
    """Return the imports of the kinds that this person may import."""
    kinds = list_allowed_kinds(get_staff_user(request))
    return ImportBatch.objects.filter(kind__in=kinds)


def list_allowed_kinds(user: User) -> list[str]:
    """Return the kinds of rows that `user` may import."""
    return [
        kind
        for kind, (_, permission) in IMPORT_KINDS.items()
        if user.has_perm(permission)
    ]


def _load_decisions(facts: dict[str, Any]) -> ImportDecisions:
    return ImportDecisions.from_session(facts.get("decisions") or {})


def _apply_import(
    request: HttpRequest, facts: dict[str, Any], plan: ImportPlan
) -> HttpResponse:
    skip_bad = request.POST.get("skip_bad") == "on"
    wait = plan.written_row_count <= MAX_AWAITED_ROWS
    written = import_export.apply_import(
        plan, by=get_staff_user(request), skip_bad=skip_bad, wait=wait
    )
    _delete_session_upload(request)
    logger.info(
        "import: %d %s by user %s", written, facts["kind"], get_staff_user(request).pk
    )
    note = "" if wait else "正在建立索引，几分钟内陆续可以搜到。"
    messages.success(request, f"导入完成：{plan.summary}{note}")
    return redirect("admin:kb_import")


def _plan_import(request: HttpRequest, facts: dict[str, Any]) -> ImportPlan:
    decisions = _load_decisions(facts)
    options = ImportOptions(
        source=facts["source"],
        status=facts["status"],
        may_publish=get_staff_user(request).has_perm("kb.publish_entry"),
        by=get_staff_user(request),
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
    return import_export.read_import_file(
        facts["name"],
        data,
        strict=strict,
        kind=facts["kind"],
        encoding=facts.get("encoding", ""),
        heads=facts.get("heads", ()) if strict else (),
    )


def _check_upload(facts: dict[str, Any], data: bytes) -> None:
    """Raise ValidationError for a file that no mapping of columns could make valid."""
    table = _read_upload(facts, data, strict=False)
    if not ColumnMappingForm(facts["kind"], table).fields:
        _read_upload(facts, data)


def _make_csv_response(lines: Iterable[str], name: str) -> HttpResponse:
    response = HttpResponse("".join(lines), content_type="text/csv; charset=utf-8")
    disposition = content_disposition_header(as_attachment=True, filename=name)
    response["Content-Disposition"] = disposition
    return response


def _describe_new_states(plan: ImportPlan, kind: str) -> list[str]:
    """Return how many entries each status and audience would get, as sentences."""
    if kind != "entries":
        return []
    counts = Counter(
        (draft.entry.get_status_display(), draft.entry.get_audience_display())
        for draft in plan.row_kind.new_rows
    )
    return [
        f"{status}、{audience} {count:,} 条"
        for (status, audience), count in counts.items()
    ]


def _get_session_upload(request: HttpRequest, token: str) -> dict[str, Any]:
    """Return the upload of this session; raises ValidationError or PermissionDenied."""
    facts: dict[str, Any] = request.session.get(IMPORT_SESSION_KEY) or {}
    if facts.get("token") != token:
        raise ValidationError("这个预览已失效，请重新上传文件。")
    if facts["kind"] not in list_allowed_kinds(get_staff_user(request)):
        raise PermissionDenied("您没有导入的权限。")
    return facts


def _delete_session_upload(request: HttpRequest) -> None:
    if facts := request.session.pop(IMPORT_SESSION_KEY, None):
        uploads.delete_upload(facts["token"])
