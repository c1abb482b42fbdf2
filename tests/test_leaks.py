"""What is not for the public never reaches it, by word, by count or by number.

A house full of secrets: each private text holds a word that stands nowhere
else. Whatever a stranger asks with such a word must be answered, to the byte,
like the same question with a word that nobody ever wrote.
"""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from django.contrib.auth.models import AnonymousUser
from django.test import Client
from django.urls import NoReverseMatch, URLPattern, URLResolver, get_resolver, reverse
from django.utils import timezone

from kb import search, usage
from kb.index import sync
from kb.index.engines import get_engine
from kb.library import entries, replies
from kb.models import (
    Announcement,
    Category,
    CustomerSegment,
    Entry,
    Module,
    Pick,
    Question,
    Reply,
    SearchSide,
    Snippet,
    Tag,
    Team,
    User,
)
from kb.publishing import page_views
from kb.questions import to_entries
from kb.text.chinese.normalize import normalize_text
from tests.conftest import MakeEntry, MakeQuestion

# Every address that answers a stranger has a row here, which says how it is
# probed. An address without one must answer nobody who is not logged in.
TABLE = {
    "faq:home": "page",
    "faq:site-css": "page",
    "faq:widget-js": "page",
    "faq:widget-start": "words",
    "faq:widget-search": "words",
    "faq:widget-entry": "entry",
    "faq:widget-ask": "page",
    "faq:embed": "words",
    "faq:ask": "words",
    "faq:ask-near": "words",
    "faq:search": "words",
    "faq:suggest": "words",
    "faq:category": "category",
    "faq:category-named": "category",
    "faq:category-feed": "category",
    "faq:feed": "page",
    "faq:opensearch": "page",
    "sitemap": "page",
    "robots": "page",
    "faq:entry": "entry",
    "faq:entry-short": "entry",
    "login": "page",
    "session": "token",  # who is signed in, and a token that is another each time
    "api:search": "words",
    "api:suggest": "words",
    "api:categories": "page",
    "api:entries": "page",
    "api:entry": "entry",
    "api:schema": "page",
    "api:docs": "page",
}
OWN = {"title", "keywords", "body"}  # what a reply of one's own says
CLOSED = {301, 302, 401, 403, 404, 405}
WHOOSH = "kb.index.engines.whoosh.WhooshEngine"
MEMORY = "kb.index.engines.memory.MemoryEngine"


@dataclass(frozen=True)
class Secret:
    """A private text's two words, of which nothing else holds even a part."""

    latin: str
    han: str

    def __str__(self) -> str:
        return f"{self.latin} {self.han}"


def rare_han() -> Iterator[str]:
    """Yield characters that normalizing leaves alone, none of them twice."""
    return (c for c in map(chr, range(0x6A00, 0x6E00)) if normalize_text(c) == c)


@dataclass
class House:
    """What stands in the library; `secrets` by the place that holds them."""

    public: Entry = field(default_factory=Entry)
    hidden: list[Entry] = field(default_factory=list)
    secrets: dict[str, Secret] = field(default_factory=dict)
    latin: random.Random = field(default_factory=lambda: random.Random(20))
    han: Iterator[str] = field(default_factory=rare_han)

    def secret(self, place: str) -> Secret:
        self.secrets[place] = found = self.nonsense()
        return found

    def nonsense(self) -> Secret:
        # No syllable begins with v: not even three letters are somebody's initials.
        latin = "".join(f"{c}v" for c in self.latin.choices("bcdfghjkmnpqrtwxz", k=6))
        return Secret(latin, "".join(next(self.han) for _ in range(6)))

    def words(self) -> set[str]:
        return {w for s in self.secrets.values() for w in (s.latin, s.han)}


@pytest.fixture(autouse=True)
def _nobody_is_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    """Reading makes an entry popular: what is compared is read twice."""
    monkeypatch.setattr(page_views, "count_page_view", lambda entry_id: None)


@pytest.fixture(autouse=True)
def _nobody_waits(settings: Any) -> None:
    settings.KB_RATES = {}


@pytest.fixture(params=["whoosh", "memory", "none"])
def engine(request: pytest.FixtureRequest, settings: Any, tmp_path: Path) -> str:
    """Run the test with each engine; the third one is down once all is written."""
    whoosh = {"BACKEND": WHOOSH, "PATH": tmp_path / "index"}
    settings.KB_ENGINE = whoosh if request.param == "whoosh" else {"BACKEND": MEMORY}
    return str(request.param)


