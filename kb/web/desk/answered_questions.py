"""Answered questions: find them, take an answer back, correct it."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.core.paginator import Paginator
from django.db import transaction
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import (
    require_http_methods,
    require_POST,
    require_safe,
)

from kb.models import Question
from kb.questions import answers, queues, to_entries, triage
from kb.text.chinese import normalize
from kb.web.desk.access import StaffRequest
from kb.web.desk.answer_form import (
    AnswerForm,
    answer_permission_required,
    is_recorded_question,
    make_question_url,
    make_recall_context,
    read_typed_answer,
)
from kb.web.desk.forms import MAX_LINE_CHARS, parse_id

QUESTIONS_PER_PAGE = 20


@answer_permission_required
@require_safe
def list_answered_questions(request: StaffRequest) -> HttpResponse:
    """List what the reader answered, the latest first; with ?who=all what anybody did."""
    words = normalize.clean_single_line(
        request.GET.get("q", "")[: MAX_LINE_CHARS * 10]
    )[:MAX_LINE_CHARS].strip()
    is_all = request.GET.get("who") == "all"
    rows = queues.search_answered_questions(None if is_all else request.user, words)
    page = Paginator(rows, QUESTIONS_PER_PAGE).get_page(request.GET.get("page"))
    query = urlencode({"q": words} | ({"who": "all"} if is_all else {}))
    context = {"page": page, "words": words, "is_all": is_all, "query": query}
    return render(
        request, "desk/answered/list.html", context | make_recall_context(request)
    )


@answer_permission_required
@require_http_methods(["GET", "HEAD", "POST"])
def show_answered_question(request: StaffRequest, pk: int) -> HttpResponse:
    """Show an answer with its versions; a POST corrects it, or discards what was typed."""
    question = queues.find_question(pk)
    if question is None:
        return _render_deleted_question(request)
    if request.method != "POST":
        if question.status == Question.Status.OPEN:
            return redirect(
                make_question_url(pk, is_record=is_recorded_question(question))
            )
        return render_answered_question(request, question)
    action = request.POST.get("do", "correct")
    if action == "discard":
        if text := read_typed_answer(request):
            answers.save_draft_text(question, by=request.user, text=text)
        answers.discard_answer_draft(question, by=request.user)
        return redirect(f"{reverse('desk:answered-one', args=[pk])}?discarded=1")
    if action == "restore":
        answers.restore_answer_draft(question, by=request.user)
        return redirect("desk:answered-one", pk)
    return _correct_answer(request, question)


@answer_permission_required
@require_POST
def take_back_answer(request: StaffRequest, pk: int) -> HttpResponse:
    """Take back an answer that was just sent; its text is back in the box."""
    question = queues.find_question(pk)
    if question is None:
        return _render_deleted_question(request)
    try:
        with transaction.atomic():
            text = _undo_sent_answer(request, question)
            answers.save_draft_text(question, by=request.user, text=text)
    except ValidationError as error:
        messages.warning(request, " ".join(error.messages))
        return redirect("desk:answered-one", pk)
    effect = "没有记下" if is_recorded_question(question) else "顾客没有看到"
    messages.success(request, f"已撤回，{effect}。内容在框里，可以改好再发。")
    question.refresh_from_db()
    if question.status == Question.Status.OPEN:
        return redirect(make_question_url(pk, is_record=is_recorded_question(question)))
    return redirect("desk:answered-one", pk)


def _undo_sent_answer(request: StaffRequest, question: Question) -> str:
    """Take the answer back and return its text.

    Where the sender merged the question into an entry with it, that is undone too.
    """
    triage.lock_recallable_answer(question, by=request.user)
    is_merged_by_sender = question.status == Question.Status.SETTLED and (
        question.settled_by_id == request.user.pk
    )
    if is_merged_by_sender and answers.is_first_answer(question):
        question = to_entries.release_question(question, by=request.user)
    return triage.recall_answer(question, by=request.user)


def _correct_answer(request: StaffRequest, question: Question) -> HttpResponse:
    form = AnswerForm(request.POST)
    if not form.is_valid():
        return render_answered_question(request, question, form=form, status=400)
    text = form.cleaned_data["answer"]
    try:
        with transaction.atomic():
            triage.correct_answer(
                question,
                answer=text,
                by=request.user,
                based_on=parse_id(request.POST.get("based_on", "")),
                recall_period=answers.RECALL_PERIOD,
            )
            answers.delete_answer_draft(question, by=request.user)
    except ValidationError as error:
        form.add_error("answer", error.messages)
        is_conflict = getattr(error, "code", "") == "conflict"
        if is_conflict:
            answers.save_draft_text(question, by=request.user, text=text)
        question.refresh_from_db()
        status = 409 if is_conflict else 400
        return render_answered_question(request, question, form=form, status=status)
    return redirect("desk:answered-one", question.pk)


def render_answered_question(
    request: StaffRequest,
    question: Question,
    *,
    form: AnswerForm | None = None,
    is_meanwhile: bool = False,
    status: int = 200,
) -> HttpResponse:
    """Show the answer, its versions, and a box for a correction.

    The box holds what the reader typed and did not send, or else the answer.
    `is_meanwhile` says that a colleague was first.
    """
    draft = answers.get_draft_text(question, by=request.user)
    versions = queues.list_answer_versions(question)
    context = {
        "question": question,
        "inquiry": getattr(question, "inquiry", None),
        "versions": versions,
        "based_on": versions[0].number if versions else 1,
        "form": form or AnswerForm(initial={"answer": draft or question.answer}),
        "draft": draft,
        "discarded": "discarded" in request.GET and not draft,
        "is_meanwhile": is_meanwhile,
    }
    context |= make_recall_context(request)
    return render(request, "desk/answered/inquiry.html", context, status=status)


def _render_deleted_question(request: StaffRequest) -> HttpResponse:
    """Show what was typed for a question that has been deleted."""
    context: dict[str, Any] = {"question": None, "typed": read_typed_answer(request)}
    return render(request, "desk/answered/inquiry.html", context, status=404)
