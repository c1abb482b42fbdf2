"""What a widget begins with: its own attributes, a rule for the page, or the newest."""

from __future__ import annotations

from typing import Any

from django.db.models import Q
from django.http import HttpRequest, QueryDict

from kb import scripts, search, sites
from kb.models import Entry, EntryQuerySet, Reader, WidgetRule
from kb.shelves import Shelves
from kb.text import normalize

LONGEST = 200  # characters of what is given
DIGITS = 18  # of an id
Found = tuple[str, list[Entry]]  # a title, maybe empty, and entries


def first(request: HttpRequest, most: int) -> Found:
    """Return what is shown before anything is typed; never empty where entries are."""
    reader = request.user
    asked = _given(request.GET) or _ruled(request)
    found = _by(asked, reader, most) if asked else ("", [])
    if found[1]:
        return found
    return "", list(_answered(reader)[:most])


def _given(query: QueryDict) -> dict[str, str]:
    """Return what the widget's attributes ask for."""
    names = ("category", "tag", "q")
    lines = {name: normalize.line(query.get(name, "")[:2000]) for name in names}
    return {name: line[:LONGEST] for name, line in lines.items() if line}


def _ruled(request: HttpRequest) -> dict[str, str]:
    """Return what the first rule asks for that fits the page's path."""
    path = normalize.line(request.GET.get("path", "")[:2000])[:LONGEST]
    site = sites.of(request)
    rules = WidgetRule.objects.filter(Q(site=None) | Q(site=site.pk or 0))
    rule = next((rule for rule in rules.select_related("tag") if rule.fits(path)), None)
    if rule is None or not path:
        return {}
    asked: dict[str, Any] = {"category": rule.category_id, "q": rule.query}
    asked["tag"] = rule.tag and rule.tag.name
    return {name: str(value) for name, value in asked.items() if value}


def _by(asked: dict[str, str], reader: Reader, most: int) -> Found:
    """Return the entries that `asked` names: all it says holds; a query orders."""
    entries, title = _answered(reader), asked.get("tag", "")
    if "category" in asked:
        shelves = Shelves(reader)
        shelf = shelves.find(_number(asked["category"]))
        if shelf is None:
            return "", []
        title = scripts.say(shelf.name)
        entries = entries.filter(category__in=shelves.subtree(shelf.pk))
    if "tag" in asked:
        entries = entries.filter(tags__name=asked["tag"])
    if "q" not in asked:
        return title, list(entries[:most])
    hits = search.search(asked["q"], user=reader, limit=most * 4).hits
    fit = set(
        entries.filter(pk__in=[h.entry.pk for h in hits]).values_list("pk", flat=True)
    )
    return title, [h.entry for h in hits if h.entry.pk in fit][:most]


def _answered(reader: Reader) -> EntryQuerySet:
    """Entries with an answer: one that only agents can send is nothing to read."""
    return Entry.objects.published_to(reader).exclude(answer_html="")


def _number(sent: str) -> int:
    plain = sent.isascii() and sent.isdecimal() and len(sent) <= DIGITS
    return int(sent) if plain else 0
