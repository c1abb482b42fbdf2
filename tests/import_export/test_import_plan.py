"""The preview of an import: rows that need a decision come first."""

from __future__ import annotations

from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.test import Client

from kb import import_export
from kb.language import style_rules
from kb.models import Entry, Phrasing, Question, User
from tests.admin.test_imports import body, upload
from tests.conftest import MakeEntry
from tests.importing import actions, confirm, load, plan, reasons

pytestmark = pytest.mark.django_db
OLD = "编号,问题,答案,短码\n1,景区几点关门,18 点,gm\n2,有停车场吗,有,tc\n"
NEW = "编号,问题,答案\n1,怎么办理退学,到教务处\n2,怎么补考,找老师\n"


@pytest.fixture
def staff(client: Client, editor: User) -> Client:
    client.force_login(editor)
    return client


@pytest.fixture
def park(db: None) -> None:
    load(OLD, source="faq")


def test_the_source_is_the_name_of_the_file_and_can_be_changed(
    staff: Client, park: None
) -> None:
    preview = upload(staff, NEW, name="FAQ (1).csv").url
    page = body(staff.get(preview))
    assert 'name="source" id="id_source" value="faq"' in page
    assert "换成了另一个问题（2 行）" in page
    moved = confirm(staff, preview, source="教务处", source_shown="faq")
    assert "来源改了，请再看一遍" in body(moved)
    assert "换成了另一个问题" not in body(moved)
    assert Entry.objects.count() == 2
    confirm(staff, preview, source="教务处", source_shown="教务处")
    assert Entry.objects.filter(source="教务处").count() == 2
    assert Entry.objects.get(external_id="1", source="faq").question == "景区几点关门"


def test_rows_with_another_question_come_first_and_wait_for_a_tick(
    staff: Client, park: None
) -> None:
    preview = upload(staff, NEW, name="faq.csv", status="published").url
    page = body(staff.get(preview))
    first, rest = page.index("换成了另一个问题"), page.index('class="steps"')
    assert first < page.index("景区几点关门") < rest
    assert first < page.index("怎么办理退学") < rest
    assert "第 2 行确认换成另一个问题" in page
    done = confirm(staff, preview, replace=["2"], skip_bad="on")
    assert "替换 1 行" in body(done)
    live = Entry.objects.filter(status="published").values_list("question", flat=True)
    assert set(live) == {"怎么办理退学", "有停车场吗"}
    new = Entry.objects.get(question="怎么办理退学")
    assert (new.external_id, new.keywords) == ("1", "")


def test_a_confirmation_is_bound_to_the_entry_that_was_shown(
    staff: Client, park: None
) -> None:
    preview = upload(staff, NEW, name="faq.csv").url
    page = body(staff.get(preview))
    seen = page.split('name="fingerprint" value="')[1].split('"')[0]
    entry = Entry.objects.get(external_id="1")
    entry.answer, entry.version = "17 点", entry.version + 1
    entry.save()
    shown = {"fingerprint": seen, "replace": ["2"], "skip_bad": "on"}
    again = body(staff.post(preview, shown, follow=True))
    assert "库里相关的内容有了变化" in again
    assert 'value="2" checked' not in again
    assert Entry.objects.count() == 2
    entry.refresh_from_db()
    assert (entry.status, entry.answer) == ("published", "17 点")


def test_another_file_under_the_same_address_needs_its_own_confirmation(
    staff: Client, park: None
) -> None:
    first = upload(staff, NEW, name="faq.csv").url
    page = body(staff.get(first))
    seen = page.split('name="fingerprint" value="')[1].split('"')[0]
    second = upload(staff, NEW.replace("退学", "休学"), name="faq.csv").url
    shown = {"fingerprint": seen, "replace": ["2"], "skip_bad": "on"}
    assert "请再看一遍" in body(staff.post(second, shown, follow=True))
    assert Entry.objects.count() == 2


def test_looking_again_keeps_the_choices_and_writes_nothing(
    staff: Client, park: None
) -> None:
    preview = upload(staff, NEW, name="faq.csv").url
    again = body(confirm(staff, preview, replace=["3"], again="on"))
    assert 'value="3" checked' in again
    assert 'value="2" checked' not in again
    assert "替换 1 行" in again
    assert Entry.objects.count() == 2


