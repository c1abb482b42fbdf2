"""Exports are imported without loss, and contain no formula."""

from __future__ import annotations

import csv
import io
import zipfile
from datetime import timedelta
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from django.contrib.auth.models import Permission
from django.core.exceptions import ValidationError
from django.core.management import CommandError, call_command
from django.utils import timezone
from hypothesis import given, settings
from hypothesis import strategies as st

from config.settings import BASE_DIR
from kb import import_export
from kb.import_export import RowAction, cells, row_marks
from kb.import_export.export import split_files
from kb.language import vocabulary
from kb.models import (
    AuditEvent,
    Category,
    CustomerSegment,
    DictionaryWord,
    Entry,
    Module,
    Phrasing,
    Question,
    RelevanceTest,
    Reply,
    Snippet,
    StopWord,
    StyleRule,
    SynonymSet,
    Tag,
    User,
)
from kb.quality import relevance_tests
from kb.text.chinese import normalize
from tests.conftest import MakeEntry
from tests.importing import actions, load, plan, snapshot

pytestmark = pytest.mark.django_db
FORMATS = ("csv", "xlsx")
KINDS = (
    "categories",
    "snippets",
    "entries",
    "replies",
    "phrasings",
    "questions",
    "synonyms",
    "words",
    "stopwords",
    "wording",
    "golden",
)
TABLES = (
    Snippet,
    RelevanceTest,
    Phrasing,
    Reply,
    Question,
    Entry,
    Category,
    Tag,
    Module,
    SynonymSet,
    DictionaryWord,
    StopWord,
    StyleRule,
)


def export_file(kind: str, format: str = "csv") -> bytes:
    made, heads = (
        import_export.prepare_export(kind),
        import_export.list_export_headings(kind),
    )
    if format == "csv":
        return "".join(import_export.iter_csv_lines(heads, made.iter_lines())).encode()
    file = io.BytesIO()
    import_export.write_workbook(heads, made.iter_lines(), file, made.label)
    return file.getvalue()


def export_lines(kind: str) -> list[list[str]]:
    """Return the lines of an export without the marks, which are of one library only."""
    fields = import_export.prepare_export(kind).fields
    own = [at for at, name in enumerate(fields) if name not in {"mark", "entry_mark"}]
    return sorted(
        [line[at] for at in own]
        for line in import_export.prepare_export(kind).iter_lines()
    )


def delete_library() -> None:
    Entry.objects.update(category=None)
    while Category.objects.exists():
        Category.objects.filter(children=None).delete()
    for table in TABLES:
        getattr(table, "objects").all().delete()  # noqa: B009 - the row's own manager


@pytest.fixture
def library(make_entry: MakeEntry, editor: User) -> Entry:
    """A library with everything that an export could lose."""
    top = Category.objects.create(name="售后/保修")
    below = Category.objects.create(name="退换货", parent=top)
    entry = make_entry(
        "=退货运费谁承担？",
        answer="第一行\n\n- **二**\n",
        category=below,
        module=Module.objects.create(name="订单"),
        keywords="thyf @x",
        phrasings=["运费；谁出", "a|b", "-1"],
        source="旧库",
        external_id="007",
        valid_until=timezone.now() + timedelta(days=9),
        owner=editor,
        review_at=timezone.localdate() + timedelta(days=30),
    )
    entry.tags.add(
        Tag.objects.create(name="运费，包邮"), Tag.objects.create(name="+加")
    )
    segment = CustomerSegment.objects.create(name="高净值")
    for order, label in enumerate(["标准", "安抚", "标准", "长"]):
        facts = {"channel": "wechat", "segment": segment} if order == 2 else {}
        Reply.objects.create(
            entry=entry,
            label=label,
            order=order * 3,
            body=f"@{label}{order}\n{{{{订单号}}}}",
            tone="formal",
            **facts,
        )
    Category.objects.create(name="空的", position=5, review_every=90, own_hant="空")
    Snippet.objects.create(name="z 地址", body="=仓库\n三号")
    Snippet.objects.create(name="a 退货", body="寄到{{> z 地址}}")
    Reply.objects.create(entry=entry, label="片段", order=20, body="{{> a 退货}}")
    make_entry("内部的", answer="", audience="internal", replies=["只给同事"])
    make_entry("草稿", status="draft", audience="public")
    make_entry("下线的", status="retired")
    Question.objects.create(
        text="\u200d怎么退\n？", answer="=cmd", channel="phone", segment="新客"
    )
    Question.objects.create(text="怎么退\n？", answer="又问一次")
    SynonymSet.objects.create(members="邮费\n运费", topic="物流", two_way=False)
    DictionaryWord.objects.create(text="闪电退款", tag="")
    StopWord.objects.create(text="亲爱的")
    StyleRule.objects.create(
        text="=第一", kind="absolute", exceptions="=第一步", faces="reply", reason="@x"
    )
    StyleRule.objects.create(text="句子太长", kind="check", limit=90, severity="off")
    RelevanceTest.objects.create(words="＝运费", entry=entry, side="staff", within=3)
    RelevanceTest.objects.create(words="火星", entry=None)
    return entry


