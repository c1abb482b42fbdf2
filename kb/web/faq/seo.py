"""What search engines and chat tools are told of a page; data, escaped, never code."""

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

MAX_DESCRIPTION_CHARS = 160  # characters of a description
# As Django's json_script: no tag can begin or end inside of the data.
_JSON_ESCAPES = {c: f"\\u{ord(c):04X}" for c in "<>&\u2028\u2029"}
_PICTURE_TAG = re.compile(r'<img src="(/media/[^"]+)"')


@dataclass(frozen=True, slots=True)
class PageMeta:
    """What `faq/_head.html` writes; `listed` tells whether engines may list the page."""

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
    told = _("%(site)s：搜索常见问题，自己就能找到答案。") % {"site": name}
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
    return _make_page_meta(request, name, told, [website], path=path)


def describe_category_page(
    request: HttpRequest,
    here: models.Category,
    above: Sequence[models.Category],
    page: Page[models.Entry],
) -> PageMeta:
    questions = _("、").join(entry.question for entry in list(page)[:5])
    told = _("“%(name)s”的常见问题：%(questions)s") % {
        "name": here.name,
        "questions": questions,
    }
    path = f"{here.get_absolute_url()}"
    if page.number > 1:
        path += f"?page={page.number}"
    crumbs = _make_breadcrumbs(_get_origin(request), [*above, here])
    return _make_page_meta(request, here.name, told, [crumbs], path=path)


def describe_entry_page(
    request: HttpRequest, shown: models.Entry, path: Sequence[models.Category]
) -> PageMeta:
    """Tell of an entry; of one that is not for everybody, nothing."""
    public = shown.audience == models.Entry.Audience.PUBLIC
    if not (public and shown.status == models.Entry.Status.PUBLISHED):
        return PageMeta(shown.question, "", "", is_listed=False)
    origin, where = _get_origin(request), shown.get_absolute_url()
    picture = _PICTURE_TAG.search(shown.answer_html)
    question = {
        "@type": "Question",
        "name": shown.question,
        "acceptedAnswer": {"@type": "Answer", "text": shown.answer_text},
    }
    faq = {
        "@type": "FAQPage",
        "url": _make_canonical_url(origin, where),
        "inLanguage": _get_content_language(),
        "dateModified": shown.updated_at.isoformat(timespec="seconds"),
        "mainEntity": [question],
    }
    crumbs = _make_breadcrumbs(origin, path, shown)
    return _make_page_meta(
        request,
        shown.question,
        shown.excerpt,
        [faq, crumbs],
        path=where,
        picture=picture[1] if picture else "",
    )


def _make_page_meta(
    request: HttpRequest,
    title: str,
    told: str,
    graph: Sequence[dict[str, Any]],
    *,
    path: str,
    picture: str = "",
) -> PageMeta:
    origin, icon = _get_origin(request), static("base/touch-icon.png")
    return PageMeta(
        title=title,
        description=shorten_text(told, MAX_DESCRIPTION_CHARS),
        url=_make_canonical_url(origin, path),
        og_type="article" if picture or path.find("/q/") >= 0 else "website",
        image=request.build_absolute_uri(picture or icon),
        alternates=tuple(_iter_alternate_urls(origin, path)),
        structured_data=_render_structured_data(graph),
        locale=locale_prefix.OPEN_GRAPH_LOCALES[locale_prefix.get_page_locale()],
    )


def _get_origin(request: HttpRequest) -> str:
    """Return what stands before every path: ten addresses a page are made of it."""
    return f"{request.scheme}://{request.get_host()}"


def _make_canonical_url(origin: str, path: str) -> str:
    """Return the address to list; an English frame around 简体 is no page of its own."""
    if locale_prefix.get_page_locale() == locale_prefix.LOCALE_ENGLISH:
        path = dict(locale_prefix.list_locale_paths(path))[
            locale_prefix.LOCALE_SIMPLIFIED
        ]
    return f"{origin}{path}"


def _iter_alternate_urls(origin: str, path: str) -> Iterator[tuple[str, str]]:
    """Yield (hreflang, address) of the two scripts that there are."""
    found = dict(locale_prefix.list_locale_paths(path))
    for code in (locale_prefix.LOCALE_SIMPLIFIED, locale_prefix.LOCALE_TRADITIONAL):
        yield locale_prefix.LANGUAGE_TAGS[code], f"{origin}{found[code]}"
    yield "x-default", f"{origin}{found[locale_prefix.LOCALE_SIMPLIFIED]}"


def _make_breadcrumbs(
    origin: str,
    path: Iterable[models.Category],
    last: models.Entry | None = None,
) -> dict[str, Any]:
    steps = [(_("首页"), reverse("faq:home"))]
    steps += [(one.name, one.get_absolute_url()) for one in path]
    if last is not None:
        steps.append((last.question, last.get_absolute_url()))
    return {
        "@type": "BreadcrumbList",
        "itemListElement": [
            {
                "@type": "ListItem",
                "position": number,
                "name": name,
                "item": _make_canonical_url(origin, where),
            }
            for number, (name, where) in enumerate(steps, 1)
        ],
    }


def _render_structured_data(graph: Sequence[dict[str, Any]]) -> SafeString:
    """Return a block of data; scripts of this type are not run, so the policy stands."""
    told = {"@context": "https://schema.org", "@graph": graph}
    text = json.dumps(told, ensure_ascii=False)
    for letter, escape in _JSON_ESCAPES.items():
        text = text.replace(letter, escape)
    data = mark_safe(text)  # noqa: S308  (no < is left in it)
    return format_html('<script type="application/ld+json">{}</script>', data)


def _get_content_language() -> str:
    return locale_prefix.LANGUAGE_TAGS[
        locale_prefix.LOCALE_TRADITIONAL
        if locale_prefix.is_traditional_page()
        else locale_prefix.LOCALE_SIMPLIFIED
    ]
