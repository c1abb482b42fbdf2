"""What customers asked and nobody has answered: one at a time, the oldest first."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from django import forms as fields
from django.contrib import messages
from django.contrib.auth.decorators import login_required, permission_required
from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import Case, QuerySet, When
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from kb import entries, triage
from kb.desk import queue
from kb.desk.forms import DeclineForm, Prose
from kb.desk.views import StaffRequest, View
from kb.models import Enclosure, Entry, Question

LONGEST = 10_000  # characters of an answer
AROUND = 20  # questions in the list
DIGITS = 18  # of an id: what fits into every database
GONE = "这个问题已经有人处理了，先看下一个。"


class AnswerForm(fields.Form):
    answer = Prose(
        label="回复",
        max_length=LONGEST,
        error_messages={"required": "请写下回复，或用下面的条目回复。"},
    )


def answerer(view: View) -> View:
    """Let only those into `view` who may answer customers."""
    allowed = permission_required("kb.answer_question", raise_exception=True)(view)
    return never_cache(login_required(allowed))


def _open() -> QuerySet[Question]:
    rows = Question.objects.filter(status=Question.Status.OPEN)
    imported = Case(When(inquiry=None, then=1), default=0)  # nobody waits at a page
    related = rows.select_related("module", "inquiry__site")
    return related.order_by(imported, "asked_at", "pk")


@answerer
@require_safe
def asked(request: StaffRequest) -> HttpResponse:
    """Show the question that is asked for, or the oldest that waits."""
    return _page(request, _chosen(request.GET.get("question", "")))


@answerer
@require_POST
def answer(request: StaffRequest, pk: int) -> HttpResponse:
    """Answer in one's own words, by an entry, or not at all."""
    question = _open().filter(pk=pk).first()
    if question is None:
        messages.warning(request, GONE)
        return redirect("desk:asked")
    act = request.POST.get("do", "")
    if act == "decline":
        return _decline(request, question)
    if act.startswith("entry-"):
        return _by_entry(request, question, act.removeprefix("entry-"))
    form = AnswerForm(request.POST)
    if not form.is_valid():
        return _page(request, question, form=form)
    return _done(request, question, answer=form.cleaned_data["answer"])


@answerer
@require_safe
def enclosure(request: StaffRequest, pk: int, place: int) -> HttpResponse:
    """A picture that came with a question."""
    found = get_object_or_404(Enclosure, inquiry__question=pk, place=place)
    response = HttpResponse(bytes(found.body), content_type="image/webp")
    response.headers["Content-Security-Policy"] = "default-src 'none'; sandbox"
    return response


def _chosen(sent: str) -> Question | None:
    return _open().filter(pk=_number(sent)).first() or _open().first()


def _number(sent: str) -> int:
    """Return an id that was sent, or 0, which is nobody's."""
    plain = sent.isascii() and sent.isdecimal() and len(sent) <= DIGITS
    return int(sent) if plain else 0


def _by_entry(request: StaffRequest, question: Question, sent: str) -> HttpResponse:
    """Send the answer of a public entry, to which the question then counts."""
    seen = Entry.objects.published_to(request.user).filter(
        pk=_number(sent), audience=Entry.Audience.PUBLIC
    )
    entry = seen.exclude(answer_text="").first()
    if entry is None:
        messages.error(request, "这个条目已经不在了，请另选一个。")
        return redirect(_address(question))
    settles = request.user.has_perm(triage.SORT)
    return _done(
        request, question, answer=entry.answer_text, entry=entry if settles else None
    )


def _done(
    request: StaffRequest,
    question: Question,
    *,
    answer: str,
    entry: Entry | None = None,
) -> HttpResponse:
    try:
        with transaction.atomic():
            question = triage.answer(question, answer=answer[:LONGEST], by=request.user)
            if entry is not None:
                entries.absorb(entry, question=question, by=request.user, phrasing="")
    except ValidationError as error:
        messages.warning(request, " ".join(error.messages))
        return redirect("desk:asked")
    told = "，并入了这个条目" if entry else ""
    messages.success(request, f"已回复「{question}」{told}。")
    return redirect("desk:asked")


def _decline(request: StaffRequest, question: Question) -> HttpResponse:
    form = DeclineForm(request.POST)
    if not form.is_valid():
        return _page(request, question, decline=form)
    try:
        triage.decline(question, reason=form.written(), by=request.user)
    except ValidationError as error:
        messages.warning(request, " ".join(error.messages))
        return redirect("desk:asked")
    messages.success(request, f"已关闭「{question}」，不回复。")
    return redirect("desk:asked")


def _page(
    request: StaffRequest, question: Question | None, **bound: Any
) -> HttpResponse:
    waiting = _open()
    context: dict[str, Any] = {"question": question, "total": waiting.count()}
    context["around"] = waiting[:AROUND]
    if question is not None:
        near = queue.alike(question.text, user=request.user)
        context |= {
            "inquiry": getattr(question, "inquiry", None),
            "near": [entry for entry in near.entries if _may_send(entry)],
            "form": AnswerForm(),
            "decline": DeclineForm(),
            **bound,
        }
    status = 400 if bound else 200
    return render(request, "desk/asked.html", context, status=status)


def _may_send(entry: Entry) -> bool:
    """Tell whether a customer may read `entry`, so that it can be sent."""
    live = entry.status == Entry.Status.PUBLISHED
    return live and entry.audience == Entry.Audience.PUBLIC and bool(entry.answer_text)


def _address(question: Question) -> str:
    return f"{reverse('desk:asked')}?{urlencode({'question': question.pk})}"
