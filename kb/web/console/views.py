"""The page of the agents' console, whole or as the fragments that scripts fetch."""

from __future__ import annotations

from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from kb.accounts import preferences
from kb.library import replies, taxonomy
from kb.models import Channel, Entry, User
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
    """Show the console; with ?fragment= only the results or one preview."""
    user = get_agent(request)
    profile = preferences.get_agent_profile(user)
    site_url = request.build_absolute_uri("/")
    console_request = forms.parse_console_request(
        request.GET, channel=profile.channel, site=site_url
    )
    if console_request.fragment == "preview":
        return _show_preview(request, console_request, user=user)
    listing = list_entries(console_request, user=user)
    chosen, is_gone = _choose_row(console_request, listing, user=user)
    context = {
        "console_request": console_request,
        "listing": listing,
        "chosen": chosen,
        "is_gone": is_gone,
        "next_page": _get_next_page(console_request, listing),
        "blank_values": profile.blank_values,
        "changes": replies.find_changes_since_copied(
            chosen.variants if chosen else (), user=user
        ),
    }
    if console_request.fragment:
        return render(request, "console/home/_results.html", context)
    context |= {
        "categories": taxonomy.list_nonempty_categories(user),
        "tags": taxonomy.list_used_tags(user),
        "profile": profile,
        "audiences": Entry.Audience.choices,
        "channels": Channel.choices,
        "segments": taxonomy.query_customer_segments(),
    }
    return render(request, "console/home/page.html", context)


def get_agent(request: HttpRequest) -> User:
    """Return the logged-in user; raises PermissionDenied if they are no agent."""
    user = request.user
    if not user.is_authenticated or not user.can_read_library:
        raise PermissionDenied("话术台只对客服开放。")
    return user


def _show_preview(
    request: HttpRequest, console_request: forms.ConsoleRequest, *, user: User
) -> HttpResponse:
    chosen = get_own_reply(console_request, user=user) or get_entry_row(
        console_request.entry_id, console_request, user=user
    )
    if chosen is None:
        raise Http404("这条话术已下线。")
    context = {
        "console_request": console_request,
        "chosen": chosen,
        "blank_values": preferences.get_profile_texts(user),
        "changes": replies.find_changes_since_copied(chosen.variants, user=user),
    }
    return render(request, chosen.preview_template, context)


def _choose_row(
    console_request: forms.ConsoleRequest, listing: EntryList, *, user: User
) -> tuple[EntryRow | OwnReplyRow | None, bool]:
    """Return the row to preview, and whether the requested one is gone.

    The first row, where none was requested or the requested one is gone.
    """
    rows: list[EntryRow | OwnReplyRow] = [*listing.own_replies, *listing.rows]
    first = next(iter(rows), None)
    if console_request.own_reply_id:
        own_row = get_own_reply(console_request, user=user)
        return own_row or first, own_row is None
    entry_id = console_request.entry_id
    if entry_id is None:
        return first, False
    listed = (row for row in listing.rows if row.entry.pk == entry_id)
    chosen = next(listed, None) or get_entry_row(entry_id, console_request, user=user)
    return chosen or first, chosen is None


def _get_next_page(
    console_request: forms.ConsoleRequest, listing: EntryList
) -> int | None:
    page = console_request.page
    return page + 1 if page * ENTRIES_PER_PAGE < listing.total else None