@pytest.fixture
def house(
    engine: str,
    settings: Any,
    tmp_path: Path,
    make_entry: MakeEntry,
    make_question: MakeQuestion,
    make_user: Callable[..., User],
) -> House:
    house = House()
    author = make_user(
        house.secret("username").latin,
        name=house.secret("name").han,
        email=f"{house.secret('email').latin}@example.com",
    )
    _furnish_public(house, make_entry)
    for state in ("draft", "review", "retired", "internal", "expired", "coming"):
        _furnish_hidden(house, state, make_entry)
    _furnish_question(house, make_question)
    _announce(house)
    long_ago = timezone.now() - timedelta(days=400)
    Entry.objects.update(created_by=author, updated_by=author, updated_at=long_ago)
    if engine == "none":
        settings.KB_ENGINE = {"BACKEND": WHOOSH, "PATH": tmp_path / "never-built"}
    return house


def _furnish_public(house: House, make_entry: MakeEntry) -> None:
    """Make an entry for everybody; its replies and notes are the agents' own."""
    house.public = public = make_entry(
        phrasings=["寄回去的钱谁出"],
        replies=[f"亲，退货运费 {house.secret('public reply')}"],
        keywords=str(house.secret("public keywords")),
        source=str(house.secret("public source")),
        external_id=str(house.secret("public external id")),
        module=Module.objects.create(name=str(house.secret("public module"))),
        category=Category.objects.create(name="售后"),
    )
    Reply.objects.filter(entry=public).update(label=house.secret("reply label").latin)
    _keep_own(house, public)
    public.tags.add(Tag.objects.create(name="运费"))
    old = f"退货运费 {house.secret('old answer')}"
    for answer in (old, "质量问题由我们承担，个人原因由您承担。"):
        public.refresh_from_db()
        entries.update_entry(public, by=None, based_on=public.version, answer=answer)
    _propose(house, public)
    sync.sync_all_marks()
    make_entry("退货要多久到账？", category=public.category)
    make_entry("退货地址是什么？")


def _propose(house: House, public: Entry) -> None:
    """Let a change of it wait for review, and editors talk of it."""
    said = entries.take_snapshot(public) | {
        "question": f"退货运费谁承担 {house.secret('proposed question')}",
        "answer": f"退货运费 {house.secret('proposed answer')}",
        "phrasings": [f"寄回去 {house.secret('proposed phrasing')}"],
    }
    note = str(house.secret("reason of a change"))
    review = entries.propose_change(public, said, by=None, note=note)
    words, somebody = str(house.secret("comment")), User.objects.first()
    assert somebody is not None
    entries.comment_on_review(review, words, by=somebody)


def _keep_own(house: House, public: Entry) -> None:
    """Let an agent, a team and the editors keep words that hang on the entry."""

    def said(place: str) -> dict[str, str]:
        parts = {p: house.secret(f"{place} {p}") for p in ("title", "keywords", "body")}
        return {part: f"亲，退货运费 {secret}" for part, secret in parts.items()}

    owner = User.objects.create_user("owner")
    team = Team.objects.create(name=house.secret("team").han)
    Reply.objects.create(entry=public, owner=owner, **said("personal reply"))
    Reply.objects.create(entry=public, team=team, **said("team reply"))
    Reply.objects.create(owner=owner, **said("lonely reply"))
    replies.save_snippet(
        Snippet(name=house.secret("snippet").han, body=str(house.secret("its body")))
    )
    CustomerSegment.objects.create(name=house.secret("segment").han)


def _furnish_hidden(house: House, state: str, make_entry: MakeEntry) -> None:
    def secret(place: str) -> str:
        return str(house.secret(f"{state} {place}"))

    now, day = timezone.now(), timedelta(days=1)
    live: dict[str, dict[str, Any]] = {
        "internal": {"audience": "internal"},
        "expired": {"valid_until": now - day},
        "coming": {"valid_from": now + day},
    }
    made = make_entry(
        f"退货运费谁承担 {secret('question')}",
        answer=f"退货运费由我们承担 {secret('answer')}",
        status="published" if state in live else state,
        **live.get(state, {}),
        phrasings=[f"寄回去的钱谁出 {secret('phrasing')}"],
        replies=[f"亲，退货运费 {secret('reply')}"],
        keywords=secret("keywords"),
        source=secret("source"),
        category=Category.objects.create(
            name=secret("category"), parent=house.public.category
        ),
    )
    made.tags.add(Tag.objects.create(name=secret("tag")))
    house.hidden.append(made)


