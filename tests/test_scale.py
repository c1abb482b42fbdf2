"""With ten thousand entries no list of the admin needs more database queries."""

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
    DeletedItem,
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
SHORT_LISTS = {"/admin/kb/site/", "/admin/kb/job/"}  # one row a host, one row a task
MAX_QUERIES = 12  # of a page
FILTERED_LISTS = [
    f"/admin/kb/entry/?{query}"
    for query in (
        "q=%E9%80%80%E8%B4%A7",
        "status__exact=draft&mine=all&validity=now",
        "updated_at__year=2026",
        "p=99&o=5",
    )
]


def multiply(row: Model, number: int = SOME, **columns: str) -> None:
    """Insert `number` copies of `row`; `columns` are SQL expressions of i that differ."""
    table = connection.ops.quote_name(row._meta.db_table)
    fields = [field for field in row._meta.concrete_fields if not field.primary_key]
    names = [connection.ops.quote_name(str(field.column)) for field in fields]
    values = [columns.get(f.attname, n) for f, n in zip(fields, names, strict=True)]
    with connection.cursor() as cursor:
        cursor.execute(
            f"INSERT INTO {table} ({', '.join(names)})"
            f" WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n"
            f" WHERE i < {number}) SELECT {', '.join(values)} FROM {table}, n"
            f" WHERE {table}.id = {row.pk}"
        )


def append_number(column: str) -> str:
    return f"{column} || i"


def pick_copy(row: Model) -> str:
    """Return SQL for the id of one of the SOME copies of `row`."""
    return f"{row.pk} + 1 + i % {SOME - 1}"


def match_copy(row: Model) -> str:
    """Return SQL for the id of the i-th copy of `row`."""
    return f"{row.pk} + i"


@pytest.fixture
def crowded_client(root: User) -> Client:
    """Return a client of the superuser, with many rows in every table."""
    client = Client()
    client.force_login(root)
    person = User.objects.create_user("person", name="张", is_staff=True)
    multiply(person, username=append_number("username"))
    top = Category.objects.create(name="分类")
    place = Category.objects.create(name="下级", parent=top)
    multiply(place, name=append_number("name"))
    module = Module.objects.create(name="模块", owner=person)
    multiply(module, name=append_number("name"), owner_id=match_copy(person))
    window = CampaignPeriod.objects.create(name="档期", starts_at=timezone.now())
    multiply(window, name=append_number("name"))
    for row in (
        Tag(name="标签"),
        CustomerSegment(name="客户"),
        Team(name="团队"),
        Group(name="组"),
    ):
        row.save()
        multiply(row, name=append_number("name"))
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
        question=append_number("question"),
        category_id=pick_copy(place),
        module_id=pick_copy(module),
        window_id=pick_copy(window),
        created_by_id=pick_copy(person),
        updated_by_id=pick_copy(person),
    )
    tagged = Entry.tags.through(
        entry_id=entry.pk, tag_id=Tag.objects.get(name="标签").pk
    )
    tagged.save()
    tag = f"{tagged.tag_id} + 1 + i % {SOME - 1}"
    multiply(tagged, NUMBER, entry_id=match_copy(entry), tag_id=tag)
    _insert_facts(entry, module, person)
    _insert_editors_tables(entry)
    return client


