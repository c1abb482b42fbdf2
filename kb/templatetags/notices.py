"""Running notices, for the pages of every door: by what was asked, or all at home."""

from __future__ import annotations

from django import template
from django.contrib.auth.models import AnonymousUser
from django.utils.safestring import SafeString, mark_safe

from kb import content, incidents
from kb.models import Entry, Incident

register = template.Library()


@register.filter
def body(incident: Incident) -> SafeString:
    """Return the HTML of what `incident` says, in the script of the page."""
    return mark_safe(incidents.html(incident))  # noqa: S308  (made by kb.text.markdown)


@register.simple_tag(takes_context=True)
def notices(
    context: template.Context, *words: str, entry: Entry | None = None
) -> list[incidents.Notice]:
    """Return what runs for whoever reads the page.

    What a page does not know is the empty string, as everywhere in a template.
    """
    user, request = context.get("user") or AnonymousUser(), context.get("request")
    if request and not (user.is_authenticated or content.of(request).running_notices):
        return []  # as the page's stamp has told already
    said = " ".join(filter(None, words))
    return incidents.running(user, words=said, entry=entry or None)
