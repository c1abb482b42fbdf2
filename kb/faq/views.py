"""Public pages: the customer's view, with what is theirs for people who work here."""

from __future__ import annotations

import re
from urllib.parse import urlencode

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render

from kb import content, faces, feedback, merging, neighbours, reads
from kb.faq import forms, seo, votes
from kb.faq.copies import kept
from kb.faq.guard import person
from kb.models import Entry, EntryQuerySet, Reader, Tag
from kb.shelves import Shelves
from kb.text.reading import reading

PAGE = 20  # entries
RECENT = POPULAR = 8  # entries
_ROBOT = re.compile("bot|crawl|spider|slurp|preview|curl|wget|python|monitor", re.I)


@kept()
def home(request: HttpRequest) -> HttpResponse:
    popular = reads.popular(request.user, POPULAR)
    recent = list(listed(request.user)[:RECENT])
    faces.wear([*popular, *recent])
    context = {"tree": _shelves(request), "popular": popular, "recent": recent}
    context |= {"edition": content.of(request), "meta": seo.home(request)}
    return render(request, "faq/home/page.html", context)


@kept("page")
def category(request: HttpRequest, pk: int, slug: str = "") -> HttpResponse:
    """A shelf: what is inside of it, and its entries with those below."""
    shelves = _shelves(request)
    if not shelves.counts[pk]:
        raise Http404
    *above, here = shelves.path(pk)
    if slug and slug != here.slug:
        return redirect(here, permanent=True)
    rows = listed(request.user).filter(category__in=shelves.subtree(pk))
    page = forms.page(request, rows, PAGE, shelves.counts[pk])
    faces.wear(page.object_list)
    context = {
        "category": here,
        "above": above,
        "shelves": shelves.inside(pk),
        "page": page,
        "meta": seo.category(request, here, above, page),
    }
    return render(request, "faq/category/page.html", context)


def entry(request: HttpRequest, pk: int, slug: str = "") -> HttpResponse:
    """The page of an entry, counted as read where a person opened it anew."""
    response = _entry(request, pk, slug)
    robot = _ROBOT.search(request.headers.get("User-Agent", ""))
    read = response.status_code == 200 and request.method == "GET"  # noqa: PLR2004
    if robot or not read:
        return response
    if not request.user.is_authenticated:
        reads.note(pk)
    if words := forms.words(request):
        feedback.led(words, entry_id=pk, user=request.user, person=person(request))
    return response


@kept("q")
def _entry(request: HttpRequest, pk: int, slug: str) -> HttpResponse:
    rows = Entry.objects.visible_to(request.user).select_related("neighbours")
    try:
        found = rows.get(pk=pk)
    except Entry.DoesNotExist:
        if heir := merging.successor(pk, user=request.user):
            return redirect(heir)  # not for good: a merger can be undone
        raise Http404 from None
    words = forms.words(request)  # that led here from a search
    if slug != found.slug:
        asked = f"?{urlencode({'q': words})}" if words else ""
        return redirect(f"{found.get_absolute_url()}{asked}", permanent=True)
    following = neighbours.after(found, user=request.user)
    faces.wear([found, *following])
    tags = list(Tag.objects.filter(entries=pk))
    faces.dress(*tags)
    path = _shelves(request).path(found.category_id)
    context = {
        "entry": found,
        "path": path,
        "shown": reading(found.answer_html),
        "tags": tags,
        "live": found.status == Entry.Status.PUBLISHED,
        "following": following,
        "asked": words,
        "token": votes.token(found),
        "meta": seo.entry(request, found, path),
    }
    return render(request, "faq/entry/page.html", context)


def listed(user: Reader) -> EntryQuerySet:
    """Entries as a list shows them, newest first."""
    return Entry.objects.published_to(user).for_lists()


def _shelves(request: HttpRequest) -> Shelves:
    return Shelves(request.user, content.of(request).outline)
