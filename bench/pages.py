"""Public pages of the demo site: time of the processor, database queries, bytes.

`first` is the first request of a page ever, which searches for related entries; `changed`
the first after an entry was changed, which empties all caches of entries; `made` renders a
page that is not in the page cache; `kept` serves it from there; `same` is a conditional
request of a browser that has the page.
"""

from __future__ import annotations

import gzip
import io
import json
import sys
from collections.abc import Callable, Iterator
from functools import partial
from tempfile import TemporaryDirectory
from typing import Any
from urllib.parse import quote, unquote

from bench import machine
from bench.figures import AT_MOST, Target, compute_percentile, make_target, time_call

SINGLE_PAGE_REQUESTS = 40  # requests of a page of which there is only one
MAX_PAGE_CPU_MS = {"entry": 4, "home": 6}  # ms of the processor
MAX_ENTRY_PAGE_QUERIES = 6  # of an entry's page
MAX_PAGE_BYTES = 60 * 1024  # bytes, compressed: the page and all that it loads
TIMED_SEARCHES = ("退款", "tuihuo", "發票", "怎么修改收货地址")
Answer = tuple[int, dict[str, str], bytes]


def measure_pages() -> dict[str, Any]:
    with TemporaryDirectory(prefix="kb-bench-") as folder:
        machine.run_command(folder, "kb_setup")
        machine.run_command(
            folder, "collectstatic", "--noinput", "-v", "0", "-i", "redoc"
        )
        report: dict[str, Any] = machine.run_module(folder, "pages").parse_report()
    for kind, found in report.items():
        print(f"pages: {kind} {found}", flush=True)
    return report


def list_targets(report: dict[str, Any]) -> Iterator[Target]:
    for kind, most in MAX_PAGE_CPU_MS.items():
        for which in ("changed", "made", "kept"):
            title = f"{kind} page, {which}, p50 of the processor"
            figure = report[kind][which]["p50_cpu_ms"]
            yield make_target(title, figure, AT_MOST, most, "ms")
    for which in ("changed", "made", "kept"):
        figure = report["entry"][which]["queries"]
        yield make_target(
            f"queries of an entry page, {which}",
            figure,
            AT_MOST,
            MAX_ENTRY_PAGE_QUERIES,
        )
    for kind, found in report.items():
        figure = found["weight"]
        yield make_target(
            f"{kind} page with all it loads", figure, AT_MOST, MAX_PAGE_BYTES, "bytes"
        )


def format_table(report: dict[str, Any]) -> str:
    """Return Markdown: a row for each page, a column for each state."""
    if not report:
        return ""
    ways = ("first", "changed", "made", "kept", "same")
    head = "| page, CPU p50 / p95 ms (queries) | " + " | ".join(ways)
    lines = [f"{head} | kB with all it loads |", "|---" * (len(ways) + 2) + "|"]
    for kind, found in report.items():
        cells = [_format_cell(found.get(way)) for way in ways]
        lines.append(f"| {kind} | {' | '.join(cells)} | {found['weight'] / 1024:.1f} |")
    return "\n".join(lines)


def _format_cell(found: dict[str, float] | None) -> str:
    if not found:
        return "–"
    times = f"{found['p50_cpu_ms']:.2f} / {found['p95_cpu_ms']:.2f}"
    return f"{times} ({found['queries']:g})"


# The child, on the site of DATA_DIR ------------------------------------------------


def time_pages() -> dict[str, Any]:
    from bench.site import load_site

    load_site()
    from django.contrib.auth.models import AnonymousUser

    from kb.models import Category, Entry

    rows = list(Entry.objects.published_to(AnonymousUser()))
    categories = [
        row.get_absolute_url() for row in Category.objects.filter(parent=None)
    ]
    entries = [entry.get_absolute_url() for entry in rows]
    found = [f"/search/?q={quote(words)}" for words in TIMED_SEARCHES]
    _request_page("/")  # what a process loads once
    return {
        "home": _time_page_states(["/"] * SINGLE_PAGE_REQUESTS),
        "entry": _time_page_states(entries),
        "entry, 繁體": _time_page_states([f"/zh-hant{where}" for where in entries]),
        "category": _time_page_states(categories * 4),
        "search": {
            "made": _time_requests(found * 10),
            "weight": _sum_page_bytes(found[0]),
        },
    }


