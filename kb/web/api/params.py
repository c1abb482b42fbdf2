"""What a caller may ask: the only reading of query parameters, and their docs."""

from __future__ import annotations

import re
from typing import Any, TypeVar

from rest_framework import serializers
from rest_framework.request import Request

from kb.text.chinese import normalize

MAX_API_QUERY_CHARS = 200  # characters; kb.search reads no further
_DIGITS_PATTERN = re.compile(
    r"[0-9]{1,18}"
)  # ASCII only, and small enough for a database

ParamsType = TypeVar("ParamsType", bound="Params")


class WholeNumberField(serializers.IntegerField):
    """An integer in plain digits: int() would take ９, ٣, 1_000 and blanks too."""

    def to_internal_value(self, data: Any) -> int:
        if not _DIGITS_PATTERN.fullmatch(str(data)):
            self.fail("invalid")
        return int(data)


class SingleLineField(serializers.CharField):
    """One line of text without what nobody can see, cut at `cut` characters."""

    def __init__(self, *, cut: int, **options: Any) -> None:
        self.cut = cut
        super().__init__(**options)

    def run_validation(self, data: Any = serializers.empty) -> Any:
        if isinstance(data, str):
            data = normalize.clean_single_line(data)[: self.cut]
        return super().run_validation(data)


class Params(serializers.Serializer[Any]):
    """A set of query parameters; what it does not name is ignored."""

    @classmethod
    def parse_request(cls: type[ParamsType], request: Request) -> dict[str, Any]:
        """Return the values; raises ValidationError, which names the parameter."""
        asked = cls(data=request.query_params.dict())
        asked.is_valid(raise_exception=True)
        values: dict[str, Any] = asked.validated_data
        return values


def _make_query_field() -> SingleLineField:
    wanted = "请填写要搜索的内容。"
    return SingleLineField(
        cut=MAX_API_QUERY_CHARS,
        error_messages={"required": wanted, "blank": wanted},
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
        cut=MAX_API_QUERY_CHARS,
        required=False,
        allow_blank=True,
        help_text="由哪次搜索打开：填当时的搜索词，这次搜索就算找到了要的。",
    )


class ListParams(PageParams):
    tag = SingleLineField(cut=30, required=False, help_text="标签名称，要完全一致。")
