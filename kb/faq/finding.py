"""Searching: what is asked, narrowed by category and tag, and never a dead end."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.http import urlencode

from kb import content, faces, feedback, scripts, search, vocabulary
from kb.faq import forms
from kb.faq.guard import person, public, throttled
from kb.faq.views import PAGE, listed
from kb.models import Category, Entry, Reader, Tag
from kb.search import Hit, Results, Suggestion
from kb.shelves import Shelves
from kb.text import normalize, regional, telling

NEAR = 6  # entries offered where nothing was found
LETTERS = 4  # letters that are tried to find them
MOST = 100  # results that search gives at most
CHOICES = 8  # categories and tags that are offered to narrow by
_HAN = re.compile(f"[{normalize.HAN}]")


@dataclass(frozen=True, slots=True)
class Choice:
    """One way to narrow, with the address that does it and how much is left."""

    name: str
    count: int
    query: str
    chosen: bool


class Narrow:
    """What an address narrows by; what nobody may know of narrows nothing."""

    def __init__(self, request: HttpRequest, words: str) -> None:
        self.words, self.user = words, request.user
        self.shelves = Shelves(self.user, content.of(request).outline)
        self.category = self._shelf(request.GET.get("c", ""))
        self.tag = self._tag(request.GET.get("tag", ""))

    def __bool__(self) -> bool:
        return self.category is not None or self.tag is not None

    def query(self, **given: Any) -> str:
        """Return the query string of this page with something else chosen."""
        now: dict[str, Any] = {"q": self.words}
        now |= {"c": self.category.pk if self.category else None}
        now |= {"tag": self.tag.pk if self.tag else None}
        chosen = {name: value for name, value in (now | given).items() if value}
        return f"?{urlencode(chosen)}"

    def holds(self, hits: Sequence[Hit]) -> list[Hit]:
        """Return the hits inside of what was chosen."""
        inside = set(self.shelves.subtree(self.category.pk)) if self.category else None
        return [
            hit
            for hit in hits
            if (inside is None or hit.entry.category_id in inside)
            and (self.tag is None or self.tag.pk in self._tagged[hit.entry.pk])
        ]

    def choices(self, hits: Sequence[Hit]) -> dict[str, list[Choice]]:
        """Return the categories and tags that part the hits, the largest first."""
        self._read(hits)
        tops = Counter(
            path[0]
            for hit in hits
            if (path := self.shelves.path(hit.entry.category_id))
        )
        tags = Counter(tag for one in self._tags.values() for tag in one)
        faces.dress(*tags)
        return {
            "categories": self._offered(tops, "c", self.category, len(hits)),
            "tags": self._offered(tags, "tag", self.tag, len(hits)),
        }

    def _offered(
        self, found: Counter[Any], name: str, chosen: Any, total: int
    ) -> list[Choice]:
        if chosen is not None and chosen not in found:
            found[chosen] = 0
        if len(found) < 2 and chosen is None:  # noqa: PLR2004
            return []
        most = sorted(found.items(), key=lambda item: (-item[1], item[0].pk))
        every = Choice("", total, self.query(**{name: None}), chosen is None)
        return [every] + [
            Choice(str(one), count, self.query(**{name: one.pk}), one == chosen)
            for one, count in most
            if one == chosen or most.index((one, count)) < CHOICES
        ]

    def _read(self, hits: Sequence[Hit]) -> None:
        wanted = [hit.entry.pk for hit in hits]
        links = Entry.tags.through.objects.filter(entry__in=wanted)
        rows = list(links.select_related("tag").order_by("tag__name"))
        known = {row.tag_id: row.tag for row in rows}
        self._tags: dict[int, list[Tag]] = {pk: [] for pk in wanted}
        for row in rows:
            self._tags[row.entry_id].append(known[row.tag_id])

    @cached_property
    def _tagged(self) -> dict[int, set[int]]:
        return {pk: {tag.pk for tag in tags} for pk, tags in self._tags.items()}

    def _shelf(self, given: str) -> Category | None:
        pk = forms.number(given)
        return self.shelves.find(pk) if pk else None

    def _tag(self, given: str) -> Tag | None:
        if not (pk := forms.number(given)):
            return None
        told = Tag.objects.filter(pk=pk, entries__in=listed(self.user).order_by())
        found = told.distinct().first()
        if found:
            faces.dress(found)
        return found


@public
@throttled("search")
def search_page(request: HttpRequest) -> HttpResponse:
    words, number = forms.words(request), forms.page_number(request)
    narrow = Narrow(request, words)
    if not words:
        return render(request, "faq/search/page.html", _unasked(request, narrow))
    results = search.search(words, user=request.user, limit=MOST)
    choices = narrow.choices(results.hits)
    inside = narrow.holds(results.hits)
    results = replace(results, hits=tuple(inside[(number - 1) * PAGE :][:PAGE]))
    if number > 1 and not results.hits:
        raise Http404
    if request.method == "GET" and number == 1 and not (narrow or results.degraded):
        feedback.record(
            words, user=request.user, results=results.total, person=person(request)
        )
    context = _found(results, narrow) if results.total else _not_found(results, narrow)
    context |= {"words": words, "results": results, "number": number, **choices}
    context |= {"narrow": narrow, "total": len(inside), "all": narrow.query(c=0, tag=0)}
    context["more"] = number * PAGE < len(inside)
    context["before"] = narrow.query(page=number - 1)
    context["after"] = narrow.query(page=number + 1)
    response = render(request, "faq/search/page.html", context)
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
    shown = _worn(found)
    context = {"suggestions": shown, "terms": _said(terms, words)}
    return render(request, "faq/search/_suggestions.html", context)


def _unasked(request: HttpRequest, narrow: Narrow) -> dict[str, Any]:
    """Return what stands on a search page without words: a tag's entries, or shelves."""
    context: dict[str, Any] = {"narrow": narrow, "all": "?"}
    if narrow.tag is None:
        return context | {"tree": narrow.shelves}
    rows = listed(request.user).filter(tags=narrow.tag)
    page = forms.page(request, rows, PAGE)
    faces.wear(page.object_list)
    return context | {"page": page, "tag": narrow.tag}


