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

from kb import practice, search
from kb.console.forms import LARGEST_ID, Words
from kb.console.views import agent_of
from kb.models import Entry, Practice, Question, User

MOST = 9  # results: what a digit can choose


def _id() -> forms.IntegerField:
    return forms.IntegerField(required=False, min_value=1, max_value=LARGEST_ID)


class PractiseForm(forms.Form):
    q = Words(required=False)
    question = _id()
    entry = _id()
    done = _id()
    person = _id()


@dataclass(frozen=True, slots=True)
class Found:
    """What the trainee's words find; not kept, for nobody asked it."""

    words: str = ""
    entries: Sequence[Entry] = ()
    terms: Sequence[str] = ()
    near: bool = False


@never_cache
@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def practise(request: HttpRequest) -> HttpResponse:
    """Show a question and what is found for it, or take the trainee's choice."""
    user = agent_of(request)
    given = _read(request)
    if request.method == "POST":
        return _take(request, user, given)
    if given["done"]:
        return _outcome(request, user, given["done"])
    question, again_at = _question(request, user, given)
    context = {"question": question, "again_at": again_at}
    context["found"] = found = _found(given["q"], user)
    if request.GET.get("fragment") == "results":
        return render(request, "console/practice/_results.html", context)
    context["score"] = practice.score(user)
    name = "question" if question else "nothing_due"
    template = f"console/practice/{name}.html"
    return render(request, template, context | {"words": found.words})


@never_cache
@login_required
@require_safe
def scores(request: HttpRequest) -> HttpResponse:
    """Show one's own score; to leads that of anybody, and who practises."""
    user = agent_of(request)
    leads = user.has_perm("kb.view_scores")
    person = _person(_read(request)["person"], user, leads=leads)
    context = {"person": person, "own": person == user, "leads": leads}
    context["score"] = practice.score(person)
    context["trainees"] = practice.trainees() if leads else ()
    return render(request, "console/practice/scores.html", context)


def _read(request: HttpRequest) -> dict[str, Any]:
    """What cannot be understood counts as not given."""
    form = PractiseForm(request.POST if request.method == "POST" else request.GET)
    form.is_valid()
    empty: dict[str, Any] = dict.fromkeys(form.fields) | {"q": ""}
    return {**empty, **form.cleaned_data}


def _person(pk: int | None, user: User, *, leads: bool) -> User:
    if not pk or pk == user.pk:
        return user
    if not leads:
        raise PermissionDenied("练习成绩只有本人和主管能看。")
    found = User.objects.filter(pk=pk).first()
    if found is None:
        raise Http404("没有这个人。")
    return found


def _question(
    request: HttpRequest, user: User, given: dict[str, Any]
) -> tuple[Question | None, object]:
    """Return the question that is under way, or the next one."""
    if pk := given["question"]:
        asked = practice.pool(user).filter(pk=pk).first()
        if asked:
            return asked, None
    turn = practice.turn(user, again=request.GET.get("again") == "1")
    return turn.question, turn.again_at


def _found(words: str, user: User) -> Found:
    text = words
    if not text:
        return Found()
    found = search.search(text, user=user, limit=MOST)
    hits = found.hits or found.near
    entries = [hit.entry for hit in hits][:MOST]
    return Found(text, entries, found.terms, near=not found.hits)


def _take(request: HttpRequest, user: User, given: dict[str, Any]) -> HttpResponse:
    chosen = None
    if given["entry"]:
        live = Entry.objects.published_to(user)
        chosen = live.filter(pk=given["entry"]).first()
        if chosen is None:
            messages.warning(request, "这条话术已下线，请另选一条。")
            return redirect(_address(question=given["question"], q=given["q"]))
    question = Question(pk=given["question"] or 0)
    try:
        made = practice.answer(question, chosen=chosen, by=user)
    except ValidationError as error:
        messages.warning(request, " ".join(error.messages))
        return redirect(_address())
    return redirect(_address(done=made.pk))


def _outcome(request: HttpRequest, user: User, pk: int) -> HttpResponse:
    """Say whether it was the one, and show what had been answered."""
    mine = Practice.objects.filter(user=user, pk=pk)
    made = mine.select_related("question", "given__category", "chosen").first()
    if made is None:
        raise Http404("没有这次练习。")
    live = Entry.objects.published_to(user)
    shown = live.filter(pk__in=[made.given_id, made.chosen_id or 0])
    entries = shown.in_bulk()
    standing = practice.standings(user)[made.question_id]
    context = {
        "made": made,
        "given": entries.get(made.given_id),
        "chosen": None if made.right else entries.get(made.chosen_id or 0),
        "standing": standing,
        "score": practice.score(user),
    }
    return render(request, "console/practice/answer.html", context)


def _address(**more: object) -> str:
    query = urlencode({name: value for name, value in more.items() if value})
    home = reverse("console:practise")
    return f"{home}?{query}" if query else home
