"""kb_forget erases a person: no table contains their identifiers afterwards."""

from __future__ import annotations

from datetime import timedelta
from io import StringIO
from typing import Any
from urllib.parse import quote

import pytest
from django.apps import apps
from django.core.management import CommandError, call_command
from django.db import IntegrityError, connection, models, transaction
from django.db.models import Model
from django.test import Client
from django.utils import timezone

from kb.accounts import audit_log
from kb.import_export.read import uploads
from kb.index import sync
from kb.library import entries
from kb.models import (
    AuditEvent,
    Autosave,
    Entry,
    Evidence,
    Inquiry,
    InquiryAttachment,
    Phrasing,
    Pick,
    Question,
    Review,
    Search,
    User,
)
from kb.operations import privacy
from kb.operations.privacy import erasure
from kb.questions import inquiries
from kb.text.chinese import normalize
from tests.conftest import MakeEntry

pytestmark = pytest.mark.django_db
PHONE, NAME, MAIL = "13987650001", "陆九渊", "lu.jiuyuan@example.com"
ORDER = "202611309988770"
CANARIES = (PHONE, NAME, MAIL, ORDER)
SAID = f"我叫{NAME}，电话139-8765-0001，订单{ORDER}"


def forget(*said: str, confirm: bool = False) -> str:
    out = StringIO()
    call_command("kb_forget", *said, confirm=confirm, stdout=out)
    return out.getvalue()


# Every column of every table -----------------------------------------------------------


def make_row(model: type[Model]) -> Model:
    """Return a row of `model`: the first there is, or a new one with what it needs."""
    if row := model._default_manager.first():
        return row
    columns: dict[str, Any] = dict(NEEDED.get(model._meta.label, {}))
    for field in model._meta.concrete_fields:
        given = field.name in columns or field.has_default() or field.null
        if not given and not field.primary_key:
            columns[field.name] = _value(field)
    model._default_manager.bulk_create([model(**columns)])
    return model._default_manager.get()


# What a table asks for that its columns alone do not tell.
NEEDED: dict[str, dict[str, Any]] = {
    "kb.Reply": {"title": "题"},
    "kb.Question": {"answer": "好", "status": "answered"},
    "kb.Vote": {"helpful": False},
    "kb.SearchGap": {"reason": "不是我们的", "status": "declined"},
    "kb.ReplyFeedback": {"answer": "改了", "state": "done", "done_at": timezone.now()},
    "kb.CategoryPermission": {"right": "write"},
    "kb.CampaignPeriod": {"starts_at": timezone.now()},
}


def _value(field: Any) -> Any:
    if isinstance(field, models.ForeignKey):
        return _related(field)
    if field.choices:
        return field.choices[0][0]
    later = timedelta(days=1) if field.name == "ends_at" else timedelta()
    kinds: dict[Any, Any] = {
        models.DateTimeField: timezone.now() + later,
        models.DateField: timezone.localdate(),
        models.BooleanField: False,
        models.JSONField: {},
        models.BinaryField: b"x",
        models.IntegerField: 1,
    }
    fitting = (kinds[kind] for kind in kinds if isinstance(field, kind))
    return next(fitting, "x")


def _related(field: Any) -> Model | None:
    if field.name in {"other", "then"}:  # not the entry itself
        return Entry.objects.exclude(pk=make_row(Entry).pk).first()
    return make_row(field.related_model)


def spoil(model: type[Model]) -> list[str]:
    """Write the canaries into every column of text; return where that cannot be."""
    row = make_row(model)
    rows = model._default_manager.filter(pk=row.pk)
    refused = []
    for field in model._meta.concrete_fields:
        named = f"{model._meta.label}.{field.name}"
        if field.choices or field.primary_key or named in erasure.UNSEARCHED_COLUMNS:
            continue
        value: Any
        if isinstance(field, models.JSONField):
            value = {NAME: [SAID, {"邮箱": MAIL}, int(PHONE)]}
        elif isinstance(field, models.CharField | models.TextField):
            value = f"{SAID} {MAIL} 您好"
            if field.max_length and len(value) > field.max_length:
                value = PHONE
            if field.max_length and len(value) > field.max_length:
                continue  # none of them fits in
        else:
            continue
        try:
            with transaction.atomic():
                rows.update(**{field.name: value})
        except (IntegrityError, ValueError) as error:
            refused.append(f"{model._meta.label}.{field.name}: {error}")
    return refused


