"""Whatever is sent: an answer below 500, within two seconds, and nothing stored.

A sample of each kind of bad input is kept in bad_inputs/; where the full
collection is at hand, all of it is tried.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from io import BytesIO
from pathlib import Path
from time import process_time
from typing import Any
from urllib.parse import quote_from_bytes

import pytest
from django.apps import apps
from django.core.cache import cache
from django.db.models import Model
from django.test import Client
from django.urls import reverse

from kb.models import (
    AuditEvent,
    Category,
    Entry,
    LoginCounter,
    PageView,
    RelatedEntries,
    Search,
    Tag,
    User,
)
from kb.text.chinese import tokenizer
from tests.conftest import MakeEntry

SAMPLE = Path(__file__).parent / "bad_inputs"
SLOWEST = 2.0  # seconds of processor time, so that no neighbour can fail the test
LONGEST = 100_000  # characters in an address; servers stop at some thousand bytes
SEARCHES = (
    "faq:search",
    "faq:suggest",
    "api:search",
    "api:suggest",
    "api:agent-search",
    "api:agent-suggest",
    "console:home",
    "console:practice",
    "console:capture",
)
FORM = "application/x-www-form-urlencoded"
Case = dict[str, Any]
Request = tuple[str, Callable[[], Any]]  # what to call it, and what makes it


def sample(*kinds: str) -> list[Case]:
    lines = [(SAMPLE / f"{kind}.jsonl").read_text().splitlines() for kind in kinds]
    return [json.loads(line) for part in lines for line in part]


def collection(shared: Path, *kinds: str) -> Iterator[Case]:
    with (shared / "bad_inputs" / "inputs.jsonl").open(encoding="utf-8") as lines:
        yield from (case for case in map(json.loads, lines) if case["kind"] in kinds)


def value(case: Case) -> str:
    return str(case["value"]) * int(case.get("times", 1))


def quoted(text: str) -> str:
    """Percent-encode `text`; a lone surrogate goes as its three bytes."""
    return quote_from_bytes(text.encode("utf-8", "surrogatepass"))


@pytest.fixture
def site(make_entry: MakeEntry) -> Entry:
    """Return a public entry with all that hangs on one; dictionaries are warm."""
    tokenizer.load_tokenizer_dictionaries()
    entry = make_entry(
        category=Category.objects.create(name="售后"),
        replies=["亲，{{运单号}}"],
        phrasings=["寄回去的钱谁出"],
    )
    entry.tags.add(Tag.objects.create(name="运费"))
    return entry


@pytest.fixture
def asked(client: Client, agent: User, site: Entry) -> Callable[..., None]:
    """Return a function that makes requests as an agent and judges the answers.

    Every counter is set back each time, so that nobody is merely told to wait.
    """

    def ask(requests: Iterable[Request], *but: type[Model]) -> None:
        client.force_login(agent)
        before, wrong = rows(*but), []
        for name, send in requests:
            cache.clear()
            LoginCounter.objects.all().delete()
            start = process_time()
            status = send().status_code
            took = process_time() - start
            if status >= 500 or status == 429 or took > SLOWEST:
                wrong.append(f"{name}: {status} after {took:.1f} s")
        assert wrong == []
        assert rows(*but) == before, "something was stored"

    return ask


def rows(*but: type[Model]) -> dict[str, list[Any]]:
    """Return what is stored, except what any search and any reading leaves behind.

    Nor rows of `but`.
    """
    return {
        model._meta.label: list(model._default_manager.order_by("pk").values())
        for model in apps.get_models()
        if model not in {Search, PageView, RelatedEntries, *but}
    }


# In an address -----------------------------------------------------------------


def searches(client: Client, cases: Iterable[Case]) -> Iterator[Request]:
    for case in cases:
        for name in SEARCHES:
            url = f"{reverse(name)}?q={quoted(value(case)[:LONGEST])}"
            yield f"{name} {case['id']}", partial(client.get, url)


def readings(client: Client, entry: Entry, cases: Iterable[Case]) -> Iterator[Request]:
    pages = [reverse(name) for name in ("faq:home", "login", *SEARCHES)]
    pages += [reverse(f"api:{n}") for n in ("entries", "categories", "schema", "docs")]
    pages += [reverse(f"api:{n}", args=[entry.pk]) for n in ("entry", "agent-entry")]
    pages += [reverse("faq:category", args=[entry.category_id])]
    pages += [entry.get_absolute_url()]
    for case in cases:
        pair = f"{quoted(case['name'])}={quoted(value(case))}"
        for page in pages:
            yield (
                f"{page} {case['id']}",
                partial(client.get, f"{page}?q=运费&{pair}"),
            )


def test_searches_take_the_sample(client: Client, asked: Callable[..., None]) -> None:
    asked(searches(client, sample("text", "query")))


@pytest.mark.data
def test_searches_take_the_collection(
    client: Client, asked: Callable[..., None], shared: Path
) -> None:
    asked(searches(client, collection(shared, "text", "query")))


def test_parameters_take_the_sample(
    client: Client, site: Entry, asked: Callable[..., None]
) -> None:
    asked(readings(client, site, sample("params")))


@pytest.mark.data
def test_parameters_take_the_collection(
    client: Client, site: Entry, asked: Callable[..., None], shared: Path
) -> None:
    asked(readings(client, site, collection(shared, "params")))


IDS = ["0", "-1", "9" * 19, "9" * 5000, "９", "1%00", "x", "%ff", "..", "%2e%2e/"]


def test_the_path_takes_anything(client: Client, asked: Callable[..., None]) -> None:
    paths = [
        prefix + number + "/"
        for prefix in ("/q/", "/c/", "/api/v1/entries/", "/api/v1/agent/entries/")
        for number in IDS
    ]
    paths += [f"/q/1/{quoted(value(case))}/" for case in sample("text", "query")]
    asked((path[:60], partial(client.get, path)) for path in paths)


def test_the_path_takes_anything_of_strangers(asked: Callable[..., None]) -> None:
    """Whose queries are put together once, past the checks of Django."""
    doors = ("/q/", "/c/", "/zh-hant/q/", "/widget/entry/", "/embed/?entry=", "/c/1/")
    paths = [f"{door}{number}/" for door in doors for number in [*IDS, "9" * 18]]
    asked((path[:60], partial(Client().get, path)) for path in paths)


# In a body ---------------------------------------------------------------------


def postings(client: Client, entry: Entry, cases: Iterable[Case]) -> Iterator[Request]:
    urls = [reverse(n) for n in SEARCHES] + [reverse("api:entries")]
    urls += [reverse(f"api:{n}", args=[entry.pk]) for n in ("entry", "agent-entry")]
    for case in cases:
        body = base64.b64decode(case["base64"]) * int(case.get("times", 1))
        for url in urls:
            for method in ("POST", "PATCH"):
                yield (
                    f"{method} {url} {case['id']}",
                    partial(client.generic, method, url, body, "application/json"),
                )


def test_bodies_are_not_read(
    client: Client, site: Entry, asked: Callable[..., None]
) -> None:
    asked(postings(client, site, sample("json_bodies")))


@pytest.mark.data
def test_bodies_of_the_collection_are_not_read(
    client: Client, site: Entry, asked: Callable[..., None], shared: Path
) -> None:
    asked(postings(client, site, collection(shared, "json_bodies")))


def logins(cases: Iterable[Case]) -> Iterator[Request]:
    stranger = Client()
    for case in cases:
        text = quoted(value(case))
        for body in (f"username={text}&password=x", f"username=agent&password={text}"):
            yield (
                f"login {case['id']}",
                partial(stranger.post, reverse("login"), body, FORM),
            )


def test_the_login_form_takes_the_sample(asked: Callable[..., None]) -> None:
    asked(
        logins(sample("text", "query")), AuditEvent, LoginCounter
    )  # who failed to come in is kept


@pytest.mark.data
def test_the_login_form_takes_the_collection(
    asked: Callable[..., None], shared: Path
) -> None:
    asked(logins(collection(shared, "text", "query")), AuditEvent, LoginCounter)


# In a header -------------------------------------------------------------------

HEADERS = [
    ("Accept", 'a/b;q="' + ";" * 100_000),
    ("Accept", "text/html," * 5000),
    ("Accept-Language", "zh-" * 5000),
    ("Content-Type", "application/json; charset=bogus"),
    ("Content-Type", "multipart/form-data; boundary="),
    ("Cookie", "sessionid=" + "x" * 16_000),
    ("Cookie", "sessionid=\x00; csrftoken=%00; a=b;;;=;" * 100),
    ("Host", "a b"),
    ("Host", "testserver:99999999"),
    ("Host", "user@testserver"),
    ("If-Modified-Since", "Thu, 99 Foo 99999 99:99:99 GMT"),
    ("If-None-Match", '"x",' * 2000),
    ("Range", "bytes=0-0," * 1000),
    ("User-Agent", "x' OR SLEEP(8) OR 'x"),
    ("X-Forwarded-For", "<b>, 1.2.3.4, evil"),
]


def test_headers_take_anything(
    client: Client, site: Entry, asked: Callable[..., None]
) -> None:
    urls = [
        reverse(n) + "?q=运费" for n in ("faq:home", "login", "api:docs", *SEARCHES)
    ]
    urls.append(site.get_absolute_url())
    asked(
        (
            f"{url} {name}: {text[:30]}",
            partial(client.get, url, headers={name: text}),
        )
        for url in urls
        for name, text in HEADERS
    )


@pytest.mark.parametrize("url", ["/", "/search/", "/api/v1/search/", "/login/"])
@pytest.mark.parametrize(
    "content_type",
    [
        "text/plain; charset=hex",
        "text/plain; charset=punycode",
        "text/plain; charset=undefined",
        "text/plain; charset=utf-16",
        "text/plain; charset=utf-8",
        "text/plain; a*=bogus''x",
        "text/plain; a*=undefined''x",
    ],
)
@pytest.mark.parametrize("fields", [1, 1100])
def test_a_content_type_breaks_nothing_before_a_view_is_reached(
    db: None, url: str, content_type: str, fields: int
) -> None:
    """By itself Django reads the query in the codec that the caller names."""
    from config.wsgi import application

    environ = {
        "REQUEST_METHOD": "GET",
        "PATH_INFO": url,
        "QUERY_STRING": "q=a&" * fields,
        "CONTENT_TYPE": content_type,
        "SERVER_NAME": "testserver",
        "SERVER_PORT": "80",
        "wsgi.input": BytesIO(),
        "wsgi.url_scheme": "http",
    }
    request = application.request_class(environ)
    assert application.get_response(request).status_code < 500
