"""The limits of the API: those of the site, by the scope of the view."""

from __future__ import annotations

from rest_framework.request import Request
from rest_framework.throttling import BaseThrottle
from rest_framework.views import APIView

from kb.throttling import seconds_to_wait


class Throttle(BaseThrottle):
    """Refuses what kb.throttling refuses."""

    def __init__(self) -> None:
        self._seconds = 0

    def allow_request(self, request: Request, view: APIView) -> bool:
        self._seconds = seconds_to_wait(view.throttle_scope, request)  # type: ignore[attr-defined]
        return not self._seconds

    def wait(self) -> float:
        return self._seconds