def test_each_near_duplicate_has_its_choice(
    staff: Client, make_entry: MakeEntry
) -> None:
    refund = make_entry("退款多久能到账", answer="三天")
    invoice = make_entry("怎么开电子发票", answer="点发票")
    rows = "退款要多久到账？,五天\n如何开电子发票呢,八天\n怎么补办校园卡,后勤处\n"
    preview = upload(staff, f"问题,答案\n{rows}", status="published").url
    page = body(staff.get(preview))
    assert "库里已有几乎相同的问题（2 行）" in page
    assert "退款多久能到账" in page
    assert "条目已发布的，马上生效" in page
    chosen = {"choice-2": "merge", "duplicates": "skip"}
    done = body(confirm(staff, preview, **chosen))
    assert "并入 1 行，跳过 1 行" in done
    assert [p.text for p in Phrasing.objects.all()] == ["退款要多久到账？"]
    refund.refresh_from_db()
    assert refund.answer == "三天"
    assert not invoice.phrasings.exists()
    assert Entry.objects.count() == 3


def test_the_choice_for_all_holds_where_a_row_has_none(
    staff: Client, make_entry: MakeEntry
) -> None:
    make_entry("退款多久能到账", answer="三天")
    preview = upload(staff, "问题,答案\n退款要多久到账？,五天\n").url
    confirm(staff, preview, duplicates="new", **{"choice-2": ""})
    assert Entry.objects.get(question="退款要多久到账？").status == "draft"


def test_what_is_published_changes_only_when_that_was_ticked(
    staff: Client, make_entry: MakeEntry
) -> None:
    entry = make_entry("怎么退", answer="旧")
    data = "问题,答案\n怎么退,新\n怎么补办校园卡,后勤处\n"
    preview = upload(staff, data).url
    page = body(staff.get(preview))
    assert "要修改已发布的条目（1 行）" in page
    confirm(staff, preview, skip_bad="on")
    entry.refresh_from_db()
    assert entry.answer == "旧"
    preview = upload(staff, data).url
    confirm(staff, preview, change_live="on")
    entry.refresh_from_db()
    assert entry.answer == "新"


def test_what_goes_live_at_once_is_counted_and_named(
    staff: Client, make_entry: MakeEntry
) -> None:
    make_entry("怎么退", answer="旧")
    preview = upload(staff, "问题,答案,状态\n怎么退,新,已发布\n").url
    page = body(staff.get(preview))
    assert "1 行改动已发布的内容，确认后马上生效" in page
    assert "第 2 行　怎么退" in page


def test_questions_that_customers_asked_have_the_same_preview(staff: Client) -> None:
    load("编号,客户问题\n1,怎么退\n", kind="questions", source="faq")
    data = "编号,客户问题\n1,几点开门\n"
    preview = upload(staff, data, kind="questions").url
    assert "换成了另一个问题（1 行）" in body(staff.get(preview))
    confirm(staff, preview, replace=["2"])
    assert Question.objects.count() == 2


def test_forged_choices_say_nothing(staff: Client, park: None) -> None:
    preview = upload(staff, NEW, name="faq.csv").url
    forged: dict[str, Any] = {"replace": ["x", "9" * 30, "٢"], "duplicates": "delete"}
    forged |= {"choice-x": "new", "choice-2": "delete", "skip_bad": "on"}
    assert confirm(staff, preview, **forged).status_code == 200
    assert Entry.objects.count() == 2


def test_an_import_that_cannot_be_done_leads_back_to_its_preview(
    staff: Client, park: None
) -> None:
    preview = upload(staff, NEW, name="faq.csv").url
    stopped = confirm(staff, preview, replace=["2"])
    assert "有 1 行不能导入，没有写入任何内容" in body(stopped)
    assert 'value="2" checked' in body(stopped)
    assert Entry.objects.count() == 2


# Wording rules ------------------------------------------------------------------------


@pytest.fixture
def rules(db: None) -> None:
    style_rules.load_starter_rules()


