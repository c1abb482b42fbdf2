"""One library on several hosts: each shows its name, its colour and its part."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import AnonymousUser
from django.core.exceptions import ValidationError
from django.db import IntegrityError, connection, transaction
from django.test import Client
from django.test.utils import CaptureQueriesContext
from hypothesis import given
from hypothesis import strategies as st

from kb import usage
from kb.index import sync
from kb.index.autocomplete import find_completions
from kb.models import Category, Completion, Entry, Picture, SearchSide, Site, User, Vote
from kb.publishing import sites
from kb.text import colour
from kb.web.faq import votes
from tests.conftest import MakeEntry

HOST = "tea.example.com"
TOKENS = Path(__file__).parents[2] / "static" / "base" / "tokens.css"
COLOURS = st.integers(0, 0xFFFFFF).map("#{:06x}".format)


@pytest.fixture(autouse=True)
def _hosts(settings: Any) -> None:
    settings.ALLOWED_HOSTS = ["testserver", ".example.com"]


@pytest.fixture
def tea(db: None) -> Category:
    category: Category = Category.objects.create(name="茶叶")
    return category


@pytest.fixture
def shop(tea: Category) -> Site:
    """A shop that shows tea and what is below it; the library holds more."""
    site = Site.objects.create(name="青芽茶铺", host=HOST, contact="电话 400-800")
    site.categories.add(tea)
    return site


@pytest.fixture
def library(tea: Category, make_entry: MakeEntry) -> dict[str, Entry]:
    green: Category = Category.objects.create(name="绿茶", parent=tea)
    cups: Category = Category.objects.create(name="杯子")
    return {
        "tea": make_entry("茶叶退货运费谁出？", category=tea),
        "green": make_entry("绿茶退货要多久？", category=green),
        "cups": make_entry("杯子退货运费谁出？", category=cups),
        "loose": make_entry("退货地址在哪里？"),
    }


@pytest.fixture
def there() -> Client:
    return Client(headers={"host": HOST})


# What a site shows ------------------------------------------------------------------


def test_a_site_shows_its_part_and_the_default_one_all(
    library: dict[str, Entry], shop: Site, there: Client, client: Client
) -> None:
    shown = {"tea", "green"}
    for name, entry in library.items():
        inside = name in shown
        assert client.get(entry.get_absolute_url()).status_code == 200
        for url in (entry.get_absolute_url(), f"/api/v1/entries/{entry.pk}/"):
            assert (there.get(url).status_code == 200) is inside, url
        if entry.category_id:
            url = f"/c/{entry.category_id}/"
            assert (there.get(url).status_code == 200) is inside, url


@pytest.mark.parametrize(
    "url",
    [
        "/",
        "/search/?q=退货",
        "/suggest/?q=退货",
        "/suggest/?q=tuihuo",
        "/search/?q=杯子",
    ]
    + [f"/api/v1/{n}" for n in ("entries/", "search/?q=退货运费", "suggest/?q=退货")]
    + ["/api/v1/categories/", "/api/v1/search/?q=杯子"],
)
def test_nothing_else_is_named_there(
    library: dict[str, Entry], shop: Site, there: Client, url: str
) -> None:
    said = there.get(url).text
    for foreign in ("cups", "loose"):
        assert library[foreign].question not in said
        assert f"/q/{library[foreign].pk}/" not in said
    assert "杯子退货" not in said
    if "杯子" not in url:
        assert "茶" in said


def test_counts_are_those_of_the_site(
    library: dict[str, Entry], shop: Site, there: Client
) -> None:
    (category,) = there.get("/").context["tree"].top_nodes
    assert (str(category.category), category.entry_count, category.child_names) == (
        "茶叶",
        2,
        ("绿茶",),
    )
    found = there.get("/api/v1/search/", {"q": "退货"}).json()
    assert found["total"] == len(found["results"]) > 0
    assert there.get("/api/v1/entries/").json()["total"] == 2


def test_related_entries_are_of_the_site(
    library: dict[str, Entry], shop: Site, there: Client
) -> None:
    page = there.get(library["tea"].get_absolute_url())
    assert [str(e) for e in page.context["related_entries"]] == ["绿茶退货要多久？"]


def test_a_foreign_entry_is_answered_like_one_that_never_was(
    library: dict[str, Entry], shop: Site, there: Client
) -> None:
    cups = library["cups"]
    for url in ("/q/{}/", "/c/{}/", "/api/v1/entries/{}/"):
        pk = cups.category_id if "/c/" in url else cups.pk
        found, nothing = there.get(url.format(pk)), there.get(url.format(999_999))
        assert found.status_code == nothing.status_code == 404
        assert found.content == nothing.content
    sent = {"helpful": "yes", "token": votes.make_vote_token(cups)}
    assert there.post(f"/vote/{cups.pk}/", sent).status_code == 404
    assert not Vote.objects.exists()
    refused = there.get(
        "/api/v1/search/", {"q": "退货", "category": str(cups.category_id)}
    )
    assert refused.status_code == 400


def test_what_other_sites_taught_adds_nothing_here(
    library: dict[str, Entry], shop: Site, there: Client
) -> None:
    for person in "abcd":
        usage.record_vote(
            library["cups"],
            helpful=True,
            words="榴莲壳",
            person=person,
            side=SearchSide.PUBLIC,
        )
    sync.sync_all_marks()
    assert library["cups"].question not in there.get("/search/?q=榴莲壳").text


def test_an_editor_reads_the_part_of_the_site_too_and_works_on_the_whole(
    library: dict[str, Entry],
    shop: Site,
    there: Client,
    editor: User,
    make_entry: MakeEntry,
) -> None:
    there.force_login(editor)
    draft = make_entry("草稿", status="draft", category=library["tea"].category)
    assert there.get(draft.get_absolute_url()).status_code == 200
    assert there.get(library["cups"].get_absolute_url()).status_code == 404
    for url in ("/console/?q=杯子", "/api/v1/agent/search/?q=杯子"):
        assert library["cups"].question in there.get(url).text
    entry = f"/api/v1/agent/entries/{library['cups'].pk}/"
    assert there.get(entry).status_code == 200


def test_a_row_and_the_queryset_agree_on_what_a_site_shows(
    library: dict[str, Entry], shop: Site, editor: User, agent: User
) -> None:
    for reader in (AnonymousUser(), agent, editor):
        reader.visible_category_ids = sites.get_site_category_ids(shop)  # type: ignore[union-attr]
        seen = set(Entry.objects.visible_to(reader))
        assert seen == {library["tea"], library["green"]}
        assert seen == {e for e in library.values() if e.is_visible_to(reader)}


def test_a_site_whose_only_category_is_empty_shows_nothing(
    library: dict[str, Entry], shop: Site, there: Client
) -> None:
    shop.categories.set([Category.objects.create(name="空的")])
    assert "这里还没有内容" in there.get("/").text
    assert there.get("/search/?q=退货").status_code == 200
    assert there.get("/suggest/?q=退货").text.strip() == ""


def test_typing_finds_the_part_of_a_site_behind_thousands_of_others(
    shop: Site, tea: Category, make_entry: MakeEntry
) -> None:
    mine = make_entry("退货运费由谁来出这件事情", category=tea)
    other = make_entry("退货")
    row = Completion.objects.get(entry=other, place=0)
    fields = ("letters", "sound", "initials", "lengths")
    Completion.objects.bulk_create(
        Completion(
            entry=other,
            text=f"退货{n}",
            inside=0,
            public=True,
            length=2,
            place=0,
            **{name: getattr(row, name) for name in fields},
        )
        for n in range(2100)
    )
    reader = AnonymousUser()
    reader.visible_category_ids = sites.get_site_category_ids(shop)  # type: ignore[attr-defined]
    assert [found.entry for found in find_completions("退货", user=reader)] == [mine]


# How it looks -----------------------------------------------------------------------


def test_the_name_and_the_contact_stand_on_every_page(
    library: dict[str, Entry], shop: Site, there: Client, client: Client, settings: Any
) -> None:
    settings.KB_SITE_NAME = "总帮助中心"
    for url in ("/", "/search/", library["tea"].get_absolute_url(), "/nope"):
        page = there.get(url).text
        assert "青芽茶铺</title>" in page, url
        assert "电话 400-800" in page, url
        other = client.get(url).text
        assert "总帮助中心</title>" in other, url
        assert "电话 400-800" not in other, url


def test_hosts_are_distinguished_without_port_and_case(shop: Site) -> None:
    for host in ("TEA.example.com", "tea.example.com:8443", "tea.example.com."):
        assert "青芽茶铺" in Client(headers={"host": host}).get("/").text, host
    assert "青芽茶铺" not in Client(headers={"host": "x.example.com"}).get("/").text


def test_without_any_row_the_site_is_the_default_one(client: Client, db: None) -> None:
    Site.objects.all().delete()
    assert client.get("/").status_code == 200


def test_there_is_a_default_site_from_the_start(db: None) -> None:
    assert Site.objects.get().host == ""


def test_the_default_site_costs_one_query(
    library: dict[str, Entry], client: Client
) -> None:
    with CaptureQueriesContext(
        connection,
    ) as seen:
        client.get("/")
    assert sum("kb_site" in query["sql"] for query in seen) == 1


def test_the_accent_is_a_file_that_browsers_keep(
    shop: Site, there: Client, client: Client
) -> None:
    assert "site.css" not in there.get("/").text
    shop.accent = "#007a62"
    shop.save()
    (address,) = re.findall(r'href="(/site\.css\?v=[^"]+)"', there.get("/").text)
    answer = there.get(address)
    assert answer["Content-Type"] == "text/css; charset=utf-8"
    assert "immutable" in answer["Cache-Control"]
    assert "--accent: #007a62;" in answer.text
    assert "prefers-color-scheme: dark" in answer.text
    assert answer.cookies == {}
    assert "no-cache" in there.get("/site.css?v=old")["Cache-Control"]
    assert "#007a62" not in client.get("/site.css").text
    shop.name = "新名"
    shop.save()
    assert address not in there.get("/").text


def test_a_logo_is_shown_in_the_header_with_its_size(
    shop: Site, there: Client, client: Client, lead: User
) -> None:
    made = Picture.objects.create(
        name=f"{'a' * 32}-800x200.webp", alt="青芽", width=800, height=200, size=9
    )
    client.force_login(lead)
    url = f"/admin/kb/site/{shop.pk}/change/"
    sent = {"name": shop.name, "host": HOST, "logo": str(made.pk)}
    assert client.post(url, sent).status_code == 302
    page = there.get("/").text
    assert f'src="{made.url}" alt="" width="128" height="32"' in " ".join(page.split())
    assert made.url not in Client().get("/").text
    assert client.post(url, sent | {"logo": "9" * 30}).status_code == 200
    gone = client.post(f"/admin/kb/picture/{made.pk}/delete/", {"post": "yes"})
    assert gone.status_code < 500
    assert Picture.objects.filter(pk=made.pk).exists()


@given(COLOURS)
def test_every_text_can_be_read_whatever_the_accent(accent: str) -> None:
    light, dark = colour.build_accent_tokens(accent)
    for tokens, grounds, soft in (
        (light, colour.LIGHT_BACKGROUNDS, colour.QUIET_INK_COLOURS[0]),
        (dark, colour.DARK_BACKGROUNDS, colour.QUIET_INK_COLOURS[1]),
    ):
        for ground in (*grounds, tokens["accent-soft"]):
            assert colour.compute_contrast(tokens["accent"], ground) >= 4.5
            assert colour.compute_contrast(tokens["accent-strong"], ground) >= 4.5
        assert colour.compute_contrast(soft, tokens["accent-soft"]) >= 4.5
        for ground in (tokens["accent"], tokens["accent-strong"]):
            assert colour.compute_contrast(tokens["accent-ink"], ground) >= 4.5


@given(COLOURS)
def test_the_colour_that_is_proposed_is_accepted(accent: str) -> None:
    Site(accent=colour.find_nearest_readable_colour(accent)).clean()


def test_surfaces_are_those_of_the_tokens() -> None:
    css = TOKENS.read_text()
    names = ("surface", "surface-raised", "surface-sunk")
    found = [re.findall(rf"--{name}: (#\w+);", css) for name in names]
    assert tuple(f[0] for f in found) == colour.LIGHT_BACKGROUNDS
    assert tuple(f[1] for f in found) == colour.DARK_BACKGROUNDS
    assert tuple(re.findall(r"--ink-soft: (#\w+);", css)) == colour.QUIET_INK_COLOURS


# What a row must be -----------------------------------------------------------------


@pytest.mark.parametrize(
    ("columns", "said"),
    [
        ({"accent": "#ffcc00"}, "对比度 1.3"),
        ({"accent": "red"}, "# 加六位"),
        ({"accent": "#12345"}, "# 加六位"),
        ({"accent": "#111;}*{x"}, "# 加六位"),
        ({"host": "https://tea.example.com/"}, "只写域名"),
        ({"host": "a b"}, "只写域名"),
        ({"host": "tea.example.com:80"}, "只写域名"),
        ({"host": "x" * 64 + "é" * 60}, "只写域名"),
        ({"host": HOST}, "已经有站点"),
        ({"host": ""}, "已经有站点"),
        ({"host": "b.example.com", "name": ""}, "要有名称"),
    ],
)
def test_a_wrong_site_is_refused_by_name(
    shop: Site, columns: dict[str, str], said: str
) -> None:
    site = Site(**{"name": "乙", "host": "b.example.com", **columns})
    with pytest.raises(ValidationError, match=said):
        site.full_clean()


def test_a_host_is_kept_as_browsers_send_it(db: None) -> None:
    site = Site(name="甲", host="帮助.Example.com.", accent="#2A56AC")
    site.full_clean()
    assert (site.host, site.accent) == ("xn--7frx1y.example.com", "#2a56ac")


def test_two_rows_cannot_share_a_host(shop: Site) -> None:
    with pytest.raises(IntegrityError), transaction.atomic():
        Site.objects.create(name="乙", host=HOST)


# Who looks after them ---------------------------------------------------------------


def test_leads_create_sites_and_are_warned_of_a_refused_host(
    client: Client, lead: User, tea: Category
) -> None:
    client.force_login(lead)
    sent = {"name": "乙店", "host": "b.example.org", "accent": "#2a56ac", "contact": ""}
    url = "/admin/kb/site/add/"
    page = client.post(url, sent | {"categories": [tea.pk]}, follow=True)
    assert "ALLOWED_HOSTS" in page.text
    assert list(Site.objects.get(name="乙店").categories.all()) == [tea]
    listed = client.get("/admin/kb/site/").text
    for shown in ("乙店", "b.example.org", "茶叶", "其他所有域名", "全部分类"):
        assert shown in listed
    refused = client.post(
        url, sent | {"name": "丙", "host": "c.example.com", "accent": "#ffff00"}
    )
    assert "对比度" in refused.text
    assert not Site.objects.filter(name="丙").exists()


def test_the_default_site_cannot_be_deleted(client: Client, lead: User) -> None:
    client.force_login(lead)
    pk = Site.objects.get(host="").pk
    url = f"/admin/kb/site/{pk}/delete/"
    assert client.post(url, {"post": "yes"}).status_code == 403
    client.post(
        "/admin/kb/site/",
        {"action": "delete_selected", "_selected_action": [pk], "post": "yes"},
    )
    assert Site.objects.filter(pk=pk).exists()


def test_editors_do_not_change_sites(client: Client, editor: User) -> None:
    client.force_login(editor)
    assert client.get("/admin/kb/site/").status_code == 403


def test_no_public_page_makes_a_stranger_of_its_own() -> None:
    """One who does not carry the site would see what it does not show."""
    web = Path(__file__).parents[2] / "kb" / "web"
    paths = [path for door in ("faq", "api") for path in (web / door).rglob("*.py")]
    assert len(paths) > 20
    for path in paths:
        assert "AnonymousUser()" not in path.read_text("utf-8"), path
