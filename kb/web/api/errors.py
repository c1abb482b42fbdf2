"""Error responses of the API: JSON with one Chinese sentence under "detail"."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.core.exceptions import SuspiciousOperation
from rest_framework.exceptions import ParseError, ValidationError
from rest_framework.response import Response
from rest_framework.views import exception_handler


def handle_api_exception(error: Exception, context: dict[str, Any]) -> Response | None:
    """Return the response to an exception; None for a fault, which becomes a 500."""
    if isinstance(error, ValidationError):
        error = ParseError(_describe_errors(error.detail))
    elif isinstance(error, SuspiciousOperation):
        error = ParseError("请求不合规范。")
    return exception_handler(error, context)


def _describe_errors(detail: Any) -> str:
    """Return a sentence that names each invalid parameter with its error."""
    if not isinstance(detail, Mapping):
        return "".join(map(str, detail))
    return "".join(
        f"参数 {name}：{message}"
        for name, messages in detail.items()
        for message in messages
    )
