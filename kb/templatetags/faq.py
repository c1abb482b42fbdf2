"""What public pages ask for besides: their script, their day, the way to the others."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from urllib.parse import quote

from django import template
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from kb import scripts
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
    return [
        {
            "name": scripts.NAMES[code],
            "lang": scripts.TAGS[code],
            "url": f"{quote(path)}?{query}" if query else quote(path),
            "here": code == scripts.current(),
        }
        for code, path in scripts.addresses(request.path)
    ]


@register.filter
def day(moment: datetime) -> SafeString:
    """Return `moment` as a <time> that stays right for a day, as copies of pages do."""
    exact = timezone.localtime(moment)
    return format_html(
        '<time datetime="{}" title="{}">{}</time>',
        exact.isoformat(timespec="seconds"),
        exact.strftime("%Y-%m-%d %H:%M"),
        _day(exact),
    )


def _day(then: datetime) -> str:
    today = timezone.localdate()
    days = (today - then.date()).days
    if days <= 0:
        return _("今天")
    if days == 1:
        return _("昨天")
    if days < WEEK:
        return ngettext("%(n)d 天前", "%(n)d 天前", days) % {"n": days}
    same = then.year == today.year
    return date_format(then, _("n 月 j 日") if same else _("Y 年 n 月 j 日"))
