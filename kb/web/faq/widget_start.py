"""What a widget begins with: its own attributes, a rule for the page, or the newest."""

from __future__ import annotations

from typing import Any

from django.db.models import Q
from django.http import HttpRequest, QueryDict

from kb import search
from kb.models import Entry, EntryQuerySet, Reader, WidgetRule
from kb.publishing import locale_prefix, sites
from kb.publishing.category_tree import ReadableCategoryTree
from kb.text.chinese import normalize

MAX_ATTRIBUTE_CHARS = 200  # characters of what is given
MAX_ENTRY_ID_DIGITS = 18  # of an id
TitledEntries = tuple[str, list[Entry]]  # a title, maybe empty, and entries


def find_start_entries(request: HttpRequest, most: int) -> TitledEntries:
    """Return what is shown before anything is typed; never empty where entries are."""
    reader = request.user
    asked = _read_widget_attributes(request.GET) or _find_widget_rule(request)
    found = _find_matching_entries(asked, reader, most) if asked else ("", [])
    if found[1]:
        return found
    return "", list(_select_answered_entries(reader)[:most])


def _read_widget_attributes(query: QueryDict) -> dict[str, str]:
    """Return what the widget's attributes ask for."""
    names = ("category", "tag", "q")
    lines = {
        name: normalize.clean_single_line(query.get(name, "")[:2000]) for name in names
    }
    return {name: line[:MAX_ATTRIBUTE_CHARS] for name, line in lines.items() if line}


def _find_widget_rule(request: HttpRequest) -> dict[str, str]:
    """Return what the first rule asks for that fits the page's path."""
    path = normalize.clean_single_line(request.GET.get("path", "")[:2000])[
        :MAX_ATTRIBUTE_CHARS
    ]
    site = sites.get_request_site(request)
    rules = WidgetRule.objects.filter(Q(site=None) | Q(site=site.pk or 0))
    rule = next(
        (rule for rule in rules.select_related("tag") if rule.is_matching_path(path)),
        None,
    )
    if rule is None or not path:
        return {}
    asked: dict[str, Any] = {"category": rule.category_id, "q": rule.query}
    asked["tag"] = rule.tag and rule.tag.name
    return {name: str(value) for name, value in asked.items() if value}


def _find_matching_entries(
    asked: dict[str, str], reader: Reader, most: int
) -> TitledEntries:
    """Return the entries that `asked` names: all it says holds; a query orders."""
    entries, title = _select_answered_entries(reader), asked.get("tag", "")
    if "category" in asked:
        shelves = ReadableCategoryTree(reader)
        shelf = shelves.find_category(_parse_category_id(asked["category"]))
        if shelf is None:
            return "", []
        title = locale_prefix.convert_for_page(shelf.name)
        entries = entries.filter(category__in=shelves.list_subtree_ids(shelf.pk))
    if "tag" in asked:
        entries = entries.filter(tags__name=asked["tag"])
    if "q" not in asked:
        return title, list(entries[:most])
    hits = search.search_entries(asked["q"], user=reader, limit=most * 4).hits
    fit = set(
        entries.filter(pk__in=[h.entry.pk for h in hits]).values_list("pk", flat=True)
    )
    return title, [h.entry for h in hits if h.entry.pk in fit][:most]


def _select_answered_entries(reader: Reader) -> EntryQuerySet:
    """Entries with an answer: one that only agents can send is nothing to read."""
    return Entry.objects.published_to(reader).exclude(answer_html="")


def _parse_category_id(sent: str) -> int:
    plain = sent.isascii() and sent.isdecimal() and len(sent) <= MAX_ENTRY_ID_DIGITS
    return int(sent) if plain else 0
