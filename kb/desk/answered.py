"""Answered questions: find them, take an answer back, correct it."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.core.paginator import Paginator
from django.db import transaction
from django.db.models import Max, Q
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import (
    require_http_methods,
    require_POST,
    require_safe,
)

from kb import answers, entries, triage
from kb.desk.answering import (
    AnswerForm,
    answerer,
    held_context,
    is_record,
    parse_id,
    question_address,
    typed_text,
)
from kb.desk.forms import LONGEST
from kb.desk.views import StaffRequest
from kb.models import Question
from kb.text import normalize

PAGE = 20  # questions


@answerer
@require_safe
def answered(request: StaffRequest) -> HttpResponse:
    """List what the reader answered, the latest first; ?who=all what anybody did."""
    words = normalize.line(request.GET.get("q", "")[: LONGEST * 10])[:LONGEST].strip()
    is_all = request.GET.get("who") == "all"
    rows = answers.answered_by(None if is_all else request.user)
    for word in words.split():
        rows = rows.filter(Q(text__icontains=word) | Q(answer__icontains=word))
    rows = rows.select_related("answered_by", "inquiry", "module").annotate(
        versions=Max("answer_versions__number")
    )
    page = Paginator(rows, PAGE).get_page(request.GET.get("page"))
    query = urlencode(
        {k: v for k, v in (("q", words), ("who", "all")) if v != "all" or is_all}
    )
    context = {"page": page, "words": words, "is_all": is_all, "query": query}
    return render(request, "desk/answered/list.html", context | held_context(request))


@answerer
@require_http_methods(["GET", "HEAD", "POST"])
def one(request: StaffRequest, pk: int) -> HttpResponse:
    """Show an answer with its versions; a POST corrects it, or discards what was typed."""
    question = Question.objects.filter(pk=pk).select_related("inquiry").first()
    if question is None:
        return _gone(request)
    if request.method != "POST":
        if question.status == Question.Status.OPEN:
            return redirect(question_address(pk, is_record=is_record(question)))
        return answered_page(request, question)
    act = request.POST.get("do", "correct")
    if act == "discard":
        if text := typed_text(request):
            answers.store_text(question, by=request.user, text=text)
        answers.discard_draft(question, by=request.user)
        return redirect(f"{reverse('desk:answered-one', args=[pk])}?discarded=1")
    if act == "restore":
        answers.restore_draft(question, by=request.user)
        return redirect("desk:answered-one", pk)
    return _correct(request, question)


@answerer
@require_POST
def take_back(request: StaffRequest, pk: int) -> HttpResponse:
    """Take back what was just sent; its text stands in the box again."""
    question = Question.objects.filter(pk=pk).select_related("inquiry").first()
    if question is None:
        return _gone(request)
    try:
        with transaction.atomic():
            text = _take_back(request, question)
            answers.store_text(question, by=request.user, text=text)
    except ValidationError as error:
        messages.warning(request, " ".join(error.messages))
        return redirect("desk:answered-one", pk)
    who = "没有记下" if is_record(question) else "顾客没有看到"
    messages.success(request, f"已撤回，{who}。内容在框里，可以改好再发。")
    question.refresh_from_db()
    if question.status == Question.Status.OPEN:
        return redirect(question_address(pk, is_record=is_record(question)))
    return redirect("desk:answered-one", pk)


def _take_back(request: StaffRequest, question: Question) -> str:
    """Also undo that the sender counted the question to an entry when they sent it."""
    triage.check_take_back(question, by=request.user)
    mine = question.status == Question.Status.SETTLED and (
        question.settled_by_id == request.user.pk
    )
    if mine and answers.is_first_answer(question):
        question = entries.release(question, by=request.user)
    return triage.take_back(question, by=request.user)


def _correct(request: StaffRequest, question: Question) -> HttpResponse:
    form = AnswerForm(request.POST)
    if not form.is_valid():
        return answered_page(request, question, form=form, status=400)
    text = form.cleaned_data["answer"]
    try:
        with transaction.atomic():
            triage.correct(
                question,
                answer=text,
                by=request.user,
                based_on=parse_id(request.POST.get("based_on", "")),
                hold=answers.HOLD,
            )
            answers.drop_draft(question, by=request.user)
    except ValidationError as error:
        form.add_error("answer", error.messages)
        is_conflict = getattr(error, "code", "") == "conflict"
        if is_conflict:
            answers.store_text(question, by=request.user, text=text)
        question.refresh_from_db()
        status = 409 if is_conflict else 400
        return answered_page(request, question, form=form, status=status)
    return redirect("desk:answered-one", question.pk)


def answered_page(
    request: StaffRequest,
    question: Question,
    *,
    form: AnswerForm | None = None,
    is_meanwhile: bool = False,
    status: int = 200,
) -> HttpResponse:
    """Show the answer, its versions, and a box for a correction.

    What the reader typed and did not send stands in the box, else the answer.
    """
    draft = answers.draft_text(question, by=request.user)
    versions = list(
        question.answer_versions.select_related("by").order_by(answers.LATEST_FIRST)
    )
    inquiry = getattr(question, "inquiry", None)
    context = {
        "question": question,
        "inquiry": inquiry,
        "versions": versions,
        "based_on": versions[0].number if versions else 1,
        "visible": answers.visible_version(question),
        "form": form or AnswerForm(initial={"answer": draft or question.answer}),
        "draft": draft,
        "discarded": "discarded" in request.GET and not draft,
        "is_meanwhile": is_meanwhile,
    }
    context |= held_context(request)
    return render(request, "desk/answered/inquiry.html", context, status=status)


def _gone(request: StaffRequest) -> HttpResponse:
    """Show what was typed for a question that has been deleted."""
    context: dict[str, Any] = {"question": None, "typed": typed_text(request)}
    return render(request, "desk/answered/inquiry.html", context, status=404)