def _found(results: Results, narrow: Narrow) -> dict[str, Any]:
    entries = [hit.entry for hit in results.hits]
    faces.wear(entries)
    return {
        "rows": [(one, narrow.shelves.path(one.category_id)) for one in entries],
        "terms": _said(results.terms, results.words),
    }


def _not_found(results: Results, narrow: Narrow) -> dict[str, Any]:
    near = [hit.entry for hit in results.near] or _sharing(results.words, narrow.user)
    faces.wear(near)
    return {"near": near, "tree": narrow.shelves}


def _said(terms: Sequence[str], words: str) -> tuple[str, ...]:
    """Return the terms to mark, and how the other script says them."""
    lexicon = vocabulary.held()
    said = [*terms]
    for wording in regional.wordings(words):
        said += telling.wanted(wording, lexicon).marks()
    if scripts.is_hant():
        said += [normalize.normalize(scripts.hant_of(term)) for term in said]
    return tuple(dict.fromkeys(said))


def _worn(found: Sequence[Suggestion]) -> Sequence[Suggestion]:
    """Return the suggestions in the script of the page.

    Marks stand by letters: they hold where there are as many.
    """
    if not scripts.is_hant():
        return found
    own = [one.text == one.entry.question for one in found]
    faces.wear([one.entry for one in found])
    return [_worn_one(*pair) for pair in zip(found, own, strict=True)]


def _worn_one(one: Suggestion, own: bool) -> Suggestion:
    text = one.entry.question if own else scripts.hant_of(one.text)
    typed = one.typed if len(text) == len(one.text) else 0
    return replace(one, text=text, typed=typed)


def _sharing(words: str, user: Reader) -> list[Entry]:
    """Entries with a word that begins with a letter of what is nowhere: a slip spares some."""
    letters = dict.fromkeys(_HAN.findall(normalize.normalize(words)))
    told = [letter for letter in letters if letter not in telling.PARTICLES]
    found = dict.fromkeys(
        suggestion.entry.pk
        for letter in told[:LETTERS]
        for suggestion in search.suggest(letter, user=user, limit=NEAR // 2)
    )
    near = listed(user).in_bulk([*found][:NEAR])
    return [near[pk] for pk in found if pk in near]