@pytest.mark.parametrize("format", FORMATS)
def test_a_library_that_goes_out_comes_back(library: Entry, format: str) -> None:
    files = {kind: export_file(kind, format) for kind in KINDS}
    before = {kind: export_lines(kind) for kind in KINDS}
    delete_library()
    for kind in KINDS:
        made = plan(files[kind], kind=kind)
        assert not made.refused_rows, [str(step) for step in made.refused_rows]
        import_export.apply_import(made, by=None)
        assert export_lines(kind) == before[kind]


@pytest.mark.parametrize("kind", KINDS)
def test_importing_an_export_again_changes_nothing(library: Entry, kind: str) -> None:
    before = snapshot()
    made = plan(export_file(kind), kind=kind)
    assert set(actions(made)) == {"SAME"}
    import_export.apply_import(made, by=None)
    assert snapshot() == before


def test_a_mark_finds_its_row_whatever_was_changed(library: Entry) -> None:
    rows = list(
        csv.reader(io.StringIO(export_file("entries").decode().lstrip("\ufeff")))
    )
    at = {head: place for place, head in enumerate(rows[0])}
    rows[1][at["标准问题"]] = "全新的问题"
    text = io.StringIO()
    csv.writer(text).writerows(rows[:2])
    made = load(text.getvalue())
    assert actions(made) == ["CHANGE"]
    library.refresh_from_db()
    assert library.question == "全新的问题"


@pytest.mark.parametrize("mark", ["1-00000000", "1", "-", "9" * 30 + "-aa", "１-aa"])
def test_a_mark_of_another_library_says_nothing(library: Entry, mark: str) -> None:
    assert row_marks.read_row_mark("entries", mark) is None
    assert (
        row_marks.read_row_mark("replies", row_marks.make_row_mark("entries", 1))
        is None
    )


def test_what_one_person_keeps_does_not_go_out(library: Entry, agent: Any) -> None:
    Reply.objects.create(owner=agent, title="我的", body="只有我能看", entry=library)
    for kind in KINDS:
        assert "只有我能看" not in export_file(kind).decode()


# Formulas ---------------------------------------------------------------------------


FORMULAS = [
    "=1+1",
    "==1",
    "+1",
    "-1",
    "@SUM(A1)",
    "\t=1",
    " =1",
    "＝1",
    "＋1",
    "－1",
    "＠a",
    "'=1",
    "''=1",
]


@pytest.mark.parametrize("text", FORMULAS)
def test_no_cell_is_a_formula_and_none_is_changed(text: str) -> None:
    line = "".join(import_export.iter_csv_lines(["词"], [[text]])).split("\r\n")[1]
    assert line.strip('"').startswith("'")
    file = io.BytesIO()
    import_export.write_workbook(["词"], [[text]], file, "词")
    cell = openpyxl.load_workbook(file).worksheets[0]["A2"]
    assert cell.data_type == "s"
    assert cells.unescape_formula(cell.value) == text


def test_a_workbook_holds_no_formula_at_all(library: Entry) -> None:
    for kind in KINDS:
        book = zipfile.ZipFile(io.BytesIO(export_file(kind, "xlsx")))
        assert b"<f>" not in book.read("xl/worksheets/sheet1.xml")


def test_a_text_that_excel_cannot_hold_is_named() -> None:
    with pytest.raises(ValidationError, match="第 3 行「答案」超过 32,767 个字"):
        rows = [["短"], ["长" * 32_768]]
        import_export.write_workbook(["答案"], rows, io.BytesIO(), "条目")


# Any text ---------------------------------------------------------------------------


