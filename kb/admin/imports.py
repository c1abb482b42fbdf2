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

from kb import entries, transfer
from kb.admin.columns import ColumnsForm
from kb.admin.importchoices import Decisions
from kb.models import Entry, Import, User
from kb.text import normalize
from kb.transfer import Options, Plan, uploads

logger = logging.getLogger(__name__)
KINDS = {
    "entries": ("条目", "kb.import_entry"),
    "replies": ("话术", "kb.import_entry"),
    "phrasings": ("相似问法", "kb.import_entry"),
    "questions": ("问题", "kb.import_question"),
    "synonyms": ("同义词", "kb.add_synonymset"),
    "words": ("词典", "kb.add_word"),
    "stopwords": ("停用词", "kb.add_stopword"),
    "wording": ("用词规则", "kb.add_wordingrule"),
    "golden": ("搜索验收", "kb.add_golden"),
}
ENCODINGS = [("", "自动识别"), ("utf-8", "UTF-8"), ("gb18030", "GB18030（GBK）")]
ENCODINGS += [("big5", "Big5"), ("utf-16", "UTF-16")]
SHOWN = 200  # rows of a preview
WAITED = 500  # rows that a page waits for until they can be searched for
LATEST = 20  # imports that can be taken back from the page
SESSION = "kb_import"  # what this session has uploaded and not yet confirmed
MAX_SOURCE = 50  # characters
STALE = "预览以后，库里相关的内容有了变化，所以没有写入任何内容。请再看一遍，然后确认。"
DUPLICATE_CHOICES = [("skip", "跳过"), ("merge", "并入为相似问法"), ("new", "新建")]
Status = Entry.Status


