"""Rate limits of the API: those of the site, by the view's `throttle_scope`."""

from __future__ import annotations

from rest_framework.request import Request
from rest_framework.throttling import BaseThrottle
from rest_framework.views import APIView

from kb.system.throttling import throttle_request


class ApiThrottle(BaseThrottle):
    """Django REST framework's interface to kb.system.throttling."""

    def __init__(self) -> None:
        self._seconds_to_wait = 0

    def allow_request(self, request: Request, view: APIView) -> bool:
        self._seconds_to_wait = throttle_request(view.throttle_scope, request)  # type: ignore[attr-defined]
        return not self._seconds_to_wait

    def wait(self) -> float:
        return self._seconds_to_wait
