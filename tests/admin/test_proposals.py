"""A change that needs a review is built from the form; only the proposal is written."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from typing import Any

import pytest
from django.contrib.auth.models import Permission
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from kb.library import entries
from kb.library.entries import change_reviews
from kb.models import (
    ROLE_WRITER,
    CampaignPeriod,
    Category,
    CategoryPermission,
    CustomerSegment,
    Entry,
    Review,
    Tag,
    User,
)
from tests.admin_forms import post_change, read_form
from tests.conftest import MakeEntry

pytestmark = pytest.mark.django_db
# What a proposal may write: the review, the version it is based on, the session, what
# was autosaved. None of them holds the content of an entry that readers see.
WRITABLE = ("kb_review", "kb_revision", "kb_unsaved", "kb_deed", "django_session")


@pytest.fixture
def writer(make_user: Callable[..., User]) -> User:
    return make_user("writer", ROLE_WRITER, is_staff=True)


@pytest.fixture
def desk(client: Client, writer: User) -> Client:
    client.force_login(writer)
    return client


@pytest.fixture
def entry(make_entry: MakeEntry) -> Entry:
    entry = make_entry(answer="旧", replies=["亲，一", "亲，二"], phrasings=["老问法"])
    entry.follow_ups.create(then=make_entry("然后呢？"))
    entry.tags.add(Tag.objects.create(name="旧标签"))
    return entry


def address(entry: Entry) -> str:
    return reverse("admin:kb_entry_change", args=[entry.pk])


def content_of(review: Review) -> dict[str, Any]:
    review.refresh_from_db()
    assert review.content is not None
    content: dict[str, Any] = review.content
    return content


def writes(queries: CaptureQueriesContext) -> list[str]:
    """Return the statements that write to a table other than WRITABLE."""
    verbs = ("INSERT", "UPDATE", "DELETE")
    sql = [query["sql"] for query in queries if query["sql"].startswith(verbs)]
    return [row for row in sql if not any(f'"{name}' in row[:80] for name in WRITABLE)]


def new_reply(**columns: Any) -> dict[str, Any]:
    row = {"label": "新的", "body": "第三条", "tone": "short", "order": 9, **columns}
    blank = {"id": "", "channel": "", "segment": ""}
    fields = {f"replies-2-{name}": value for name, value in {**blank, **row}.items()}
    return {"replies-TOTAL_FORMS": 3, **fields}


def all_typed(entry: Entry, then: Entry) -> dict[str, Any]:
    """Return a change of every part of the entry."""
    category = Category.objects.create(name="售后")
    window = CampaignPeriod.objects.create(
        name="双十一", starts_at=timezone.now(), ends_at=timezone.now()
    )
    return {
        "question": "  退货运费，谁出？ ",
        "answer": "新的\r\n答案",
        "category": category.pk,
        "window": window.pk,
        "review_at": "2030-01-02",
        "keywords": "thyf",
        "note": "换了说法",
        "phrasings": "新问法\n老问法\n更新的问法",
        "tags": [Tag.objects.create(name=name).pk for name in ("乙", "甲")],
        "replies-0-DELETE": "on",
        "replies-1-body": "亲，\r\n改过 ",
        "replies-1-segment": CustomerSegment.objects.create(name="会员").pk,
        **new_reply(),
        "follow_ups-TOTAL_FORMS": 2,
        "follow_ups-1-then": then.pk,
        "follow_ups-1-order": 0,
        "follow_ups-0-order": 5,
    }


def test_a_proposal_writes_to_no_table_of_content(
    desk: Client, entry: Entry, make_entry: MakeEntry
) -> None:
    then, before = make_entry("再然后呢？"), entries.take_snapshot(entry)
    for typed in (all_typed(entry, then), {"answer": "改第二次"}):
        sent = {**read_form(desk, address(entry)), **typed}
        with CaptureQueriesContext(connection) as queries:
            response = desk.post(address(entry), sent)
        assert response.status_code == 302, response.context["errors"]
        assert writes(queries) == []
        assert not [q for q in queries if "ROLLBACK TO SAVEPOINT" in q["sql"]]
    assert entries.take_snapshot(entry) == before
    review = Review.objects.get()
    assert (review.edition, review.note) == (2, "换了说法")


def test_a_refused_proposal_writes_nothing(desk: Client, entry: Entry) -> None:
    sent = {**read_form(desk, address(entry)), "question": "", "answer": "还在"}
    with CaptureQueriesContext(connection) as queries:
        response = desk.post(address(entry), sent)
    assert response.status_code == 200
    assert "还在" in response.text
    assert writes(queries) == []
    assert not Review.objects.exists()


def test_proposal_equals_a_direct_save(
    desk: Client, entry: Entry, make_entry: MakeEntry, lead: User
) -> None:
    """Somebody who may publish types the same into the same form."""
    typed = all_typed(entry, make_entry("再然后呢？"))
    post_change(desk, entry, **typed)
    proposed = content_of(Review.objects.get())
    Review.objects.all().delete()
    other = Client()
    other.force_login(lead)
    response = post_change(other, entry, **typed)
    assert response.status_code == 302, response.context["errors"]
    saved = entries.take_snapshot(entry)
    for row in [*proposed["replies"], *saved["replies"]]:
        row["id"] = row["id"] if row["label"] != "新的" else None
    order_of_new = [set(content.pop("phrasings")) for content in (proposed, saved)]
    assert order_of_new[0] == order_of_new[1]
    assert proposed == saved


def test_fields_that_the_form_does_not_show_are_kept(
    desk: Client, entry: Entry, lead: User, writer: User
) -> None:
    entry = entries.translate_entry(entry, question="", answer="繁體答案", by=lead)  # type: ignore[assignment]
    reply = entry.replies.all()[0]
    reply.author = writer
    reply.save()
    post_change(desk, entry, answer="新")
    content = content_of(Review.objects.get())
    assert content["hant_answer"] == "繁體答案"
    assert content["replies"][0]["author_id"] == writer.pk


def test_form_validates_a_pending_change(desk: Client, entry: Entry) -> None:
    """Errors are shown at their row, also at rows that are not saved yet."""
    post_change(desk, entry, **new_reply())
    sent = read_form(desk, address(entry))
    assert int(sent["replies-2-id"]) > 2**50
    answers = {
        "replies-2-body": ("{{没写完", "replies-2-body"),
        "replies-2-label": ("", "replies-2-label"),
        "replies-2-id": ("77", "replies-2-id"),
        "phrasings": ("打 13800138000", "phrasings"),
    }
    for name, (value, place) in answers.items():
        response = desk.post(address(entry), {**sent, name: value})
        assert response.status_code == 200, name
        forms = [response.context["adminform"].form]
        for inline in response.context["inline_admin_formsets"]:
            forms += inline.formset.forms
        wrong = [form.add_prefix(field) for form in forms for field in form.errors]
        assert wrong == [place], name
    assert Review.objects.get().edition == 1


def test_a_follow_up_is_checked_against_the_pending_change(
    desk: Client, entry: Entry, make_entry: MakeEntry
) -> None:
    saved, other = entry.follow_ups.get().then, make_entry("别的？")
    post_change(desk, entry, **{"follow_ups-0-then": other.pk})
    sent = {**read_form(desk, address(entry)), "follow_ups-TOTAL_FORMS": 2}
    row = {"follow_ups-1-order": 1, "follow_ups-1-id": ""}
    twice = desk.post(address(entry), {**sent, **row, "follow_ups-1-then": other.pk})
    assert "这个条目已经是后续问题了" in twice.text
    itself = desk.post(address(entry), {**sent, **row, "follow_ups-1-then": entry.pk})
    assert "后续问题不能是条目自己" in itself.text
    # What is published but no more in the pending change may come back.
    back = desk.post(address(entry), {**sent, **row, "follow_ups-1-then": saved.pk})
    assert back.status_code == 302, back.context["errors"]
    assert content_of(Review.objects.get())["follow_ups"] == [other.pk, saved.pk]


def test_a_rejected_proposal_keeps_what_was_typed(
    desk: Client, entry: Entry, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Somebody publishes between the check of the form and the proposal."""
    sent = {**read_form(desk, address(entry)), "answer": "我写的"}
    real = entries.propose_change

    def late(*args: Any, **kwargs: Any) -> Review:
        now = Entry.objects.get(pk=entry.pk)
        entries.update_entry(now, by=None, based_on=now.version, answer="别人先发的")
        return real(*args, **kwargs)

    monkeypatch.setattr(entries, "propose_change", late)
    response = desk.post(address(entry), sent)
    assert response.status_code == 200
    assert "我写的" in response.text
    assert "有人先保存了" in response.text
    assert not Review.objects.exists()
    monkeypatch.undo()
    again = desk.post(address(entry), {**sent, "answer": "我写的"})
    assert again.context["conflict"].choices[0].theirs == "别人先发的"


