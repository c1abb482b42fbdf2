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

from kb import models, scripts, sites
from kb.models.entry import shorten

LONGEST = 160  # characters of a description
# As Django's json_script: no tag can begin or end inside of the data.
_ESCAPES = {c: f"\\u{ord(c):04X}" for c in "<>&\u2028\u2029"}
_PICTURE = re.compile(r'<img src="(/media/[^"]+)"')


@dataclass(frozen=True, slots=True)
class Meta:
    """What `faq/_head.html` writes; `listed` tells whether engines may list the page."""

    title: str
    description: str
    url: str
    kind: str = "website"
    image: str = ""
    alternates: tuple[tuple[str, str], ...] = ()
    data: SafeString | str = ""
    listed: bool = True
    locale: str = "zh_CN"


def home(request: HttpRequest) -> Meta:
    name = scripts.say(str(sites.of(request)))
    told = _("%(site)s：搜索常见问题，自己就能找到答案。") % {"site": name}
    origin, path = _origin(request), iri_to_uri(request.path)
    website = {
        "@type": "WebSite",
        "name": name,
        "url": _canonical(origin, path),
        "potentialAction": {
            "@type": "SearchAction",
            "target": f"{origin}{reverse('faq:search')}?q={{search_term_string}}",
            "query-input": "required name=search_term_string",
        },
    }
    return _meta(request, name, told, [website], path=path)


def category(
    request: HttpRequest,
    here: models.Category,
    above: Sequence[models.Category],
    page: Page[models.Entry],
) -> Meta:
    questions = _("、").join(entry.question for entry in list(page)[:5])
    told = _("“%(name)s”的常见问题：%(questions)s") % {
        "name": here.name,
        "questions": questions,
    }
    path = f"{here.get_absolute_url()}"
    if page.number > 1:
        path += f"?page={page.number}"
    crumbs = _crumbs(_origin(request), [*above, here])
    return _meta(request, here.name, told, [crumbs], path=path)


def entry(
    request: HttpRequest, shown: models.Entry, path: Sequence[models.Category]
) -> Meta:
    """Tell of an entry; of one that is not for everybody, nothing."""
    public = shown.audience == models.Entry.Audience.PUBLIC
    if not (public and shown.status == models.Entry.Status.PUBLISHED):
        return Meta(shown.question, "", "", listed=False)
    origin, where = _origin(request), shown.get_absolute_url()
    picture = _PICTURE.search(shown.answer_html)
    question = {
        "@type": "Question",
        "name": shown.question,
        "acceptedAnswer": {"@type": "Answer", "text": shown.answer_text},
    }
    faq = {
        "@type": "FAQPage",
        "url": _canonical(origin, where),
        "inLanguage": _content_tag(),
        "dateModified": shown.updated_at.isoformat(timespec="seconds"),
        "mainEntity": [question],
    }
    crumbs = _crumbs(origin, path, shown)
    return _meta(
        request,
        shown.question,
        shown.excerpt,
        [faq, crumbs],
        path=where,
        picture=picture[1] if picture else "",
    )


def _meta(
    request: HttpRequest,
    title: str,
    told: str,
    graph: Sequence[dict[str, Any]],
    *,
    path: str,
    picture: str = "",
) -> Meta:
    origin, icon = _origin(request), static("base/touch-icon.png")
    return Meta(
        title=title,
        description=shorten(told, LONGEST),
        url=_canonical(origin, path),
        kind="article" if picture or path.find("/q/") >= 0 else "website",
        image=request.build_absolute_uri(picture or icon),
        alternates=tuple(_alternates(origin, path)),
        data=_written(graph),
        locale=scripts.LOCALES[scripts.current()],
    )


def _origin(request: HttpRequest) -> str:
    """Return what stands before every path: ten addresses a page are made of it."""
    return f"{request.scheme}://{request.get_host()}"


def _canonical(origin: str, path: str) -> str:
    """Return the address to list; an English frame around 简体 is no page of its own."""
    if scripts.current() == scripts.ENGLISH:
        path = dict(scripts.addresses(path))[scripts.HANS]
    return f"{origin}{path}"


def _alternates(origin: str, path: str) -> Iterator[tuple[str, str]]:
    """Yield (hreflang, address) of the two scripts that there are."""
    found = dict(scripts.addresses(path))
    for code in (scripts.HANS, scripts.HANT):
        yield scripts.TAGS[code], f"{origin}{found[code]}"
    yield "x-default", f"{origin}{found[scripts.HANS]}"


def _crumbs(
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
                "item": _canonical(origin, where),
            }
            for number, (name, where) in enumerate(steps, 1)
        ],
    }


def _written(graph: Sequence[dict[str, Any]]) -> SafeString:
    """Return a block of data; scripts of this type are not run, so the policy stands."""
    told = {"@context": "https://schema.org", "@graph": graph}
    text = json.dumps(told, ensure_ascii=False)
    for letter, escape in _ESCAPES.items():
        text = text.replace(letter, escape)
    data = mark_safe(text)  # noqa: S308  (no < is left in it)
    return format_html('<script type="application/ld+json">{}</script>', data)


def _content_tag() -> str:
    return scripts.TAGS[scripts.HANT if scripts.is_hant() else scripts.HANS]
