"""Open questions, one at a time: answer them, or close them without an answer.

Questions of customers come with a page on which the answer is read. Questions that
were recorded or imported reach nobody, and stand on a page of their own.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_required, permission_required
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import IntegrityError, transaction
from django.db.models import QuerySet
from django.http import HttpResponse, JsonResponse
from django.middleware.csrf import get_token
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from kb.models import MAX_ANSWER_CHARS, Entry, InquiryAttachment, Question
from kb.questions import answers, to_entries, triage
from kb.web.desk import inbox_queue
from kb.web.desk.answer_form import (
    ANSWER_PERMISSION,
    AnswerForm,
    answer_permission_required,
    get_question_url,
    is_recorded_question,
    make_take_back_context,
    parse_id,
    read_typed_answer,
)
from kb.web.desk.answered_questions import render_answered_question
from kb.web.desk.forms import DeclineForm
from kb.web.desk.inbox import StaffRequest

MAX_LISTED_QUESTIONS = 20  # questions in the list
REOPEN_WINDOW = timedelta(hours=12)  # how far back 撤销 of a closing reaches
ENTRY_GONE_MESSAGE = "这个条目刚刚下线了，请看看回复还对不对，再发一次。"


@answer_permission_required
@require_safe
def show_asked_question(request: StaffRequest) -> HttpResponse:
    """Show a customer's question: the one asked for, or the oldest that waits."""
    return _show_question_queue(request, records=False)


@answer_permission_required
@require_safe
def show_recorded_question(request: StaffRequest) -> HttpResponse:
    """Show an open question that was recorded or imported: nobody gets the answer."""
    return _show_question_queue(request, records=True)


@answer_permission_required
@require_http_methods(["GET", "HEAD", "POST"])
def handle_question_form(request: StaffRequest, pk: int) -> HttpResponse:
    """Do with the question what the button says; a GET shows the question."""
    if request.method != "POST":
        return redirect(get_question_url(pk))
    act, _, number = request.POST.get("do", "answer").partition("-")
    question = Question.objects.filter(pk=pk).select_related("inquiry__site").first()
    if question is not None and act == "reopen":
        return _reopen_question(request, question)
    if question is None or question.status != Question.Status.OPEN:
        return _show_answered_meanwhile(request, question)
    if act == "fill":
        return _fill_in_entry_answer(request, question, number)
    return QUESTION_ACTIONS.get(act, _send_answer)(request, question)


@never_cache
@login_required  # a script reads the answer: it has no use for a form to log in
@permission_required(ANSWER_PERMISSION, raise_exception=True)
@require_http_methods(["GET", "HEAD", "POST"])
def report_presence(request: StaffRequest, pk: int) -> HttpResponse:
    """Say who else is answering; a POST says that the reader is, and keeps their text.

    A form whose token is too old gets a new one by GET.
    """
    question = Question.objects.filter(pk=pk).select_related("answered_by").first()
    if question is None:
        return JsonResponse({"gone": True, "others": [], "token": get_token(request)})
    if request.method == "POST":
        try:
            _note_presence(request, question)
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


def _note_presence(request: StaffRequest, question: Question) -> None:
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
    """A picture that came with a question."""
    found = get_object_or_404(InquiryAttachment, inquiry__question=pk, place=place)
    response = HttpResponse(bytes(found.body), content_type="image/webp")
    response.headers["Content-Security-Policy"] = "default-src 'none'; sandbox"
    return response


# Which question ---------------------------------------------------------------------


def _select_open_questions(*, records: bool) -> QuerySet[Question]:
    questions = Question.objects.all()
    rows = questions.unanswered_records() if records else questions.unanswered()
    return rows.select_related("module", "inquiry__site").order_by("asked_at", "pk")


def _show_question_queue(request: StaffRequest, *, records: bool) -> HttpResponse:
    wanted = parse_id(request.GET.get("question", ""))
    question = Question.objects.filter(pk=wanted).select_related("inquiry").first()
    if question is not None and question.status != Question.Status.OPEN:
        return redirect("desk:answered-one", question.pk)
    if question is not None and is_recorded_question(question) != records:
        return redirect(get_question_url(question.pk, is_record=not records))
    rows = _select_open_questions(records=records)
    chosen = rows.filter(pk=wanted).first() or _find_free_question(rows, request)
    return _render_question_page(request, chosen, records=records)


