"""Choose the entries that a widget shows first: by attributes, rule, or the newest."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, QueryDict

from kb import search
from kb.library.entries import entry_lookup
from kb.models import Entry, Reader
from kb.publishing import locale_prefix, sites, widget_rules
from kb.publishing.category_tree import ReadableCategoryTree
from kb.web.faq.query_params import clean_query_text, parse_row_id

SEARCH_LIMIT_FACTOR = 4  # results searched for each entry shown: filters drop some
TitledEntries = tuple[str, list[Entry]]  # the title may be empty


def find_start_entries(request: HttpRequest, limit: int) -> TitledEntries:
    """Return the entries to show before the visitor types, and their title.

    Where the attributes or the rule match nothing, the newest entries.
    """
    reader = request.user
    criteria = _read_widget_attributes(request.GET) or _read_widget_rule(request)
    if criteria:
        title, entries = _find_matching_entries(criteria, reader, limit)
        if entries:
            return title, entries
    return "", list(entry_lookup.query_answered_entries(reader)[:limit])


def _read_widget_attributes(query: QueryDict) -> dict[str, str]:
    """Return the non-empty attributes of the widget: category, tag and q."""
    values = {
        name: clean_query_text(query.get(name, "")) for name in ("category", "tag", "q")
    }
    return {name: value for name, value in values.items() if value}


def _read_widget_rule(request: HttpRequest) -> dict[str, str]:
    """Return category, tag and q of the first rule that matches the page's path."""
    path = clean_query_text(request.GET.get("path", ""))
    rule = widget_rules.find_widget_rule(path, site=sites.get_request_site(request))
    if rule is None or not path:
        return {}
    values: dict[str, Any] = {
        "category": rule.category_id,
        "tag": rule.tag and rule.tag.name,
        "q": rule.query,
    }
    return {name: str(value) for name, value in values.items() if value}


def _find_matching_entries(
    criteria: dict[str, str], reader: Reader, limit: int
) -> TitledEntries:
    """Return the entries that meet all criteria, in the order of a search for q."""
    entries = entry_lookup.query_answered_entries(reader)
    title = criteria.get("tag", "")
    if "category" in criteria:
        tree = ReadableCategoryTree(reader)
        category = tree.find_category(parse_row_id(criteria["category"]))
        if category is None:
            return "", []
        title = locale_prefix.convert_for_page(category.name)
        entries = entries.filter(category__in=tree.list_subtree_ids(category.pk))
    if "tag" in criteria:
        entries = entries.filter(tags__name=criteria["tag"])
    if "q" not in criteria:
        return title, list(entries[:limit])
    hits = search.search_entries(
        criteria["q"], user=reader, limit=limit * SEARCH_LIMIT_FACTOR
    ).hits
    matching_ids = set(
        entries.filter(pk__in=[hit.entry.pk for hit in hits]).values_list(
            "pk", flat=True
        )
    )
    return title, [hit.entry for hit in hits if hit.entry.pk in matching_ids][:limit]
