"""Decorators that describe views in the OpenAPI schema, in Chinese."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema
from rest_framework.serializers import Serializer

from kb.web.api.params import Params
from kb.web.api.serializers import RefusalSerializer

SerializerClass = type[Serializer[Any]]
ERROR_RESPONSES = {
    400: OpenApiResponse(RefusalSerializer, "参数不对，detail 指出是哪一个。"),
    401: OpenApiResponse(RefusalSerializer, "没有登录。"),
    403: OpenApiResponse(RefusalSerializer, "没有查看话术库的权限。"),
    404: OpenApiResponse(RefusalSerializer, "没有这个条目，或没有这一页。"),
    429: OpenApiResponse(RefusalSerializer, "太频繁了，按 Retry-After 的秒数等待。"),
}
DEGRADED_HEADER = OpenApiParameter(
    "X-Search-Degraded",
    str,
    OpenApiParameter.HEADER,
    enum=["1"],
    response=[200],
    description="只在搜索引擎不可用、改按标题匹配时出现。",
)


def describe_public_view(
    name: str,
    text: str,
    serializer: SerializerClass,
    *error_codes: int,
    params: type[Params] | None = None,
) -> Callable[[Any], Any]:
    """Return a decorator that describes a public view.

    `text` has a summary line and, after it, a paragraph.
    """
    return _describe_view(name, "公开", text, serializer, (*error_codes, 429), params)


def describe_agent_view(
    name: str,
    text: str,
    serializer: SerializerClass,
    *error_codes: int,
    params: type[Params] | None = None,
) -> Callable[[Any], Any]:
    """Return a decorator that describes a view for agents."""
    codes = (401, 403, *error_codes, 429)
    return _describe_view(name, "客服", text, serializer, codes, params)


def _describe_view(
    name: str,
    tag: str,
    text: str,
    serializer: SerializerClass,
    error_codes: tuple[int, ...],
    params: type[Params] | None,
) -> Callable[[Any], Any]:
    summary, _, paragraph = text.partition("\n")
    responses: dict[Any, Any] = {200: OpenApiResponse(serializer, "成功。")}
    parameters: list[Any] = [params] if params else []
    if "degraded" in serializer().fields:
        parameters.append(DEGRADED_HEADER)
    return extend_schema(
        operation_id=name,
        tags=[tag],
        summary=summary,
        description=paragraph.strip() or summary,
        parameters=parameters,
        responses=responses
        | {code: ERROR_RESPONSES[code] for code in sorted(error_codes)},
    )
