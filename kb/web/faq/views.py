"""Public pages: the customer's view, with what is theirs for people who work here."""

from __future__ import annotations

import re
from urllib.parse import urlencode

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render

from kb import usage
from kb.models import Entry, EntryQuerySet, Reader, Tag
from kb.publishing import edition, page_views, translations
from kb.publishing.category_tree import ReadableCategoryTree
from kb.quality import merging
from kb.search import related
from kb.text.markup.answer_layout import split_answer
from kb.web.faq import query_params, seo, votes
from kb.web.faq.page_cache import cache_public_page
from kb.web.faq.view_decorators import identify_visitor

ENTRIES_PER_PAGE = 20  # entries
RECENT_ENTRIES_SHOWN = POPULAR_ENTRIES_SHOWN = 8  # entries
_ROBOT_USER_AGENT = re.compile(
    "bot|crawl|spider|slurp|preview|curl|wget|python|monitor", re.I
)


@cache_public_page()
def show_home(request: HttpRequest) -> HttpResponse:
    popular = page_views.list_popular_entries(request.user, POPULAR_ENTRIES_SHOWN)
    recent = list(select_listed_entries(request.user)[:RECENT_ENTRIES_SHOWN])
    translations.apply_translations([*popular, *recent])
    context = {
        "tree": _load_category_tree(request),
        "popular": popular,
        "recent": recent,
    }
    context |= {
        "edition": edition.get_request_edition(request),
        "meta": seo.describe_home_page(request),
    }
    return render(request, "faq/home/page.html", context)


@cache_public_page("page")
def show_category(request: HttpRequest, pk: int, slug: str = "") -> HttpResponse:
    """A shelf: what is inside of it, and its entries with those below."""
    shelves = _load_category_tree(request)
    if not shelves.entry_counts[pk]:
        raise Http404
    *above, here = shelves.get_path(pk)
    if slug and slug != here.slug:
        return redirect(here, permanent=True)
    rows = select_listed_entries(request.user).filter(
        category__in=shelves.list_subtree_ids(pk)
    )
    page = query_params.paginate_rows(
        request, rows, ENTRIES_PER_PAGE, shelves.entry_counts[pk]
    )
    translations.apply_translations(page.object_list)
    context = {
        "category": here,
        "above": above,
        "shelves": shelves.list_nodes(pk),
        "page": page,
        "meta": seo.describe_category_page(request, here, above, page),
    }
    return render(request, "faq/category/page.html", context)


def show_entry(request: HttpRequest, pk: int, slug: str = "") -> HttpResponse:
    """The page of an entry, counted as read where a person opened it anew."""
    response = _render_entry(request, pk, slug)
    robot = _ROBOT_USER_AGENT.search(request.headers.get("User-Agent", ""))
    read = response.status_code == 200 and request.method == "GET"  # noqa: PLR2004
    if robot or not read:
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
    rows = Entry.objects.visible_to(request.user).select_related("related_entries")
    try:
        found = rows.get(pk=pk)
    except Entry.DoesNotExist:
        if heir := merging.find_merge_target(pk, user=request.user):
            return redirect(heir)  # not for good: a merger can be undone
        raise Http404 from None
    words = query_params.read_query_words(request)  # that led here from a search
    if slug != found.slug:
        asked = f"?{urlencode({'q': words})}" if words else ""
        return redirect(f"{found.get_absolute_url()}{asked}", permanent=True)
    following = related.list_related_entries(found, user=request.user)
    translations.apply_translations([found, *following])
    tags = list(Tag.objects.filter(entries=pk))
    translations.translate_names(*tags)
    path = _load_category_tree(request).get_path(found.category_id)
    context = {
        "entry": found,
        "path": path,
        "shown": split_answer(found.answer_html),
        "tags": tags,
        "live": found.status == Entry.Status.PUBLISHED,
        "following": following,
        "asked": words,
        "token": votes.make_vote_token(found),
        "meta": seo.describe_entry_page(request, found, path),
    }
    return render(request, "faq/entry/page.html", context)


def select_listed_entries(user: Reader) -> EntryQuerySet:
    """Entries as a list shows them, newest first."""
    return Entry.objects.published_to(user).with_list_columns()


def _load_category_tree(request: HttpRequest) -> ReadableCategoryTree:
    return ReadableCategoryTree(
        request.user, edition.get_request_edition(request).outline
    )
