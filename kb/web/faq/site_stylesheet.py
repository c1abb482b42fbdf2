"""The colours of a site as a stylesheet: the CSP forbids styles within a page."""

from __future__ import annotations

from collections.abc import Mapping

from django.http import HttpRequest, HttpResponse
from django.utils.cache import patch_cache_control
from django.views.decorators.http import conditional_page, require_safe

from kb.publishing import sites
from kb.text import colour

STYLESHEET_MAX_AGE_SECONDS = 31_536_000  # a year


@require_safe
@conditional_page
def serve_site_stylesheet(request: HttpRequest) -> HttpResponse:
    """Return the site's tokens; browsers keep them a year if ?v= is the current stamp."""
    site = sites.get_request_site(request)
    response = HttpResponse(
        _make_site_css(site.accent), content_type="text/css; charset=utf-8"
    )
    if request.GET.get("v") == site.cache_stamp:
        patch_cache_control(
            response, public=True, max_age=STYLESHEET_MAX_AGE_SECONDS, immutable=True
        )
    else:
        patch_cache_control(response, no_cache=True)
    return response


def _make_site_css(accent: str) -> str:
    if not accent:
        return "/* the default colours */\n"
    light, dark = map(_format_root_rule, colour.build_accent_tokens(accent))
    return f"{light}@media screen and (prefers-color-scheme: dark) {{\n{dark}}}\n"


def _format_root_rule(tokens: Mapping[str, str]) -> str:
    declarations = "".join(f"--{name}: {value}; " for name, value in tokens.items())
    return f":root {{ {declarations}}}\n"