def everything() -> dict[str, list[str]]:
    """Return {table.column: values} of the whole database, asked without any model."""
    found: dict[str, list[str]] = {}
    with connection.cursor() as cursor:
        for table in connection.introspection.table_names(cursor):
            cursor.execute(f"SELECT * FROM {connection.ops.quote_name(table)}")
            names = [column[0] for column in cursor.description or ()]
            for row in cursor.fetchall():
                for name, value in zip(names, row, strict=True):
                    found.setdefault(f"{table}.{name}", []).append(_as_text(value))
    return found


def _as_text(value: Any) -> str:
    text = str(value)
    if "\\u" in text:
        text = text.encode().decode("unicode_escape", "ignore")
    return text


def holding(*needles: str) -> set[str]:
    grouped = PHONE[:3] + "-" + PHONE[3:7] + "-" + PHONE[7:]
    return {
        place
        for place, values in everything().items()
        if any(one in value for value in values for one in (*needles, grouped))
    }


def test_no_column_of_any_table_keeps_a_canary(
    make_entry: MakeEntry, lead: User
) -> None:
    make_entry("退款多久到账？", "三天。", replies=["三天到账。"])
    make_entry("怎么退款？", "点退款。")
    tables = erasure.list_searched_models()
    assert len(tables) > 40
    refused = [output for model in tables for output in spoil(model)]
    assert refused == []
    spoiled = holding(*CANARIES)
    assert len(spoiled) > 120
    forget(*CANARIES, confirm=True)
    left = {place for place in holding(*CANARIES) if not place.startswith("kb_user.")}
    assert left == set()


def test_every_table_is_searched_or_left_alone_for_a_reason() -> None:
    named = {model._meta.label for model in erasure.list_searched_models()}
    for model in apps.get_models():
        if (
            model._meta.app_label not in erasure.SEARCHED_APPS
            or model._meta.label in named
        ):
            continue
        texts = [
            field.name
            for field in model._meta.concrete_fields
            if isinstance(field, models.TextField | models.JSONField)
        ]
        assert not texts or model._meta.label in erasure.UNSEARCHED_COLUMNS, model


# As it is used -----------------------------------------------------------------------


@pytest.fixture
def inquiry(db: None, settings: Any) -> Inquiry:
    settings.KB_MASK_IN_QUESTIONS = []
    asked = inquiries.SubmittedInquiry(
        form_key="k", origin="https://faq.example.com", contact=PHONE, words="退款"
    )
    made = inquiries.submit_inquiry(SAID, details=asked)
    InquiryAttachment.objects.create(inquiry=made, body=b"x", place=1)
    return made


def test_by_default_nothing_is_changed(inquiry: Inquiry) -> None:
    output = forget("139 8765 0001")
    assert "问题 · 问题：1 处" in output
    assert "网上提问 · 联系方式：1 处" in output
    assert "没有改动任何内容" in output
    for one in (PHONE, NAME, ORDER, "139-8765-0001"):
        assert one not in output
    inquiry.refresh_from_db()
    assert inquiry.contact == PHONE
    assert not AuditEvent.objects.exists()


@pytest.mark.parametrize("by", ["phone", "token"])
def test_an_asker_is_erased_with_all_that_was_sent(inquiry: Inquiry, by: str) -> None:
    token = inquiry.token
    forget(PHONE if by == "phone" else token, confirm=True)
    inquiry.refresh_from_db()
    assert (inquiry.contact, inquiry.words) == ("", "")
    assert inquiry.token != token
    assert not inquiry.attachments.exists()
    question = Question.objects.get()
    assert question.text == "我叫***，电话***，订单***"
    assert question.text_key == normalize.compute_spelling_key(question.text)
    deed = AuditEvent.objects.get()
    assert (deed.act, deed.who) == ("erased", "系统")
    assert all(one not in deed.what for one in (*CANARIES, token))


