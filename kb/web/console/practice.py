"""新人练习: find the entry for a real customer's question, then see the answer given."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
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
from kb.library.entries import entry_lookup
from kb.models import Entry, Question, User
from kb.questions import practice
from kb.web.console.forms import MAX_ROW_ID, SingleLineField
from kb.web.console.views import get_agent

MAX_PRACTICE_RESULTS = 9  # each can be chosen with one digit key


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
    """The results of a trainee's search, which is not recorded as a customer's."""

    query: str = ""
    entries: Sequence[Entry] = ()
    terms_to_highlight: Sequence[str] = ()
    is_near: bool = False


@never_cache
@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def show_practice(request: HttpRequest) -> HttpResponse:
    """Show a question with search results, or record the trainee's choice.

    ?fragment=results returns the results alone, ?done= the outcome of an attempt.
    """
    user = get_agent(request)
    parameters = _parse_request(request)
    if request.method == "POST":
        return _record_choice(request, user, parameters)
    if parameters["done"]:
        return _show_outcome(request, user, parameters["done"])
    question, next_due_at = _choose_question(request, user, parameters)
    results = _search_practice_entries(parameters["q"], user)
    context: dict[str, Any] = {
        "question": question,
        "next_due_at": next_due_at,
        "results": results,
    }
    if request.GET.get("fragment") == "results":
        return render(request, "console/practice/_results.html", context)
    context["score"] = practice.compute_practice_score(user)
    name = "question" if question else "nothing_due"
    return render(request, f"console/practice/{name}.html", context)


@never_cache
@login_required
@require_safe
def show_scores(request: HttpRequest) -> HttpResponse:
    """Show the agent's score; leads see that of any agent, and a list of trainees."""
    user = get_agent(request)
    is_lead = user.has_perm("kb.view_scores")
    parameters = _parse_request(request)
    person = _get_scored_person(parameters["person"], user, is_lead=is_lead)
    context = {
        "person": person,
        "is_own_score": person == user,
        "is_lead": is_lead,
        "score": practice.compute_practice_score(person),
        "trainees": practice.list_trainees() if is_lead else (),
    }
    return render(request, "console/practice/scores.html", context)


def _parse_request(request: HttpRequest) -> dict[str, Any]:
    """Return the valid parameters; invalid ones count as not given."""
    form = PracticeForm(request.POST if request.method == "POST" else request.GET)
    form.is_valid()
    empty: dict[str, Any] = dict.fromkeys(form.fields) | {"q": ""}
    return {**empty, **form.cleaned_data}


def _get_scored_person(pk: int | None, user: User, *, is_lead: bool) -> User:
    if not pk or pk == user.pk:
        return user
    if not is_lead:
        raise PermissionDenied("练习成绩只有本人和主管能看。")
    person = practice.find_trainee(pk)
    if person is None:
        raise Http404("没有这个人。")
    return person


def _choose_question(
    request: HttpRequest, user: User, parameters: dict[str, Any]
) -> tuple[Question | None, datetime | None]:
    """Return the question of the address or the next one, else when one is due."""
    if pk := parameters["question"]:
        question = practice.find_practice_question(pk, user=user)
        if question:
            return question, None
    turn = practice.choose_next_question(
        user, allow_early=request.GET.get("again") == "1"
    )
    return turn.question, turn.next_due_at


def _search_practice_entries(words: str, user: User) -> PracticeResults:
    if not words:
        return PracticeResults()
    results = search.search_entries(words, user=user, limit=MAX_PRACTICE_RESULTS)
    hits = results.hits or results.near_hits
    entries = [hit.entry for hit in hits][:MAX_PRACTICE_RESULTS]
    return PracticeResults(
        words, entries, results.terms_to_highlight, is_near=not results.hits
    )


def _record_choice(
    request: HttpRequest, user: User, parameters: dict[str, Any]
) -> HttpResponse:
    chosen = None
    if parameters["entry"]:
        chosen = entry_lookup.find_published_entry(parameters["entry"], user=user)
        if chosen is None:
            messages.warning(request, "这条话术已下线，请另选一条。")
            return redirect(
                _build_practice_url(question=parameters["question"], q=parameters["q"])
            )
    question = Question(pk=parameters["question"] or 0)
    try:
        attempt = practice.record_attempt(question, chosen=chosen, by=user)
    except ValidationError as error:
        messages.warning(request, " ".join(error.messages))
        return redirect(_build_practice_url())
    return redirect(_build_practice_url(done=attempt.pk))


def _show_outcome(request: HttpRequest, user: User, pk: int) -> HttpResponse:
    """Show whether the choice was right, the customer's question and its answer."""
    attempt = practice.find_attempt(pk, user=user)
    if attempt is None:
        raise Http404("没有这次练习。")
    entries = entry_lookup.load_published_entries(
        {attempt.given_id, attempt.chosen_id or 0}, user=user
    )
    wrong_id = 0 if attempt.right else attempt.chosen_id or 0
    context = {
        "attempt": attempt,
        "expected_entry": entries.get(attempt.given_id),
        "wrong_entry": entries.get(wrong_id),
        "mastery": practice.get_question_mastery(user)[attempt.question_id],
        "score": practice.compute_practice_score(user),
    }
    return render(request, "console/practice/answer.html", context)


def _build_practice_url(**parameters: object) -> str:
    query = urlencode({name: value for name, value in parameters.items() if value})
    path = reverse("console:practice")
    return f"{path}?{query}" if query else path
