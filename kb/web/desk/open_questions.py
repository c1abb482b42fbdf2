"""Open questions, one at a time: answer them, or close them without an answer.

A customer reads the answer on the page of their inquiry. The answer to a question
that was recorded or imported reaches no customer, so these have a page of their own.
"""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_required, permission_required
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import IntegrityError, transaction
from django.http import Http404, HttpResponse, JsonResponse
from django.middleware.csrf import get_token
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from kb.library import entries
from kb.models import MAX_ANSWER_CHARS, Question
from kb.questions import answers, queues, to_entries, triage
from kb.web.desk import UNDO_WINDOW
from kb.web.desk.access import StaffRequest
from kb.web.desk.answer_form import (
    ANSWER_PERMISSION,
    AnswerForm,
    answer_permission_required,
    is_recorded_question,
    make_question_url,
    make_recall_context,
    read_typed_answer,
)
from kb.web.desk.answered_questions import render_answered_question
from kb.web.desk.forms import DeclineForm, parse_id
from kb.web.desk.similar_entries import find_similar_entries

MAX_LISTED_QUESTIONS = 20
ENTRY_GONE_MESSAGE = "这个条目刚刚下线了，请看看回复还对不对，再发一次。"


@answer_permission_required
@require_safe
def show_asked_question(request: StaffRequest) -> HttpResponse:
    """Show a customer's open question: the one of the address, or the oldest."""
    return _show_question_queue(request, records=False)


@answer_permission_required
@require_safe
def show_recorded_question(request: StaffRequest) -> HttpResponse:
    """Show an open question that was recorded or imported."""
    return _show_question_queue(request, records=True)


@answer_permission_required
@require_http_methods(["GET", "HEAD", "POST"])
def handle_question_form(request: StaffRequest, pk: int) -> HttpResponse:
    """Carry out the action of the button; a GET shows the question."""
    if request.method != "POST":
        return redirect(make_question_url(pk))
    action, _, entry_id = request.POST.get("do", "answer").partition("-")
    question = queues.find_question(pk)
    if question is not None and action == "reopen":
        return _reopen_question(request, question)
    if question is None or question.status != Question.Status.OPEN:
        return _show_answered_meanwhile(request, question)
    if action == "fill":
        return _fill_in_entry_answer(request, question, parse_id(entry_id))
    return QUESTION_ACTIONS.get(action, _send_answer)(request, question)


@never_cache
@login_required  # not answer_permission_required: a script has no use for a form
@permission_required(ANSWER_PERMISSION, raise_exception=True)
@require_http_methods(["GET", "HEAD", "POST"])
def report_presence(request: StaffRequest, pk: int) -> HttpResponse:
    """Return who else is answering; a POST records the reader as present too.

    It saves their text as well. A page whose CSRF token is too old gets a new one by
    GET. The JSON is {"gone", "others"} where the question was deleted, else {"others",
    "open", "who", "token"}; "who" handled the question.
    """
    question = queues.find_question(pk)
    if question is None:
        return JsonResponse({"gone": True, "others": [], "token": get_token(request)})
    if request.method == "POST":
        try:
            _record_presence(request, question)
        except IntegrityError:  # it was deleted just now
            return JsonResponse({"gone": True, "others": []})
    others = answers.list_others_answering([question], user=request.user)
    is_open = question.status == Question.Status.OPEN
    who = str(question.answered_by or question.settled_by or "同事")
    return JsonResponse(
        {
            "others": others.get(pk, []),
            "open": is_open,
            "who": "" if is_open else who,
            "token": get_token(request),
        }
    )


def _record_presence(request: StaffRequest, question: Question) -> None:
    text = request.POST.get("answer")
    if question.status == Question.Status.OPEN and "left" not in request.POST:
        answers.save_draft_and_presence(question, by=request.user, text=text)
    elif text:
        answers.save_draft_text(question, by=request.user, text=text)
    else:
        answers.clear_presence(question, by=request.user)


