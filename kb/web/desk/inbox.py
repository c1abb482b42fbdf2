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

from kb.library import entries
from kb.models import Entry, Question, Review, User
from kb.questions import to_entries, triage
from kb.web.desk import forms, inbox_queue

View = Callable[..., HttpResponse]
ENTRY_SAVED_MESSAGES = {
    "draft": "已存为草稿",
    "review": "已提交审核",
    "published": "已发布",
}
QUESTION_HANDLED_MESSAGE = "这个问题已经有人处理了，先看下一个。"


@dataclass(frozen=True, slots=True)
class RefusedPhrasing:
    """A wording as it was typed, and why it may not be kept."""

    phrasing: str
    errors: Sequence[str]


class StaffRequest(HttpRequest):
    user: User


def triage_permission_required(view: View) -> View:
    """Let only those into `view` who may sort the inbox."""
    allowed = permission_required("kb.triage_question", raise_exception=True)(view)
    return never_cache(login_required(allowed))


@triage_permission_required
@require_safe
def show_inbox(request: StaffRequest) -> HttpResponse:
    """Show the question that is asked for, or the oldest that waits."""
    asked = forms.parse_inbox_query(request.GET)
    question, gone = inbox_queue.find_current_question(asked)
    if gone:
        messages.warning(request, QUESTION_HANDLED_MESSAGE)
    return _render_inbox(request, asked, question)


@triage_permission_required
@require_POST
def merge_question(request: StaffRequest, pk: int) -> HttpResponse:
    """Count the question to an entry, or look for another entry first."""
    if "entry" not in request.POST:
        return _look_for_entries(request, pk)
    form = forms.MergeForm(request.POST)
    form.is_valid()
    given = form.cleaned_data
    seen = Entry.objects.visible_to(request.user)
    entry = seen.filter(pk=given.get("entry") or 0).first()
    if entry is None:
        messages.error(request, "这个条目已经不在了，请另选一个。")
        return redirect(_make_inbox_url(request, question=pk))
    words = given["phrasing"] if "phrasing" in request.POST else None
    question = Question.objects.filter(pk=pk).first()
    if question is None:
        return _skip_handled_question(request, pk)
    try:
        heard = to_entries.add_question_to_entry(
            entry, question=question, by=request.user, phrasing=words
        )
    except ValidationError as error:
        if get_error_code(error) == "conflict":
            return _skip_handled_question(request, pk)
        return _render_refused_phrasing(request, question, words, error)
    more = "问法已提交审核，通过以后才用来搜索。"
    waits = more if isinstance(heard, Review) else ""
    messages.success(request, f"已并入「{entry}」。{waits}")
    return redirect(_make_inbox_url(request, after=pk))


@triage_permission_required
@require_POST
def create_entry(request: StaffRequest, pk: int) -> HttpResponse:
    """Make a new entry of the question, as a draft or published at once."""
    question = Question.objects.filter(pk=pk).first()
    if question is None:
        return _skip_handled_question(request, pk)
    live = request.POST.get("do") == "publish"
    form = forms.NewEntryForm.make_prefilled(question, request.POST, live=live)
    if not form.is_valid():
        return _render_refused_form(request, question, create=form)
    try:
        entry = _make_entry_from_question(
            question, form.get_columns(), by=request.user, live=live
        )
    except ValidationError as error:
        if get_error_code(error) == "conflict":
            return _save_form_as_draft(request, question, form)
        form.add_stage_error(error)
        return _render_refused_form(request, question, create=form)
    messages.success(request, f"{ENTRY_SAVED_MESSAGES[entry.status]}「{entry}」。")
    return redirect(_make_inbox_url(request, after=pk))


@triage_permission_required
@require_POST
def decline_question(request: StaffRequest, pk: int) -> HttpResponse:
    """Keep the question out of the library."""
    question = Question.objects.filter(pk=pk).first()
    if question is None:
        return _skip_handled_question(request, pk)
    form = forms.DeclineForm(request.POST)
    if not form.is_valid():
        return _render_refused_form(request, question, decline=form)

    def record_decline(question: Question) -> str:
        triage.decline_question(
            question, reason=form.get_written_reason(), by=request.user
        )
        return "已标为「不收录」。"

    return _apply_decision(request, pk, record_decline)


@triage_permission_required
@require_POST
def undo_sorting(request: StaffRequest, pk: int) -> HttpResponse:
    """Put a sorted question back, and show it again."""
    question = Question.objects.select_related("entry").filter(pk=pk).first()
    if question is None:
        return _skip_handled_question(request, pk)
    entry = question.entry
    try:
        to_entries.release_question(question, by=request.user)
    except ValidationError as error:
        messages.warning(request, " ".join(error.messages))
        return redirect(_make_inbox_url(request))
    messages.success(request, _describe_undone(question, entry))
    return redirect(_make_inbox_url(request, question=pk))


# Between the form and the stage --------------------------------------------------


