"""Where rows are read: as `reverse` says it, of which a list of entries wants fifty."""

from __future__ import annotations

from functools import cache, lru_cache
from urllib.parse import quote

from django.urls import get_script_prefix, reverse
from django.utils.encoding import iri_to_uri
from django.utils.translation import get_language

SAFE_PATH_CHARS = "!$&'()*+,;=/~:@"  # what `reverse` leaves in a path as it is


def build_page_url(name: str, pk: int, slug: str = "") -> str:
    """Return what reverse(name, args=[pk, slug]) does, in the script of the page."""
    where = get_language(), get_script_prefix()
    before, between, after = _split_url_pattern(name, bool(slug), *where)
    return f"{before}{pk}{between}{_quote_slug(slug)}{after}"


@lru_cache(maxsize=5000)
def _quote_slug(slug: str) -> str:
    return quote(slug, safe=SAFE_PATH_CHARS)


@cache
def _split_url_pattern(name: str, named: bool, *where: object) -> tuple[str, str, str]:
    """Return what stands around the number and the words of an address."""
    whole = iri_to_uri(reverse(name, args=[0, "-"] if named else [0]))
    before, _, rest = whole.rpartition("/0/")
    if not named:
        return f"{before}/", f"/{rest}", ""
    return f"{before}/", "/", rest.removeprefix("-")