def test_two_changes_of_one_proposal_are_merged(
    desk: Client, entry: Entry, make_entry: MakeEntry
) -> None:
    post_change(desk, entry, answer="甲")
    first = read_form(desk, address(entry))
    then = make_entry("再然后呢？")
    more = {"follow_ups-TOTAL_FORMS": 2, "follow_ups-1-then": then.pk}
    desk.post(
        address(entry),
        {**first, **new_reply(), **more, "answer": "乙", "follow_ups-1-order": 1},
    )
    stale = desk.post(address(entry), {**first, "answer": "丙"})
    assert stale.status_code == 200
    assert stale.context["conflict"].choices[0].theirs == "乙"
    forms = [stale.context["adminform"].form]
    for inline in stale.context["inline_admin_formsets"]:
        forms += [inline.formset.management_form, *inline.formset.forms]
    shown = {
        field.html_name: "" if field.value() is None else field.value()
        for form in forms
        for field in form
    }
    done = desk.post(address(entry), {**shown, "take-answer": "theirs"})
    assert done.status_code == 302, done.context["errors"]
    content = content_of(Review.objects.get())
    assert content["answer"] == "乙"
    assert [row["body"] for row in content["replies"]] == ["亲，一", "亲，二", "第三条"]
    assert len(content["follow_ups"]) == 2


