"""The public pages: home, category and entry."""

from __future__ import annotations

import re
from urllib.parse import urlencode

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render

from kb import usage
from kb.library import taxonomy
from kb.library.entries import entry_lookup
from kb.models import Entry
from kb.publishing import edition, page_views, translations
from kb.publishing.category_tree import ReadableCategoryTree
from kb.publishing.page_cache import cache_public_page
from kb.quality import merging
from kb.search import related
from kb.text.markup.answer_layout import split_answer
from kb.web.faq import query_params, seo, votes
from kb.web.faq.view_decorators import identify_visitor

ENTRIES_PER_PAGE = 20
RECENT_ENTRIES_SHOWN = POPULAR_ENTRIES_SHOWN = 8
_ROBOT_USER_AGENT = re.compile(
    "bot|crawl|spider|slurp|preview|curl|wget|python|monitor", re.I
)


@cache_public_page()
def show_home(request: HttpRequest) -> HttpResponse:
    popular = page_views.list_popular_entries(request.user, POPULAR_ENTRIES_SHOWN)
    entries = entry_lookup.query_listed_entries(request.user)
    recent = list(entries[:RECENT_ENTRIES_SHOWN])
    translations.apply_translations([*popular, *recent])
    context = {
        "tree": _load_category_tree(request),
        "popular": popular,
        "recent": recent,
        "edition": edition.get_request_edition(request),
        "meta": seo.describe_home_page(request),
    }
    return render(request, "faq/home/page.html", context)


@cache_public_page("page")
def show_category(request: HttpRequest, pk: int, slug: str = "") -> HttpResponse:
    """Show the subcategories of a category, and the entries of all of them."""
    tree = _load_category_tree(request)
    if not tree.entry_counts[pk]:
        raise Http404
    *ancestors, category = tree.get_path(pk)
    if slug and slug != category.slug:
        return redirect(category, permanent=True)
    entries = entry_lookup.query_listed_entries(request.user).filter(
        category__in=tree.list_subtree_ids(pk)
    )
    page = query_params.paginate_rows(
        request, entries, ENTRIES_PER_PAGE, tree.entry_counts[pk]
    )
    translations.apply_translations(page.object_list)
    context = {
        "category": category,
        "ancestors": ancestors,
        "subcategories": tree.list_nodes(pk),
        "page": page,
        "meta": seo.describe_category_page(request, category, ancestors, page),
    }
    return render(request, "faq/category/page.html", context)


def show_entry(request: HttpRequest, pk: int, slug: str = "") -> HttpResponse:
    """Show an entry; count the view unless a robot asked or the browser had the page."""
    response = _render_entry(request, pk, slug)
    is_robot = _ROBOT_USER_AGENT.search(request.headers.get("User-Agent", ""))
    is_page_sent = response.status_code == 200 and request.method == "GET"  # noqa: PLR2004
    if is_robot or not is_page_sent:
        return response
    if not request.user.is_authenticated:
        page_views.count_page_view(pk)
    if words := query_params.read_query_words(request):
        usage.record_opened_entry(
            words, entry_id=pk, user=request.user, person=identify_visitor(request)
        )
    return response


@cache_public_page("q")
def _render_entry(request: HttpRequest, pk: int, slug: str) -> HttpResponse:
    entry = entry_lookup.find_visible_entry(pk, user=request.user)
    if entry is None:
        if target := merging.find_merge_target(pk, user=request.user):
            return redirect(target)  # temporary: a merge can be undone
        raise Http404
    words = query_params.read_query_words(request)  # of the search that found the entry
    if slug != entry.slug:
        query = f"?{urlencode({'q': words})}" if words else ""
        return redirect(f"{entry.get_absolute_url()}{query}", permanent=True)
    related_entries = related.list_related_entries(entry, user=request.user)
    translations.apply_translations([entry, *related_entries])
    tags = taxonomy.list_entry_tags(pk)
    translations.translate_names(*tags)
    path = _load_category_tree(request).get_path(entry.category_id)
    context = {
        "entry": entry,
        "path": path,
        "answer": split_answer(entry.answer_html),
        "tags": tags,
        "is_published": entry.status == Entry.Status.PUBLISHED,
        "related_entries": related_entries,
        "query": words,
        "token": votes.make_vote_token(entry),
        "meta": seo.describe_entry_page(request, entry, path),
    }
    return render(request, "faq/entry/page.html", context)


def _load_category_tree(request: HttpRequest) -> ReadableCategoryTree:
    return ReadableCategoryTree(
        request.user, edition.get_request_edition(request).outline
    )