def test_warnings_of_wording_rules_are_named_row_by_row(rules: None) -> None:
    rows = "甲是什么,最好的产品,\n乙是什么,好,打 13800138000 问\n"
    made = plan(f"问题,答案,话术\n{rows}", status="draft")
    details = [step.detail for step in made.planned_rows]
    assert "提醒：FAQ 答案「最" in details[0]
    assert "13800138000" in details[1]
    assert "话术" in details[1]


@pytest.mark.parametrize("status", ["draft", "published"])
@pytest.mark.parametrize("has_rules", [True, False])
def test_a_row_with_personal_data_in_a_phrasing_is_refused(
    db: None, status: str, has_rules: bool
) -> None:
    if has_rules:
        style_rules.load_starter_rules()
    rows = (
        "怎么查单,看订单页,查订单|我叫张某电话13800138000怎么查单\n怎么补办,后勤处,\n"
    )
    made = plan(f"问题,答案,相似问法\n{rows}", status=status)
    assert actions(made) == ["REFUSE", "CREATE"]
    assert reasons(made) == (
        "相似问法：相似问法里有姓名「张某」、手机号「13800138000」，大家都看得到。"
        "请删掉，或改成通用的说法"
    )
    with pytest.raises(ValidationError, match="有 1 行不能导入"):
        import_export.apply_import(made, by=None)
    import_export.apply_import(made, by=None, skip_bad=True)
    assert [entry.question for entry in Entry.objects.all()] == ["怎么补办"]
    assert not Phrasing.objects.exists()
    mended = "".join(import_export.iter_refused_csv(made)).replace(
        "我叫张某电话13800138000", ""
    )
    load(mended, status=status)
    assert [phrasing.text for phrasing in Phrasing.objects.all()] == ["查订单"]
    assert Entry.objects.get(question="怎么查单").status == status


def test_personal_data_that_a_draft_has_keeps_it_a_draft(
    rules: None, make_entry: MakeEntry
) -> None:
    entry = make_entry("怎么查单", answer="看订单页", status="draft")
    Phrasing.objects.create(entry=entry, text="电话13800138000怎么查单")
    made = load("问题,答案,状态\n怎么查单,看订单页,已发布\n")
    entry.refresh_from_db()
    assert (actions(made), entry.status) == (["SAME"], "draft")
    assert "没有发布，留作草稿：相似问法「13800138000」" in made.planned_rows[0].detail
    made = load("问题,答案,状态\n怎么查单,看订单的页面,已发布\n")
    entry.refresh_from_db()
    assert (actions(made), entry.status) == (["CHANGE"], "draft")
    assert made.planned_rows[0].detail.count("13800138000") == 1


def test_a_live_entry_gets_no_phrasing_with_personal_data(
    rules: None, make_entry: MakeEntry
) -> None:
    make_entry("怎么查单", answer="看订单页")
    rows = "怎么查单,看订单页,电话13800138000怎么查单\n"
    made = plan(f"问题,答案,相似问法\n{rows}")
    assert actions(made) == ["REFUSE"]
    made = plan("条目,相似问法\n怎么查单,电话13800138000查单\n", kind="phrasings")
    assert "13800138000" in reasons(made)
    rows = "怎么查订单,好,电话13800138000查单\n"
    near = plan(f"问题,答案,相似问法\n{rows}", duplicate_action="merge")
    assert actions(near) == ["REFUSE"]
    assert reasons(near).startswith("相似问法：相似问法里有手机号「13800138000」")


def test_phrasings_and_replies_of_a_draft_are_named_too(
    rules: None, make_entry: MakeEntry
) -> None:
    make_entry("怎么查单", answer="看订单页", status="draft")
    made = plan("条目,相似问法\n怎么查单,电话13800138000查单\n", kind="phrasings")
    assert actions(made) == ["REFUSE"]
    assert reasons(made) == (
        "相似问法：相似问法里有手机号「13800138000」，大家都看得到。"
        "请删掉，或改成通用的说法"
    )
    made = plan("条目,话术\n怎么查单,亲，这是最好的\n", kind="replies")
    assert "提醒" in made.planned_rows[0].detail
