"""Running notices, for the pages of every door: by what was asked, or all at home."""

from __future__ import annotations

from django import template
from django.contrib.auth.models import AnonymousUser
from django.utils.safestring import SafeString, mark_safe

from kb.models import Announcement, Entry
from kb.publishing import announcements, edition

register = template.Library()


@register.filter
def render_announcement(incident: Announcement) -> SafeString:
    """Return the HTML of what `incident` says, in the script of the page."""
    return mark_safe(announcements.render_announcement(incident))  # noqa: S308  (made by kb.text.markdown)


@register.simple_tag(takes_context=True)
def list_announcements(
    context: template.Context, *words: str, entry: Entry | None = None
) -> list[announcements.RunningAnnouncement]:
    """Return what runs for whoever reads the page.

    What a page does not know is the empty string, as everywhere in a template.
    """
    user, request = context.get("user") or AnonymousUser(), context.get("request")
    if request and not (
        user.is_authenticated
        or edition.get_request_edition(request).running_announcements
    ):
        return []  # as the page's stamp has told already
    said = " ".join(filter(None, words))
    return announcements.list_running_announcements(
        user, words=said, entry=entry or None
    )
