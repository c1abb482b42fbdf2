"""The inbox: one answered question at a time, and what becomes of it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from django.contrib import messages
from django.contrib.auth.decorators import login_required, permission_required
from django.core.exceptions import ValidationError
from django.db import transaction
from django.forms import Form
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.html import format_html
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from kb import entries, triage
from kb.desk import forms, queue
from kb.models import Entry, Question, Review, User

View = Callable[..., HttpResponse]
MADE = {"draft": "已存为草稿", "review": "已提交审核", "published": "已发布"}
GONE = "这个问题已经有人处理了，先看下一个。"


@dataclass(frozen=True, slots=True)
class Refused:
    """A wording as it was typed, and why it may not be kept."""

    phrasing: str
    errors: Sequence[str]


class StaffRequest(HttpRequest):
    user: User


def sorter(view: View) -> View:
    """Let only those into `view` who may sort the inbox."""
    allowed = permission_required("kb.triage_question", raise_exception=True)(view)
    return never_cache(login_required(allowed))


@sorter
@require_safe
def inbox(request: StaffRequest) -> HttpResponse:
    """Show the question that is asked for, or the oldest that waits."""
    asked = forms.read(request.GET)
    question, gone = queue.current(asked)
    if gone:
        messages.warning(request, GONE)
    return _page(request, asked, question)


@sorter
@require_POST
def merge(request: StaffRequest, pk: int) -> HttpResponse:
    """Count the question to an entry, or look for another entry first."""
    if "entry" not in request.POST:
        return _look(request, pk)
    form = forms.MergeForm(request.POST)
    form.is_valid()
    given = form.cleaned_data
    seen = Entry.objects.visible_to(request.user)
    entry = seen.filter(pk=given.get("entry") or 0).first()
    if entry is None:
        messages.error(request, "这个条目已经不在了，请另选一个。")
        return redirect(_address(request, question=pk))
    words = given["phrasing"] if "phrasing" in request.POST else None
    question = Question.objects.filter(pk=pk).first()
    if question is None:
        return _gone(request, pk)
    try:
        heard = entries.absorb(
            entry, question=question, by=request.user, phrasing=words
        )
    except ValidationError as error:
        if error_code(error) == "conflict":
            return _gone(request, pk)
        return _refused(request, question, words, error)
    more = "问法已提交审核，通过以后才用来搜索。"
    waits = more if isinstance(heard, Review) else ""
    messages.success(request, f"已并入「{entry}」。{waits}")
    return redirect(_address(request, after=pk))


@sorter
@require_POST
def create(request: StaffRequest, pk: int) -> HttpResponse:
    """Make a new entry of the question, as a draft or published at once."""
    question = Question.objects.filter(pk=pk).first()
    if question is None:
        return _gone(request, pk)
    live = request.POST.get("do") == "publish"
    form = forms.EntryForm.prefilled(question, request.POST, live=live)
    if not form.is_valid():
        return _again(request, question, create=form)
    try:
        entry = _entry_from(question, form.columns(), by=request.user, live=live)
    except ValidationError as error:
        if error_code(error) == "conflict":
            return _keep_draft(request, question, form)
        form.blame(error)
        return _again(request, question, create=form)
    messages.success(request, f"{MADE[entry.status]}「{entry}」。")
    return redirect(_address(request, after=pk))


@sorter
@require_POST
def decline(request: StaffRequest, pk: int) -> HttpResponse:
    """Keep the question out of the library."""
    question = Question.objects.filter(pk=pk).first()
    if question is None:
        return _gone(request, pk)
    form = forms.DeclineForm(request.POST)
    if not form.is_valid():
        return _again(request, question, decline=form)

    def act(question: Question) -> str:
        triage.decline(question, reason=form.written(), by=request.user)
        return "已标为「不收录」。"

    return _decide(request, pk, act)


@sorter
@require_POST
def undo(request: StaffRequest, pk: int) -> HttpResponse:
    """Put a sorted question back, and show it again."""
    question = Question.objects.select_related("entry").filter(pk=pk).first()
    if question is None:
        return _gone(request, pk)
    entry = question.entry
    try:
        entries.release(question, by=request.user)
    except ValidationError as error:
        messages.warning(request, " ".join(error.messages))
        return redirect(_address(request))
    messages.success(request, _undone(question, entry))
    return redirect(_address(request, question=pk))


# Between the form and the stage --------------------------------------------------


def _decide(
    request: StaffRequest, pk: int, act: Callable[[Question], str]
) -> HttpResponse:
    """Do `act` with the question and go on to the next one."""
    try:
        said = act(Question.objects.get(pk=pk))
    except Question.DoesNotExist:
        return _gone(request, pk)
    except ValidationError as error:
        if error_code(error) == "conflict":
            return _gone(request, pk)
        messages.error(request, " ".join(error.messages))
        return redirect(_address(request, question=pk))
    messages.success(request, said)
    return redirect(_address(request, after=pk))


@transaction.atomic
def _entry_from(
    question: Question, columns: dict[str, Any], *, by: User, live: bool
) -> Entry:
    entry = entries.draft_from(question, by=by, **columns)
    return entries.forward(entry, by=by) if live else entry


def _keep_draft(
    request: StaffRequest, question: Question, form: forms.EntryForm
) -> HttpResponse:
    """Lose nothing of what was written while somebody else took the question."""
    question.refresh_from_db()
    mine = question.settled_by_id == request.user.pk  # the button was hit twice
    if mine or not form.has_changed():
        return _gone(request, question.pk)
    try:
        entry = entries.draft(by=request.user, **form.columns())
    except ValidationError as error:
        form.blame(error)
        return _again(request, question, create=form)
    where = reverse("admin:kb_entry_change", args=[entry.pk])
    said = "这个问题已经有人处理了。您写的内容存为草稿「<a href='{}'>{}</a>」。"
    messages.warning(request, format_html(said, where, entry))
    return redirect(_address(request, after=question.pk))


def _gone(request: StaffRequest, pk: int) -> HttpResponse:
    mine = Question.objects.filter(pk=pk, settled_by=request.user)
    if not mine.exists():
        messages.warning(request, GONE)
    return redirect(_address(request, after=pk))


def _undone(question: Question, entry: Entry | None) -> str:
    if entry is None:
        return f"已撤销「不收录」：「{question}」回到收件箱。"
    if Entry.objects.filter(pk=entry.pk).exists():
        return f"已撤销：「{question}」不再计入「{entry}」。"
    return f"已撤销：「{question}」回到收件箱，草稿「{entry}」已删除。"


def error_code(error: ValidationError) -> str:
    return str(getattr(error, "code", "") or "")


# Pages ---------------------------------------------------------------------------


def _look(request: StaffRequest, pk: int) -> HttpResponse:
    """Show the question again with other entries beside it."""
    asked = forms.read(request.POST)
    more = {"question": pk, "q": asked.words}
    question = Question.objects.filter(pk=pk).first()
    offered = entries.offered_phrasing(question.text) if question else ""
    if asked.phrasing is not None and asked.phrasing != offered:
        more["phrasing"] = asked.phrasing
    return redirect(_address(request, **more))


def _refused(
    request: StaffRequest, question: Question, words: str | None, error: ValidationError
) -> HttpResponse:
    """Show the question again with the wording that may not be kept, as it was typed."""
    asked = forms.read(request.GET)
    typed = entries.offered_phrasing(question.text) if words is None else words
    return _page(request, asked, question, Refused(typed, error.messages))


def _again(request: StaffRequest, question: Question, **bound: Form) -> HttpResponse:
    """Show the question again with a form that was refused, as it was typed."""
    asked = forms.read(request.GET)
    return _page(request, asked, question, None, **bound)


def _page(
    request: StaffRequest,
    asked: forms.Asked,
    question: Question | None,
    refused: Refused | None = None,
    **bound: Form,
) -> HttpResponse:
    context: dict[str, Any] = {"asked": asked, "choices": queue.choices()}
    context["undo"] = queue.last_sorted(request.user)
    if question is None:
        return render(request, "desk/inbox/empty.html", context)
    near = queue.alike(
        asked.words or question.text, user=request.user, limit=queue.NEAR
    )
    offered = entries.offered_phrasing(question.text)
    typed = refused.phrasing if refused else asked.phrasing
    context |= {
        "question": question,
        "place": queue.place(question, asked),
        "near": near,
        "phrasing": offered if typed is None else typed,
        "phrasing_errors": refused.errors if refused else (),
        "personal": queue.personal_kinds(question.text),
        "personal_answer": queue.personal_kinds(question.answer),
        "create": forms.EntryForm.prefilled(question),
        "decline": forms.DeclineForm(),
        **bound,
    }
    status = 400 if refused else 200
    return render(request, "desk/inbox/page.html", context, status=status)


def _address(request: HttpRequest, **more: Any) -> str:
    """Return the inbox with the filter that is on, and `more` in the address."""
    query = [forms.read(request.GET).filter, urlencode(more)]
    return f"{reverse('desk:inbox')}?{'&'.join(filter(None, query))}".rstrip("?")