@answer_permission_required
@require_safe
def serve_attachment(request: StaffRequest, pk: int, place: int) -> HttpResponse:
    """Return picture number `place` that came with a question, as WebP."""
    attachment = queues.find_attachment(pk, place)
    if attachment is None:
        raise Http404
    response = HttpResponse(bytes(attachment.body), content_type="image/webp")
    response.headers["Content-Security-Policy"] = "default-src 'none'; sandbox"
    return response


# Which question ---------------------------------------------------------------------


def _show_question_queue(request: StaffRequest, *, records: bool) -> HttpResponse:
    wanted_id = parse_id(request.GET.get("question", ""))
    question = queues.find_question(wanted_id) if wanted_id else None
    if question is None:
        question = _find_free_question(request, records=records)
        return _render_question_page(request, question, records=records)
    if question.status != Question.Status.OPEN:
        return redirect("desk:answered-one", question.pk)
    if is_recorded_question(question) != records:
        return redirect(make_question_url(question.pk, is_record=not records))
    return _render_question_page(request, question, records=records)


def _find_free_question(request: StaffRequest, *, records: bool) -> Question | None:
    """Return the oldest question that no colleague is answering, or else the oldest."""
    oldest = list(queues.list_open_questions(records=records)[:MAX_LISTED_QUESTIONS])
    taken = answers.list_others_answering(oldest, user=request.user)
    free = [question for question in oldest if question.pk not in taken]
    return next(iter(free or oldest), None)


# Actions of the buttons -------------------------------------------------------------


def _send_answer(request: StaffRequest, question: Question) -> HttpResponse:
    form = AnswerForm(request.POST)
    if not form.is_valid():
        return _render_question_page(request, question, form=form, status=400)
    entry = None
    if entry_id := form.cleaned_data["entry"]:
        entry = entries.find_sendable_entry(entry_id, user=request.user)
        if entry is None:
            form.add_error("answer", ENTRY_GONE_MESSAGE)
            return _render_question_page(request, question, form=form, status=400)
    can_triage = request.user.has_perm(triage.TRIAGE_PERMISSION)
    try:
        with transaction.atomic():
            question = triage.answer_question(
                question,
                answer=form.cleaned_data["answer"],
                by=request.user,
                recall_period=answers.RECALL_PERIOD,
            )
            if entry is not None and can_triage:
                to_entries.add_question_to_entry(
                    entry, question=question, by=request.user, phrasing=""
                )
            answers.delete_answer_draft(question, by=request.user)
    except ValidationError as error:
        if getattr(error, "code", "") == "conflict":
            question.refresh_from_db()
            return _show_answered_meanwhile(request, question)
        form.add_error("answer", error.messages)
        return _render_question_page(request, question, form=form, status=400)
    return redirect("desk:recorded" if is_recorded_question(question) else "desk:asked")


def _show_answered_meanwhile(
    request: StaffRequest, question: Question | None
) -> HttpResponse:
    """Show how a colleague handled the question, with what the reader typed for it."""
    text = read_typed_answer(request)
    if question is None:
        context = {"question": None, "typed": text}
        return render(request, "desk/answered/inquiry.html", context, status=404)
    if text == question.answer and question.answered_by == request.user:
        return redirect("desk:asked")  # the button was pressed twice
    if text:
        answers.save_draft_text(question, by=request.user, text=text)
    return render_answered_question(request, question, is_meanwhile=True, status=409)


def _fill_in_entry_answer(
    request: StaffRequest, question: Question, entry_id: int
) -> HttpResponse:
    """Append the answer of an entry to what is typed in the box."""
    typed = read_typed_answer(request)
    entry = entries.find_sendable_entry(entry_id, user=request.user)
    if entry is None:
        form = AnswerForm(initial={"answer": typed})
        messages.error(request, "这个条目已经不在了，请另选一个。")
        return _render_question_page(request, question, form=form, status=400)
    text = "\n\n".join(filter(None, [typed, entry.answer_text]))[:MAX_ANSWER_CHARS]
    form = AnswerForm(initial={"answer": text, "entry": entry.pk})
    return _render_question_page(
        request, question, form=form, filled=entry, before=typed
    )