def _time_page_states(pages: list[str]) -> dict[str, Any]:
    from kb.models import Entry
    from kb.publishing import edition, page_cache

    found: dict[str, Any] = {
        "first": _time_requests(pages, before=page_cache.public_page_cache.clear)
    }
    found["changed"] = _time_requests(
        pages, before=partial(edition.increment_edition, Entry)
    )
    found["made"] = _time_requests(pages, before=page_cache.public_page_cache.clear)
    page_cache.public_page_cache.clear()
    kept = list(dict.fromkeys(pages))[: page_cache.MAX_CACHED_PAGES]
    for where in kept:
        _request_page(where)
    found["kept"] = _time_requests(kept * 3)
    tags = {where: _request_page(where)[1]["ETag"] for where in kept}
    found["same"] = _time_requests(kept * 3, tags=tags)
    found["weight"] = max(map(_sum_page_bytes, kept[:20]))
    return found


def _time_requests(
    pages: list[str],
    before: Callable[[], None] = lambda: None,
    tags: dict[str, str] | None = None,
) -> dict[str, float]:
    """Return percentiles of ms of the processor, and the most queries of a page."""
    from django.db import connection

    times, most = [], 0
    for where in pages:
        before()
        asked: list[str] = []

        def count(execute: Any, sql: str, *rest: Any, to: Any = asked) -> Any:
            to.append(sql)
            return execute(sql, *rest)

        with connection.execute_wrapper(count):
            tag = (tags or {}).get(where)
            (status, _, _), took = time_call(partial(_request_page, where, tag))
        if status != (304 if tags else 200):
            raise SystemExit(f"pages: {where} answered {status}")
        times.append(took.cpu_ms)
        most = max(most, len(asked))
    spread = {
        f"p{share}_cpu_ms": compute_percentile(times, share) for share in (50, 95)
    }
    return spread | {"queries": most}


def _request_page(where: str, tag: str | None = None) -> Answer:
    """Request a page from the site's WSGI application, as a browser would."""
    from config.wsgi import application

    path, _, query = where.partition("?")
    environ = {
        "REQUEST_METHOD": "GET",
        "PATH_INFO": unquote(path).encode().decode("latin-1"),
        "QUERY_STRING": query,
        "SERVER_NAME": "127.0.0.1",
        "SERVER_PORT": "80",
        "HTTP_HOST": "127.0.0.1",
        "HTTP_USER_AGENT": "bench robot",
        "HTTP_ACCEPT_ENCODING": "gzip",
        "REMOTE_ADDR": f"10.0.{len(where) % 250}.{sum(where.encode()) % 250}",
        "wsgi.input": io.BytesIO(),
        "wsgi.errors": sys.stderr,
        "wsgi.url_scheme": "http",
        "wsgi.version": (1, 0),
        "wsgi.multithread": False,
        "wsgi.multiprocess": False,
        "wsgi.run_once": False,
    }
    if tag:
        environ["HTTP_IF_NONE_MATCH"] = tag
    response: list[Any] = []

    def begin(status: str, headers: Any, *_: Any) -> Callable[[bytes], object]:
        response.extend((status, headers))
        return bytes

    answer = application(environ, begin)
    body = b"".join(answer)
    answer.close()
    return int(response[0][:3]), dict(response[1]), body


def _sum_page_bytes(where: str) -> int:
    """Return the gzipped bytes of a page with the styles and scripts that it loads."""
    import re
    from pathlib import Path

    from django.conf import settings

    _, headers, body = _request_page(where)
    text = body if "Content-Encoding" not in headers else gzip.decompress(body)
    names = set(
        re.findall(r'(?:href|src)="/static/([^"]+\.(?:css|js|svg))"', text.decode())
    )
    files = [(Path(settings.STATIC_ROOT) / name).read_bytes() for name in names]
    return sum(len(gzip.compress(part, 6)) for part in (text, *files))


if __name__ == "__main__":
    print(json.dumps(time_pages()))