def test_readers_and_suggestions_follow(make_entry: MakeEntry) -> None:
    entry = make_entry("退款多久到账？", f"三天。有事找{NAME}。", replies=[f"找{NAME}"])
    Phrasing.objects.create(entry=entry, text=f"{NAME}说三天到账")
    sync.mark_stale([entry.pk])
    sync.sync_all_marks()
    client = Client()
    assert NAME in client.get(entry.get_absolute_url()).text  # and is kept
    assert NAME in client.get(f"/suggest/?q={quote(NAME)}").text
    forget(NAME, confirm=True)
    assert NAME not in client.get(f"/suggest/?q={quote(NAME)}").text
    assert NAME not in client.get(entry.get_absolute_url()).text
    assert "找***" in client.get(entry.get_absolute_url()).text
    now = Entry.objects.get()
    assert NAME not in now.answer_html + now.answer_text + now.excerpt
    assert not entry.phrasings.exists()
    assert all(NAME not in str(row.content) for row in now.revisions.all())


def test_rows_of_usage_go_whole(make_entry: MakeEntry, editor: User) -> None:
    entry = make_entry()
    for model, more in (
        (Search, {"results": 0}),
        (Pick, {"entry": entry}),
        (Evidence, {"entry": entry}),
    ):
        model.objects.create(words=SAID, side="public", **more)
    Autosave.objects.create(
        by=editor, title="题", fields=[["answer", SAID], ["x", "好"]]
    )
    forget(NAME, PHONE, confirm=True)
    assert not Search.objects.exists()
    assert not Pick.objects.exists()
    assert not Evidence.objects.exists()
    kept = Autosave.objects.get().fields
    assert kept == [["answer", f"我叫***，电话***，订单{ORDER}"], ["x", "好"]]


def test_what_two_rows_would_say_alike_is_still_erased(db: None) -> None:
    for n, name in enumerate((PHONE, MAIL)):
        Question.objects.create(
            text=f"问{n}", answer="好", status="answered", source="a", external_id=name
        )
    forget(PHONE, MAIL, confirm=True)
    held = set(Question.objects.values_list("external_id", flat=True))
    assert held & {PHONE, MAIL} == set()


def test_a_change_under_review_forgets_as_well(
    make_entry: MakeEntry, make_user: Any
) -> None:
    writer = make_user("writer", "撰稿", is_staff=True)
    entry = make_entry()
    said = entries.take_snapshot(entry) | {"answer": f"找{NAME}。"}
    entries.propose_change(entry, said, by=writer)
    forget(NAME, confirm=True)
    content: Any = Review.objects.get().content
    assert content["answer"] == "找***。"


def test_a_file_that_waits_for_its_import_goes(settings: Any, tmp_path: Any) -> None:
    settings.DATA_DIR = tmp_path
    token = uploads.store_upload(f"问题\n{NAME}\n".encode("gb18030"))
    other = uploads.store_upload("问题\n别人\n".encode())
    assert "没有确认的导入文件：1 个" in forget(NAME)
    forget(NAME, confirm=True)
    assert uploads.find_uploads_containing([NAME]) == []
    assert uploads.load_upload(other)
    with pytest.raises(Exception, match="失效"):
        uploads.load_upload(token)


def test_all_or_nothing(inquiry: Inquiry, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*args: Any, **kwargs: Any) -> None:
        raise RuntimeError

    monkeypatch.setattr(audit_log, "record_event", fail)
    with pytest.raises(RuntimeError):
        privacy.erase_person([PHONE])
    inquiry.refresh_from_db()
    assert inquiry.contact == PHONE
    assert Question.objects.get().text == SAID


@pytest.mark.parametrize("said", ["", "a", "，", "*"])
def test_what_would_hit_everybody_is_refused(db: None, said: str) -> None:
    with pytest.raises(CommandError, match="太短"):
        forget(said)


def test_an_unknown_person_is_reported(db: None) -> None:
    assert "没有找到。" in forget("13700000000")