LETTERS = st.characters(codec="utf-8")
ANY = st.text(LETTERS, max_size=30).map(normalize.clean_single_line)
SOME = ANY.map(lambda text: text if any(map(str.isalnum, text)) else f"{text}字")


@settings(deadline=None)
@given(st.lists(SOME, max_size=5))
def test_what_is_joined_is_taken_apart_again(texts: list[str]) -> None:
    for separators in (
        cells.PHRASING_SEPARATORS,
        cells.TAG_SEPARATORS,
        cells.CATEGORY_PATH_SEPARATORS,
    ):
        assert cells.split_cell(separators, cells.join_cell(separators, texts)) == texts


# The admin --------------------------------------------------------------------------


@pytest.mark.parametrize("format", FORMATS)
def test_export_needs_its_permission(
    library: Entry, client: Any, editor: Any, agent: Any, format: str
) -> None:
    address = f"/admin/export/entries.{format}"
    client.force_login(editor)
    assert "导出" in client.get("/admin/kb/entry/").content.decode()
    assert client.get("/admin/export/").status_code == 200
    response = client.get(address)
    body = b"".join(response.streaming_content)
    assert "attachment" in response.headers["Content-Disposition"]
    assert (
        plan(body, kind="entries").counts_by_action[RowAction.SAME]
        == Entry.objects.count()
    )
    assert AuditEvent.objects.get(act="exported").by == editor
    editor.groups.clear()
    editor.user_permissions.add(Permission.objects.get(codename="view_entry"))
    assert client.get(address).status_code == 403
    client.force_login(agent)
    assert client.get(address, follow=True).status_code == 403


@pytest.mark.parametrize("name", ["users.csv", "entries.pdf", "entries.CSV"])
def test_nothing_else_goes_out(client: Any, editor: Any, name: str) -> None:
    client.force_login(editor)
    assert client.get(f"/admin/export/{name}").status_code == 404


# The command ------------------------------------------------------------------------


def test_the_command_writes_whole_files_of_at_most_so_many_rows(
    library: Entry, tmp_path: Path
) -> None:
    call_command("kb_export", "entries", str(tmp_path / "a.csv"), rows=2, verbosity=0)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a-2.csv", "a.csv"]
    assert all(
        len(path.read_text("utf-8-sig").splitlines()) >= 3
        for path in tmp_path.iterdir()
    )
    call_command("kb_export", "stopwords", str(tmp_path / "b.xlsx"), verbosity=0)
    assert (
        plan((tmp_path / "b.xlsx").read_bytes(), kind="stopwords").counts_by_action[
            RowAction.SAME
        ]
        == 1
    )
    with pytest.raises(CommandError, match="结尾"):
        call_command("kb_export", "words", str(tmp_path / "c.doc"))
    with pytest.raises(CommandError, match="写不了"):
        call_command("kb_export", "words", str(tmp_path / "none" / "c.csv"))


@pytest.mark.parametrize("form", FORMATS)
def test_what_one_import_does_not_take_goes_out_in_several(
    library: Entry, client: Any, editor: User, monkeypatch: Any, form: str
) -> None:
    """By size here: two of these rows are more than a file may have."""
    monkeypatch.setattr(split_files, "MAX_PART_BYTES", 700)
    client.force_login(editor)
    response = client.get(f"/admin/export/entries.{form}")
    assert response["Content-Type"] == "application/zip"
    archive = zipfile.ZipFile(io.BytesIO(b"".join(response.streaming_content)))
    assert len(archive.namelist()) > 1
    assert all(name.endswith(form) for name in archive.namelist())
    plans = [plan(archive.read(name), kind="entries") for name in archive.namelist()]
    assert {action for made in plans for action in actions(made)} == {"SAME"}
    assert sum(len(made.planned_rows) for made in plans) == Entry.objects.count()


def test_a_text_that_excel_cannot_hold_goes_out_as_csv_among_others(
    library: Entry, monkeypatch: Any
) -> None:
    Entry.objects.filter(pk=library.pk).update(answer="长" * 32_768)
    with pytest.raises(ValidationError, match="请导出 CSV"):
        import_export.build_export_file(
            import_export.prepare_export("entries"),
            import_export.list_export_headings("entries"),
            "xlsx",
        )
    monkeypatch.setattr(split_files, "MAX_PART_BYTES", 700)
    ending, body = import_export.build_export_file(
        import_export.prepare_export("entries"),
        import_export.list_export_headings("entries"),
        "xlsx",
    )
    names = zipfile.ZipFile(io.BytesIO(b"".join(body))).namelist()
    assert (ending, {name.rpartition(".")[2] for name in names}) == (
        "zip",
        {"csv", "xlsx"},
    )


