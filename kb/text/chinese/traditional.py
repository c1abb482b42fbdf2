"""Convert 简体 to 繁體: OpenCC's phrases, then terms of the trade and quotation marks."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import cache

import opencc

OPENCC_CONFIG_BY_REGION = {
    "tw": "s2twp",
    "hk": "s2hkp",
}  # whose words: 网络 is 網路 or 網絡
CONVERSION_VERSION = 2  # raise it when the same text is to be said otherwise
# OpenCC writes 賬 for every account, and keeps words that shops say otherwise.
_REGIONAL_TERMS = {
    "tw": {"賬": "帳", "回復": "回覆", "質量": "品質", "充值": "儲值", "郵箱": "信箱"},
    "hk": {"賬": "帳", "回復": "回覆", "充值": "增值", "快遞": "速遞"},
}
# Its phrases are those of programmers: who closes an account does not log out of it,
# and 项目, 接口 or 代码 of a washing machine are none of software.
_LITERAL_TERMS = {
    "tw": (
        *("注销", "绑定", "审核", "权限", "参数", "发布", "类型", "支持", "项目"),
        *("微信", "分区", "注册机", "社区", "对象", "进程", "调用", "接口", "声明"),
        *("循环", "调度", "扩展", "代码", "适配器", "全局", "批量"),
    ),
    "hk": (),
}
# No queen of heaven comes after seven days, no name is in a card, no size is a watch.
_LITERAL_REGEXES = (
    *(r"(?<=\d天)后", r"(?<=\d 天)后", r"(?<=卡)里(?=[的没有余]|$)"),
    *(r"(?<=[尺编号]码)表",),
)
_QUOTATION_TABLE = str.maketrans("“”‘’", "「」『』")
_HAN_PATTERN = re.compile(r"[\u3400-\u9fff]")


def make_traditional_converter(region: str) -> Callable[[str], str]:
    """Return a function from 简体 to 繁體 of a region of OPENCC_CONFIG_BY_REGION."""
    convert, pattern, terms = _load_region_converter(region)
    plain, letters = _load_literal_converter(region)

    def convert_text(text: str) -> str:
        if not _HAN_PATTERN.search(text):
            return text
        parts = plain.split(text)
        said = "".join(
            letters(part) if n % 2 else convert(part) for n, part in enumerate(parts)
        )
        return pattern.sub(lambda term: terms[term[0]], said).translate(
            _QUOTATION_TABLE
        )

    return convert_text


@cache
def _load_region_converter(
    region: str,
) -> tuple[Callable[[str], str], re.Pattern[str], dict[str, str]]:
    terms = _REGIONAL_TERMS[region]
    pattern = re.compile("|".join(map(re.escape, terms)))
    return opencc.OpenCC(OPENCC_CONFIG_BY_REGION[region]).convert, pattern, terms


@cache
def _load_literal_converter(
    region: str,
) -> tuple[re.Pattern[str], Callable[[str], str]]:
    """Return what finds what is no phrase, and what says it letter by letter."""
    found = "|".join((*_LITERAL_TERMS[region], *_LITERAL_REGEXES))
    return re.compile(f"({found})"), opencc.OpenCC(f"s2{region}").convert