def _apply_decision(
    request: StaffRequest, pk: int, act: Callable[[Question], str]
) -> HttpResponse:
    """Do `act` with the question and go on to the next one."""
    try:
        said = act(Question.objects.get(pk=pk))
    except Question.DoesNotExist:
        return _skip_handled_question(request, pk)
    except ValidationError as error:
        if get_error_code(error) == "conflict":
            return _skip_handled_question(request, pk)
        messages.error(request, " ".join(error.messages))
        return redirect(_make_inbox_url(request, question=pk))
    messages.success(request, said)
    return redirect(_make_inbox_url(request, after=pk))


@transaction.atomic
def _make_entry_from_question(
    question: Question, columns: dict[str, Any], *, by: User, live: bool
) -> Entry:
    entry = to_entries.draft_entry_from_question(question, by=by, **columns)
    return entries.publish_or_submit_entry(entry, by=by) if live else entry


def _save_form_as_draft(
    request: StaffRequest, question: Question, form: forms.NewEntryForm
) -> HttpResponse:
    """Lose nothing of what was written while somebody else took the question."""
    question.refresh_from_db()
    mine = question.settled_by_id == request.user.pk  # the button was hit twice
    if mine or not form.has_changed():
        return _skip_handled_question(request, question.pk)
    try:
        entry = entries.create_draft(by=request.user, **form.get_columns())
    except ValidationError as error:
        form.add_stage_error(error)
        return _render_refused_form(request, question, create=form)
    where = reverse("admin:kb_entry_change", args=[entry.pk])
    said = "这个问题已经有人处理了。您写的内容存为草稿「<a href='{}'>{}</a>」。"
    messages.warning(request, format_html(said, where, entry))
    return redirect(_make_inbox_url(request, after=question.pk))


def _skip_handled_question(request: StaffRequest, pk: int) -> HttpResponse:
    mine = Question.objects.filter(pk=pk, settled_by=request.user)
    if not mine.exists():
        messages.warning(request, QUESTION_HANDLED_MESSAGE)
    return redirect(_make_inbox_url(request, after=pk))


def _describe_undone(question: Question, entry: Entry | None) -> str:
    if entry is None:
        return f"已撤销「不收录」：「{question}」回到收件箱。"
    if Entry.objects.filter(pk=entry.pk).exists():
        return f"已撤销：「{question}」不再计入「{entry}」。"
    return f"已撤销：「{question}」回到收件箱，草稿「{entry}」已删除。"


def get_error_code(error: ValidationError) -> str:
    return str(getattr(error, "code", "") or "")


# Pages ---------------------------------------------------------------------------


def _look_for_entries(request: StaffRequest, pk: int) -> HttpResponse:
    """Show the question again with other entries beside it."""
    asked = forms.parse_inbox_query(request.POST)
    more = {"question": pk, "q": asked.words}
    question = Question.objects.filter(pk=pk).first()
    offered = entries.suggest_phrasing(question.text) if question else ""
    if asked.phrasing is not None and asked.phrasing != offered:
        more["phrasing"] = asked.phrasing
    return redirect(_make_inbox_url(request, **more))


def _render_refused_phrasing(
    request: StaffRequest, question: Question, words: str | None, error: ValidationError
) -> HttpResponse:
    """Show the question again with the wording that may not be kept, as it was typed."""
    asked = forms.parse_inbox_query(request.GET)
    typed = entries.suggest_phrasing(question.text) if words is None else words
    return _render_inbox(
        request, asked, question, RefusedPhrasing(typed, error.messages)
    )


def _render_refused_form(
    request: StaffRequest, question: Question, **bound: Form
) -> HttpResponse:
    """Show the question again with a form that was refused, as it was typed."""
    asked = forms.parse_inbox_query(request.GET)
    return _render_inbox(request, asked, question, None, **bound)


def _render_inbox(
    request: StaffRequest,
    asked: forms.InboxQuery,
    question: Question | None,
    refused: RefusedPhrasing | None = None,
    **bound: Form,
) -> HttpResponse:
    context: dict[str, Any] = {
        "asked": asked,
        "choices": inbox_queue.count_filter_choices(),
    }
    context["undo"] = inbox_queue.find_last_sorted(request.user)
    if question is None:
        return render(request, "desk/inbox/empty.html", context)
    near = inbox_queue.find_similar_entries(
        asked.words or question.text,
        user=request.user,
        limit=inbox_queue.MAX_SIMILAR_ENTRIES,
    )
    offered = entries.suggest_phrasing(question.text)
    typed = refused.phrasing if refused else asked.phrasing
    context |= {
        "question": question,
        "place": inbox_queue.find_queue_position(question, asked),
        "near": near,
        "phrasing": offered if typed is None else typed,
        "phrasing_errors": refused.errors if refused else (),
        "personal": inbox_queue.list_personal_data_kinds(question.text),
        "personal_answer": inbox_queue.list_personal_data_kinds(question.answer),
        "create": forms.NewEntryForm.make_prefilled(question),
        "decline": forms.DeclineForm(),
        **bound,
    }
    status = 400 if refused else 200
    return render(request, "desk/inbox/page.html", context, status=status)


def _make_inbox_url(request: HttpRequest, **more: Any) -> str:
    """Return the inbox with the filter that is on, and `more` in the address."""
    query = [forms.parse_inbox_query(request.GET).filter_query, urlencode(more)]
    return f"{reverse('desk:inbox')}?{'&'.join(filter(None, query))}".rstrip("?")
