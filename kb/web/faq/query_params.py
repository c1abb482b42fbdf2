"""Read the parameters of public addresses; invalid values count as not given."""

from __future__ import annotations

from django.core.paginator import EmptyPage, Page, Paginator
from django.db.models import QuerySet
from django.http import Http404, HttpRequest

from kb.models import Entry
from kb.publishing.page_cache import parse_page_number
from kb.text.chinese import normalize

MAX_QUERY_CHARS = 200  # of a search; the rest is not read
MAX_ROW_ID_DIGITS = 18  # a longer number is too large for the database


def clean_query_text(text: str) -> str:
    """Return `text` as one line of at most MAX_QUERY_CHARS characters."""
    line = normalize.clean_single_line(text[: MAX_QUERY_CHARS * 10])
    return line[:MAX_QUERY_CHARS]


def read_query_words(request: HttpRequest) -> str:
    """Return the search in ?q= as one line, cut at MAX_QUERY_CHARS characters."""
    return clean_query_text(request.GET.get("q", ""))


def read_page_number(request: HttpRequest) -> int:
    """Return the page number in ?page=, at least 1; anything else counts as 1."""
    return max(parse_page_number(request.GET.get("page", "")), 1)


def parse_row_id(text: str) -> int:
    """Return the id in `text`, or 0 where it is not a number in plain digits."""
    if text.isascii() and text.isdecimal() and len(text) <= MAX_ROW_ID_DIGITS:
        return int(text)
    return 0


def paginate_rows(
    request: HttpRequest, rows: QuerySet[Entry], size: int, count: int | None = None
) -> Page[Entry]:
    """Return the requested page of `rows`, `size` to a page; 404 after the last.

    A known `count` of all rows saves a query.
    """
    paginator = Paginator(rows, size)
    if count is not None:
        paginator.count = count
    try:
        return paginator.page(read_page_number(request))
    except EmptyPage:
        raise Http404 from None
