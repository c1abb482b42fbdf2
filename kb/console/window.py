"""The console as a window of its own: installed, or beside any page by a bookmark."""

from __future__ import annotations

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.templatetags.static import static
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from kb import sites
from kb.console.forms import LONGEST
from kb.console.views import agent_of

# Opens the console with what is selected; clicked again, in the same window.
BOOKMARK = (
    "javascript:void window.open('{}?q='+encodeURIComponent(String("
    "window.getSelection()).replace(/\\s+/g,' ').trim().slice(0,{})),"
    "'kb-console','popup,width=420,height=760')"
)


@never_cache
@login_required
@require_safe
def install(request: HttpRequest) -> HttpResponse:
    """Show how to have the console at hand."""
    agent_of(request)
    address = request.build_absolute_uri(reverse("console:home"))
    context = {"bookmark": BOOKMARK.format(address, LONGEST)}
    return render(request, "console/install/page.html", context)


@never_cache
@login_required
@require_safe
def manifest(request: HttpRequest) -> HttpResponse:
    """Tell a browser how to install the console; it keeps nothing to show offline."""
    agent_of(request)
    home = reverse("console:home")
    told = {
        "name": f"话术台 · {sites.of(request)}",
        "short_name": "话术台",
        "lang": "zh-Hans",
        "id": home,
        "start_url": home,
        "scope": home,
        "display": "standalone",
        "background_color": "#f7f7f5",
        "theme_color": "#2a56ac",
        "icons": [
            _icon("icon-192.png", 192, "any"),
            _icon("icon-512.png", 512, "any"),
            _icon("icon-maskable-512.png", 512, "maskable"),
        ],
    }
    return JsonResponse(told, content_type="application/manifest+json")


def _icon(name: str, size: int, purpose: str) -> dict[str, str]:
    return {
        "src": static(f"console/{name}"),
        "sizes": f"{size}x{size}",
        "type": "image/png",
        "purpose": purpose,
    }
