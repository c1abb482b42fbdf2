"""What templates of every door ask for."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from django import template
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from kb import sites
from kb.models import Site
from kb.text import highlight
from kb.text.passage import best

register = template.Library()
MINUTE, HOUR = 60, 3600  # seconds
WEEK = 7  # days


@register.simple_tag(takes_context=True)
def site_here(context: Mapping[str, Any]) -> Site:
    """Return the site that the page is for; as text it is its name."""
    request = context.get("request")  # the page of a fault has none
    return Site() if request is None else sites.of(request)


@register.filter
def ago(moment: datetime) -> str:
    """Return when `moment` was, as people say it."""
    now, then = timezone.localtime(), timezone.localtime(moment)
    seconds = int((now - then).total_seconds())
    days = (now.date() - then.date()).days
    if seconds < MINUTE:
        return _("刚刚")
    if seconds < HOUR:
        n = seconds // MINUTE
        return ngettext("%(n)d 分钟前", "%(n)d 分钟前", n) % {"n": n}
    if days == 0:
        n = seconds // HOUR
        return ngettext("%(n)d 小时前", "%(n)d 小时前", n) % {"n": n}
    if days == 1:
        return _("昨天")
    if days < WEEK:
        return ngettext("%(n)d 天前", "%(n)d 天前", days) % {"n": days}
    same = then.year == now.year
    return date_format(then, _("n 月 j 日") if same else _("Y 年 n 月 j 日"))


@register.filter
def when(moment: datetime) -> SafeString:
    """Return `moment` as a <time>: human to read, exact on hover."""
    exact = timezone.localtime(moment)
    return format_html(
        '<time datetime="{}" title="{}">{}</time>',
        exact.isoformat(timespec="seconds"),
        exact.strftime("%Y-%m-%d %H:%M"),
        ago(moment),
    )


@register.filter
def marked(text: str, terms: Iterable[str]) -> SafeString:
    """Return `text` escaped, with <mark> around the terms that were found."""
    return highlight.mark(text, terms)


@register.filter
def marked_at(text: str, stretches: Iterable[tuple[int, int]]) -> SafeString:
    """Return `text` escaped, with <mark> around `stretches` (start, end) of it."""
    return highlight.wrap(text, stretches)


@register.filter
def passage(text: str, terms: Iterable[str]) -> SafeString:
    """Return the passage of `text` that tells most of `terms`, these marked."""
    found = best(text, terms)
    return highlight.wrap(found.text, found.marks)
