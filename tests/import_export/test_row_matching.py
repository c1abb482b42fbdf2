"""Which entry a row means: an external id alone is not enough."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from kb import import_export
from kb.import_export import ImportOptions, ImportPlan
from kb.import_export.plan.question_similarity import (
    NEAR_DUPLICATE_SIMILARITY,
    SAME_QUESTION_SIMILARITY,
    compute_question_similarity,
)
from kb.import_export.read.file_source import derive_file_source
from kb.models import AuditEvent, Entry, ImportBatch, Phrasing, Question
from tests.conftest import MakeEntry
from tests.importing import actions, load, plan, read, reasons, snapshot

pytestmark = pytest.mark.django_db
PARK = (
    "编号,标准问题,答案,分类,短码,相似问法,标签,话术\n"
    "1,景区几点关门,18 点,开放,kfsj,几点闭园,门票,亲，18 点\n"
)
SCHOOL = "编号,标准问题,答案\n1,怎么办理退学,到教务处\n"


def load_named(name: str, text: str, **options: Any) -> ImportPlan:
    """Import a file as the command and the admin do: its name is its source."""
    table = read(text, name=name)
    chosen = import_export.fill_default_source(
        ImportOptions(**options), table, kind="entries"
    )
    made = import_export.plan_import(table, kind="entries", options=chosen)
    import_export.apply_import(made, by=None, skip_bad=True)
    return made


def run(*words: object) -> str:
    out = io.StringIO()
    call_command("kb_import", *map(str, words), stdout=out, stderr=io.StringIO())
    return out.getvalue()


# Where a file comes from ------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "source"),
    [
        ("faq.xlsx", "faq"),
        ("FAQ (1).xlsx", "faq"),
        ("faq（2）.csv", "faq"),
        ("faq - 副本.csv", "faq"),
        ("faq - 副本 (2).csv", "faq"),
        ("faq - Copy.csv", "faq"),
        ("faq.refused.csv", "faq"),
        ("客服 FAQ 2024.xlsx", "客服 faq 2024"),
        ("(1).csv", "(1)"),
        ("-", ""),
        ("长" * 80 + ".csv", "长" * 50),
    ],
)
def test_the_source_of_a_file_is_its_name_without_signs_of_a_copy(
    name: str, source: str
) -> None:
    assert derive_file_source(name) == source


def test_two_files_numbered_from_one_never_touch_each_other(tmp_path: Path) -> None:
    for name, text in (("park.csv", PARK), ("school.csv", SCHOOL)):
        (tmp_path / name).write_text(text)
    assert "来源：park（文件名" in run("entries", tmp_path / "park.csv")
    before = list(Entry.objects.values())
    run("entries", tmp_path / "school.csv")
    assert list(Entry.objects.filter(source="park").values()) == before
    made = Entry.objects.get(source="school")
    assert (made.external_id, made.question) == ("1", "怎么办理退学")


def test_the_same_file_downloaded_again_is_recognised() -> None:
    load_named("faq.csv", SCHOOL)
    made = load_named("faq (1).csv", SCHOOL.replace("到教务处", "到二楼教务处"))
    assert actions(made) == ["CHANGE"]
    assert Entry.objects.get().answer == "到二楼教务处"


def test_a_column_of_sources_says_so_itself() -> None:
    load_named("faq.csv", "编号,来源,问题,答案\n1,,甲是什么,一\n2,旧库,乙是什么,二\n")
    assert set(Entry.objects.values_list("source", flat=True)) == {"", "旧库"}


def test_what_was_imported_before_files_had_a_source_is_recognised() -> None:
    load(SCHOOL)
    assert Entry.objects.get().source == ""
    made = load_named("faq.csv", SCHOOL.replace("到教务处", "到二楼"))
    assert actions(made) == ["CHANGE"]
    entry = Entry.objects.get()
    assert (entry.source, entry.external_id, entry.answer) == ("faq", "1", "到二楼")
    other = load_named("other.csv", "编号,问题,答案\n1,怎么补办校园卡,到后勤处\n")
    assert actions(other) == ["CREATE"]


@pytest.mark.parametrize("heading", ["序号", "序", "No.", "NO", "序号（必填）"])
def test_a_running_number_is_no_identity(heading: str) -> None:
    made = load(f"{heading},问题,答案\n1,景区几点关门,18 点\n")
    assert Entry.objects.get().external_id == ""
    assert "只是第几行，不当作编号" in "".join(made.notes)
    import_export.save_column_names("entries", {heading: "external_id"})
    load(f"{heading},问题,答案\n1,怎么办理退学,到教务处\n")
    assert Entry.objects.count() == 2
    assert not Entry.objects.exclude(external_id="").exists()


# The same number, another question ----------------------------------------------------


def test_another_question_under_a_number_is_refused_until_it_is_confirmed() -> None:
    load(PARK)
    before = snapshot()
    made = plan(SCHOOL)
    assert actions(made) == ["REFUSE"]
    (step,) = made.replaced_rows
    assert (step.related_entry.question, step.title) == ("景区几点关门", "怎么办理退学")  # type: ignore[union-attr]
    assert "换成了另一个问题" in reasons(made)
    import_export.apply_import(made, by=None, skip_bad=True)
    assert snapshot() == before


def test_a_confirmed_row_is_never_mixed_with_the_one_before() -> None:
    load(PARK)
    old = Entry.objects.get()
    made = load(SCHOOL, replaced_rows=frozenset({2}), status="draft")
    assert actions(made) == ["REPLACE"]
    new = Entry.objects.get(question="怎么办理退学")
    assert (new.external_id, new.status, new.answer) == ("1", "draft", "到教务处")
    assert (new.category, new.keywords) == (None, "")
    parts = (new.tags, new.phrasings, new.replies)
    assert not any(part.exists() for part in parts)
    old.refresh_from_db()
    assert (old.status, old.external_id, old.question) == (
        "retired",
        "",
        "景区几点关门",
    )
    assert old.keywords == "kfsj"
    assert old.phrasings.count() == old.replies.count() == 1
    assert AuditEvent.objects.filter(
        act=AuditEvent.Action.RETIRED, what__contains="景区"
    ).exists()
    assert actions(plan(SCHOOL)) == ["SAME"]


def test_a_confirmed_replacement_can_be_taken_back() -> None:
    load(PARK)
    made = load(SCHOOL, replaced_rows=frozenset({2}))
    assert isinstance(made.batch, ImportBatch)
    assert import_export.undo_import(made.batch, by=None).refusals == []
    entry = Entry.objects.get()
    assert (entry.question, entry.status) == ("景区几点关门", "published")
    assert (entry.external_id, entry.answer) == ("1", "18 点")
    assert actions(plan(PARK)) == ["SAME"]


@pytest.mark.parametrize(
    "row",
    [
        "1,景区几点关门？,19 点",
        "1,景区晚上几点关门,19 点",
        "1,几点闭园,19 点",
    ],
)
def test_a_question_that_was_edited_stays_the_same_entry(row: str) -> None:
    load(PARK)
    made = load(f"编号,标准问题,答案\n{row}\n")
    assert actions(made) == ["CHANGE"]
    assert Entry.objects.get().answer == "19 点"


def test_an_answer_that_many_questions_share_is_no_identity() -> None:
    answer = "您好，这个问题请联系在线客服处理，服务时间是每天九点到二十一点。"
    load(f"编号,标准问题,答案\n1,景区几点关门,{answer}\n")
    made = plan(f"编号,标准问题,答案\n1,怎么办理退学,{answer}\n")
    assert actions(made) == ["REFUSE"]


def test_rows_of_many_sources_are_looked_up_together(
    django_assert_max_num_queries: Any,
) -> None:
    head = "编号,来源,标准问题,答案\n"
    rows = "".join(f"1,库{n},第 {n} 种证件怎么补办,去 {n} 号窗口\n" for n in range(60))
    load(head + rows)
    with django_assert_max_num_queries(30):
        assert set(actions(plan(head + rows))) == {"SAME"}


@pytest.mark.parametrize(
    ("one", "other", "is_same"),
    [
        ("景区几点关门", "怎么办理退学", False),
        ("怎么退货", "怎么换货", False),
        ("退款多久到账", "退款什么时候到账", True),
        ("能开发票吗", "怎么开发票", True),
        ("怎麼修改密碼", "如何修改密码？", True),
        ("怎么修改密码", "怎么修改手机号", False),
    ],
)
def test_similarity_looks_at_what_is_asked_about(
    one: str, other: str, *, is_same: bool
) -> None:
    assert (
        compute_question_similarity([one], [other]) >= SAME_QUESTION_SIMILARITY
    ) is is_same
    assert SAME_QUESTION_SIMILARITY < NEAR_DUPLICATE_SIMILARITY


def test_our_own_mark_stays_exact() -> None:
    load(PARK)
    heads = ",".join(import_export.list_export_headings("entries"))
    (line,) = import_export.prepare_export("entries").iter_lines()
    line[3] = "怎么办理退学"
    cells = ",".join(f'"{cell}"' for cell in line)
    made = load(f"{heads}\n{cells}\n")
    assert actions(made) == ["CHANGE"]
    assert Entry.objects.get().question == "怎么办理退学"


# A file that was numbered anew --------------------------------------------------------

THREE = "编号,问题,答案\n1,怎么退货,甲\n2,怎么换货,乙\n3,能开发票吗,丙\n"


def numbered() -> dict[str, str]:
    rows = Entry.objects.exclude(external_id="").values_list("external_id", "question")
    return dict(rows.order_by("external_id"))


@pytest.mark.parametrize(
    "rows",
    [
        "1,怎么换货,乙\n2,怎么退货,甲\n3,能开发票吗,丙\n",
        "1,能开发票吗,丙\n2,怎么退货,甲\n3,怎么换货,乙\n",
        "1,景区几点关门,丁\n2,怎么退货,甲\n3,怎么换货,乙\n4,能开发票吗,丙\n",
    ],
)
def test_a_renumbered_file_is_matched_by_its_questions(rows: str) -> None:
    load(THREE)
    pairs = Entry.objects.values_list("question", "pk", "answer")
    before = {question: (pk, answer) for question, pk, answer in pairs}
    made = load(f"编号,问题,答案\n{rows}")
    assert "同一个问题换了编号" in "".join(s.detail for s in made.planned_rows)
    wanted = dict(line.split(",")[:2] for line in rows.splitlines())
    assert numbered() == wanted
    for question, (pk, answer) in before.items():
        entry = Entry.objects.get(question=question)
        assert (entry.pk, entry.answer) == (pk, answer)
    assert set(actions(plan(f"编号,问题,答案\n{rows}"))) == {"SAME"}
    assert made.batch
    assert import_export.undo_import(made.batch, by=None).refusals == []
    assert numbered() == {"1": "怎么退货", "2": "怎么换货", "3": "能开发票吗"}
    assert set(actions(plan(THREE))) == {"SAME"}


def test_an_entry_missing_from_a_renumbered_file_loses_only_its_number() -> None:
    load(THREE)
    made = load("编号,问题,答案\n1,怎么换货,乙\n2,能开发票吗,丙\n")
    assert "会失去编号" in made.planned_rows[0].detail
    assert numbered() == {"1": "怎么换货", "2": "能开发票吗"}
    left = Entry.objects.get(question="怎么退货")
    assert (left.status, left.answer, left.external_id) == ("published", "甲", "")
    assert made.batch
    import_export.undo_import(made.batch, by=None)
    assert set(actions(plan(THREE))) == {"SAME"}


def test_a_row_that_is_refused_keeps_its_number() -> None:
    load(THREE)
    rows = "1,怎么换货,乙,\n2,怎么退货,甲,公幵\n3,能开发票吗,丙,\n"
    made = plan(f"编号,问题,答案,可见范围\n{rows}")
    import_export.apply_import(made, by=None, skip_bad=True)
    assert numbered() == {"1": "怎么退货", "2": "怎么换货", "3": "能开发票吗"}
    assert "仍归它" in made.planned_rows[0].detail


# Questions that customers asked, replies, phrasings --------------------------------------


def test_questions_of_two_files_do_not_meet() -> None:
    old = "编号,客户问题,客服回答\n1,怎么退,点退货\n"
    load(old, kind="questions")
    new = "编号,客户问题,客服回答\n1,几点开门,八点\n"
    assert actions(plan(new, kind="questions")) == ["REFUSE"]
    made = load(new, kind="questions", replaced_rows=frozenset({2}))
    assert actions(made) == ["REPLACE"]
    rows = Question.objects.order_by("pk").values_list("text", "answer", "external_id")
    assert list(rows) == [("怎么退", "点退货", ""), ("几点开门", "八点", "1")]
    assert made.batch
    assert import_export.undo_import(made.batch, by=None).refusals == []
    assert list(Question.objects.values_list("text", "external_id")) == [
        ("怎么退", "1")
    ]


def test_a_reply_hangs_on_the_entry_that_its_row_names() -> None:
    load_named("park.csv", PARK)
    head = "条目编号,条目,话术\n"
    assert actions(plan(f"{head}1,,亲，六点\n", kind="replies")) == ["CHANGE"]
    made = plan(f"{head}1,怎么办理退学,亲，到教务处\n", kind="replies")
    assert "现在是「景区几点关门」" in reasons(made)
    load_named("school.csv", SCHOOL)
    made = plan(f"{head}1,,亲\n1,怎么办理退学,亲，到教务处\n", kind="replies")
    assert actions(made) == ["REFUSE", "CREATE"]
    assert "几个来源都有编号「1」" in reasons(made)


# Near duplicates --------------------------------------------------------------------


@pytest.fixture
def refund(make_entry: MakeEntry) -> Entry:
    return make_entry("退款多久能到账", answer="三天")


NEAR = "问题,答案\n退款要多久到账？,五天\n景区几点关门,18 点\n"


def test_a_near_duplicate_is_skipped_by_default(
    refund: Entry,
) -> None:
    made = load(NEAR)
    assert actions(made) == ["SKIP", "CREATE"]
    (step,) = made.duplicate_rows
    assert step.related_entry is not None
    assert step.related_entry.pk == refund.pk
    assert "跳过 1 行" in made.summary
    assert f"#{refund.pk}「退款多久能到账」" in step.detail
    assert "退款要多久到账" in "".join(import_export.iter_refused_csv(made))
    assert Entry.objects.count() == 2


def test_a_near_duplicate_becomes_a_phrasing(refund: Entry) -> None:
    version = refund.version
    made = load(NEAR, row_duplicate_actions={2: "merge"})
    assert actions(made) == ["MERGE", "CREATE"]
    assert Phrasing.objects.get().text == "退款要多久到账？"
    refund.refresh_from_db()
    assert (refund.answer, refund.version) == ("三天", version + 1)
    assert made.batch
    assert import_export.undo_import(made.batch, by=None).refusals == []
    assert not Phrasing.objects.exists()


def test_a_near_duplicate_becomes_an_entry_of_its_own(refund: Entry) -> None:
    assert actions(load(NEAR, duplicate_action="new")) == ["CREATE", "CREATE"]
    assert Entry.objects.count() == 3


def test_several_rows_merge_into_one_entry_as_one_version(refund: Entry) -> None:
    version = refund.version
    rows = "退款要多久到账呀,五天\n退款几天能到账,六天\n退款 要多久到账呀,七天\n"
    numbered_rows = "".join(
        f"{number},{row}\n" for number, row in enumerate(rows.splitlines(), 1)
    )
    made = load(f"编号,问题,答案\n{numbered_rows}", duplicate_action="merge")
    assert actions(made) == ["MERGE", "MERGE", "SAME"]
    refund.refresh_from_db()
    assert (refund.answer, refund.version) == ("三天", version + 1)
    assert refund.phrasings.count() == 2


def test_a_new_row_beside_its_neighbour_in_the_same_file_is_no_duplicate() -> None:
    load("编号,问题,答案\n1,A 款保修多久,一年\n")
    made = plan("编号,问题,答案\n1,A 款保修多久,一年\n2,B 款保修多久,两年\n")
    assert actions(made) == ["SAME", "CREATE"]


def test_the_command_decides_about_all_near_duplicates(
    refund: Entry, tmp_path: Path
) -> None:
    path = tmp_path / "a.csv"
    path.write_text(NEAR)
    out = run("entries", path)
    assert "第 2 行　跳过　退款要多久到账？" in out
    assert "没有导入" in out
    assert (tmp_path / "a.refused.csv").exists()
    run("entries", path, "--duplicates", "merge")
    assert refund.phrasings.get().text == "退款要多久到账？"


def test_the_command_replaces_the_rows_that_are_named(tmp_path: Path) -> None:
    path = tmp_path / "faq.csv"
    path.write_text(PARK)
    run("entries", path)
    path.write_text(SCHOOL)
    with pytest.raises(CommandError, match="--replace-rows 2"):
        run("entries", path)
    with pytest.raises(CommandError, match="第 3 行没有换成另一个问题"):
        run("entries", path, "--replace-rows", "3")
    out = run("entries", path, "--replace-rows", "2")
    assert "原来：景区几点关门" in out
    assert "替换 1 行" in out
    assert Entry.objects.get(status="published").question == "怎么办理退学"
    with pytest.raises(CommandError, match="要写行号"):
        run("entries", path, "--replace-rows", "x")


# What is published --------------------------------------------------------------------


def test_drafts_were_chosen_so_nothing_goes_live(make_entry: MakeEntry) -> None:
    entry = make_entry("怎么退", answer="旧")
    made = plan("问题,答案\n怎么退,新\n", status="draft")
    assert actions(made) == ["REFUSE"]
    assert "已发布，修改会马上生效" in reasons(made)
    made = load("问题,答案\n怎么退,新\n", status="draft", may_change_live=True)
    assert actions(made) == ["CHANGE"]
    assert [step.row.number for step in made.live_rows] == [2]
    entry.refresh_from_db()
    assert entry.answer == "新"


def test_the_command_says_what_goes_live(make_entry: MakeEntry, tmp_path: Path) -> None:
    make_entry("怎么退", answer="旧")
    path = tmp_path / "a.csv"
    path.write_text("问题,答案\n怎么退,新\n")
    with pytest.raises(CommandError, match="--update-published"):
        run("entries", path, "--status", "draft")
    warning = "其中 1 行改动已发布的内容，导入后马上生效：第 2 行。"
    assert warning in run("entries", path, "--status", "draft", "--update-published")


def test_a_merged_phrasing_is_live_at_once_and_says_so(refund: Entry) -> None:
    made = plan(NEAR, duplicate_action="merge", status="draft")
    assert actions(made) == ["MERGE", "CREATE"]
    assert [step.row.number for step in made.live_rows] == [2]
