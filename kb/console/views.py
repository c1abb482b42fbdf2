"""The agents' console: one address, whole or in the parts that a keystroke changes."""

from __future__ import annotations

from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from kb import agents, replies
from kb.console import forms
from kb.console.kept import Kept, one_kept
from kb.console.listing import PAGE, Listing, Row, listing, one
from kb.models import Category, Channel, Entry, Segment, Tag, User


@never_cache
@login_required
@require_safe
def home(request: HttpRequest) -> HttpResponse:
    """Show the console; with ?fragment= only its results or one preview."""
    user = agent_of(request)
    manner = agents.manner(user)
    site = request.build_absolute_uri("/")
    asked = forms.read(request.GET, channel=manner.channel, site=site)
    if asked.fragment == "preview":
        return _preview(request, user=user, asked=asked)
    made = listing(asked, user=user)
    chosen, gone = _chosen(asked, made, user=user)
    context = {"asked": asked, "listing": made, "chosen": chosen, "gone": gone}
    context |= {"next_page": _next_page(asked, made), "own": manner.own}
    context["changes"] = replies.since(chosen.variants if chosen else (), user=user)
    if asked.fragment:
        return render(request, "console/home/_results.html", context)
    context |= {"categories": _categories(user), "tags": _tags(user), "manner": manner}
    context |= {"scopes": Entry.Audience.choices, "channels": Channel.choices}
    context["segments"] = Segment.objects.all()
    return render(request, "console/home/page.html", context)


def agent_of(request: HttpRequest) -> User:
    user = request.user
    if not user.is_authenticated or not user.reads_library:
        raise PermissionDenied("话术台只对客服开放。")
    return user


def _preview(request: HttpRequest, *, user: User, asked: forms.Asked) -> HttpResponse:
    chosen = one_kept(asked, user=user) or one(asked.entry, asked, user=user)
    if chosen is None:
        raise Http404("这条话术已下线。")
    changes = replies.since(chosen.variants, user=user)
    own = agents.own(user)
    context = {"asked": asked, "chosen": chosen, "own": own, "changes": changes}
    return render(request, chosen.preview, context)


def _chosen(
    asked: forms.Asked, made: Listing, *, user: User
) -> tuple[Row | Kept | None, bool]:
    """Return the row to preview, and whether the one asked for is gone."""
    shown: list[Row | Kept] = [*made.kept, *made.rows]
    first = next(iter(shown), None)
    if asked.kept:
        own = one_kept(asked, user=user)
        return own or first, own is None
    if asked.entry is None:
        return first, False
    listed = (row for row in made.rows if row.entry.pk == asked.entry)
    chosen = next(listed, None) or one(asked.entry, asked, user=user)
    return chosen or first, chosen is None


def _next_page(asked: forms.Asked, made: Listing) -> int | None:
    return asked.page + 1 if asked.page * PAGE < made.total else None


def _categories(user: User) -> list[Category]:
    """Return the tree in order, without branches that hold nothing to send."""
    live_entries = Entry.objects.published_to(user).order_by()
    used = set(live_entries.values_list("category_id", flat=True).distinct())
    tree = list(Category.objects.with_tree_fields())
    live = {pk for node in tree if node.pk in used for pk in node.tree_path}
    return [node for node in tree if node.pk in live]


def _tags(user: User) -> list[Tag]:
    """Return the tags that something readable has."""
    live = Entry.objects.published_to(user).order_by()
    return list(Tag.objects.filter(entries__in=live).distinct())
