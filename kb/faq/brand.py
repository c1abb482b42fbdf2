"""The colours of a site, served as a file: no page may carry a style of its own."""

from __future__ import annotations

from collections.abc import Mapping

from django.http import HttpRequest, HttpResponse
from django.utils.cache import patch_cache_control
from django.views.decorators.http import conditional_page, require_safe

from kb import colour, sites

YEAR = 31_536_000  # seconds


@require_safe
@conditional_page
def stylesheet(request: HttpRequest) -> HttpResponse:
    """Return the tokens that this site sets; a browser keeps what it asked by stamp."""
    site = sites.of(request)
    response = HttpResponse(_css(site.accent), content_type="text/css; charset=utf-8")
    if request.GET.get("v") == site.stamp:
        patch_cache_control(response, public=True, max_age=YEAR, immutable=True)
    else:
        patch_cache_control(response, no_cache=True)
    return response


def _css(accent: str) -> str:
    if not accent:
        return "/* the default colours */\n"
    light, dark = map(_rule, colour.tokens(accent))
    return f"{light}@media screen and (prefers-color-scheme: dark) {{\n{dark}}}\n"


def _rule(tokens: Mapping[str, str]) -> str:
    declared = "".join(f"--{name}: {value}; " for name, value in tokens.items())
    return f":root {{ {declared}}}\n"