def _discard_draft(request: StaffRequest, question: Question) -> HttpResponse:
    text = request.POST.get("answer", "")
    if text.strip():
        answers.save_draft_text(question, by=request.user, text=text)
    answers.discard_answer_draft(question, by=request.user)
    url = make_question_url(question.pk, is_record=is_recorded_question(question))
    return redirect(f"{url}&discarded=1")


def _decline_question(request: StaffRequest, question: Question) -> HttpResponse:
    if not request.user.has_perm(triage.TRIAGE_PERMISSION):
        raise PermissionDenied(triage.REFUSAL_MESSAGES[triage.TRIAGE_PERMISSION])
    form = DeclineForm(request.POST)
    if not form.is_valid():
        return _render_question_page(request, question, decline=form, status=400)
    try:
        triage.decline_question(
            question, reason=form.get_written_reason(), by=request.user
        )
    except ValidationError as error:
        messages.warning(request, " ".join(error.messages))
    return redirect("desk:recorded" if is_recorded_question(question) else "desk:asked")


def _restore_draft(request: StaffRequest, question: Question) -> HttpResponse:
    answers.restore_answer_draft(question, by=request.user)
    return redirect(
        make_question_url(question.pk, is_record=is_recorded_question(question))
    )


def _remove_filled_answer(request: StaffRequest, question: Question) -> HttpResponse:
    form = AnswerForm(initial={"answer": request.POST.get("before", "")})
    return _render_question_page(request, question, form=form)


def _reopen_question(request: StaffRequest, question: Question) -> HttpResponse:
    try:
        question = triage.reopen_question(question, by=request.user)
    except ValidationError as error:
        messages.warning(request, " ".join(error.messages))
        return redirect("desk:asked")
    messages.success(request, f"「{question}」重新打开了。")
    return redirect(
        make_question_url(question.pk, is_record=is_recorded_question(question))
    )


QUESTION_ACTIONS = {
    "decline": _decline_question,
    "discard": _discard_draft,
    "restore": _restore_draft,
    "unfill": _remove_filled_answer,
}


# Pages ------------------------------------------------------------------------------


def _render_question_page(
    request: StaffRequest,
    question: Question | None,
    *,
    status: int = 200,
    records: bool = False,
    **extra_context: Any,
) -> HttpResponse:
    """Show `question` with the list of open ones; None where there is none.

    `records` chooses the list only where there is no question.
    """
    if question is not None:
        records = is_recorded_question(question)
    rows = queues.list_open_questions(records=records)
    around = list(rows[:MAX_LISTED_QUESTIONS])
    context: dict[str, Any] = {
        "question": question,
        "is_record": records,
        "total": rows.count(),
        "around": around,
        "answering": answers.list_others_answering(around, user=request.user),
        "orphans": answers.list_orphaned_drafts(request.user)[:MAX_LISTED_QUESTIONS],
    }
    if request.user.has_perm(triage.TRIAGE_PERMISSION):
        context["closed"] = queues.find_last_closed_question(
            request.user, within=UNDO_WINDOW
        )
    context |= make_recall_context(request)
    if question is not None:
        context |= _make_question_context(request, question, around) | extra_context
    return render(request, "desk/inquiries/page.html", context, status=status)


def _make_question_context(
    request: StaffRequest, question: Question, around: list[Question]
) -> dict[str, Any]:
    similar = find_similar_entries(question.text, user=request.user)
    inquiry = getattr(question, "inquiry", None)
    draft = answers.get_draft_text(question, by=request.user)
    others = answers.list_others_answering([question], user=request.user)
    index = around.index(question) if question in around else None
    return {
        "inquiry": inquiry,
        "is_mailed": bool(settings.KB_MAIL and inquiry and inquiry.email),
        "sendable": [row for row in similar.entries if entries.can_send_entry(row)],
        "form": AnswerForm(initial={"answer": draft}),
        "draft": draft,
        "discarded": "discarded" in request.GET and not draft,
        "decline": DeclineForm(),
        "others": others.get(question.pk, []),
        "hold_seconds": int(answers.RECALL_PERIOD.total_seconds()),
        "previous": around[index - 1] if index else None,
        "next": next(iter(around[index + 1 :]), None) if index is not None else None,
    }
