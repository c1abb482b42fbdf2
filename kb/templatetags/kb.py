"""Filters and tags for templates of every door: site, times and highlighting."""

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

from kb.models import Site
from kb.publishing import sites
from kb.text.markup import highlight
from kb.text.markup.passage import find_best_passage

register = template.Library()
SECONDS_PER_MINUTE, SECONDS_PER_HOUR = 60, 3600
DAYS_PER_WEEK = 7


@register.simple_tag(takes_context=True)
def get_current_site(context: Mapping[str, Any]) -> Site:
    """Return the site of the page; str() of it is its name."""
    request = context.get("request")  # the error pages have none
    return Site() if request is None else sites.get_request_site(request)


@register.filter
def format_time_ago(moment: datetime) -> str:
    """Return a past time relative to now, such as 3 分钟前 or 昨天."""
    now, then = timezone.localtime(), timezone.localtime(moment)
    seconds = int((now - then).total_seconds())
    days = (now.date() - then.date()).days
    if seconds < SECONDS_PER_MINUTE:
        return _("刚刚")
    if seconds < SECONDS_PER_HOUR:
        n = seconds // SECONDS_PER_MINUTE
        return ngettext("%(n)d 分钟前", "%(n)d 分钟前", n) % {"n": n}
    if days == 0:
        n = seconds // SECONDS_PER_HOUR
        return ngettext("%(n)d 小时前", "%(n)d 小时前", n) % {"n": n}
    if days == 1:
        return _("昨天")
    if days < DAYS_PER_WEEK:
        return ngettext("%(n)d 天前", "%(n)d 天前", days) % {"n": days}
    same = then.year == now.year
    return date_format(then, _("n 月 j 日") if same else _("Y 年 n 月 j 日"))


@register.filter
def render_time(moment: datetime) -> SafeString:
    """Return a <time> relative to now, with the exact time as its title."""
    exact = timezone.localtime(moment)
    return format_html(
        '<time datetime="{}" title="{}">{}</time>',
        exact.isoformat(timespec="seconds"),
        exact.strftime("%Y-%m-%d %H:%M"),
        format_time_ago(moment),
    )


@register.filter
def highlight_terms(text: str, terms: Iterable[str]) -> SafeString:
    """Return `text` escaped, with <mark> around `terms`."""
    return highlight.highlight_terms(text, terms)


@register.filter
def highlight_spans(text: str, spans: Iterable[tuple[int, int]]) -> SafeString:
    """Return `text` escaped, with <mark> around `spans`: start and end in characters."""
    return highlight.highlight_spans(text, spans)


@register.filter
def highlight_passage(text: str, terms: Iterable[str]) -> SafeString:
    """Return the passage of `text` with most of `terms`, which are marked."""
    passage = find_best_passage(text, terms)
    return highlight.highlight_spans(passage.text, passage.marks)
