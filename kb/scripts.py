"""In which script a page is read: its address says so, and nothing else does."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import cache

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.utils import translation

from kb.text import hant

HANS, HANT, ENGLISH = "zh-hans", "zh-hant", "en"
# For `lang` and `hreflang`. English is the frame alone: what is read stays 简体.
TAGS = {HANS: "zh-Hans", HANT: "zh-Hant", ENGLISH: "en"}
NAMES = {HANS: "简体", HANT: "繁體", ENGLISH: "English"}
LOCALES = {HANS: "zh_CN", HANT: "zh_TW", ENGLISH: "zh_CN"}  # for Open Graph


class Middleware:
    """Read /zh-hant/… in 繁體 and /en/… with an English frame, all else in 简体.

    Not by a cookie or by Accept-Language: a page must be the same for everybody
    who has its address, so that it can be linked, kept and found.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        code = of_path(request.path_info)
        with translation.override(code):
            response = self.get_response(request)
        response.headers.setdefault("Content-Language", TAGS[code])
        return response


def of_path(path: str) -> str:
    """Return the code that `path` begins with, else that of 简体."""
    first = path[1:].partition("/")[0]
    return first if first in TAGS and first != HANS else HANS


def current() -> str:
    """Return the code of the page that is being made."""
    found = translation.get_language() or HANS
    return found if found in TAGS else HANS


def is_hant() -> bool:
    return current() == HANT


def say(text: str) -> str:
    """Return `text`, written in 简体, in the script of the page."""
    return hant_of(text) if is_hant() else text


def hant_of(text: str) -> str:
    """Return `text` in 繁體, in the words of the region of the settings."""
    return _sayer(settings.KB_HANT)(text)


def edition() -> str:
    """Return which conversion this is: what another one made is made again."""
    return f"{settings.KB_HANT}-{hant.EDITION}"


def addresses(path: str) -> Iterator[tuple[str, str]]:
    """Yield (code, path) of the same page in every script."""
    here = of_path(path)
    bare = path if here == HANS else path.removeprefix(f"/{here}")
    for code in TAGS:
        yield code, bare if code == HANS else f"/{code}{bare}"


@cache
def _sayer(region: str) -> Callable[[str], str]:
    return hant.sayer(region)
