"""The agents' console: one address, whole or in the parts that a keystroke changes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet, prefetch_related_objects
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from kb import search
from kb.console import forms
from kb.models import Category, Entry, Reply, User, replies_for
from kb.text import markdown

PAGE = 20  # entries in the list at a time


@dataclass(frozen=True, slots=True)
class Row:
    """An entry of the list with what an agent can send of it, never nothing."""

    entry: Entry
    variants: Sequence[Reply]

    @property
    def path(self) -> list[Category]:
        """Return the categories down to the entry's own; one query."""
        category = self.entry.category
        return list(category.ancestors(include_self=True)) if category else []


@dataclass(frozen=True, slots=True)
class Listing:
    """A page of the list, and how it came about."""

    rows: Sequence[Row]
    total: int
    terms: Sequence[str] = ()
    degraded: bool = False
    near: bool = False  # nothing was found; these are only the nearest
    meant: str = ""


@never_cache
@login_required
@require_safe
def home(request: HttpRequest) -> HttpResponse:
    """Show the console; with ?fragment= only its results or one preview."""
    user = agent_of(request)
    asked = forms.read(request.GET)
    if asked.fragment == "preview":
        return _preview(request, user=user, asked=asked)
    listing = _listing(asked, user=user)
    chosen, gone = _chosen(asked, listing, user=user)
    context = {"asked": asked, "listing": listing, "chosen": chosen, "gone": gone}
    context |= {"next_page": _next_page(asked, listing)}
    if asked.fragment:
        return render(request, "console/results.html", context)
    context["categories"] = _categories(user)
    return render(request, "console/home.html", context)


def agent_of(request: HttpRequest) -> User:
    user = request.user
    if not user.is_authenticated or not user.reads_library:
        raise PermissionDenied("话术台只对客服开放。")
    return user


def _preview(request: HttpRequest, *, user: User, asked: forms.Asked) -> HttpResponse:
    chosen = _one(asked.entry, user=user)
    if chosen is None:
        raise Http404("这条话术已下线。")
    return render(request, "console/preview.html", {"chosen": chosen})


def _listing(asked: forms.Asked, *, user: User) -> Listing:
    """What `asked` finds; without words the latest entries, 404 past the end."""
    start = (asked.page - 1) * PAGE
    if asked.words:
        found = search.search(
            asked.words, user=user, category=asked.category, offset=start, limit=PAGE
        )
        near = () if start else found.near
        rows = _rows([hit.entry for hit in found.hits or near], user=user)
        listing = Listing(
            rows, found.total, found.terms, found.degraded, bool(near), found.meant
        )
    else:
        latest = _latest(asked.category, user=user)
        listing = Listing(
            _rows(latest[start : start + PAGE], user=user), latest.count()
        )
    if start and not listing.rows:
        raise Http404("没有这一页。")
    return listing


def _latest(category: Category | None, *, user: User) -> QuerySet[Entry]:
    entries = Entry.objects.published_to(user).select_related("category")
    if category is None:
        return entries
    below = category.descendants(include_self=True)
    return entries.filter(category__in=[node.pk for node in below])


def _rows(entries: Sequence[Entry] | QuerySet[Entry], *, user: User) -> list[Row]:
    listed = list(entries)
    prefetch_related_objects(listed, replies_for(user))
    return [Row(entry, _variants(entry)) for entry in listed]


def _variants(entry: Entry) -> list[Reply]:
    """Return the replies of `entry`, or its public answer as plain text."""
    written = list(entry.replies.all())
    if written or not entry.answer:
        return written
    return [Reply(label="FAQ 答案", body=markdown.plain(entry.answer_html))]


def _chosen(
    asked: forms.Asked, listing: Listing, *, user: User
) -> tuple[Row | None, bool]:
    """Return the row to preview, and whether the one asked for is gone."""
    first = listing.rows[0] if listing.rows else None
    if asked.entry is None:
        return first, False
    listed = (row for row in listing.rows if row.entry.pk == asked.entry)
    chosen = next(listed, None) or _one(asked.entry, user=user)
    return chosen or first, chosen is None


def _one(pk: int | None, *, user: User) -> Row | None:
    if pk is None:
        return None
    live = Entry.objects.published_to(user).select_related("category")
    return next(iter(_rows(live.filter(pk=pk), user=user)), None)


def _next_page(asked: forms.Asked, listing: Listing) -> int | None:
    return asked.page + 1 if asked.page * PAGE < listing.total else None


def _categories(user: User) -> list[Category]:
    """Return the tree in order, without branches that hold nothing to send."""
    live_entries = Entry.objects.published_to(user).order_by()
    used = set(live_entries.values_list("category_id", flat=True).distinct())
    tree = list(Category.objects.with_tree_fields())
    live = {pk for node in tree if node.pk in used for pk in node.tree_path}
    return [node for node in tree if node.pk in live]
