"""The locale of a page, which its address alone decides: /zh-hant/…, /en/…, or 简体."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import cache

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.utils import translation

from kb.text.chinese import traditional

LOCALE_SIMPLIFIED, LOCALE_TRADITIONAL, LOCALE_ENGLISH = "zh-hans", "zh-hant", "en"
# For `lang` and `hreflang`. With "en" only the interface is English; texts are 简体.
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
}


class LocalePrefixMiddleware:
    """Activates 繁體 for /zh-hant/…, the English interface for /en/…, else 简体.

    Cookies and Accept-Language are ignored: a page must be the same for all readers
    of its address, so that it can be linked, cached and indexed.
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
    """Return the locale that `path` starts with, or 简体 if it has no prefix."""
    prefix = path[1:].partition("/")[0]
    return prefix if prefix in LANGUAGE_TAGS else LOCALE_SIMPLIFIED


def get_page_locale() -> str:
    """Return the locale of the page that is being rendered."""
    code = translation.get_language() or LOCALE_SIMPLIFIED
    return code if code in LANGUAGE_TAGS else LOCALE_SIMPLIFIED


def is_traditional_page() -> bool:
    return get_page_locale() == LOCALE_TRADITIONAL


def convert_for_page(text: str) -> str:
    """Return `text`, which is 简体, in the script of the page."""
    return convert_to_traditional(text) if is_traditional_page() else text


def convert_to_traditional(text: str) -> str:
    """Return `text` in 繁體, with the terms of the region of the setting HANT_WORDS."""
    return _get_converter(settings.KB_HANT)(text)


def get_conversion_edition() -> str:
    """Return the name of the conversion; texts of another one are converted again."""
    return f"{settings.KB_HANT}-{traditional.CONVERSION_VERSION}"


def list_locale_paths(path: str) -> Iterator[tuple[str, str]]:
    """Yield (locale, path) of the same page in every locale."""
    own_locale = get_path_locale(path)
    bare_path = path
    if own_locale != LOCALE_SIMPLIFIED:
        bare_path = path.removeprefix(f"/{own_locale}")
    for code in LANGUAGE_TAGS:
        yield code, bare_path if code == LOCALE_SIMPLIFIED else f"/{code}{bare_path}"


@cache
def _get_converter(region: str) -> Callable[[str], str]:
    return traditional.make_traditional_converter(region)
