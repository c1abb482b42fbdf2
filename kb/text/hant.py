"""简体 said in 繁體: OpenCC's phrases, then what it leaves to the trade and to print."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import cache

import opencc

REGIONS = {"tw": "s2twp", "hk": "s2hkp"}  # whose words: 网络 is 網路 or 網絡
EDITION = 1  # raise it when the same text is to be said otherwise
# OpenCC writes 賬 for every account, and keeps words that shops say otherwise.
_TERMS = {
    "tw": {"賬": "帳", "回復": "回覆", "質量": "品質", "充值": "儲值", "郵箱": "信箱"},
    "hk": {"賬": "帳", "回復": "回覆", "充值": "增值", "快遞": "速遞"},
}
_MARKS = str.maketrans("“”‘’", "「」『』")
_HAN_BESIDE = re.compile(r"[\u3400-\u9fff]")


def sayer(region: str) -> Callable[[str], str]:
    """Return what says 简体 in the words of `region`, one of REGIONS."""
    convert, pattern, terms = _tools(region)

    def say(text: str) -> str:
        if not _HAN_BESIDE.search(text):
            return text
        said = pattern.sub(lambda term: terms[term[0]], convert(text))
        return said.translate(_MARKS)

    return say


@cache
def _tools(region: str) -> tuple[Callable[[str], str], re.Pattern[str], dict[str, str]]:
    terms = _TERMS[region]
    pattern = re.compile("|".join(map(re.escape, terms)))
    return opencc.OpenCC(REGIONS[region]).convert, pattern, terms
