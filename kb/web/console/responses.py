"""Plain-text responses for the console's scripts, which show them to the agent."""

from __future__ import annotations

from django.http import HttpResponse

PLAIN_TEXT_TYPE = "text/plain; charset=utf-8"


def make_text_response(message: str, status: int) -> HttpResponse:
    return HttpResponse(message, status=status, content_type=PLAIN_TEXT_TYPE)
