"""Serve the pictures of entries: no login, cached by browsers for a year."""

from __future__ import annotations

import logging

from csp.constants import NONE
from csp.decorators import csp_replace
from django.core.files.storage import default_storage
from django.http import FileResponse, Http404, HttpRequest
from django.views.decorators.http import etag, require_safe

from kb.library import pictures

logger = logging.getLogger(__name__)
PICTURE_MAX_AGE_SECONDS = 365 * 24 * 3600  # seconds


def _make_picture_etag(request: HttpRequest, name: str) -> str:
    return f'"{name}"'  # the name changes with the content


@require_safe
@etag(_make_picture_etag)
@csp_replace({"default-src": [NONE], "sandbox": True})  # type: ignore[arg-type]
def serve_picture(request: HttpRequest, name: str) -> FileResponse:
    """Return the file `name`, without a look at session or database.

    A proxy may serve the folder at the same address instead. 404 for a file that a
    full disk has cut short: browsers would keep the damaged picture for a year.
    """
    try:
        file = default_storage.open(name)
        head = file.read(pictures.RIFF_HEADER_BYTES)
        file.seek(0)
        is_whole = pictures.is_webp_complete(head, file.size)
    except OSError:
        raise Http404 from None
    if not is_whole:
        file.close()
        logger.error("the picture %s is damaged: upload it again", name)
        raise Http404
    response = FileResponse(file, content_type="image/webp", filename=name)
    response.headers["Cache-Control"] = (
        f"public, max-age={PICTURE_MAX_AGE_SECONDS}, immutable"
    )
    return response
