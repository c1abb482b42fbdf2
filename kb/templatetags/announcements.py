"""The running announcements, for templates of every door."""

from __future__ import annotations

from django import template
from django.contrib.auth.models import AnonymousUser
from django.utils.safestring import SafeString, mark_safe

from kb.models import Announcement, Entry
from kb.publishing import announcements, edition

register = template.Library()


@register.filter
def render_announcement(announcement: Announcement) -> SafeString:
    """Return the body as HTML in the script of the page."""
    html = announcements.render_announcement(announcement)
    return mark_safe(html)  # noqa: S308  (made by kb.text.markup.markdown)


@register.simple_tag(takes_context=True)
def list_announcements(
    context: template.Context, *words: str, entry: Entry | None = None
) -> list[announcements.RunningAnnouncement]:
    """Return the announcements for the reader, for `words` or `entry` if given.

    A variable that the page does not have is the empty string in a template.
    """
    user, request = context.get("user") or AnonymousUser(), context.get("request")
    if request and not (
        user.is_authenticated
        or edition.get_request_edition(request).running_announcements
    ):
        return []  # the edition's stamp counts the public ones: no query is needed
    return announcements.list_running_announcements(
        user, words=" ".join(filter(None, words)), entry=entry or None
    )
