"""What may be asked in an address: anything is taken, nothing raises."""

from __future__ import annotations

from django.core.paginator import EmptyPage, Page, Paginator
from django.db.models import QuerySet
from django.http import Http404, HttpRequest

from kb.models import Entry
from kb.text.chinese import normalize

MAX_QUERY_CHARS = 200  # characters of a search
MAX_PAGE_NUMBER = 10_000  # pages


def read_query_words(request: HttpRequest) -> str:
    """Return what is searched for: one line, cut at LONGEST characters."""
    return normalize.clean_single_line(
        request.GET.get("q", "")[: MAX_QUERY_CHARS * 10]
    )[:MAX_QUERY_CHARS]


def read_page_number(request: HttpRequest) -> int:
    """Return the page that is asked for; what is no page number means the first."""
    return max(parse_page_number(request.GET.get("page", "")), 1)


def parse_page_number(text: str) -> int:
    """Return the page number in `text`, at most FURTHEST; 0 if it is none."""
    digits = text.strip().lstrip("0")
    if not (digits.isdecimal() and len(digits) <= len(str(MAX_PAGE_NUMBER))):
        return 0
    return min(int(digits), MAX_PAGE_NUMBER)


def parse_row_id(text: str) -> int:
    """Return the id that `text` is; 0 for what no row has."""
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 10 else 0  # noqa: PLR2004


def paginate_rows(
    request: HttpRequest, rows: QuerySet[Entry], size: int, count: int | None = None
) -> Page[Entry]:
    """Return the page of `rows` that is asked for, or 404 beyond the last.

    Their `count` is asked of the database where it is not known.
    """
    pages = Paginator(rows, size)
    if count is not None:
        pages.count = count
    try:
        return pages.page(read_page_number(request))
    except EmptyPage:
        raise Http404 from None