def _find_free_question(
    rows: QuerySet[Question], request: StaffRequest
) -> Question | None:
    """Return the oldest question that no colleague is answering, or else the oldest."""
    first = list(rows[:MAX_LISTED_QUESTIONS])
    taken = answers.list_others_answering(first, user=request.user)
    free = [question for question in first if question.pk not in taken]
    return next(iter(free or first), None)


# What the buttons do ----------------------------------------------------------------


def _send_answer(request: StaffRequest, question: Question) -> HttpResponse:
    form = AnswerForm(request.POST)
    if not form.is_valid():
        return _render_question_page(request, question, form=form, status=400)
    entry = None
    if number := form.cleaned_data["entry"]:
        entry = _select_sendable_entries(request).filter(pk=number).first()
        if entry is None:
            form.add_error("answer", ENTRY_GONE_MESSAGE)
            return _render_question_page(request, question, form=form, status=400)
    may_sort = request.user.has_perm(triage.TRIAGE_PERMISSION)
    try:
        with transaction.atomic():
            question = triage.answer_question(
                question,
                answer=form.cleaned_data["answer"],
                by=request.user,
                recall_period=answers.RECALL_PERIOD,
            )
            if entry is not None and may_sort:
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
    """Show what became of the question, with what the reader typed for it."""
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
    request: StaffRequest, question: Question, sent: str
) -> HttpResponse:
    """Put the answer of an entry into the box, after what is typed there."""
    typed = read_typed_answer(request)
    entry = _select_sendable_entries(request).filter(pk=parse_id(sent)).first()
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
    where = get_question_url(question.pk, is_record=is_recorded_question(question))
    return redirect(f"{where}&discarded=1")


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
        get_question_url(question.pk, is_record=is_recorded_question(question))
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
        get_question_url(question.pk, is_record=is_recorded_question(question))
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
    **more: Any,
) -> HttpResponse:
    if question is not None:
        records = is_recorded_question(question)
    rows = _select_open_questions(records=records)
    around = list(rows[:MAX_LISTED_QUESTIONS])
    context: dict[str, Any] = {
        "question": question,
        "is_record": records,
        "total": rows.count(),
        "around": around,
        "answering": answers.list_others_answering(around, user=request.user),
        "orphans": answers.list_orphaned_drafts(request.user)[:MAX_LISTED_QUESTIONS],
        "closed": _find_last_closed(request),
    }
    context |= make_take_back_context(request)
    if question is not None:
        context |= _make_question_context(request, question, around) | more
    return render(request, "desk/inquiries/page.html", context, status=status)


def _make_question_context(
    request: StaffRequest, question: Question, around: list[Question]
) -> dict[str, Any]:
    near = inbox_queue.find_similar_entries(question.text, user=request.user)
    inquiry = getattr(question, "inquiry", None)
    draft = answers.get_draft_text(question, by=request.user)
    others = answers.list_others_answering([question], user=request.user)
    at = around.index(question) if question in around else None
    return {
        "inquiry": inquiry,
        "is_mailed": bool(settings.KB_MAIL and inquiry and inquiry.email),
        "near": [entry for entry in near.entries if _can_send_entry(entry)],
        "form": AnswerForm(initial={"answer": draft}),
        "draft": draft,
        "discarded": "discarded" in request.GET and not draft,
        "decline": DeclineForm(),
        "others": others.get(question.pk, []),
        "hold_seconds": int(answers.RECALL_PERIOD.total_seconds()),
        "previous": around[at - 1] if at else None,
        "next": around[at + 1] if at is not None and at + 1 < len(around) else None,
    }


def _find_last_closed(request: StaffRequest) -> Question | None:
    """Return what the reader closed last without an answer, for as long as UNDO."""
    if not request.user.has_perm(triage.TRIAGE_PERMISSION):
        return None
    closed = Question.objects.filter(
        status=Question.Status.DECLINED,
        answer="",
        settled_by=request.user,
        settled_at__gt=timezone.now() - REOPEN_WINDOW,
    )
    return closed.order_by("-settled_at", "-pk").first()


def _select_sendable_entries(request: StaffRequest) -> QuerySet[Entry]:
    """Return the entries whose answer a customer may read."""
    seen = Entry.objects.published_to(request.user)
    return seen.filter(audience=Entry.Audience.PUBLIC).exclude(answer_text="")


def _can_send_entry(entry: Entry) -> bool:
    """Tell whether a customer may read `entry`, so that it can be sent."""
    is_live = entry.status == Entry.Status.PUBLISHED
    is_public = entry.audience == Entry.Audience.PUBLIC
    return is_live and is_public and bool(entry.answer_text)
