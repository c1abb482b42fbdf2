"""收件箱: one answered question at a time, to merge, to make an entry of, or to decline."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.db import transaction
from django.forms import Form
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.html import format_html
from django.views.decorators.http import require_POST, require_safe

from kb.library import entries
from kb.models import Entry, Question, Review, User
from kb.questions import queues, to_entries, triage
from kb.web.desk import UNDO_WINDOW, forms
from kb.web.desk.access import StaffRequest, triage_permission_required
from kb.web.desk.similar_entries import find_similar_entries, list_personal_data_kinds

ENTRY_SAVED_MESSAGES = {
    "draft": "已存为草稿",
    "review": "已提交审核",
    "published": "已发布",
}
QUESTION_HANDLED_MESSAGE = "这个问题已经有人处理了，先看下一个。"


@dataclass(frozen=True, slots=True)
class RefusedPhrasing:
    """A phrasing as it was typed, and why it was refused."""

    phrasing: str
    errors: Sequence[str]


@triage_permission_required
@require_safe
def show_inbox(request: StaffRequest) -> HttpResponse:
    """Show the question of the address, or else the oldest that waits."""
    query = forms.parse_inbox_query(request.GET)
    question, is_gone = queues.find_question_to_triage(
        queues.list_questions_to_triage(channel=query.channel, module=query.module),
        wanted_id=query.question,
        after_id=query.after,
    )
    if is_gone:
        messages.warning(request, QUESTION_HANDLED_MESSAGE)
    return _render_inbox(request, query, question)


@triage_permission_required
@require_POST
def merge_question(request: StaffRequest, pk: int) -> HttpResponse:
    """Merge the question into an entry, or search for another entry first."""
    if "entry" not in request.POST:
        return _look_for_entries(request, pk)
    form = forms.MergeForm(request.POST)
    form.is_valid()
    entry_id = form.cleaned_data.get("entry")
    entry = entries.find_entry(entry_id, user=request.user) if entry_id else None
    if entry is None:
        messages.error(request, "这个条目已经不在了，请另选一个。")
        return redirect(_make_inbox_url(request, question=pk))
    phrasing = form.cleaned_data["phrasing"] if "phrasing" in request.POST else None
    question = queues.find_question(pk)
    if question is None:
        return _skip_handled_question(request, pk)
    try:
        outcome = to_entries.add_question_to_entry(
            entry, question=question, by=request.user, phrasing=phrasing
        )
    except ValidationError as error:
        if forms.get_error_code(error) == "conflict":
            return _skip_handled_question(request, pk)
        return _render_refused_phrasing(request, question, phrasing, error)
    is_proposed = isinstance(outcome, Review)
    note = "问法已提交审核，通过以后才用来搜索。" if is_proposed else ""
    messages.success(request, f"已并入「{entry}」。{note}")
    return redirect(_make_inbox_url(request, after=pk))


@triage_permission_required
@require_POST
def create_entry(request: StaffRequest, pk: int) -> HttpResponse:
    """Make a new entry of the question, as a draft or published at once."""
    question = queues.find_question(pk)
    if question is None:
        return _skip_handled_question(request, pk)
    is_live = request.POST.get("do") == "publish"
    form = forms.NewEntryForm.make_prefilled(question, request.POST, is_live=is_live)
    if not form.is_valid():
        return _render_refused_form(request, question, create=form)
    try:
        entry = _make_entry_from_question(
            question, form.get_columns(), by=request.user, is_live=is_live
        )
    except ValidationError as error:
        if forms.get_error_code(error) == "conflict":
            return _save_form_as_draft(request, question, form)
        form.add_stage_error(error)
        return _render_refused_form(request, question, create=form)
    messages.success(request, f"{ENTRY_SAVED_MESSAGES[entry.status]}「{entry}」。")
    return redirect(_make_inbox_url(request, after=pk))


@triage_permission_required
@require_POST
def decline_question(request: StaffRequest, pk: int) -> HttpResponse:
    """Keep the question out of the library."""
    question = queues.find_question(pk)
    if question is None:
        return _skip_handled_question(request, pk)
    form = forms.DeclineForm(request.POST)
    if not form.is_valid():
        return _render_refused_form(request, question, decline=form)
    try:
        triage.decline_question(
            question, reason=form.get_written_reason(), by=request.user
        )
    except Question.DoesNotExist:  # it was deleted just now
        return _skip_handled_question(request, pk)
    except ValidationError as error:
        if forms.get_error_code(error) == "conflict":
            return _skip_handled_question(request, pk)
        messages.error(request, " ".join(error.messages))
        return redirect(_make_inbox_url(request, question=pk))
    messages.success(request, "已标为「不收录」。")
    return redirect(_make_inbox_url(request, after=pk))


@triage_permission_required
@require_POST
def undo_sorting(request: StaffRequest, pk: int) -> HttpResponse:
    """Put a sorted question back into the inbox, and show it again."""
    question = queues.find_question(pk)
    if question is None:
        return _skip_handled_question(request, pk)
    entry = question.entry
    try:
        to_entries.release_question(question, by=request.user)
    except ValidationError as error:
        messages.warning(request, " ".join(error.messages))
        return redirect(_make_inbox_url(request))
    messages.success(request, _describe_undone(question, entry, user=request.user))
    return redirect(_make_inbox_url(request, question=pk))


# Between the form and the stage --------------------------------------------------


@transaction.atomic
def _make_entry_from_question(
    question: Question, columns: dict[str, Any], *, by: User, is_live: bool
) -> Entry:
    entry = to_entries.draft_entry_from_question(question, by=by, **columns)
    return entries.publish_or_submit_entry(entry, by=by) if is_live else entry


def _save_form_as_draft(
    request: StaffRequest, question: Question, form: forms.NewEntryForm
) -> HttpResponse:
    """Save what was written as a draft, because a colleague took the question first."""
    question.refresh_from_db()
    is_sent_twice = question.settled_by_id == request.user.pk
    if is_sent_twice or not form.has_changed():
        return _skip_handled_question(request, question.pk)
    try:
        entry = entries.create_draft(by=request.user, **form.get_columns())
    except ValidationError as error:
        form.add_stage_error(error)
        return _render_refused_form(request, question, create=form)
    url = reverse("admin:kb_entry_change", args=[entry.pk])
    message = "这个问题已经有人处理了。您写的内容存为草稿「<a href='{}'>{}</a>」。"
    messages.warning(request, format_html(message, url, entry))
    return redirect(_make_inbox_url(request, after=question.pk))


def _skip_handled_question(request: StaffRequest, pk: int) -> HttpResponse:
    """Go on to the next question, with a warning unless the reader handled this one."""
    question = queues.find_question(pk)
    if question is None or question.settled_by_id != request.user.pk:
        messages.warning(request, QUESTION_HANDLED_MESSAGE)
    return redirect(_make_inbox_url(request, after=pk))


def _describe_undone(question: Question, entry: Entry | None, *, user: User) -> str:
    if entry is None:
        return f"已撤销「不收录」：「{question}」回到收件箱。"
    if entries.find_entry(entry.pk, user=user) is not None:
        return f"已撤销：「{question}」不再计入「{entry}」。"
    return f"已撤销：「{question}」回到收件箱，草稿「{entry}」已删除。"


# Pages ---------------------------------------------------------------------------


def _look_for_entries(request: StaffRequest, pk: int) -> HttpResponse:
    """Show the question again with other entries beside it."""
    query = forms.parse_inbox_query(request.POST)
    parameters = {"question": pk, "q": query.words}
    question = queues.find_question(pk)
    suggested = entries.suggest_phrasing(question.text) if question else ""
    if query.phrasing is not None and query.phrasing != suggested:
        parameters["phrasing"] = query.phrasing
    return redirect(_make_inbox_url(request, **parameters))


def _render_refused_phrasing(
    request: StaffRequest,
    question: Question,
    phrasing: str | None,
    error: ValidationError,
) -> HttpResponse:
    """Show the question again with the phrasing that was refused, as it was typed."""
    query = forms.parse_inbox_query(request.GET)
    if phrasing is None:
        phrasing = entries.suggest_phrasing(question.text)
    refused = RefusedPhrasing(phrasing, error.messages)
    return _render_inbox(request, query, question, refused)


def _render_refused_form(
    request: StaffRequest, question: Question, **bound_forms: Form
) -> HttpResponse:
    """Show the question again with a form that was refused, as it was typed."""
    query = forms.parse_inbox_query(request.GET)
    return _render_inbox(request, query, question, None, **bound_forms)


def _render_inbox(
    request: StaffRequest,
    query: forms.InboxQuery,
    question: Question | None,
    refused: RefusedPhrasing | None = None,
    **bound_forms: Form,
) -> HttpResponse:
    context: dict[str, Any] = {
        "inbox_query": query,
        "choices": queues.count_questions_to_triage(),
        "undo": queues.find_last_sorted_question(request.user, within=UNDO_WINDOW),
    }
    if question is None:
        return render(request, "desk/inbox/empty.html", context)
    queue = queues.list_questions_to_triage(channel=query.channel, module=query.module)
    suggested = entries.suggest_phrasing(question.text)
    typed = refused.phrasing if refused else query.phrasing
    context |= {
        "question": question,
        "position": queues.find_queue_position(question, queue),
        "similar": find_similar_entries(
            query.words or question.text, user=request.user
        ),
        "phrasing": suggested if typed is None else typed,
        "phrasing_errors": refused.errors if refused else (),
        "personal": list_personal_data_kinds(question.text),
        "personal_answer": list_personal_data_kinds(question.answer),
        "create": forms.NewEntryForm.make_prefilled(question),
        "decline": forms.DeclineForm(),
        **bound_forms,
    }
    status = 400 if refused else 200
    return render(request, "desk/inbox/page.html", context, status=status)


def _make_inbox_url(request: HttpRequest, **parameters: Any) -> str:
    """Return the inbox with the filter that is on, and `parameters` in the address."""
    filter_query = forms.parse_inbox_query(request.GET).filter_query
    query = "&".join(filter(None, [filter_query, urlencode(parameters)]))
    return f"{reverse('desk:inbox')}?{query}".rstrip("?")
