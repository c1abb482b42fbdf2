"""Build the script of the widget: the bundle, called with its texts and tokens.

static/widget/src holds its modules. `npm run build` bundles them into one function,
which is committed, so that a site needs no Node.js. Here that function is called with
what Python knows: every text in three languages, from the catalogues of gettext, and
the tokens of static/base/tokens.css.
"""

from __future__ import annotations

import json
import re
from pathlib import Path

from django.conf import settings
from django.utils import translation
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as lazy

from kb.publishing import locale_prefix

STATIC = Path(settings.BASE_DIR) / "static"
BUNDLE = STATIC / "widget" / "widget.js"
TOKENS = STATIC / "base" / "tokens.css"
TEXTS: dict[str, Promise | str] = {
    "again": lazy("再试一次"),
    "ask": lazy("提问"),
    "back": lazy("返回"),
    "close": lazy("关闭"),
    "common": lazy("常见问题"),
    "contact": lazy("手机号或邮箱（可不填）"),
    "empty": lazy("请写下您的问题。"),
    "help": lazy("帮助"),
    "helped": lazy("这条有帮助吗？"),
    "hint": lazy("说说遇到了什么问题"),
    "language": lazy("语言和字体"),
    "loading": lazy("正在打开…"),
    "mine": lazy("打开我的提问页（请收藏，回复会出现在那里）"),
    "module": lazy("和什么有关（可不选）"),
    "more": lazy("想补充的（可不填）"),
    "near": lazy("没有找到，最接近的是："),
    "newWindow": lazy("（新窗口）"),
    "no": lazy("没帮助"),
    "none": lazy("没有找到，换个说法试试。"),
    "notices": lazy("公告"),
    "open": lazy("在帮助中心打开"),
    "picture": lazy("看图："),
    "pictures": lazy("截图（可不选，最多 3 张）"),
    "question": lazy("您的问题"),
    "received": lazy("已收到，等客服回复。"),
    "related": lazy("您可能还想问"),
    "results": lazy("条结果"),
    "search": lazy("搜索问题"),
    "send": lazy("提交"),
    "solved": lazy("这些能解决吗？"),
    "still": lazy("还是没解决？问客服"),
    "thanks": lazy("谢谢反馈。"),
    "unreachable": lazy("连不上帮助中心，请稍后再试。"),
    "unsure": lazy("不确定"),
    "updated": lazy("更新于 "),
    "why": lazy("哪里不好？"),
    "yes": lazy("有帮助"),
}
_BLOCK = re.compile(r"(?P<selector>[^{}]+)\{(?P<body>[^{}]*)\}")
_TOKEN = re.compile(r"--([\w-]+):\s*([^;]+);")
_COMMENT = re.compile(r"/\*.*?\*/", re.S)
_DARK = "@media screen and (prefers-color-scheme: dark)"


def build_script() -> bytes:
    """Return the script as it is served, in UTF-8."""
    options = {"strings": list_texts_by_language(), "tokens": list_tokens_by_theme()}
    argument = json.dumps(options, ensure_ascii=False, separators=(",", ":"))
    return BUNDLE.read_bytes().rstrip() + f"({argument});\n".encode()


def list_texts_by_language() -> dict[str, dict[str, str]]:
    """Return the texts of the widget by language tag and name."""
    texts = {}
    for code, tag in locale_prefix.LANGUAGE_TAGS.items():
        with translation.override(code):
            texts[tag] = {name: str(text) for name, text in TEXTS.items()}
    return texts


def list_tokens_by_theme() -> dict[str, dict[str, str]]:
    """Return the design tokens that do not depend on the host's page, by theme.

    "light" has all of them, "dark" those that are different in the dark theme, and
    "traditional" those that are different in 繁體. Sizes in rem are left out: the
    host's page defines how large a rem is.
    """
    css = _COMMENT.sub("", TOKENS.read_text("utf-8"))
    light, dark = css.split(_DARK)
    return {
        "light": _parse_tokens(light, ":root", "::backdrop"),
        "dark": _parse_tokens(dark.split("@media print")[0].strip()[1:], ":root"),
        "traditional": _parse_tokens(light, ":lang(zh-Hant)"),
    }


def _parse_tokens(css: str, *selectors: str) -> dict[str, str]:
    """Return the tokens in the rules of `css` that have one of `selectors`."""
    tokens = {}
    for block in _BLOCK.finditer(css):
        if not any(name in block["selector"] for name in selectors):
            continue
        for name, value in _TOKEN.findall(block["body"]):
            if "rem" not in value:
                tokens[name] = " ".join(value.split())
    return tokens
