"""Query parameters of the API: how they are parsed, and their descriptions."""

from __future__ import annotations

import re
from typing import Any, TypeVar

from rest_framework import serializers
from rest_framework.request import Request

from kb.text.chinese import normalize

MAX_API_QUERY_CHARS = 200  # search reads no further either
# ASCII digits only, and a number small enough for the database.
_DIGITS_PATTERN = re.compile(r"[0-9]{1,18}")

ParamsType = TypeVar("ParamsType", bound="Params")


class WholeNumberField(serializers.IntegerField):
    """An integer in plain digits; int() would accept ９, ٣, 1_000 and spaces too."""

    def to_internal_value(self, data: Any) -> int:
        if not _DIGITS_PATTERN.fullmatch(str(data)):
            self.fail("invalid")
        return int(data)


class SingleLineField(serializers.CharField):
    """One line of text without invisible characters, cut at `max_chars` characters."""

    def __init__(self, *, max_chars: int, **options: Any) -> None:
        self.max_chars = max_chars
        super().__init__(**options)

    def run_validation(self, data: Any = serializers.empty) -> Any:
        if isinstance(data, str):
            data = normalize.clean_single_line(data)[: self.max_chars]
        return super().run_validation(data)


class Params(serializers.Serializer[Any]):
    """A set of query parameters; unknown ones are ignored."""

    @classmethod
    def parse_request(cls: type[ParamsType], request: Request) -> dict[str, Any]:
        """Return the values; raises ValidationError, which names the parameter."""
        params = cls(data=request.query_params.dict())
        params.is_valid(raise_exception=True)
        values: dict[str, Any] = params.validated_data
        return values


def _make_query_field() -> SingleLineField:
    message = "请填写要搜索的内容。"
    return SingleLineField(
        max_chars=MAX_API_QUERY_CHARS,
        error_messages={"required": message, "blank": message},
        help_text=f"搜索词，可以是整句话；只读前 {MAX_API_QUERY_CHARS} 个字。",
    )


class SuggestParams(Params):
    q = _make_query_field()


class PageParams(Params):
    category = WholeNumberField(
        required=False, min_value=1, help_text="分类编号；包含它的下级分类。"
    )
    page = WholeNumberField(
        default=1, min_value=1, max_value=10_000, help_text="第几页，从 1 开始。"
    )
    page_size = WholeNumberField(
        default=20, min_value=1, max_value=50, help_text="每页几条。"
    )


class SearchParams(PageParams):
    q = _make_query_field()


class OpenParams(Params):
    q = SingleLineField(
        max_chars=MAX_API_QUERY_CHARS,
        required=False,
        allow_blank=True,
        help_text="由哪次搜索打开：填当时的搜索词，这次搜索就算找到了要的。",
    )


class ListParams(PageParams):
    tag = SingleLineField(
        max_chars=30, required=False, help_text="标签名称，要完全一致。"
    )
