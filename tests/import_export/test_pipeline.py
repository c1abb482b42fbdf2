"""An import is planned first, written all or nothing, and repeatable."""

from __future__ import annotations

import pytest
from django.core.exceptions import ValidationError
from django.db import connection
from django.test.utils import CaptureQueriesContext

from kb import import_export
from kb.library import entries
from kb.models import (
    Entry,
    Question,
    Tag,
)
from kb.questions import triage
from tests.conftest import MakeEntry, MakeQuestion
from tests.importing import FULL, HEAD, actions, load, plan, snapshot

pytestmark = pytest.mark.django_db


# Questions ---------------------------------------------------------------------


def test_a_row_becomes_a_question_in_the_inbox() -> None:
    load(
        "编号,来源,客户问题,客服回答,渠道,客户类型,产品模块,提问时间\n"
        "9,千牛,怎么退呀,亲点退货,千牛,新客,订单,2024年1月5日 9:30\n"
        ",,能开票吗,,WeChat,,,\n",
        kind="questions",
    )
    answered = Question.objects.get(external_id="9")
    assert (answered.text, answered.answer) == ("怎么退呀", "亲点退货")
    assert (answered.channel, answered.segment) == ("qianniu", "新客")
    assert str(answered.module) == "订单"
    assert answered.asked_at.isoformat() == "2024-01-05T01:30:00+00:00"
    assert (answered.source, answered.status) == ("千牛", "answered")
    unanswered = Question.objects.get(external_id="")
    assert (unanswered.status, unanswered.channel) == ("open", "wechat")
    assert (
        unanswered.text_key == Question(text="能开票吗?").text_key
        or unanswered.text_key
    )


def test_an_answer_that_comes_later_moves_the_question_on(
    make_question: MakeQuestion,
) -> None:
    waiting = make_question("怎么退", answer="")
    asked_at = waiting.asked_at
    made = load("问题,回答\n怎么退？,点退货\n", kind="questions")
    assert actions(made) == ["CHANGE"]
    waiting.refresh_from_db()
    assert (waiting.status, waiting.answer) == ("answered", "点退货")
    assert waiting.asked_at == asked_at


def test_a_sorted_question_stays_sorted(
    make_question: MakeQuestion, make_entry: MakeEntry
) -> None:
    entry = make_entry()
    settled = triage.settle_question(make_question("怎么退"), entry=entry, by=None)
    load("问题,回答\n怎么退,新的回答\n", kind="questions")
    settled.refresh_from_db()
    assert (settled.status, settled.entry, settled.answer) == (
        "settled",
        entry,
        "新的回答",
    )


# All or nothing ----------------------------------------------------------------


def test_one_bad_row_stops_all_unless_it_is_to_be_skipped() -> None:
    rows = "".join(f"问{n},答\n" for n in range(1000))
    made = plan(HEAD + rows + ",答\n")
    with pytest.raises(ValidationError, match="有 1 行不能导入，没有写入任何内容"):
        import_export.apply_import(made, by=None)
    assert not Entry.objects.exists()
    assert import_export.apply_import(made, by=None, skip_bad=True) == 1000
    assert Entry.objects.count() == 1000


def test_a_plan_writes_nothing() -> None:
    before = snapshot()
    plan(FULL)
    assert snapshot() == before


def test_a_plan_that_has_been_overtaken_is_not_carried_out(
    make_entry: MakeEntry, make_question: MakeQuestion
) -> None:
    entry, asked = make_entry("怎么退"), make_question("能退吗")
    changing = plan(HEAD + "怎么退,导入的\n")
    entries.update_entry(entry, by=None, based_on=entry.version, answer="编辑的")
    creating = plan(HEAD + "怎么换,导入的\n")
    make_entry("怎么换")
    settling = plan("问题,回答\n能退吗,导入的\n", kind="questions")
    triage.settle_question(asked, entry=entry, by=None)
    before = snapshot()
    for made in (changing, creating, settling):
        with pytest.raises(ValidationError, match="期间有人改了"):
            import_export.apply_import(made, by=None)
    assert snapshot() == before


def test_two_imports_of_one_file_at_once_make_it_once() -> None:
    first, second = plan(FULL), plan(FULL)
    import_export.apply_import(first, by=None)
    with pytest.raises(ValidationError, match="再导入一次"):
        import_export.apply_import(second, by=None)
    assert Entry.objects.count() == 2


def test_a_new_tag_created_meanwhile_is_a_conflict() -> None:
    made = plan("问题,答案,标签\na,b,新\n")
    Tag.objects.create(name="新")
    with pytest.raises(ValidationError, match="再导入一次"):
        import_export.apply_import(made, by=None)
    assert not Entry.objects.exists()


def test_rows_are_looked_up_in_batches(make_entry: MakeEntry) -> None:
    text = "编号,问题,答案\n" + "".join(f"{n},问{n},答\n" for n in range(400))
    load(text)
    with CaptureQueriesContext(
        connection,
    ) as queries:
        plan(text)
    assert len(queries) <= 12
    changed = plan(text.replace("答\n", "新\n"))
    with CaptureQueriesContext(connection) as queries:
        changed.row_kind.store_rows(None)
    assert len(queries) <= 36  # every version is kept


def test_refused_rows_can_be_mended_and_imported() -> None:
    made = plan("问题,答案,可见范围\n=1+1,@x,公幵\n换货,'=2,内部\n多,了,公开,一格\n")
    text = "".join(import_export.iter_refused_csv(made))
    assert text.splitlines()[0] == "\ufeff行号,原因,问题,答案,可见范围"
    assert text.splitlines()[1].startswith("2,可见范围「公幵」：不认识这个值")
    assert text.splitlines()[1].endswith(",'=1+1,'@x,公幵")
    assert text.splitlines()[2].endswith(",多,了,公开,一格")
    mended = plan(text.replace("公幵", "公开").replace(",一格", ""))
    assert actions(mended) == ["CREATE", "CREATE"]
    assert not [note for note in mended.notes if "行号" in note]
    again = "".join(import_export.iter_refused_csv(plan(text)))
    assert again.splitlines()[0] == text.splitlines()[0]