def _furnish_question(house: House, make_question: MakeQuestion) -> None:
    """Make a question that waits, and one that the public entry answers."""
    for state in ("waiting", "settled"):
        question = make_question(
            f"退货运费谁承担 {house.secret(f'{state} question')}",
            answer=f"亲，我们承担 {house.secret(f'{state} question answer')}",
            segment=house.secret(f"{state} question segment").latin,
            source=str(house.secret(f"{state} question source")),
        )
    to_entries.add_question_to_entry(
        house.public, question=question, by=None, phrasing=""
    )
    sync.sync_all_marks()


def _announce(house: House) -> None:
    """Run one notice for everybody, linked to what is hidden; others are not theirs."""
    now, hour = timezone.now(), timedelta(hours=1)
    for state, audience, starts, ends in (
        ("staff", "staff", now - hour, now + hour),
        ("coming", "public", now + hour, now + 2 * hour),
        ("over", "public", now - 2 * hour, now - hour),
    ):
        Announcement.objects.create(
            title=house.secret(f"{state} notice").latin,
            body=str(house.secret(f"{state} notice body")),
            keywords=f"退货\n{house.secret(f'{state} notice keyword')}",
            audience=audience,
            starts_at=starts,
            ends_at=ends,
            entry=house.public,
        )
    Announcement.objects.create(
        title="退货仓库盘点",
        keywords="退货",
        audience="public",
        starts_at=now - hour,
        ends_at=now + hour,
        entry=house.hidden[-1],
    )


# The table ---------------------------------------------------------------------


def addresses() -> Iterator[tuple[str, URLPattern, str, tuple[str, ...]]]:
    """Yield (name, pattern, route, names of its parts) of the whole URL conf."""
    yield from _below(get_resolver(), "", "", ())


def _below(
    resolver: URLResolver, space: str, route: str, parts: tuple[str, ...]
) -> Iterator[tuple[str, URLPattern, str, tuple[str, ...]]]:
    for found in resolver.url_patterns:
        here = f"{route}{found.pattern}"
        its = (*parts, *found.pattern.regex.groupindex)
        if isinstance(found, URLResolver):
            inside = f"{space}{found.namespace}:" if found.namespace else space
            yield from _below(found, inside, here, its)
        else:
            yield f"{space}{found.name}", found, here, its


def filled(name: str, parts: tuple[str, ...], pk: int) -> Iterator[str]:
    """Yield the address with `pk` for numbers, and its like for the rest."""
    for value in (pk, "kb", "auth", "x"):
        try:
            yield reverse(name, kwargs=dict.fromkeys(parts, value))
        except NoReverseMatch:
            continue


def test_who_is_not_in_the_table_is_closed_to_strangers(
    client: Client, house: House
) -> None:
    open_to_all = set()
    for name, _, route, parts in addresses():
        for url in filled(name, parts, house.hidden[0].pk):
            answer = client.get(url)
            assert answer.status_code < 500, url
            assert_silent(answer, house, url)
            if answer.status_code not in CLOSED:
                open_to_all.add(name if name in TABLE else f"{name} at {route}")
    assert open_to_all <= set(TABLE), "a public address needs a row in TABLE"


def test_the_table_names_real_addresses() -> None:
    assert set(TABLE) <= {name for name, *_ in addresses()}


# What strangers get ------------------------------------------------------------


def test_pages_hold_no_secret(client: Client, house: House) -> None:
    pages = [reverse(name) for name, kind in TABLE.items() if kind == "page"]
    pages += [
        house.public.get_absolute_url(),
        reverse("faq:category", args=[house.public.category_id]),
        reverse("api:entry", args=[house.public.pk]),
        reverse("faq:search", query={"q": "退货运费"}),
        reverse("faq:suggest", query={"q": "寄回去"}),
        reverse("api:search", query={"q": "退货运费"}),
        reverse("api:suggest", query={"q": "寄回去"}),
        reverse("api:entries", query={"tag": "运费"}),
    ]
    for url in pages:
        answer = client.get(url)
        assert answer.status_code == 200, url
        if url in (reverse("faq:home"), reverse("faq:search", query={"q": "退货运费"})):
            assert "退货仓库盘点" in answer.text, "the notice for everybody"
        assert_silent(answer, house, url)
        assert answer.cookies == {} or url == reverse("login"), url


def test_a_secret_word_is_answered_like_one_that_nobody_wrote(
    client: Client, house: House
) -> None:
    asked = [reverse(name) + "?q=" for name, kind in TABLE.items() if kind == "words"]
    asked.append(reverse("api:entries") + "?tag=")
    unknown = house.nonsense()
    for url in asked:
        expected = {word: plain(client, url, word) for word in probes(unknown)}
        likes = list(expected.values())
        for place, secret in house.secrets.items():
            answers = [plain(client, url, word) for word in probes(secret)]
            assert answers == likes, f"{url} gives away: {place}"


