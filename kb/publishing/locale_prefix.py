"""In which script a page is read: its address says so, and nothing else does."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import cache

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.utils import translation

from kb.text.chinese import traditional

LOCALE_SIMPLIFIED, LOCALE_TRADITIONAL, LOCALE_ENGLISH = "zh-hans", "zh-hant", "en"
# For `lang` and `hreflang`. English is the frame alone: what is read stays 简体.
LANGUAGE_TAGS = {
    LOCALE_SIMPLIFIED: "zh-Hans",
    LOCALE_TRADITIONAL: "zh-Hant",
    LOCALE_ENGLISH: "en",
}
LOCALE_NAMES = {
    LOCALE_SIMPLIFIED: "简体",
    LOCALE_TRADITIONAL: "繁體",
    LOCALE_ENGLISH: "English",
}
OPEN_GRAPH_LOCALES = {
    LOCALE_SIMPLIFIED: "zh_CN",
    LOCALE_TRADITIONAL: "zh_TW",
    LOCALE_ENGLISH: "zh_CN",
}  # for Open Graph


class LocalePrefixMiddleware:
    """Read /zh-hant/… in 繁體 and /en/… with an English frame, all else in 简体.

    Not by a cookie or by Accept-Language: a page must be the same for everybody
    who has its address, so that it can be linked, kept and found.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        code = get_path_locale(request.path_info)
        with translation.override(code):
            response = self.get_response(request)
        response.headers.setdefault("Content-Language", LANGUAGE_TAGS[code])
        return response


def get_path_locale(path: str) -> str:
    """Return the code that `path` begins with, else that of 简体."""
    first = path[1:].partition("/")[0]
    return (
        first
        if first in LANGUAGE_TAGS and first != LOCALE_SIMPLIFIED
        else LOCALE_SIMPLIFIED
    )


def get_page_locale() -> str:
    """Return the code of the page that is being made."""
    found = translation.get_language() or LOCALE_SIMPLIFIED
    return found if found in LANGUAGE_TAGS else LOCALE_SIMPLIFIED


def is_traditional_page() -> bool:
    return get_page_locale() == LOCALE_TRADITIONAL


def convert_for_page(text: str) -> str:
    """Return `text`, written in 简体, in the script of the page."""
    return convert_to_traditional(text) if is_traditional_page() else text


def convert_to_traditional(text: str) -> str:
    """Return `text` in 繁體, in the words of the region of the settings."""
    return _get_converter(settings.KB_HANT)(text)


def get_conversion_edition() -> str:
    """Return which conversion this is: what another one made is made again."""
    return f"{settings.KB_HANT}-{traditional.CONVERSION_VERSION}"


def list_locale_paths(path: str) -> Iterator[tuple[str, str]]:
    """Yield (code, path) of the same page in every script."""
    here = get_path_locale(path)
    bare = path if here == LOCALE_SIMPLIFIED else path.removeprefix(f"/{here}")
    for code in LANGUAGE_TAGS:
        yield code, bare if code == LOCALE_SIMPLIFIED else f"/{code}{bare}"


@cache
def _get_converter(region: str) -> Callable[[str], str]:
    return traditional.make_traditional_converter(region)
