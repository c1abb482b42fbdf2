"""The console as an installed web app, or in a small window by a bookmarklet."""

from __future__ import annotations

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.templatetags.static import static
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from kb.publishing import sites
from kb.web.console.forms import MAX_CONSOLE_QUERY_CHARS
from kb.web.console.views import get_agent

# Opens the console with the selected text as its search, always in the same window.
BOOKMARKLET_TEMPLATE = (
    "javascript:void window.open('{}?q='+encodeURIComponent(String("
    "window.getSelection()).replace(/\\s+/g,' ').trim().slice(0,{})),"
    "'kb-console','popup,width=420,height=760')"
)


@never_cache
@login_required
@require_safe
def show_install_page(request: HttpRequest) -> HttpResponse:
    """Show how to install the console or add the bookmarklet."""
    get_agent(request)
    url = request.build_absolute_uri(reverse("console:home"))
    bookmarklet = BOOKMARKLET_TEMPLATE.format(url, MAX_CONSOLE_QUERY_CHARS)
    return render(request, "console/install/page.html", {"bookmarklet": bookmarklet})


@never_cache
@login_required
@require_safe
def serve_manifest(request: HttpRequest) -> HttpResponse:
    """Return the web app manifest. There is no service worker: nothing works offline."""
    get_agent(request)
    home = reverse("console:home")
    manifest = {
        "name": f"话术台 · {sites.get_request_site(request)}",
        "short_name": "话术台",
        "lang": "zh-Hans",
        "id": home,
        "start_url": home,
        "scope": home,
        "display": "standalone",
        "background_color": "#f7f7f5",
        "theme_color": "#2a56ac",
        "icons": [
            _describe_icon("icon-192.png", 192, "any"),
            _describe_icon("icon-512.png", 512, "any"),
            _describe_icon("icon-maskable-512.png", 512, "maskable"),
        ],
    }
    return JsonResponse(manifest, content_type="application/manifest+json")


def _describe_icon(name: str, size: int, purpose: str) -> dict[str, str]:
    return {
        "src": static(f"console/{name}"),
        "sizes": f"{size}x{size}",
        "type": "image/png",
        "purpose": purpose,
    }