def test_a_search_for_a_secret_counts_nothing(client: Client, house: House) -> None:
    for place, secret in house.secrets.items():
        for word in (secret.latin, secret.han):
            body = client.get(reverse("api:search"), {"q": word}).json()
            assert (body["total"], body["results"]) == (0, []), place


def test_a_hidden_number_is_answered_like_one_that_never_was(
    client: Client, house: House
) -> None:
    for name, kind in TABLE.items():
        for entry in house.hidden if kind in {"entry", "category"} else ():
            pk = entry.pk if kind == "entry" else entry.category.pk  # type: ignore[union-attr]
            slug = {
                "faq:entry": [entry.slug],
                "faq:category-named": [entry.category.slug],  # type: ignore[union-attr]
            }.get(name, [])
            found = client.get(reverse(name, args=[pk, *slug]))
            nothing = client.get(reverse(name, args=[pk + 9000, *slug]))
            assert found.status_code == nothing.status_code == 404, name
            assert found.content == nothing.content, name
            assert_silent(found, house, name)


def test_hidden_categories_cannot_be_asked_for(client: Client, house: House) -> None:
    for name in ("api:search", "api:entries"):
        url = reverse(name) + "?q=退货&category="
        nothing = client.get(f"{url}999999")
        for entry in house.hidden:
            refused = client.get(f"{url}{entry.category_id}")
            assert refused.status_code == nothing.status_code == 400
            assert refused.content == nothing.content


def test_hidden_entries_change_no_public_answer(client: Client, house: House) -> None:
    """They crowd nothing out and push nothing in, whatever words they share."""
    urls = [reverse(n) for n, kind in TABLE.items() if kind == "page" and n != "login"]
    urls += [
        entry.get_absolute_url()
        for entry in Entry.objects.published_to(AnonymousUser())
    ]
    urls += [
        f"{reverse(name)}?q={quote(words)}"
        for name, kind in TABLE.items()
        if kind == "words"
        for words in ("退货运费", "寄回去的钱谁出", "退货", "承担", "谁")
    ]
    crowded = {url: unstamped(client.get(url).content) for url in urls}
    Question.objects.all().delete()
    Entry.objects.filter(pk__in=[entry.pk for entry in house.hidden]).delete()
    sync.sync_all_marks()
    for url in urls:
        assert unstamped(client.get(url).content) == crowded[url], url


def test_what_colleagues_searched_for_changes_no_public_answer(
    client: Client, house: House, engine: str
) -> None:
    """Neither their words nor how often they picked: not to the byte."""
    if engine == "none":
        pytest.skip("without its engine nothing is looked up in what was learned")
    secret = house.nonsense()
    words = (secret.latin, secret.han, f"运费 {secret.han}", "退货地址 运费")
    urls = [reverse(name) + "?q=" for name, kind in TABLE.items() if kind == "words"]
    asked = [f"{url}{quote(word)}" for url in urls for word in words]
    before = [unstamped(client.get(url).content) for url in asked]
    for word in words:
        for person in "abcdefg":
            _pick(house.public, word, person, SearchSide.STAFF)
    sync.sync_all_marks()
    assert [unstamped(client.get(url).content) for url in asked] == before
    for word in words[:3]:
        for person in "abcdefg":
            _pick(house.public, word, person, SearchSide.PUBLIC)
    sync.sync_all_marks()
    found = client.get(reverse("api:search"), {"q": secret.han}).json()
    assert [hit["id"] for hit in found["results"]] == [house.public.pk]


def test_what_customers_taught_of_a_hidden_entry_tells_nothing(
    client: Client, house: House
) -> None:
    """It was public once: its words must not even count."""
    secret = house.nonsense()
    urls = [reverse(name) + "?q=" for name, kind in TABLE.items() if kind == "words"]
    before = [plain(client, url, word) for url in urls for word in probes(secret)]
    for entry in house.hidden:
        for word in (secret.latin, secret.han, f"运费 {secret.latin} {secret.han}"):
            for person in "abcdefg":
                _pick(entry, word, person, SearchSide.PUBLIC)
    sync.sync_all_marks()
    after = [plain(client, url, word) for url in urls for word in probes(secret)]
    assert after == before


def _pick(entry: Entry, words: str, person: str, side: SearchSide) -> None:
    kind = Pick.Kind.COPIED
    usage.record_pick(entry, words=words, person=person, side=side, kind=kind)


# What people who work here get: the same words, found ---------------------------


