"""What public pages ask for besides: their script, their day, the way to the others."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date, datetime
from functools import lru_cache
from typing import Any
from urllib.parse import quote

from django import template
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from kb import scripts
from kb.models import Entry
from kb.models.address import address
from kb.shelves import Shelf
from kb.templatetags.kb import WEEK

register = template.Library()


@register.filter
def said(text: object) -> str:
    """Return `text`, written in 简体, in the script of the page."""
    return scripts.say(str(text))


@register.simple_tag
def page_lang() -> str:
    """Return the language of the frame, for <html lang>."""
    return scripts.TAGS[scripts.current()]


@register.simple_tag
def content_lang() -> SafeString | str:
    """Return the attribute that tells that what stands inside is Chinese."""
    if scripts.current() != scripts.ENGLISH:
        return ""
    return format_html(' lang="{}"', scripts.TAGS[scripts.HANS])


@register.simple_tag(takes_context=True)
def in_scripts(context: Mapping[str, Any]) -> list[dict[str, str | bool]]:
    """Return this page in every script, the place on it kept by its anchor."""
    request = context.get("request")
    if request is None:
        return []
    query = request.GET.urlencode()
    here = scripts.current()
    return [
        {
            "name": scripts.NAMES[code],
            "lang": scripts.TAGS[code],
            "url": f"{path}?{query}" if query else path,
            "here": code == here,
        }
        for code, path in scripts.addresses(quote(request.path))
    ]


@register.filter
def shelf_links(shelves: Iterable[Shelf]) -> SafeString:
    """Return the items of a list of shelves: a home page has fifty of them."""
    rows = ((one.url, one.name, one.count) for one in shelves)
    item = '<li><a href="{}">{} <span class="number">{}</span></a></li>'
    return format_html_join("", item, rows)


@register.filter
def entry_links(entries: Iterable[Entry]) -> SafeString:
    """Return the items of a list of entries for everybody: most pages end with one."""
    rows = ((one.get_absolute_url(), one.question) for one in entries)
    return format_html_join("", '<li><a href="{}">{}</a></li>', rows)


@register.filter
def of(pk: int, name: str) -> str:
    """Return the address `name` of the row `pk`, as {% url %} does, from memory."""
    return address(name, pk)


@register.filter
def day(moment: datetime) -> SafeString:
    """Return `moment` as a <time> that stays right for a day, as copies of pages do."""
    exact = timezone.localtime(moment)
    return format_html(
        '<time datetime="{}" title="{}">{}</time>',
        exact.isoformat(timespec="seconds"),
        exact.strftime("%Y-%m-%d %H:%M"),
        _day(exact.date(), timezone.localdate(), scripts.current()),
    )


@lru_cache(maxsize=1000)
def _day(then: date, today: date, _script: str) -> str:
    days = (today - then).days
    if days <= 0:
        return _("今天")
    if days == 1:
        return _("昨天")
    if days < WEEK:
        return ngettext("%(n)d 天前", "%(n)d 天前", days) % {"n": days}
    same = then.year == today.year
    return date_format(then, _("n 月 j 日") if same else _("Y 年 n 月 j 日"))
