"""Public pages: the customer's view, with what is theirs for people who work here."""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import urlencode

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render

from kb import feedback, search, vocabulary
from kb.faq import forms, votes
from kb.faq.guard import public, throttled
from kb.models import Entry, EntryQuerySet, Reader
from kb.shelves import Shelves
from kb.text import normalize, telling

PAGE = 20  # entries
RECENT = 8  # entries
NEAR = 6  # entries offered where nothing was found
LETTERS = 4  # letters that are tried to find them
_HAN = re.compile(f"[{normalize.HAN}]")


@public
def home(request: HttpRequest) -> HttpResponse:
    shelves = Shelves(request.user).inside(None)
    context = {"shelves": shelves, "recent": _listed(request.user)[:RECENT]}
    return render(request, "faq/home.html", context)


@public
def category(request: HttpRequest, pk: int) -> HttpResponse:
    """A shelf: what is inside of it, and its entries with those below."""
    shelves = Shelves(request.user)
    if not shelves.counts[pk]:
        raise Http404
    *above, here = shelves.path(pk)
    rows = _listed(request.user).filter(category__in=shelves.subtree(pk))
    context = {
        "category": here,
        "above": above,
        "shelves": shelves.inside(pk),
        "page": forms.page(request, rows, PAGE),
    }
    return render(request, "faq/category.html", context)


@public
def entry(request: HttpRequest, pk: int, slug: str = "") -> HttpResponse:
    shown = Entry.objects.visible_to(request.user).filter(pk=pk)
    found = shown.select_related("category").prefetch_related("tags").first()
    if found is None:
        raise Http404
    words = forms.words(request)  # that led here from a search
    if slug != found.slug:
        asked = f"?{urlencode({'q': words})}" if words else ""
        return redirect(f"{found.get_absolute_url()}{asked}", permanent=True)
    context = {
        "entry": found,
        "path": Shelves(request.user).path(found.category_id),
        "canonical": request.build_absolute_uri(found.get_absolute_url()),
        "live": found.status == Entry.Status.PUBLISHED,
        "related": search.related(found, user=request.user),
        "asked": words,
        "token": votes.token(found),
    }
    return render(request, "faq/entry.html", context)


@public
@throttled("search")
def search_page(request: HttpRequest) -> HttpResponse:
    words, number, user = forms.words(request), forms.page_number(request), request.user
    if not words:
        shelves = Shelves(user).inside(None)
        return render(request, "faq/search.html", {"shelves": shelves})
    results = search.search(words, user=user, offset=(number - 1) * PAGE, limit=PAGE)
    if number > 1 and not results.hits:
        raise Http404
    if request.method == "GET" and number == 1 and not results.degraded:
        feedback.record(words, user=user, results=results.total)
    context = _found(results, user) if results.hits else _not_found(results, user)
    context |= {"words": words, "results": results, "number": number}
    context["more"] = number * PAGE < results.total
    response = render(request, "faq/search.html", context)
    if results.degraded:
        response.headers["X-Search-Degraded"] = "1"
    return response


@public
@throttled("suggest")
def suggestions(request: HttpRequest) -> HttpResponse:
    """A fragment: the options of the list under a search box."""
    words = forms.words(request)
    found = search.suggest(words, user=request.user) if words else ()
    terms = (
        normalize.normalize(words),
        *telling.wanted(words, vocabulary.held()).marks(),
    )
    context = {"suggestions": found, "terms": terms}
    return render(request, "faq/suggestions.html", context)


def _listed(user: Reader) -> EntryQuerySet:
    """Entries as a list shows them, newest first."""
    return Entry.objects.published_to(user).defer(
        "answer", "answer_html", "answer_text"
    )


def _found(results: search.Results, user: Reader) -> dict[str, Any]:
    shelves = Shelves(user)
    entries = [hit.entry for hit in results.hits]
    return {
        "rows": [(entry, shelves.path(entry.category_id)) for entry in entries],
        "terms": results.terms,
    }


def _not_found(results: search.Results, user: Reader) -> dict[str, Any]:
    near = [hit.entry for hit in results.near] or _sharing(results.words, user)
    return {"near": near, "shelves": Shelves(user).inside(None)}


def _sharing(words: str, user: Reader) -> list[Entry]:
    """Entries with a word that begins with a letter of what is nowhere: a slip spares some."""
    letters = dict.fromkeys(_HAN.findall(normalize.normalize(words)))
    told = [letter for letter in letters if letter not in telling.PARTICLES]
    found = {
        suggestion.entry.pk: suggestion.entry
        for letter in told[:LETTERS]
        for suggestion in search.suggest(letter, user=user, limit=NEAR // 2)
    }
    return list(found.values())[:NEAR]