def test_editors_and_agents_find_what_strangers_do_not(
    client: Client, house: House, engine: str, agent: User, editor: User
) -> None:
    if engine == "none":
        pytest.skip("without its engine the library is searched by question alone")
    client.force_login(agent)
    for place in ("public reply", "public keywords", "internal question"):
        secret = house.secrets[place]
        for word in (secret.latin, secret.han):
            body = client.get(reverse("api:agent-search"), {"q": word}).json()
            assert body["total"] == 1, place
            assert word in client.get(reverse("console:home"), {"q": word}).text, place
    for state in ("draft", "review"):
        secret = house.secrets[f"{state} answer"]
        (hit,) = search.find_similar_entries(secret.han, user=editor)
        assert hit.entry.status == state


def test_a_foreign_reply_is_answered_to_colleagues_like_one_nobody_wrote(
    house: House, agent: User, editor: User, lead: User
) -> None:
    """Of another's words and another team's not even a lead hears, to the byte."""
    unknown = house.nonsense()
    foreign = {
        place: secret
        for place, secret in house.secrets.items()
        if "reply" in place and place.split()[-1] in OWN
    }
    assert len(foreign) == 9
    for user in (agent, editor, lead):
        client = _as(user)
        for name in ("api:agent-search", "api:agent-suggest"):
            url = reverse(name) + "?q="
            likes = [plain(client, url, word) for word in probes(unknown)]
            for place, secret in foreign.items():
                answers = [plain(client, url, word) for word in probes(secret)]
                assert answers == likes, f"{url} gives away to {user}: {place}"
        for url in (
            reverse("api:agent-entry", args=[house.public.pk]),
            reverse("console:home", query={"entry": house.public.pk}),
            reverse("console:home", query={"q": "退货运费"}),
        ):
            said = client.get(url).text
            assert not [p for p, s in foreign.items() if s.latin in said], url


def test_what_is_retired_is_found_by_nobody_though_the_index_is_behind(
    client: Client,
    house: House,
    engine: str,
    agent: User,
    editor: User,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    entry = Entry.objects.get(question__startswith="退货地址")
    gone = f"/q/{entry.pk}/"

    def found() -> set[str]:
        return {
            f"{name} for {user}"
            for user in (None, agent, editor)
            for name in ("faq:search", "faq:suggest", "api:search", "api:agent-search")
            if gone in _as(user).get(reverse(name), {"q": "退货地址"}).text
        }

    assert len(found()) >= 11  # all but the stranger at the agents' door
    monkeypatch.setattr(sync, "sync_marked_entries", lambda limit=0: 0)
    entries.retire_entry(entry, by=None)
    sync.sync_all_marks()
    if engine != "none":
        assert entry.pk in get_engine().load_digests()  # the index still believes in it
    assert found() == set()
    for user, name in ((None, "api:search"), (agent, "api:agent-search")):
        body = _as(user).get(reverse(name), {"q": "退货地址"}).json()
        assert body["total"] == len(body["results"]), "counted though not shown"
    for name in ("faq:entry-short", "api:entry"):
        assert client.get(reverse(name, args=[entry.pk])).status_code == 404
    assert gone not in client.get(reverse("faq:home")).text
    assert gone not in client.get(house.public.get_absolute_url()).text


# How answers are compared --------------------------------------------------------


def _as(user: User | None) -> Client:
    client = Client()
    if user:
        client.force_login(user)
    return client


def probes(secret: Secret) -> tuple[str, ...]:
    """Return the words and the beginnings of them that a stranger tries."""
    return secret.latin, secret.latin[:6], secret.han, secret.han[:3]


def plain(client: Client, url: str, word: str) -> tuple[int, str, str]:
    """Return the answer to `word` without the word itself."""
    answer = client.get(url + quote(word))
    answer.content = unstamped(answer.content)
    own = {"ETag", "Expires"}  # of the body, of the moment
    headers = {k: v for k, v in answer.headers.items() if k not in own}
    texts = (answer.text, repr(sorted(headers.items())))
    body, head = (t.replace(word, "…").replace(quote(word), "…") for t in texts)
    return answer.status_code, body, head


def unstamped(body: bytes) -> bytes:
    """Return a page without what makes each copy of its form another one."""
    return re.sub(rb'"stamp"(: | value=)"[^"]*"', b"", body)


def assert_silent(answer: Any, house: House, place: str) -> None:
    """Fail when a secret word stands in the body or in a header."""
    said = answer.text + repr(sorted(answer.headers.items()))
    told = {word for word in house.words() if word in said or quote(word) in said}
    assert told == set(), f"{place} gives away {told}"
