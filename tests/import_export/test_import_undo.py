"""Undoing an import: new rows are deleted, changed rows are restored."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.core.exceptions import ValidationError
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from kb import import_export, search
from kb.index import sync
from kb.library import entries
from kb.models import (
    ROLE_WRITER,
    AuditEvent,
    Category,
    CategoryPermission,
    Entry,
    ImportBatch,
    ImportColumnName,
    Question,
    RelevanceTest,
    StopWord,
    SynonymSet,
    Tag,
    User,
)
from kb.questions import intake, triage
from tests.admin.test_imports import FOLDER, GOOD, body, upload
from tests.conftest import MakeEntry
from tests.importing import confirm, load

pytestmark = pytest.mark.django_db


def undo(made: Any, by: User | None = None) -> import_export.UndoResult:
    assert made.batch is not None
    return import_export.undo_import(ImportBatch.objects.get(pk=made.batch.pk), by=by)


@pytest.fixture(autouse=True)
def _empty_folder() -> Iterator[None]:
    yield
    for path in FOLDER.glob("*"):
        path.unlink()


@pytest.fixture
def staff(client: Client, editor: User) -> Client:
    client.force_login(editor)
    return client


def test_what_was_made_goes_and_what_was_changed_is_as_before(
    make_entry: MakeEntry, editor: User, agent: User
) -> None:
    old = make_entry("怎么退", answer="旧", replies=["旧话术"], phrasings=["退吗"])
    made = load(
        "问题,答案,话术,相似问法,标签,状态\n怎么退,新,新话术,能退么,新标签,已发布\n怎么换,点换货,,,,\n",
        by=editor,
    )
    done = undo(made, by=editor)
    assert (done.undone_count, done.refusals) == (2, [])
    old.refresh_from_db()
    assert (old.answer, old.status, old.version) == ("旧", "published", 4)
    assert [reply.body for reply in old.replies.all()] == ["旧话术"]
    assert [str(one) for one in old.phrasings.all()] == ["退吗"]
    assert not old.tags.exists()
    assert not Entry.objects.filter(question="怎么换").exists()
    hits = search.search_entries("怎么换", user=agent).hits
    assert [hit.entry for hit in hits] in ([], [old])
    assert AuditEvent.objects.filter(act="imported", what__startswith="撤销").exists()


def test_a_state_that_an_import_gave_is_taken_back(
    make_entry: MakeEntry, lead: User
) -> None:
    entry = make_entry("怎么退", status="draft")
    made = load("问题,答案,状态\n怎么退,新,已发布\n", by=lead)
    undo(made, by=lead)
    entry.refresh_from_db()
    assert (entry.status, entry.answer) == (
        "draft",
        "质量问题由我们承担，个人原因由您承担。",
    )


def test_rows_changed_since_stay_and_are_named(editor: User) -> None:
    made = load(GOOD, by=editor)
    changed = Entry.objects.get(question="怎么退")
    entries.update_entry(changed, by=editor, based_on=changed.version, answer="改过")
    done = undo(made, by=editor)
    assert done.undone_count == 1
    assert done.refusals == ["「怎么退」：导入以后有人改过"]
    assert [entry.answer for entry in Entry.objects.all()] == ["改过"]


def test_what_counts_by_now_stays(editor: User) -> None:
    made = load(GOOD, by=editor)
    entry = Entry.objects.get(question="怎么退")
    question = intake.record_question("退？", answer="点退货")
    triage.settle_question(question, entry=entry, by=editor)
    assert undo(made, by=editor).refusals == [
        "「怎么退」：已经有问题、复制或评价算在它头上"
    ]


def test_an_undo_needs_the_rights_of_the_changes(editor: User, make_user: Any) -> None:
    made = load(
        "问题,答案,分类,状态\n甲,一,售后,草稿\n乙,二,售前,草稿\n丙,三,售后,已发布\n"
    )
    held = make_user("held", ROLE_WRITER)
    place = Category.objects.get(name="售后")
    CategoryPermission.objects.create(user=held, category=place, right="write")
    done = undo(made, by=held)
    assert done.undone_count == 1
    assert "「乙」：「售前」分类不在您可以撰写的范围里" in done.refusals
    assert any("「丙」" in why for why in done.refusals)
    assert Entry.objects.count() == 2


def test_an_import_is_undone_once(editor: User) -> None:
    made = load(GOOD, by=editor)
    undo(made, by=editor)
    with pytest.raises(ValidationError, match="已经撤销过了"):
        undo(made, by=editor)


@pytest.mark.django_db(transaction=True)
def test_the_index_is_not_written_anew_for_every_row(
    groups: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = load("问题,答案\n" + "".join(f"问{n},答\n" for n in range(30)))
    synced: list[int] = []
    real = sync.sync_marked_entries

    def counted(*args: Any, **options: Any) -> int:
        synced.append(real(*args, **options))
        return synced[-1]

    monkeypatch.setattr(sync, "sync_marked_entries", counted)
    assert undo(made).undone_count == 30
    assert not Entry.objects.exists()
    assert len(synced) < 10


def test_what_stayed_may_be_taken_back_later(staff: Client, editor: User) -> None:
    """So may what a process that was stopped in the middle has left."""
    made = load(GOOD, by=editor)
    changed = Entry.objects.get(question="怎么退")
    revised = entries.update_entry(
        changed, by=editor, based_on=changed.version, answer="改"
    )
    undo(made, by=editor)
    with pytest.raises(ValidationError, match="已经撤销过了"):
        undo(made, by=editor)  # at once, it might still be going on
    page = body(staff.get(reverse("admin:kb_import")))
    assert "，1 行没有动" in page
    assert "再撤一次" in page
    entries.update_entry(revised, by=editor, based_on=revised.version, answer="点退货")
    with time_machine.travel(timezone.now() + timedelta(minutes=11)):
        assert undo(made, by=editor).undone_count == 1
        with pytest.raises(ValidationError, match="已经撤销过了"):
            undo(made, by=editor)
    assert not Entry.objects.exists()


def test_imports_of_questions_and_words_are_undone(make_entry: MakeEntry) -> None:
    kept = Question.objects.create(text="退吗", answer="")
    StopWord.objects.create(text="亲爱的")
    entry = make_entry("怎么退")
    made = [
        load(
            "问题,回答,提问时间\n退吗,能退,2024-01-05 13:30\n换吗,能换,\n",
            kind="questions",
        ),
        load("停用词\n亲爱的\n您好呀\n", kind="stopwords"),
        load("同义词\n邮费；运费\n", kind="synonyms"),
        load("搜索的话,应该找到\n退,怎么退\n", kind="golden"),
        load("相似问法,条目\n能退么,怎么退\n", kind="phrasings"),
        load("话术,条目,名称\n点退货,怎么退,简短\n", kind="replies"),
    ]
    assert RelevanceTest.objects.get().entry == entry
    assert [undo(one).refusals for one in made[::-1]] == [[]] * 6
    assert not SynonymSet.objects.exists()
    assert not RelevanceTest.objects.exists()
    assert not entry.phrasings.exists()
    assert not entry.replies.exists()
    assert [word.text for word in StopWord.objects.all()] == ["亲爱的"]
    kept.refresh_from_db()
    assert (kept.answer, kept.status) == ("", "open")
    assert Question.objects.count() == 1


def test_the_page_takes_it_back_with_one_click(staff: Client, editor: User) -> None:
    confirm(staff, upload(staff, GOOD).url)
    page = body(staff.get("/admin/import/"))
    assert "撤销" in page
    batch = ImportBatch.objects.get()
    done = body(staff.post(reverse("admin:kb_import_undo", args=[batch.pk])))
    assert "已撤销 2 行" in done
    assert not Entry.objects.exists()
    assert "已撤销" in body(staff.get("/admin/import/"))
    assert (
        staff.get(reverse("admin:kb_import_undo", args=[batch.pk])).status_code == 405
    )
    assert staff.post(reverse("admin:kb_import_undo", args=[999])).status_code == 404


# Columns that we do not know -----------------------------------------------------------


def test_unknown_columns_are_assigned_once_and_remembered(staff: Client) -> None:
    file = "题目,解答,备注\n怎么退,点退货,x\n"
    preview = upload(staff, file).url
    asked = staff.get(preview, follow=True)
    assert asked.redirect_chain[-1][0] == f"{preview}columns/"
    page = body(asked)
    assert "缺少「标准问题」列" in page
    assert "例如：怎么退" in page
    fields = {"column_0": "question", "column_1": "answer", "column_2": ""}
    shown = body(staff.post(f"{preview}columns/", fields, follow=True))
    assert "按以前的对应：题目 → 标准问题、解答 → 答案、备注 → 不读" in shown
    assert "草稿、公开 1 条" in shown
    again = upload(staff, file).url
    assert "确认导入 1 行" in body(staff.get(again))
    confirm(staff, again)
    assert Entry.objects.get().answer == "点退货"


def test_two_columns_for_one_are_refused(staff: Client) -> None:
    preview = upload(staff, "题目,问法,答案\n怎么退,能退吗,点退货\n").url
    fields = {"column_0": "question", "column_1": "question"}
    page = body(staff.post(f"{preview}columns/", fields))
    assert "两列对应了同一项" in page
    assert not ImportColumnName.objects.exists()
    forged = body(staff.post(f"{preview}columns/", {"column_0": "password"}))
    assert "errorlist" in forged


def test_a_known_heading_cannot_be_reassigned(staff: Client) -> None:
    import_export.save_column_names("entries", {"问题": "answer"})
    made = load(GOOD)
    assert [str(step.action) for step in made.planned_rows] == ["新建", "新建"]
    assert Tag.objects.count() == 0


def test_every_row_can_be_taken_along_as_a_report(staff: Client) -> None:
    preview = upload(staff, "问题,答案,可见范围\n=1+1,b,\n甲,乙,公幵\n").url
    file = body(staff.get(f"{preview}report.csv"))
    assert "2,新建,'=1+1," in file
    assert "3,拒绝,甲,可见范围「公幵」：不认识这个值" in file


@pytest.mark.parametrize("kind", ["replies", "synonyms", "golden"])
def test_other_kinds_have_a_preview_too(
    staff: Client, make_entry: MakeEntry, kind: str
) -> None:
    make_entry("怎么退")
    files = {
        "replies": "话术,条目\n点退货,怎么退\n无处,没有的\n",
        "synonyms": "同义词\n邮费；运费\n；\n",
        "golden": "搜索的话,应该找到\n退,怎么退\n换,没有的\n",
    }
    file = SimpleUploadedFile("a.csv", files[kind].encode())
    data = {"kind": kind, "status": "draft", "file": file}
    preview = staff.post(reverse("admin:kb_import"), data)
    page = body(staff.get(preview.headers["Location"]))
    assert "共 2 行：新建 1 行，修改 0 行，不变 0 行，拒绝 1 行" in page


def test_columns_of_a_file_without_a_header_are_assigned(staff: Client) -> None:
    sent = upload(staff, "fh\t亲，今天发货\t物流\nzk\t亲，没有折扣\t售前\n")
    page = staff.get(sent.url, follow=True)
    assert "第一行也是数据" in body(page)
    columns = page.redirect_chain[-1][0]
    fields = {"column_0": "keywords", "column_1": "question", "column_2": "category"}
    preview = staff.post(columns, {**fields, "bare": "on"}, follow=True)
    assert "缺少「答案」或「话术」列" in body(preview)
    fields = {"column_0": "question", "column_1": "reply", "column_2": "category"}
    preview = staff.post(columns, {**fields, "bare": "on"}, follow=True)
    assert "文件没有表头，第一行也导入" in body(preview)
    confirm(staff, preview.redirect_chain[-1][0])
    made = Entry.objects.values_list("question", "category__name")
    assert set(made) == {("fh", "物流"), ("zk", "售前")}
    assert not ImportColumnName.objects.exists()  # the next file has other first rows