@pytest.fixture
def second_connection() -> Iterator[sqlite3.Connection]:
    if connection.vendor != "sqlite":
        pytest.skip("only SQLite has one lock for all writers")
    name = str(connection.settings_dict["NAME"])
    with closing(sqlite3.connect(name, uri=True, timeout=0)) as other:
        other.isolation_level = None
        yield other


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("answer", ["新", "新 ![](/x.png)"])
def test_validation_holds_no_write_lock(
    desk: Client,
    entry: Entry,
    monkeypatch: pytest.MonkeyPatch,
    second_connection: sqlite3.Connection,
    answer: str,
) -> None:
    sent = {**read_form(desk, address(entry)), "answer": answer}
    taken: list[bool] = []
    real_clean = Entry.clean

    def clean(self: Entry) -> None:
        if self.pk and not taken:
            second_connection.execute("BEGIN IMMEDIATE")
            second_connection.execute("ROLLBACK")
            taken.append(connection.in_atomic_block)
        real_clean(self)

    monkeypatch.setattr(Entry, "clean", clean)
    desk.post(address(entry), sent)
    assert taken == [False]


def test_no_dry_run_rolls_back() -> None:
    assert not hasattr(change_reviews, "posted_as_proposed")


def test_replies_are_kept_without_permission_to_change_them(
    desk: Client, entry: Entry, writer: User
) -> None:
    """The page sends no fields of replies that it only shows."""
    group = writer.groups.get()
    group.permissions.remove(Permission.objects.get(codename="change_reply"))
    sent = read_form(desk, address(entry))
    shown = [name for name in sent if re.match(r"replies-\d+-(?!id)", name)]
    sent = {name: value for name, value in sent.items() if name not in shown}
    sent |= {**new_reply(), "replies-0-DELETE": "on", "replies-1-body": "不许改"}
    response = desk.post(address(entry), sent)
    assert response.status_code == 302, response.context["errors"]
    content = content_of(Review.objects.get())
    assert [row["body"] for row in content["replies"]] == ["亲，二", "第三条"]


def test_entry_of_another_category_is_read_only(
    desk: Client, entry: Entry, writer: User
) -> None:
    other = Category.objects.create(name="售前")
    CategoryPermission.objects.create(user=writer, category=other, right="write")
    page = desk.get(address(entry))
    assert page.status_code == 200
    assert 'name="answer"' not in page.text
    assert "老问法" in page.text
    assert desk.post(address(entry), {"answer": "改"}).status_code == 403


def test_proposal_requires_a_csrf_token(
    entry: Entry, writer: User, desk: Client
) -> None:
    sent = {**read_form(desk, address(entry)), "answer": "改"}
    stranger = Client(enforce_csrf_checks=True)
    stranger.force_login(writer)
    assert stranger.post(address(entry), sent).status_code == 403
    assert not Review.objects.exists()