def _insert_facts(entry: Entry, module: Module, person: User) -> None:
    """Insert questions, searches, announcements and other facts."""
    reply, phrasing = entry.replies.get(), entry.phrasings.get()
    multiply(reply, NUMBER, entry_id=match_copy(entry))
    multiply(phrasing, NUMBER, entry_id=match_copy(entry))
    translation = EntryTranslation.objects.get_or_create(
        entry=entry, defaults={"question": "退"}
    )[0]
    EntryTranslation.objects.exclude(pk=translation.pk).delete()
    multiply(translation, NUMBER, entry_id=match_copy(entry))
    question = Question.objects.create(text="我要退", module=module)
    multiply(
        question,
        NUMBER,
        status="'settled'",
        answer="'好'",
        entry_id=match_copy(entry),
        module_id=pick_copy(module),
    )
    site = Site.objects.get()
    inquiry = Inquiry.objects.create(question=question, form_key="k", site=site)
    multiply(
        inquiry,
        question_id=match_copy(question),
        token=append_number("token"),
        form_key=append_number("form_key"),
    )
    now = timezone.now()
    period = {"starts_at": now - timezone.timedelta(1), "ends_at": now}  # type: ignore[attr-defined]
    announcement = Announcement.objects.create(
        title="公告", created_by=person, **period
    )
    multiply(announcement, created_by_id=match_copy(person), entry_id=match_copy(entry))
    name = "0123456789abcdef0123456789a00000-10x10.webp"
    picture = Picture.objects.create(name=name, alt="图", width=9, height=9, size=9)
    numbered = f"'0123456789abcdef0123456789a' || ({10_000} + i) || '-10x10.webp'"
    multiply(picture, name=numbered, created_by_id=match_copy(person))
    search = Search.objects.create(words="邮费", side="staff", results=1, by=person)
    multiply(search, NUMBER, by_id=pick_copy(person), entry_id=match_copy(entry))
    multiply(AuditEvent.objects.create(who="张", act="came"), by_id=match_copy(person))
    multiply(IndexQueue.objects.create(entry_id=entry.pk), entry_id=match_copy(entry))


def _insert_editors_tables(entry: Entry) -> None:
    """Insert snippets, vocabulary, rules and tests."""
    snippet = Snippet.objects.create(name="片段", body="地址")
    multiply(snippet, name=append_number("name"))
    revision = TextRevision(field="body", act="changed", name="片段", after="地址")
    revision.content_type = ContentType.objects.get_for_model(Snippet)
    revision.object_id = snippet.pk
    revision.save()
    multiply(revision)
    deleted_item = DeletedItem.objects.create(
        content_type=revision.content_type, object_id=1, name="片段", rows=[]
    )
    multiply(deleted_item, name=append_number("name"))
    multiply(
        SynonymSet.objects.create(members="甲\n乙"), members=append_number("members")
    )
    multiply(DictionaryWord.objects.create(text="词"), text=append_number("text"))
    multiply(StopWord.objects.create(text="停"), text=append_number("text"))
    kind = StyleRule.Kind.values[0]
    rule = StyleRule.objects.create(kind=kind, text="禁")
    multiply(rule, text=append_number("text"))
    relevance_test = RelevanceTest.objects.create(words="邮费", entry=entry, rank=9)
    multiply(relevance_test, words=append_number("words"), entry_id=match_copy(entry))
    widget = WidgetRule.objects.create(
        pattern="/x", category=entry.category, tag=entry.tags.get()
    )
    multiply(widget, pattern=append_number("pattern"), tag_id=f"{widget.tag_id} + i")


@pytest.fixture
def root(make_user: Callable[..., User]) -> User:
    return make_user("root", is_staff=True, is_superuser=True)


def test_no_list_makes_more_than_twelve_queries(crowded_client: Client) -> None:
    query_counts: dict[str, Any] = {}
    for address in ("/admin/", FILTERED_LISTS[0]):  # queries that a process makes once
        crowded_client.get(address)
    for address in [*LISTS, "/admin/", *FILTERED_LISTS]:
        with CaptureQueriesContext(connection) as captured:
            page = crowded_client.get(address)
        assert page.status_code == 200, address
        if address in LISTS and address not in SHORT_LISTS:
            assert page.context["cl"].result_count >= SOME, address
        query_counts[address] = len(captured)
    assert max(query_counts.values()) <= MAX_QUERIES, query_counts
    with CaptureQueriesContext(connection) as captured:
        assert crowded_client.get("/admin/kb/entry/?_facets=True").status_code == 200
    assert len(captured) <= 2 * MAX_QUERIES  # one more query for each filter
