"""Pictures as files: read by everybody who has the name, kept for a year."""

from __future__ import annotations

from csp.constants import NONE
from csp.decorators import csp_replace
from django.core.files.storage import default_storage
from django.http import FileResponse, Http404, HttpRequest
from django.views.decorators.http import etag, require_safe

YEAR = 365 * 24 * 3600  # seconds


def _etag(request: HttpRequest, name: str) -> str:
    return f'"{name}"'  # the name changes with the content


@require_safe
@etag(_etag)
@csp_replace({"default-src": [NONE], "sandbox": True})  # type: ignore[arg-type]
def picture(request: HttpRequest, name: str) -> FileResponse:
    """Answer with the file itself; no account, no cookie, no database.

    A proxy may serve the folder under the same address instead.
    """
    try:
        file = default_storage.open(name)
    except OSError:
        raise Http404 from None
    response = FileResponse(file, content_type="image/webp", filename=name)
    response.headers["Cache-Control"] = f"public, max-age={YEAR}, immutable"
    return response
