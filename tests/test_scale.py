"""Ten thousand entries, and much else: no list of the admin asks for more because of them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import Group
from django.contrib.contenttypes.models import ContentType
from django.db import connection
from django.db.models import Model
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from kb.library import entries
from kb.models import (
    Announcement,
    AuditEvent,
    CampaignPeriod,
    Category,
    CustomerSegment,
    DictionaryWord,
    Entry,
    EntryTranslation,
    IndexQueue,
    Inquiry,
    Module,
    Picture,
    Question,
    RelevanceTest,
    Reply,
    Search,
    Site,
    Snippet,
    StopWord,
    StyleRule,
    SynonymSet,
    Tag,
    Team,
    TextRevision,
    User,
    WidgetRule,
)
from tests.admin_forms import LIST_URLS as LISTS

pytestmark = pytest.mark.django_db
NUMBER, SOME = 10_000, 200
SHORT_LISTS = {"/admin/kb/site/", "/admin/kb/job/"}  # a row a host, a row a task
MOST = 12  # queries of a page
NARROWED = [
    f"/admin/kb/entry/?{query}"
    for query in (
        "q=%E9%80%80%E8%B4%A7",
        "status__exact=draft&mine=all&validity=now",
        "updated_at__year=2026",
        "p=99&o=5",
    )
]


def multiply(row: Model, number: int = SOME, **columns: str) -> None:
    """Make `number` rows like `row`; `columns` tells in SQL, of i, what is different."""
    table = connection.ops.quote_name(row._meta.db_table)
    fields = [field for field in row._meta.concrete_fields if not field.primary_key]
    names = [connection.ops.quote_name(str(field.column)) for field in fields]
    said = [columns.get(f.attname, n) for f, n in zip(fields, names, strict=True)]
    with connection.cursor() as cursor:
        cursor.execute(
            f"INSERT INTO {table} ({', '.join(names)})"
            f" WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n"
            f" WHERE i < {number}) SELECT {', '.join(said)} FROM {table}, n"
            f" WHERE {table}.id = {row.pk}"
        )


def named(column: str) -> str:
    return f"{column} || i"


def some(row: Model) -> str:
    """Return the SQL of one row of the few that `row` was multiplied to."""
    return f"{row.pk} + 1 + i % {SOME - 1}"


def beside(row: Model) -> str:
    """Return the SQL of one row each of those that `row` was multiplied to."""
    return f"{row.pk} + i"


@pytest.fixture
def crowded(root: User) -> Client:
    """Return the client of root, in a library where there is much of everything."""
    client = Client()
    client.force_login(root)
    person = User.objects.create_user("person", name="张", is_staff=True)
    multiply(person, username=named("username"))
    top = Category.objects.create(name="分类")
    place = Category.objects.create(name="下级", parent=top)
    multiply(place, name=named("name"))
    module = Module.objects.create(name="模块", owner=person)
    multiply(module, name=named("name"), owner_id=beside(person))
    window = CampaignPeriod.objects.create(name="档期", starts_at=timezone.now())
    multiply(window, name=named("name"))
    for row in (
        Tag(name="标签"),
        CustomerSegment(name="客户"),
        Team(name="团队"),
        Group(name="组"),
    ):
        row.save()
        multiply(row, name=named("name"))
    entry = entries.create_draft(
        "退货运费谁承担？",
        by=person,
        answer="我们。",
        replies=[Reply(body="亲，我们承担")],
        phrasings=["邮费谁掏"],
        category=place,
        module=module,
        owner=person,
    )
    multiply(
        entry,
        NUMBER,
        question=named("question"),
        category_id=some(place),
        module_id=some(module),
        window_id=some(window),
        created_by_id=some(person),
        updated_by_id=some(person),
    )
    tagged = Entry.tags.through(
        entry_id=entry.pk, tag_id=Tag.objects.get(name="标签").pk
    )
    tagged.save()
    tag = f"{tagged.tag_id} + 1 + i % {SOME - 1}"
    multiply(tagged, NUMBER, entry_id=beside(entry), tag_id=tag)
    _around(entry, module, person)
    _vocabulary(entry)
    return client


def _around(entry: Entry, module: Module, person: User) -> None:
    """Make what people ask, read, see and do."""
    reply, phrasing = entry.replies.get(), entry.phrasings.get()
    multiply(reply, NUMBER, entry_id=beside(entry))
    multiply(phrasing, NUMBER, entry_id=beside(entry))
    face = EntryTranslation.objects.get_or_create(
        entry=entry, defaults={"question": "退"}
    )[0]
    EntryTranslation.objects.exclude(pk=face.pk).delete()
    multiply(face, NUMBER, entry_id=beside(entry))
    question = Question.objects.create(text="我要退", module=module)
    multiply(
        question,
        NUMBER,
        status="'settled'",
        answer="'好'",
        entry_id=beside(entry),
        module_id=some(module),
    )
    site = Site.objects.get()
    asked = Inquiry.objects.create(question=question, form_key="k", site=site)
    multiply(
        asked,
        question_id=beside(question),
        token=named("token"),
        form_key=named("form_key"),
    )
    now = timezone.now()
    shown = {"starts_at": now - timezone.timedelta(1), "ends_at": now}  # type: ignore[attr-defined]
    notice = Announcement.objects.create(title="公告", created_by=person, **shown)
    multiply(notice, created_by_id=beside(person), entry_id=beside(entry))
    name = "0123456789abcdef0123456789a00000-10x10.webp"
    picture = Picture.objects.create(name=name, alt="图", width=9, height=9, size=9)
    numbered = f"'0123456789abcdef0123456789a' || ({10_000} + i) || '-10x10.webp'"
    multiply(picture, name=numbered, created_by_id=beside(person))
    search = Search.objects.create(words="邮费", side="staff", results=1, by=person)
    multiply(search, NUMBER, by_id=some(person), entry_id=beside(entry))
    multiply(AuditEvent.objects.create(who="张", act="came"), by_id=beside(person))
    multiply(IndexQueue.objects.create(entry_id=entry.pk), entry_id=beside(entry))


def _vocabulary(entry: Entry) -> None:
    """Make what editors keep beside entries."""
    snippet = Snippet.objects.create(name="片段", body="地址")
    multiply(snippet, name=named("name"))
    revision = TextRevision(field="body", act="changed", name="片段", after="地址")
    revision.content_type = ContentType.objects.get_for_model(Snippet)
    revision.object_id = snippet.pk
    revision.save()
    multiply(revision)
    multiply(SynonymSet.objects.create(members="甲\n乙"), members=named("members"))
    multiply(DictionaryWord.objects.create(text="词"), text=named("text"))
    multiply(StopWord.objects.create(text="停"), text=named("text"))
    kind = StyleRule.Kind.values[0]
    rule = StyleRule.objects.create(kind=kind, text="禁")
    multiply(rule, text=named("text"))
    golden = RelevanceTest.objects.create(words="邮费", entry=entry, rank=9)
    multiply(golden, words=named("words"), entry_id=beside(entry))
    widget = WidgetRule.objects.create(
        pattern="/x", category=entry.category, tag=entry.tags.get()
    )
    multiply(widget, pattern=named("pattern"), tag_id=f"{widget.tag_id} + i")


@pytest.fixture
def root(make_user: Callable[..., User]) -> User:
    return make_user("root", is_staff=True, is_superuser=True)


def test_no_list_asks_more_than_twelve_times(crowded: Client) -> None:
    asked: dict[str, Any] = {}
    for address in ("/admin/", NARROWED[0]):  # what a process asks for once
        crowded.get(address)
    for address in [*LISTS, "/admin/", *NARROWED]:
        with CaptureQueriesContext(connection) as captured:
            page = crowded.get(address)
        assert page.status_code == 200, address
        if address in LISTS and address not in SHORT_LISTS:
            assert page.context["cl"].result_count >= SOME, address
        asked[address] = len(captured)
    assert max(asked.values()) <= MOST, asked
    with CaptureQueriesContext(connection) as captured:
        assert crowded.get("/admin/kb/entry/?_facets=True").status_code == 200
    assert len(captured) <= 2 * MOST  # one more for each filter
