"""What a caller may ask: the only reading of query parameters, and their docs."""

from __future__ import annotations

import re
from typing import Any, TypeVar

from rest_framework import serializers
from rest_framework.request import Request

from kb.text import normalize

LONGEST_WORDS = 200  # characters; kb.search reads no further
_DIGITS = re.compile(r"[0-9]{1,18}")  # ASCII only, and small enough for a database

Asked = TypeVar("Asked", bound="Params")


class WholeNumber(serializers.IntegerField):
    """An integer in plain digits: int() would take ９, ٣, 1_000 and blanks too."""

    def to_internal_value(self, data: Any) -> int:
        if not _DIGITS.fullmatch(str(data)):
            self.fail("invalid")
        return int(data)


class Words(serializers.CharField):
    """One line of text without what nobody can see, cut at `cut` characters."""

    def __init__(self, *, cut: int, **options: Any) -> None:
        self.cut = cut
        super().__init__(**options)

    def run_validation(self, data: Any = serializers.empty) -> Any:
        if isinstance(data, str):
            data = normalize.line(data)[: self.cut]
        return super().run_validation(data)


class Params(serializers.Serializer[Any]):
    """A set of query parameters; what it does not name is ignored."""

    @classmethod
    def of(cls: type[Asked], request: Request) -> dict[str, Any]:
        """Return the values; raises ValidationError, which names the parameter."""
        asked = cls(data=request.query_params.dict())
        asked.is_valid(raise_exception=True)
        values: dict[str, Any] = asked.validated_data
        return values


def _words() -> Words:
    wanted = "请填写要搜索的内容。"
    return Words(
        cut=LONGEST_WORDS,
        error_messages={"required": wanted, "blank": wanted},
        help_text=f"搜索词，可以是整句话；只读前 {LONGEST_WORDS} 个字。",
    )


class SuggestParams(Params):
    q = _words()


class PageParams(Params):
    category = WholeNumber(
        required=False, min_value=1, help_text="分类编号；包含它的下级分类。"
    )
    page = WholeNumber(
        default=1, min_value=1, max_value=10_000, help_text="第几页，从 1 开始。"
    )
    page_size = WholeNumber(
        default=20, min_value=1, max_value=50, help_text="每页几条。"
    )


class SearchParams(PageParams):
    q = _words()


class OpenParams(Params):
    q = Words(
        cut=LONGEST_WORDS,
        required=False,
        allow_blank=True,
        help_text="由哪次搜索打开：填当时的搜索词，这次搜索就算找到了要的。",
    )


class ListParams(PageParams):
    tag = Words(cut=30, required=False, help_text="标签名称，要完全一致。")