def test_replies_of_an_entry_stay_in_one_file(
    make_entry: MakeEntry, tmp_path: Path
) -> None:
    """Two replies with one label, saved far apart, are distinguished by their order."""
    entries = [make_entry(f"第 {n} 问", replies=[]) for n in range(3)]
    for n in range(2):
        for entry in entries:
            Reply.objects.create(entry=entry, label="标准", body=f"{entry}：话术 {n}")
    before = export_lines("replies")
    call_command("kb_export", "replies", str(tmp_path / "r.csv"), rows=3, verbosity=0)
    files = sorted(tmp_path.iterdir(), key=lambda path: len(path.name))
    assert len(files) > 1
    Reply.objects.all().delete()
    for file in files:
        call_command("kb_import", "replies", str(file), stdout=io.StringIO())
    assert export_lines("replies") == before


def test_a_snippet_may_include_one_further_down(library: Entry) -> None:
    made = load(
        "片段,内容\n甲,见{{> 乙}}\n乙,见{{> z 地址}}\n丙,{{> 没有的}}\n丁,{{> 丙}}\n戊,{{> 戊}}\n",
        kind="snippets",
        skip_bad=True,
    )
    assert actions(made) == ["CREATE", "CREATE", "REFUSE", "REFUSE", "REFUSE"]
    assert "没有叫「没有的」的片段" in str(made.planned_rows[2])
    assert made.batch is not None
    assert import_export.undo_import(made.batch, by=None).refusals == []
    assert set(Snippet.objects.values_list("name", flat=True)) == {"a 退货", "z 地址"}


def test_categories_are_created_changed_and_undone(library: Entry) -> None:
    made = load(
        "分类,次序,复核间隔（天）\n空的/新的,30,\n空的,70,60\n/,1,\n空的/乙,x,\n",
        kind="categories",
        skip_bad=True,
    )
    assert actions(made) == ["CREATE", "CHANGE", "REFUSE", "REFUSE"]
    parent = Category.objects.get(name="空的")
    assert (parent.position, parent.review_every) == (70, 60)
    assert Category.objects.get(parent=parent).position == 30
    assert made.batch is not None
    assert import_export.undo_import(made.batch, by=None).refusals == []
    parent.refresh_from_db()
    assert (parent.position, parent.review_every) == (5, 90)
    assert not Category.objects.filter(parent=parent).exists()


def test_an_export_queries_in_batches(
    library: Entry, django_assert_max_num_queries: Any
) -> None:
    with django_assert_max_num_queries(12):
        list(import_export.prepare_export("entries").iter_lines())


def test_a_vocabulary_goes_from_site_to_site() -> None:
    vocabulary.install_starter_vocabulary()
    files = {kind: export_file(kind) for kind in ("words", "stopwords")}
    counts = DictionaryWord.objects.count(), StopWord.objects.count()
    DictionaryWord.objects.all().delete()
    StopWord.objects.all().delete()
    for kind, file in files.items():
        load(file, kind=kind)
    assert counts == (DictionaryWord.objects.count(), StopWord.objects.count())
    assert relevance_tests.get_last_run() is None


def test_the_commands_carry_a_library_over(library: Entry, tmp_path: Path) -> None:
    """As docs/moving.md says; a file of several parts is read part by part."""
    before = {kind: export_lines(kind) for kind in KINDS}
    for kind in KINDS:
        target = str(tmp_path / f"{kind}.csv")
        rows = 2 if kind == "entries" else None
        call_command("kb_export", kind, target, rows=rows, stdout=io.StringIO())
    assert (tmp_path / "entries-2.csv").exists()
    delete_library()
    for kind in KINDS:
        for file in sorted(tmp_path.glob(f"{kind}*.csv"), key=lambda p: len(p.name)):
            call_command("kb_import", kind, str(file), stdout=io.StringIO())
    for kind in KINDS:
        assert export_lines(kind) == before[kind]


def test_the_guide_names_every_kind_that_can_be_exported() -> None:
    guide = (BASE_DIR / "docs" / "moving.md").read_text("utf-8")
    assert set(KINDS) == set(import_export.ROW_KINDS)
    assert guide.count(f"for kind in {' '.join(KINDS)}; do") == 2
