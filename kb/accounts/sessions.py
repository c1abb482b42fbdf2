"""Sessions that are renewed while they are used, and end SESSION_COOKIE_AGE later."""

from __future__ import annotations

import logging
import time
from typing import Any

from django.conf import settings
from django.contrib.auth import SESSION_KEY
from django.contrib.auth.signals import user_logged_in
from django.contrib.sessions.exceptions import SessionInterrupted
from django.contrib.sessions.middleware import SessionMiddleware
from django.db import DatabaseError
from django.dispatch import receiver
from django.http import HttpRequest, HttpResponse

RENEWED_AT_KEY = "renewed_at"  # key in the session: seconds since the epoch
# Time between two renewals, so that a GET seldom writes: an hour of eight.
RENEWAL_SECONDS = min(3600, settings.SESSION_COOKIE_AGE // 8)
logger = logging.getLogger(__name__)


class SlidingSessionMiddleware(SessionMiddleware):
    """Extends a session that is in use, at most once in RENEWAL_SECONDS.

    So a session of 8 hours ends 7 to 8 hours after its last use. Only requests of a
    logged-in user whose view read the session renew it; other pages neither read the
    session nor vary by it. If the renewal cannot be saved, the response is sent all
    the same and the next request tries again.
    """

    def process_response(
        self, request: HttpRequest, response: HttpResponse
    ) -> HttpResponse:
        if hasattr(request, "outage"):  # the database does not answer
            return response
        if not _is_renewal_due(request):
            return super().process_response(request, response)
        was_modified = request.session.modified
        request.session[RENEWED_AT_KEY] = int(time.time())
        try:
            return super().process_response(request, response)
        except (DatabaseError, SessionInterrupted) as error:
            if was_modified:
                raise
            logger.warning("a session was not renewed: %s", error)
            request.session.modified = False
            return super().process_response(request, response)


def _is_renewal_due(request: HttpRequest) -> bool:
    session = getattr(request, "session", None)
    if session is None or not session.accessed or SESSION_KEY not in session:
        return False
    age = time.time() - session.get(RENEWED_AT_KEY, 0)
    return not 0 <= age < RENEWAL_SECONDS  # the clock may have been set back


@receiver(user_logged_in, dispatch_uid="kb.accounts.sessions")
def _start_renewal(request: HttpRequest | None, **kwargs: Any) -> None:
    if request is not None and hasattr(request, "session"):
        request.session[RENEWED_AT_KEY] = int(time.time())
