"""The agents' console: one address, whole or in the parts that a keystroke changes."""

from __future__ import annotations

from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from kb.accounts import preferences
from kb.library import replies
from kb.models import Category, Channel, CustomerSegment, Entry, Tag, User
from kb.web.console import forms
from kb.web.console.entry_list import (
    ENTRIES_PER_PAGE,
    EntryList,
    EntryRow,
    get_entry_row,
    list_entries,
)
from kb.web.console.own_replies import OwnReplyRow, get_own_reply


@never_cache
@login_required
@require_safe
def show_console(request: HttpRequest) -> HttpResponse:
    """Show the console; with ?fragment= only its results or one preview."""
    user = get_agent(request)
    manner = preferences.get_agent_profile(user)
    site = request.build_absolute_uri("/")
    asked = forms.parse_console_request(request.GET, channel=manner.channel, site=site)
    if asked.fragment == "preview":
        return _show_preview(request, user=user, asked=asked)
    made = list_entries(asked, user=user)
    chosen, gone = _choose_row(asked, made, user=user)
    context = {"asked": asked, "listing": made, "chosen": chosen, "gone": gone}
    context |= {"next_page": _get_next_page(asked, made), "own": manner.blank_values}
    context["changes"] = replies.find_changes_since_copied(
        chosen.variants if chosen else (), user=user
    )
    if asked.fragment:
        return render(request, "console/home/_results.html", context)
    context |= {
        "categories": _list_sendable_categories(user),
        "tags": _list_used_tags(user),
        "manner": manner,
    }
    context |= {"scopes": Entry.Audience.choices, "channels": Channel.choices}
    context["segments"] = CustomerSegment.objects.all()
    return render(request, "console/home/page.html", context)


def get_agent(request: HttpRequest) -> User:
    user = request.user
    if not user.is_authenticated or not user.can_read_library:
        raise PermissionDenied("话术台只对客服开放。")
    return user


def _show_preview(
    request: HttpRequest, *, user: User, asked: forms.ConsoleRequest
) -> HttpResponse:
    chosen = get_own_reply(asked, user=user) or get_entry_row(
        asked.entry_id, asked, user=user
    )
    if chosen is None:
        raise Http404("这条话术已下线。")
    changes = replies.find_changes_since_copied(chosen.variants, user=user)
    own = preferences.get_profile_texts(user)
    context = {"asked": asked, "chosen": chosen, "own": own, "changes": changes}
    return render(request, chosen.preview_template, context)


def _choose_row(
    asked: forms.ConsoleRequest, made: EntryList, *, user: User
) -> tuple[EntryRow | OwnReplyRow | None, bool]:
    """Return the row to preview, and whether the one asked for is gone."""
    shown: list[EntryRow | OwnReplyRow] = [*made.own_replies, *made.rows]
    first = next(iter(shown), None)
    if asked.own_reply_id:
        own = get_own_reply(asked, user=user)
        return own or first, own is None
    if asked.entry_id is None:
        return first, False
    listed = (row for row in made.rows if row.entry.pk == asked.entry_id)
    chosen = next(listed, None) or get_entry_row(asked.entry_id, asked, user=user)
    return chosen or first, chosen is None


def _get_next_page(asked: forms.ConsoleRequest, made: EntryList) -> int | None:
    return asked.page + 1 if asked.page * ENTRIES_PER_PAGE < made.total else None


def _list_sendable_categories(user: User) -> list[Category]:
    """Return the tree in order, without branches that hold nothing to send."""
    live_entries = Entry.objects.published_to(user).order_by()
    used = set(live_entries.values_list("category_id", flat=True).distinct())
    tree = list(Category.objects.with_tree_fields())
    live = {pk for node in tree if node.pk in used for pk in node.tree_path}
    return [node for node in tree if node.pk in live]


def _list_used_tags(user: User) -> list[Tag]:
    """Return the tags that something readable has."""
    live = Entry.objects.published_to(user).order_by()
    return list(Tag.objects.filter(entries__in=live).distinct())
