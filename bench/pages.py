"""Public pages on the demo site: processor's time, queries and bytes of each.

`first` is the first reading ever, which looks for the neighbours of an entry;
`changed` is the first page that is asked for after an entry was changed, when nothing
that a process remembers of entries holds any more; `made` renders a page of which there
is no copy, when another one was read since the change; `kept` serves the copy; `same`
is a browser that asks whether its own copy is still good.
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
from bench.figures import AT_MOST, Target, percentile, target, timed

ROUNDS = 40  # times that a single page is asked for
BUDGET = {"entry": 4, "home": 6}  # ms of the processor
QUERIES = 6  # of an entry's page
WEIGHT = 60 * 1024  # bytes, compressed: the page and all that it loads
SEARCHED = ("退款", "tuihuo", "發票", "怎么修改收货地址")
Answer = tuple[int, dict[str, str], bytes]


def measure() -> dict[str, Any]:
    with TemporaryDirectory(prefix="kb-bench-") as folder:
        machine.manage(folder, "kb_setup")
        machine.manage(folder, "collectstatic", "--noinput", "-v", "0", "-i", "redoc")
        report: dict[str, Any] = machine.worker(folder, "pages").report()
    for kind, found in report.items():
        print(f"pages: {kind} {found}", flush=True)
    return report


def targets(report: dict[str, Any]) -> Iterator[Target]:
    for kind, most in BUDGET.items():
        for which in ("changed", "made", "kept"):
            told = f"{kind} page, {which}, p50 of the processor"
            figure = report[kind][which]["p50_cpu_ms"]
            yield target(told, figure, AT_MOST, most, "ms")
    for which in ("changed", "made", "kept"):
        figure = report["entry"][which]["queries"]
        yield target(f"queries of an entry page, {which}", figure, AT_MOST, QUERIES)
    for kind, found in report.items():
        figure = found["weight"]
        yield target(f"{kind} page with all it loads", figure, AT_MOST, WEIGHT, "bytes")


def table(report: dict[str, Any]) -> str:
    """Return one row a page, one pair of columns a way to be asked."""
    if not report:
        return ""
    ways = ("first", "changed", "made", "kept", "same")
    head = "| page, CPU p50 / p95 ms (queries) | " + " | ".join(ways)
    lines = [f"{head} | kB with all it loads |", "|---" * (len(ways) + 2) + "|"]
    for kind, found in report.items():
        cells = [_cell(found.get(way)) for way in ways]
        lines.append(f"| {kind} | {' | '.join(cells)} | {found['weight'] / 1024:.1f} |")
    return "\n".join(lines)


def _cell(found: dict[str, float] | None) -> str:
    if not found:
        return "–"
    times = f"{found['p50_cpu_ms']:.2f} / {found['p95_cpu_ms']:.2f}"
    return f"{times} ({found['queries']:g})"


# The child, on the site of DATA_DIR ------------------------------------------------


def ask() -> dict[str, Any]:
    from bench.site import load

    load()
    from django.contrib.auth.models import AnonymousUser

    from kb.models import Category, Entry

    rows = list(Entry.objects.published_to(AnonymousUser()))
    shelves = [one.get_absolute_url() for one in Category.objects.filter(parent=None)]
    entries = [entry.get_absolute_url() for entry in rows]
    found = [f"/search/?q={quote(words)}" for words in SEARCHED]
    _get("/")  # what a process loads once
    return {
        "home": _ways(["/"] * ROUNDS),
        "entry": _ways(entries),
        "entry, 繁體": _ways([f"/zh-hant{where}" for where in entries]),
        "category": _ways(shelves * 4),
        "search": {"made": _asked(found * 10), "weight": _weight(found[0])},
    }


def _ways(pages: list[str]) -> dict[str, Any]:
    from kb.models import Entry
    from kb.publishing import edition, page_cache

    found: dict[str, Any] = {
        "first": _asked(pages, before=page_cache.public_page_cache.clear)
    }
    found["changed"] = _asked(pages, before=partial(edition.increment_edition, Entry))
    found["made"] = _asked(pages, before=page_cache.public_page_cache.clear)
    page_cache.public_page_cache.clear()
    kept = list(dict.fromkeys(pages))[: page_cache.MAX_CACHED_PAGES]
    for where in kept:
        _get(where)
    found["kept"] = _asked(kept * 3)
    tags = {where: _get(where)[1]["ETag"] for where in kept}
    found["same"] = _asked(kept * 3, tags=tags)
    found["weight"] = max(map(_weight, kept[:20]))
    return found


def _asked(
    pages: list[str],
    before: Callable[[], None] = lambda: None,
    tags: dict[str, str] | None = None,
) -> dict[str, float]:
    """Return percentiles of the processor's time, and the most queries of a page."""
    from django.db import connection

    times, most = [], 0
    for where in pages:
        before()
        asked: list[str] = []

        def count(execute: Any, sql: str, *rest: Any, to: Any = asked) -> Any:
            to.append(sql)
            return execute(sql, *rest)

        with connection.execute_wrapper(count):
            (status, _, _), took = timed(lambda: _get(where, (tags or {}).get(where)))  # noqa: B023
        if status != (304 if tags else 200):
            raise SystemExit(f"pages: {where} answered {status}")
        times.append(took.cpu_ms)
        most = max(most, len(asked))
    spread = {f"p{share}_cpu_ms": percentile(times, share) for share in (50, 95)}
    return spread | {"queries": most}


def _get(where: str, tag: str | None = None) -> Answer:
    """Ask the site's own WSGI application, as a browser would."""
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
    told: list[Any] = []

    def begin(status: str, headers: Any, *_: Any) -> Callable[[bytes], object]:
        told.extend((status, headers))
        return bytes

    answer = application(environ, begin)
    body = b"".join(answer)
    answer.close()
    return int(told[0][:3]), dict(told[1]), body


def _weight(where: str) -> int:
    """Return the bytes of a page and of the styles and scripts it names, by gzip."""
    import re
    from pathlib import Path

    from django.conf import settings

    _, headers, body = _get(where)
    text = body if "Content-Encoding" not in headers else gzip.decompress(body)
    names = set(
        re.findall(r'(?:href|src)="/static/([^"]+\.(?:css|js|svg))"', text.decode())
    )
    files = [(Path(settings.STATIC_ROOT) / name).read_bytes() for name in names]
    return sum(len(gzip.compress(part, 6)) for part in (text, *files))


if __name__ == "__main__":
    print(json.dumps(ask()))
