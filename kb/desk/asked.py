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

from kb import answers, entries, triage
from kb.desk import queue
from kb.desk.answered import answered_page
from kb.desk.answering import (
    PERMISSION,
    AnswerForm,
    answerer,
    held_context,
    is_record,
    parse_id,
    question_address,
    typed_text,
)
from kb.desk.forms import DeclineForm
from kb.desk.views import StaffRequest
from kb.models import MAX_ANSWER_CHARS, Enclosure, Entry, Question

AROUND = 20  # questions in the list
UNDO = timedelta(hours=12)  # how far back 撤销 of a closing reaches
ENTRY_GONE = "这个条目刚刚下线了，请看看回复还对不对，再发一次。"


@answerer
@require_safe
def asked(request: StaffRequest) -> HttpResponse:
    """Show a customer's question: the one asked for, or the oldest that waits."""
    return _queue_page(request, records=False)


@answerer
@require_safe
def recorded(request: StaffRequest) -> HttpResponse:
    """Show an open question that was recorded or imported: nobody gets the answer."""
    return _queue_page(request, records=True)


@answerer
@require_http_methods(["GET", "HEAD", "POST"])
def answer(request: StaffRequest, pk: int) -> HttpResponse:
    """Do with the question what the button says; a GET shows the question."""
    if request.method != "POST":
        return redirect(question_address(pk))
    act, _, number = request.POST.get("do", "answer").partition("-")
    question = Question.objects.filter(pk=pk).select_related("inquiry__site").first()
    if question is not None and act == "reopen":
        return _reopen(request, question)
    if question is None or question.status != Question.Status.OPEN:
        return _answered_meanwhile(request, question)
    if act == "fill":
        return _fill(request, question, number)
    return ACTS.get(act, _send)(request, question)


@never_cache
@login_required  # a script reads the answer: it has no use for a form to log in
@permission_required(PERMISSION, raise_exception=True)
@require_http_methods(["GET", "HEAD", "POST"])
def presence(request: StaffRequest, pk: int) -> HttpResponse:
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
    others = answers.others_answering([question], user=request.user)
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
        answers.keep_draft(question, by=request.user, text=text)
    elif text:
        answers.store_text(question, by=request.user, text=text)
    else:
        answers.leave(question, by=request.user)


@answerer
@require_safe
def enclosure(request: StaffRequest, pk: int, place: int) -> HttpResponse:
    """A picture that came with a question."""
    found = get_object_or_404(Enclosure, inquiry__question=pk, place=place)
    response = HttpResponse(bytes(found.body), content_type="image/webp")
    response.headers["Content-Security-Policy"] = "default-src 'none'; sandbox"
    return response


# Which question ---------------------------------------------------------------------


def _open(*, records: bool) -> QuerySet[Question]:
    questions = Question.objects.all()
    rows = questions.unanswered_records() if records else questions.unanswered()
    return rows.select_related("module", "inquiry__site").order_by("asked_at", "pk")


def _queue_page(request: StaffRequest, *, records: bool) -> HttpResponse:
    wanted = parse_id(request.GET.get("question", ""))
    question = Question.objects.filter(pk=wanted).select_related("inquiry").first()
    if question is not None and question.status != Question.Status.OPEN:
        return redirect("desk:answered-one", question.pk)
    if question is not None and is_record(question) != records:
        return redirect(question_address(question.pk, is_record=not records))
    rows = _open(records=records)
    chosen = rows.filter(pk=wanted).first() or _next_free(rows, request)
    return _page(request, chosen, records=records)


def _next_free(rows: QuerySet[Question], request: StaffRequest) -> Question | None:
    """Return the oldest question that no colleague is answering, or else the oldest."""
    first = list(rows[:AROUND])
    taken = answers.others_answering(first, user=request.user)
    free = [question for question in first if question.pk not in taken]
    return next(iter(free or first), None)


# What the buttons do ----------------------------------------------------------------


def _send(request: StaffRequest, question: Question) -> HttpResponse:
    form = AnswerForm(request.POST)
    if not form.is_valid():
        return _page(request, question, form=form, status=400)
    entry = None
    if number := form.cleaned_data["entry"]:
        entry = _sendable(request).filter(pk=number).first()
        if entry is None:
            form.add_error("answer", ENTRY_GONE)
            return _page(request, question, form=form, status=400)
    may_sort = request.user.has_perm(triage.SORT)
    try:
        with transaction.atomic():
            question = triage.answer(
                question,
                answer=form.cleaned_data["answer"],
                by=request.user,
                hold=answers.HOLD,
            )
            if entry is not None and may_sort:
                entries.absorb(entry, question=question, by=request.user, phrasing="")
            answers.drop_draft(question, by=request.user)
    except ValidationError as error:
        if getattr(error, "code", "") == "conflict":
            question.refresh_from_db()
            return _answered_meanwhile(request, question)
        form.add_error("answer", error.messages)
        return _page(request, question, form=form, status=400)
    return redirect("desk:recorded" if is_record(question) else "desk:asked")


def _answered_meanwhile(
    request: StaffRequest, question: Question | None
) -> HttpResponse:
    """Show what became of the question, with what the reader typed for it."""
    text = typed_text(request)
    if question is None:
        context = {"question": None, "typed": text}
        return render(request, "desk/answered/inquiry.html", context, status=404)
    if text == question.answer and question.answered_by == request.user:
        return redirect("desk:asked")  # the button was pressed twice
    if text:
        answers.store_text(question, by=request.user, text=text)
    return answered_page(request, question, is_meanwhile=True, status=409)