def urls(site: AdminSite) -> list[URLPattern]:
    """Return the addresses for the site's own list."""
    view = site.admin_view
    return [
        path("import/", view(import_view), name="kb_import"),
        path("import/undo/<int:pk>/", view(undo), name="kb_import_undo"),
        path("import/<str:token>/", view(preview), name="kb_import_preview"),
        path("import/<str:token>/columns/", view(named), name="kb_import_columns"),
        path("import/<str:token>/report.csv", view(report), name="kb_import_report"),
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
        help_text="文件里没有「来源」列时用它，不写就用文件名，预览时还可以改；"
        "和编号一起认出同一行。",
    )
    encoding = forms.ChoiceField(
        label="CSV 编码", choices=ENCODINGS, required=False, help_text="认错时才要选。"
    )

    def __init__(self, user: User, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        statuses = [Status.DRAFT, Status.REVIEW]
        if user.has_perm("kb.publish_entry") and entries.judges_own(user, None):
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
                _check(facts, facts["data"])
            except ValidationError as error:
                self.add_error("file", error)
        return facts


def _keep(form: UploadForm) -> str:
    """Return the token of the uploaded file, or "" where it could not be written."""
    try:
        return uploads.keep(form.cleaned_data["data"])
    except ValidationError as error:
        form.add_error("file", error)
    return ""


@require_http_methods(["GET", "HEAD", "POST"])
def import_view(request: HttpRequest) -> HttpResponse:
    """Take a file, keep it, and lead to its preview."""
    if not allowed_kinds(_user(request)):
        raise PermissionDenied("您没有导入的权限。")
    chosen = {"kind": request.GET.get("kind", "entries")}
    form = UploadForm(
        _user(request), request.POST or None, request.FILES or None, initial=chosen
    )
    if request.method == "POST" and form.is_valid() and (token := _keep(form)):
        _forget(request)
        names = ("kind", "name", "status", "source", "encoding")
        kept = {name: form.cleaned_data[name] for name in names}
        request.session[SESSION] = {"token": token, **kept}
        return redirect("admin:kb_import_preview", token)
    mine = Import.objects.filter(kind__in=allowed_kinds(_user(request)))
    context = {"form": form, "title": "导入", "kinds": KINDS}
    done = list(mine.select_related("by", "undone_by")[:LATEST])
    stayed = transfer.stayed(done)
    context["done"] = [(batch, stayed.get(batch.pk, 0)) for batch in done]
    return _page(request, "admin/kb/imports/page.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
def preview(request: HttpRequest, token: str) -> HttpResponse:
    """Show what would happen; on POST, plan once more and do it.

    What is confirmed is bound to the plan that was shown. When somebody has saved
    one of its entries since, nothing is written, and the preview is shown again.
    """
    try:
        facts = _kept(request, token)
        if request.method == "POST":
            return _confirm(request, facts)
        plan = _plan(request, facts)
        if _decisions(facts).replaced and plan.fingerprint != facts.get("seen"):
            facts["decisions"] = _decisions(facts).without_replaced().stored()
            plan = _plan(request, facts)
    except ValidationError as error:
        messages.error(request, "".join(error.messages))
        if getattr(error, "code", "") == "columns":
            return redirect("admin:kb_import_columns", token)
        return redirect("admin:kb_import")
    context = {"title": f"导入{KINDS[facts['kind']][0]}：预览", "facts": facts}
    context |= _shown(plan, facts)
    return _page(request, "admin/kb/imports/preview.html", context)


def _confirm(request: HttpRequest, facts: dict[str, Any]) -> HttpResponse:
    """Import what was shown, or show it anew where something is different by now."""
    seen, given = request.POST.get("fingerprint", ""), request.POST.get("source")
    decisions = Decisions.read(request.POST)
    source = normalize.line(given)[:MAX_SOURCE] if given is not None else None
    is_moved = source is not None and source != request.POST.get("source_shown", "")
    facts |= {"decisions": decisions.stored(), "seen": seen}
    if is_moved:
        facts["source"] = source
    plan = _plan(request, facts)
    is_stale = seen != plan.fingerprint
    if not (is_moved or is_stale or "again" in request.POST):
        try:
            return _import(request, facts, plan)
        except ValidationError as error:  # nothing is written: it can be mended here
            messages.error(request, "".join(error.messages))
    elif is_moved:
        messages.info(request, "来源改了，请再看一遍。还没有写入任何内容。")
    elif is_stale:
        messages.warning(request, STALE)
    request.session[SESSION] = facts
    return redirect("admin:kb_import_preview", facts["token"])


def _shown(plan: Plan, facts: dict[str, Any]) -> dict[str, Any]:
    """Return what the preview shows: what needs a decision apart from the rest."""
    apart = {id(step) for step in (*plan.replaced, *plan.duplicates)}
    steps = [step for step in plan.steps if id(step) not in apart]
    steps.sort(key=lambda step: (not step.reasons, not step.notes))
    held = [step for step in plan.live if not step.is_live]
    live = [step for step in plan.live if step.is_live]
    decisions = _decisions(facts)
    return {
        "plan": plan,
        "source": plan.work.options.source,
        "has_source": "source" in transfer.KINDS[facts["kind"]].columns.names,
        "replaced": plan.replaced[:SHOWN],
        "duplicates": plan.duplicates[:SHOWN],
        "held": held[:SHOWN],
        "live": live[:SHOWN],
        "counts": {
            "replaced": len(plan.replaced),
            "duplicates": len(plan.duplicates),
            "held": len(held),
            "live": len(live),
        },
        "decisions": decisions,
        "choices": DUPLICATE_CHOICES,
        "undecided": bool(apart or held),
        "limit": SHOWN,
        "steps": steps[:SHOWN],
        "hidden": len(steps) - SHOWN,
        "states": _states(plan, facts["kind"]),
    }


@require_GET
def refused(request: HttpRequest, token: str) -> HttpResponse:
    """Hand out the refused rows with their reasons, to be mended and imported."""
    try:
        plan = _plan(request, _kept(request, token))
    except ValidationError as error:
        raise Http404(error.messages[0]) from None
    stem = PurePath(plan.table.name).stem or "rows"
    return _csv(transfer.rejects(plan), f"{stem}.refused.csv")


@require_http_methods(["GET", "HEAD", "POST"])
def named(request: HttpRequest, token: str) -> HttpResponse:
    """Ask which columns of ours those are that we do not know; it is remembered."""
    try:
        facts = _kept(request, token)
        table = _read(facts, uploads.load(facts["token"]), strict=False)
    except ValidationError as error:
        messages.error(request, "".join(error.messages))
        return redirect("admin:kb_import")
    form = ColumnsForm(facts["kind"], table, request.POST or None)
    if request.method == "POST" and form.is_valid():
        if form.cleaned_data.get("bare"):
            facts["heads"] = form.headings(len(table.header.cells))
            request.session[SESSION] = facts
        else:
            transfer.tell(facts["kind"], form.meanings())
        return redirect("admin:kb_import_preview", token)
    context = {"title": "对应列名", "facts": facts, "form": form}
    return _page(request, "admin/kb/imports/columns.html", context)


@require_GET
def report(request: HttpRequest, token: str) -> HttpResponse:
    """Hand out what would happen to every row."""
    try:
        plan = _plan(request, _kept(request, token))
    except ValidationError as error:
        raise Http404(error.messages[0]) from None
    return _csv(transfer.report(plan), "report.csv")


@require_POST
def undo(request: HttpRequest, pk: int) -> HttpResponse:
    """Take a whole import back, and say which rows stay and why."""
    mine = Import.objects.filter(kind__in=allowed_kinds(_user(request)))
    batch = get_object_or_404(mine, pk=pk)
    try:
        done = transfer.undo(batch, by=_user(request))
    except ValidationError as error:
        messages.warning(request, "".join(error.messages))
        return redirect("admin:kb_import")
    logger.info("import: %d undone by user %s", batch.pk, _user(request).pk)
    context = {"title": "撤销导入", "batch": batch, "done": done}
    return _page(request, "admin/kb/imports/undone.html", context)


def allowed_kinds(user: User) -> list[str]:
    return [kind for kind, (_, needed) in KINDS.items() if user.has_perm(needed)]


def _decisions(facts: dict[str, Any]) -> Decisions:
    return Decisions.load(facts.get("decisions") or {})


def _import(request: HttpRequest, facts: dict[str, Any], plan: Plan) -> HttpResponse:
    skip_bad = request.POST.get("skip_bad") == "on"
    wait = plan.writes <= WAITED
    written = transfer.apply(plan, by=_user(request), skip_bad=skip_bad, wait=wait)
    _forget(request)
    logger.info("import: %d %s by user %s", written, facts["kind"], _user(request).pk)
    later = "" if wait else "正在建立索引，几分钟内陆续可以搜到。"
    messages.success(request, f"导入完成：{plan.summary}{later}")
    return redirect("admin:kb_import")


def _plan(request: HttpRequest, facts: dict[str, Any]) -> Plan:
    decisions = _decisions(facts)
    options = Options(
        source=facts["source"],
        status=facts["status"],
        may_publish=_user(request).has_perm("kb.publish_entry"),
        by=_user(request),
        replaced_rows=decisions.replaced,
        duplicates=decisions.duplicates,
        row_choices=decisions.rows,
        may_change_live=decisions.change_live or None,
    )
    table = _read(facts, uploads.load(facts["token"]))
    options = transfer.sourced(options, table, kind=facts["kind"])
    return transfer.plan(table, kind=facts["kind"], options=options)


def _read(facts: dict[str, Any], data: bytes, *, strict: bool = True) -> transfer.Table:
    told = {"kind": facts["kind"], "encoding": facts.get("encoding", "")}
    told["heads"] = facts.get("heads", ()) if strict else ()
    return transfer.read(facts["name"], data, strict=strict, **told)


def _check(facts: dict[str, Any], data: bytes) -> None:
    """Refuse a file that no telling of columns could make one of ours."""
    table = _read(facts, data, strict=False)
    if not ColumnsForm(facts["kind"], table).fields:
        _read(facts, data)


def _csv(lines: Iterable[str], name: str) -> HttpResponse:
    response = HttpResponse("".join(lines), content_type="text/csv; charset=utf-8")
    disposition = content_disposition_header(as_attachment=True, filename=name)
    response["Content-Disposition"] = disposition
    return response


def _states(plan: Plan, kind: str) -> list[str]:
    """Say what new entries would be, and for whose eyes, before anybody confirms."""
    if kind != "entries":
        return []
    new = Counter(
        (draft.entry.get_status_display(), draft.entry.get_audience_display())
        for draft in plan.work.new
    )
    return [f"{state}、{who} {count:,} 条" for (state, who), count in new.items()]


def _kept(request: HttpRequest, token: str) -> dict[str, Any]:
    """Return what this session has uploaded under `token`."""
    facts: dict[str, Any] = request.session.get(SESSION) or {}
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
