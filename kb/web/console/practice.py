"""新人练习: a real question, the console's own search, and what had been answered."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from django import forms
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied, ValidationError
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from kb import search
from kb.models import Entry, PracticeAttempt, Question, User
from kb.questions import practice
from kb.web.console.forms import MAX_ROW_ID, SingleLineField
from kb.web.console.views import get_agent

MAX_PRACTICE_RESULTS = 9  # results: what a digit can choose


def _make_id_field() -> forms.IntegerField:
    return forms.IntegerField(required=False, min_value=1, max_value=MAX_ROW_ID)


class PracticeForm(forms.Form):
    q = SingleLineField(required=False)
    question = _make_id_field()
    entry = _make_id_field()
    done = _make_id_field()
    person = _make_id_field()


@dataclass(frozen=True, slots=True)
class PracticeResults:
    """What the trainee's words find; not kept, for nobody asked it."""

    query: str = ""
    entries: Sequence[Entry] = ()
    terms_to_highlight: Sequence[str] = ()
    is_near: bool = False


@never_cache
@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def show_practice(request: HttpRequest) -> HttpResponse:
    """Show a question and what is found for it, or take the trainee's choice."""
    user = get_agent(request)
    given = _parse_request(request)
    if request.method == "POST":
        return _record_choice(request, user, given)
    if given["done"]:
        return _show_outcome(request, user, given["done"])
    question, again_at = _choose_question(request, user, given)
    context = {"question": question, "again_at": again_at}
    context["found"] = found = _search_practice_entries(given["q"], user)
    if request.GET.get("fragment") == "results":
        return render(request, "console/practice/_results.html", context)
    context["score"] = practice.compute_practice_score(user)
    name = "question" if question else "nothing_due"
    template = f"console/practice/{name}.html"
    return render(request, template, context | {"words": found.query})


@never_cache
@login_required
@require_safe
def show_scores(request: HttpRequest) -> HttpResponse:
    """Show one's own score; to leads that of anybody, and who practises."""
    user = get_agent(request)
    leads = user.has_perm("kb.view_scores")
    person = _get_scored_person(_parse_request(request)["person"], user, leads=leads)
    context = {"person": person, "own": person == user, "leads": leads}
    context["score"] = practice.compute_practice_score(person)
    context["trainees"] = practice.list_trainees() if leads else ()
    return render(request, "console/practice/scores.html", context)


def _parse_request(request: HttpRequest) -> dict[str, Any]:
    """What cannot be understood counts as not given."""
    form = PracticeForm(request.POST if request.method == "POST" else request.GET)
    form.is_valid()
    empty: dict[str, Any] = dict.fromkeys(form.fields) | {"q": ""}
    return {**empty, **form.cleaned_data}


def _get_scored_person(pk: int | None, user: User, *, leads: bool) -> User:
    if not pk or pk == user.pk:
        return user
    if not leads:
        raise PermissionDenied("练习成绩只有本人和主管能看。")
    found = User.objects.filter(pk=pk).first()
    if found is None:
        raise Http404("没有这个人。")
    return found


def _choose_question(
    request: HttpRequest, user: User, given: dict[str, Any]
) -> tuple[Question | None, object]:
    """Return the question that is under way, or the next one."""
    if pk := given["question"]:
        asked = practice.list_practice_questions(user).filter(pk=pk).first()
        if asked:
            return asked, None
    turn = practice.choose_next_question(
        user, allow_early=request.GET.get("again") == "1"
    )
    return turn.question, turn.next_due_at


def _search_practice_entries(words: str, user: User) -> PracticeResults:
    text = words
    if not text:
        return PracticeResults()
    found = search.search_entries(text, user=user, limit=MAX_PRACTICE_RESULTS)
    hits = found.hits or found.near_hits
    entries = [hit.entry for hit in hits][:MAX_PRACTICE_RESULTS]
    return PracticeResults(
        text, entries, found.terms_to_highlight, is_near=not found.hits
    )


def _record_choice(
    request: HttpRequest, user: User, given: dict[str, Any]
) -> HttpResponse:
    chosen = None
    if given["entry"]:
        live = Entry.objects.published_to(user)
        chosen = live.filter(pk=given["entry"]).first()
        if chosen is None:
            messages.warning(request, "这条话术已下线，请另选一条。")
            return redirect(
                _build_practice_url(question=given["question"], q=given["q"])
            )
    question = Question(pk=given["question"] or 0)
    try:
        made = practice.record_attempt(question, chosen=chosen, by=user)
    except ValidationError as error:
        messages.warning(request, " ".join(error.messages))
        return redirect(_build_practice_url())
    return redirect(_build_practice_url(done=made.pk))


def _show_outcome(request: HttpRequest, user: User, pk: int) -> HttpResponse:
    """Say whether it was the one, and show what had been answered."""
    mine = PracticeAttempt.objects.filter(user=user, pk=pk)
    made = mine.select_related("question", "given__category", "chosen").first()
    if made is None:
        raise Http404("没有这次练习。")
    live = Entry.objects.published_to(user)
    shown = live.filter(pk__in=[made.given_id, made.chosen_id or 0])
    entries = shown.in_bulk()
    standing = practice.get_question_mastery(user)[made.question_id]
    context = {
        "made": made,
        "given": entries.get(made.given_id),
        "chosen": None if made.right else entries.get(made.chosen_id or 0),
        "standing": standing,
        "score": practice.compute_practice_score(user),
    }
    return render(request, "console/practice/answer.html", context)


def _build_practice_url(**more: object) -> str:
    query = urlencode({name: value for name, value in more.items() if value})
    home = reverse("console:practise")
    return f"{home}?{query}" if query else home