def _fill(request: StaffRequest, question: Question, sent: str) -> HttpResponse:
    """Put the answer of an entry into the box, after what is typed there."""
    typed = typed_text(request)
    entry = _sendable(request).filter(pk=parse_id(sent)).first()
    if entry is None:
        form = AnswerForm(initial={"answer": typed})
        messages.error(request, "这个条目已经不在了，请另选一个。")
        return _page(request, question, form=form, status=400)
    text = "\n\n".join(filter(None, [typed, entry.answer_text]))[:MAX_ANSWER_CHARS]
    form = AnswerForm(initial={"answer": text, "entry": entry.pk})
    return _page(request, question, form=form, filled=entry, before=typed)


def _discard(request: StaffRequest, question: Question) -> HttpResponse:
    text = request.POST.get("answer", "")
    if text.strip():
        answers.store_text(question, by=request.user, text=text)
    answers.discard_draft(question, by=request.user)
    where = question_address(question.pk, is_record=is_record(question))
    return redirect(f"{where}&discarded=1")


def _decline(request: StaffRequest, question: Question) -> HttpResponse:
    if not request.user.has_perm(triage.SORT):
        raise PermissionDenied(triage.REFUSED[triage.SORT])
    form = DeclineForm(request.POST)
    if not form.is_valid():
        return _page(request, question, decline=form, status=400)
    try:
        triage.decline(question, reason=form.written(), by=request.user)
    except ValidationError as error:
        messages.warning(request, " ".join(error.messages))
    return redirect("desk:recorded" if is_record(question) else "desk:asked")


def _restore(request: StaffRequest, question: Question) -> HttpResponse:
    answers.restore_draft(question, by=request.user)
    return redirect(question_address(question.pk, is_record=is_record(question)))


def _unfill(request: StaffRequest, question: Question) -> HttpResponse:
    form = AnswerForm(initial={"answer": request.POST.get("before", "")})
    return _page(request, question, form=form)


def _reopen(request: StaffRequest, question: Question) -> HttpResponse:
    try:
        question = triage.reopen(question, by=request.user)
    except ValidationError as error:
        messages.warning(request, " ".join(error.messages))
        return redirect("desk:asked")
    messages.success(request, f"「{question}」重新打开了。")
    return redirect(question_address(question.pk, is_record=is_record(question)))


ACTS = {
    "decline": _decline,
    "discard": _discard,
    "restore": _restore,
    "unfill": _unfill,
}


# Pages ------------------------------------------------------------------------------


def _page(
    request: StaffRequest,
    question: Question | None,
    *,
    status: int = 200,
    records: bool = False,
    **more: Any,
) -> HttpResponse:
    if question is not None:
        records = is_record(question)
    rows = _open(records=records)
    around = list(rows[:AROUND])
    context: dict[str, Any] = {
        "question": question,
        "is_record": records,
        "total": rows.count(),
        "around": around,
        "answering": answers.others_answering(around, user=request.user),
        "orphans": answers.orphaned_drafts(request.user)[:AROUND],
        "closed": _last_closed(request),
    }
    context |= held_context(request)
    if question is not None:
        context |= _question_context(request, question, around) | more
    return render(request, "desk/inquiries/page.html", context, status=status)


def _question_context(
    request: StaffRequest, question: Question, around: list[Question]
) -> dict[str, Any]:
    near = queue.alike(question.text, user=request.user)
    inquiry = getattr(question, "inquiry", None)
    draft = answers.draft_text(question, by=request.user)
    others = answers.others_answering([question], user=request.user)
    at = around.index(question) if question in around else None
    return {
        "inquiry": inquiry,
        "is_mailed": bool(settings.KB_MAIL and inquiry and inquiry.email),
        "near": [entry for entry in near.entries if _may_send(entry)],
        "form": AnswerForm(initial={"answer": draft}),
        "draft": draft,
        "discarded": "discarded" in request.GET and not draft,
        "decline": DeclineForm(),
        "others": others.get(question.pk, []),
        "hold_seconds": int(answers.HOLD.total_seconds()),
        "previous": around[at - 1] if at else None,
        "next": around[at + 1] if at is not None and at + 1 < len(around) else None,
    }


def _last_closed(request: StaffRequest) -> Question | None:
    """Return what the reader closed last without an answer, for as long as UNDO."""
    if not request.user.has_perm(triage.SORT):
        return None
    closed = Question.objects.filter(
        status=Question.Status.DECLINED,
        answer="",
        settled_by=request.user,
        settled_at__gt=timezone.now() - UNDO,
    )
    return closed.order_by("-settled_at", "-pk").first()


def _sendable(request: StaffRequest) -> QuerySet[Entry]:
    """Return the entries whose answer a customer may read."""
    seen = Entry.objects.published_to(request.user)
    return seen.filter(audience=Entry.Audience.PUBLIC).exclude(answer_text="")


def _may_send(entry: Entry) -> bool:
    """Tell whether a customer may read `entry`, so that it can be sent."""
    is_live = entry.status == Entry.Status.PUBLISHED
    is_public = entry.audience == Entry.Audience.PUBLIC
    return is_live and is_public and bool(entry.answer_text)
