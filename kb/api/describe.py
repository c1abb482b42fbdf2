"""How an address is described to integrators: in Chinese, every answer named."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema
from rest_framework.serializers import Serializer

from kb.api.params import Params
from kb.api.serializers import Refusal

Form = type[Serializer[Any]]
REFUSALS = {
    400: OpenApiResponse(Refusal, "参数不对，detail 指出是哪一个。"),
    401: OpenApiResponse(Refusal, "没有登录。"),
    403: OpenApiResponse(Refusal, "没有查看话术库的权限。"),
    404: OpenApiResponse(Refusal, "没有这个条目，或没有这一页。"),
    429: OpenApiResponse(Refusal, "太频繁了，按 Retry-After 的秒数等待。"),
}
DEGRADED = OpenApiParameter(
    "X-Search-Degraded",
    str,
    OpenApiParameter.HEADER,
    enum=["1"],
    response=[200],
    description="只在搜索引擎不可用、改按标题匹配时出现。",
)


def public(
    name: str, text: str, form: Form, *refusals: int, asks: type[Params] | None = None
) -> Callable[[Any], Any]:
    """Describe a view for everybody; `text` is a summary line and a paragraph."""
    return _described(name, "公开", text, form, (*refusals, 429), asks)


def agents(
    name: str, text: str, form: Form, *refusals: int, asks: type[Params] | None = None
) -> Callable[[Any], Any]:
    """Describe a view that wants a login and the right to read the library."""
    return _described(name, "客服", text, form, (401, 403, *refusals, 429), asks)


def _described(
    name: str,
    tag: str,
    text: str,
    form: Form,
    refusals: tuple[int, ...],
    asks: type[Params] | None,
) -> Callable[[Any], Any]:
    summary, _, paragraph = text.partition("\n")
    responses: dict[Any, Any] = {200: OpenApiResponse(form, "成功。")}
    parameters: list[Any] = [asks] if asks else []
    if "degraded" in form().fields:
        parameters.append(DEGRADED)
    return extend_schema(
        operation_id=name,
        tags=[tag],
        summary=summary,
        description=paragraph.strip() or summary,
        parameters=parameters,
        responses=responses | {code: REFUSALS[code] for code in sorted(refusals)},
    )
