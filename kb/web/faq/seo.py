"""Metadata of public pages for search engines and link previews.

Sources: https://schema.org (JSON-LD), https://ogp.me (Open Graph).
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from django.core.paginator import Page
from django.http import HttpRequest
from django.templatetags.static import static
from django.urls import reverse
from django.utils.encoding import iri_to_uri
from django.utils.html import format_html
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext as _

from kb import models
from kb.models.entry import shorten_text
from kb.publishing import locale_prefix, sites

MAX_DESCRIPTION_CHARS = 160
# As in Django's json_script: no tag can begin or end within the data.
_JSON_ESCAPES = {c: f"\\u{ord(c):04X}" for c in "<>&\u2028\u2029"}
_PICTURE_TAG = re.compile(r'<img src="(/media/[^"]+)"')


@dataclass(frozen=True, slots=True)
class PageMeta:
    """The values of `faq/_head.html`.

    `alternates` are pairs of hreflang and URL. A page that is not listed gets
    `noindex` and nothing else.
    """

    title: str
    description: str
    url: str
    og_type: str = "website"
    image: str = ""
    alternates: tuple[tuple[str, str], ...] = ()
    structured_data: SafeString | str = ""
    is_listed: bool = True
    locale: str = "zh_CN"


def describe_home_page(request: HttpRequest) -> PageMeta:
    name = locale_prefix.convert_for_page(str(sites.get_request_site(request)))
    description = _("%(site)s：搜索常见问题，自己就能找到答案。") % {"site": name}
    origin, path = _get_origin(request), iri_to_uri(request.path)
    website = {
        "@type": "WebSite",
        "name": name,
        "url": _make_canonical_url(origin, path),
        "potentialAction": {
            "@type": "SearchAction",
            "target": f"{origin}{reverse('faq:search')}?q={{search_term_string}}",
            "query-input": "required name=search_term_string",
        },
    }
    return _make_page_meta(request, name, description, [website], path=path)


def describe_category_page(
    request: HttpRequest,
    category: models.Category,
    ancestors: Sequence[models.Category],
    page: Page[models.Entry],
) -> PageMeta:
    questions = _("、").join(entry.question for entry in list(page)[:5])
    description = _("“%(name)s”的常见问题：%(questions)s") % {
        "name": category.name,
        "questions": questions,
    }
    path = f"{category.get_absolute_url()}"
    if page.number > 1:
        path += f"?page={page.number}"
    breadcrumbs = _make_breadcrumbs(_get_origin(request), [*ancestors, category])
    return _make_page_meta(
        request, category.name, description, [breadcrumbs], path=path
    )


def describe_entry_page(
    request: HttpRequest, entry: models.Entry, categories: Sequence[models.Category]
) -> PageMeta:
    """Return the metadata of an entry in `categories`, from the top down.

    Only the title, where the entry is internal or not published.
    """
    is_public = entry.audience == models.Entry.Audience.PUBLIC
    if not (is_public and entry.status == models.Entry.Status.PUBLISHED):
        return PageMeta(entry.question, "", "", is_listed=False)
    origin, path = _get_origin(request), entry.get_absolute_url()
    picture = _PICTURE_TAG.search(entry.answer_html)
    question = {
        "@type": "Question",
        "name": entry.question,
        "acceptedAnswer": {"@type": "Answer", "text": entry.answer_text},
    }
    faq_page = {
        "@type": "FAQPage",
        "url": _make_canonical_url(origin, path),
        "inLanguage": _get_content_language(),
        "dateModified": entry.updated_at.isoformat(timespec="seconds"),
        "mainEntity": [question],
    }
    breadcrumbs = _make_breadcrumbs(origin, categories, entry)
    return _make_page_meta(
        request,
        entry.question,
        entry.excerpt,
        [faq_page, breadcrumbs],
        path=path,
        picture=picture[1] if picture else "",
    )


def _make_page_meta(
    request: HttpRequest,
    title: str,
    description: str,
    graph: Sequence[dict[str, Any]],
    *,
    path: str,
    picture: str = "",
) -> PageMeta:
    origin, icon = _get_origin(request), static("base/touch-icon.png")
    return PageMeta(
        title=title,
        description=shorten_text(description, MAX_DESCRIPTION_CHARS),
        url=_make_canonical_url(origin, path),
        og_type="article" if picture or path.find("/q/") >= 0 else "website",
        image=request.build_absolute_uri(picture or icon),
        alternates=tuple(_iter_alternate_urls(origin, path)),
        structured_data=_render_structured_data(graph),
        locale=locale_prefix.OPEN_GRAPH_LOCALES[locale_prefix.get_page_locale()],
    )


def _get_origin(request: HttpRequest) -> str:
    """Return scheme and host. A page has ten URLs; build_absolute_uri is slower."""
    return f"{request.scheme}://{request.get_host()}"


def _make_canonical_url(origin: str, path: str) -> str:
    """Return the URL that search engines should list.

    An English page has the same 简体 content as the 简体 page, so that is listed.
    """
    if locale_prefix.get_page_locale() == locale_prefix.LOCALE_ENGLISH:
        path = dict(locale_prefix.list_locale_paths(path))[
            locale_prefix.LOCALE_SIMPLIFIED
        ]
    return f"{origin}{path}"


def _iter_alternate_urls(origin: str, path: str) -> Iterator[tuple[str, str]]:
    """Yield (hreflang, URL) of the page in 简体 and 繁體."""
    paths = dict(locale_prefix.list_locale_paths(path))
    for code in (locale_prefix.LOCALE_SIMPLIFIED, locale_prefix.LOCALE_TRADITIONAL):
        yield locale_prefix.LANGUAGE_TAGS[code], f"{origin}{paths[code]}"
    yield "x-default", f"{origin}{paths[locale_prefix.LOCALE_SIMPLIFIED]}"


def _make_breadcrumbs(
    origin: str,
    categories: Iterable[models.Category],
    entry: models.Entry | None = None,
) -> dict[str, Any]:
    steps = [(_("首页"), reverse("faq:home"))]
    steps += [(category.name, category.get_absolute_url()) for category in categories]
    if entry is not None:
        steps.append((entry.question, entry.get_absolute_url()))
    return {
        "@type": "BreadcrumbList",
        "itemListElement": [
            {
                "@type": "ListItem",
                "position": number,
                "name": name,
                "item": _make_canonical_url(origin, path),
            }
            for number, (name, path) in enumerate(steps, 1)
        ],
    }


def _render_structured_data(graph: Sequence[dict[str, Any]]) -> SafeString:
    """Return a JSON-LD block. Browsers do not run it, so the CSP needs no exception."""
    document = {"@context": "https://schema.org", "@graph": graph}
    text = json.dumps(document, ensure_ascii=False)
    for character, escape in _JSON_ESCAPES.items():
        text = text.replace(character, escape)
    data = mark_safe(text)  # noqa: S308  (every < is escaped)
    return format_html('<script type="application/ld+json">{}</script>', data)


def _get_content_language() -> str:
    return locale_prefix.LANGUAGE_TAGS[
        locale_prefix.LOCALE_TRADITIONAL
        if locale_prefix.is_traditional_page()
        else locale_prefix.LOCALE_SIMPLIFIED
    ]
