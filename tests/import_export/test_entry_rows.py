"""A row becomes an entry by the rules of entries, and changes only its own columns."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.utils import timezone

from kb import import_export, search
from kb.models import (
    ROLE_WRITER,
    CampaignPeriod,
    Category,
    CategoryPermission,
    Entry,
    IndexQueue,
    Module,
    Tag,
    User,
)
from tests.conftest import MakeEntry
from tests.importing import FULL, HEAD, actions, load, plan, reasons, snapshot

pytestmark = pytest.mark.django_db


# Entries -----------------------------------------------------------------------


def test_a_row_becomes_an_entry_with_all_that_hangs_on_it(
    make_entry: MakeEntry, editor: User
) -> None:
    made = load(FULL, by=editor)
    entry = Entry.objects.get(external_id="e1")
    assert (entry.source, entry.keywords) == ("旧库", "th")
    assert (entry.status, entry.audience) == ("published", "public")
    assert entry.answer_html == "<p>点<strong>退货</strong>。</p>\n"
    assert (entry.excerpt, entry.slug) == ("点退货。", "怎么退货")
    assert entry.published_at is not None
    assert (entry.created_by, entry.updated_by, entry.version) == (editor, editor, 1)
    assert str(entry.category) == "退换货"
    assert entry.category is not None
    assert str(entry.category.parent) == "售后"
    assert entry.category.position == 10
    assert {str(tag) for tag in entry.tags.all()} == {"退货", "运费"}
    assert str(entry.module) == "订单"
    replies = [(reply.label, reply.body) for reply in entry.replies.all()]
    assert replies == [
        ("标准", "亲，点{{订单号}}。"),
        ("简短", "点退货"),
        ("其他", "亲亲"),
    ]
    assert [str(phrasing) for phrasing in entry.phrasings.all()] == ["能退吗", "怎么退"]
    assert "会新建 3 个分类：售后、售后/退换货、售后/发票" in made.notes
    assert "会新建 2 个标签：退货、运费" in made.notes
    hits = search.search_entries("能退吗", user=editor).hits
    assert [hit.entry.pk for hit in hits] == [entry.pk]
    assert not IndexQueue.objects.exists()


def test_a_repeated_import_changes_nothing_at_all() -> None:
    load(FULL, source="库")
    load("编号,问题,渠道,提问时间\n1,退吗,微信,2024-01-05\n", kind="questions")
    load("问题,答案\n没有编号的,一样\n")
    before = snapshot()
    again = [
        load(FULL, source="库"),
        load("编号,问题,渠道,提问时间\n1,退吗,微信,45296\n", kind="questions"),
        load("问题,答案\n没有编号的？,一样\n".replace("？", "")),
    ]
    assert {action for made in again for action in actions(made)} == {"SAME"}
    assert snapshot() == before


def test_only_what_differs_is_written() -> None:
    load("编号,问题,答案,话术,标签\n1,甲,一,亲,a\n2,乙,二,亲,a\n")
    before = {entry.external_id: entry for entry in Entry.objects.all()}
    made = load("编号,问题,答案,话术,标签\n1,甲,一,亲,a\n2,乙,贰,亲亲,a、b\n")
    assert actions(made) == ["SAME", "CHANGE"]
    assert made.planned_rows[1].changed_columns == ["答案", "话术", "标签"]
    first, second = Entry.objects.order_by("external_id")
    assert first.updated_at == before["1"].updated_at
    assert second.updated_at > before["2"].updated_at
    assert second.created_at == before["2"].created_at
    assert (first.version, second.version) == (1, 2)
    assert (second.answer, second.answer_html) == ("贰", "<p>贰</p>\n")
    assert [reply.body for reply in second.replies.all()] == ["亲亲"]
    assert second.tags.count() == 2


def test_a_blank_cell_leaves_what_is_there() -> None:
    load("编号,问题,答案,短码,分类,标签,话术\n1,甲,一,jia,售后,a,亲\n")
    before = snapshot()
    made = load("编号,问题,答案,短码,分类,标签,话术,状态,可见范围\n1,甲,,,,,,,\n")
    assert actions(made) == ["SAME"]
    assert snapshot() == before


def test_what_editors_have_added_stays(make_entry: MakeEntry) -> None:
    entry = make_entry("怎么退", replies=["亲"], phrasings=["退吗"])
    entry.replies.create(label="微信", body="戳这里")
    entry.tags.add(Tag.objects.create(name="旧"))
    load("问题,话术,标签,相似问法\n怎么退,亲，您好,新,能退么\n")
    assert [reply.body for reply in entry.replies.all()] == ["亲，您好", "戳这里"]
    assert {str(tag) for tag in entry.tags.all()} == {"旧", "新"}
    assert [str(text) for text in entry.phrasings.all()] == ["退吗", "能退么"]


def test_without_a_number_the_question_tells_the_entry(make_entry: MakeEntry) -> None:
    plain = make_entry("怎么退货？", answer="旧")
    make_entry("怎么开票？", answer="旧", source="库", external_id="7")
    made = load(HEAD + "怎么退貨 ,新\n怎么开票,新\n", duplicate_action="new")
    assert actions(made) == ["CHANGE", "CREATE"]
    plain.refresh_from_db()
    assert plain.answer == "新"


def test_the_same_number_of_two_sources_is_two_entries() -> None:
    load("编号,来源,问题,答案\n1,甲,a,b\n1,乙,c,d\n1,,e,f\n", source="丙")
    pairs = Entry.objects.values_list("source", "external_id")
    assert set(pairs) == {("甲", "1"), ("乙", "1"), ("丙", "1")}
    made = plan("编号,问题,答案\n1,e,f\n", source="丙")
    assert actions(made) == ["SAME"]


def test_a_question_that_several_entries_have_is_not_guessed(
    make_entry: MakeEntry,
) -> None:
    make_entry("怎么退")
    make_entry("怎么退？")
    assert "库里有几条相同的问题" in reasons(plan(HEAD + "怎么退,新\n"))


def test_duplicates_within_a_file_name_the_first() -> None:
    made = plan("编号,问题,答案\n1,a,b\n1,c,d\n,e,f\n,Ｅ！,g\n")
    assert actions(made) == ["CREATE", "REFUSE", "CREATE", "REFUSE"]
    assert reasons(made) == "编号：与第 2 行重复\n问题：与第 4 行重复"


def test_two_rows_with_one_question_and_two_numbers_get_a_note(
    make_entry: MakeEntry,
) -> None:
    old = make_entry("怎么退", external_id="x", source="别处")
    rows = "编号,问题,答案\n1,怎么换,a\n2,怎么 換？,b\n3,怎么退,c\n4,别的,d\n"
    made = plan(rows, duplicate_action="new")
    assert actions(made) == ["CREATE"] * 4
    assert [step.detail for step in made.planned_rows] == [
        "",
        "问题和第 2 行相同，会另建一条",
        f"和库里 #{old.pk}「怎么退」相同，会另建一条",
        "",
    ]
    assert "有 2 行要留意，原因写在各行后面" in made.notes


def test_categories_tags_and_modules_are_found_whatever_their_spelling() -> None:
    parent = Category.objects.create(name="ＣＤＮ")
    child = Category.objects.create(name="計費", parent=parent)
    Tag.objects.create(name="VIP")
    Module.objects.create(name="订单")
    made = load(
        "问题,答案,分类,子分类,标签,模块\na,b,cdn ＞ 计费,,vip,訂單\nc,d,CDN,计费,,\n"
    )
    assert [note for note in made.notes if "新建" in note] == []
    assert {entry.category for entry in Entry.objects.all()} == {child}


def test_a_new_category_comes_after_its_siblings() -> None:
    Category.objects.create(name="售前")
    load("问题,答案,分类\na,b,售后\nc,d,物流\n")
    names = Category.objects.order_by("position").values_list("name", "position")
    assert list(names) == [("售前", 10), ("售后", 20), ("物流", 30)]


# What is public, and what is live ----------------------------------------------


def test_an_entry_is_public_only_with_an_answer_and_without_an_audience_column() -> (
    None
):
    load("问题,答案,话术\na,b,c\nd,,e\n")
    load("问题,答案,可见范围\ng,h,\ni,j,公开\nk,l,PUBLIC \nm,n,仅内部\n")
    load("问题,答案\no,p\n", audience="internal")
    public = Entry.objects.filter(audience="public").values_list("question", flat=True)
    assert set(public) == {"a", "i", "k"}


def test_unknown_values_are_refused_never_guessed() -> None:
    made = plan("问题,答案,可见性,状态\na,b,公幵,\nc,d,是,\ne,f,,上线啦\n")
    assert actions(made) == ["REFUSE"] * 3
    assert reasons(made).count("不认识这个值") == 3
    asked = plan("问题,渠道,时间\na,微博,\nb,,1月5日\n", kind="questions")
    assert "渠道：不认识这个值" in reasons(asked)
    assert "时间：看不懂这个时间" in reasons(asked)


def test_what_is_published_says_something() -> None:
    bad = "问题,答案,话术,可见范围\na,,,公开\nb,,,内部\nc,,d,公开\n"
    assert actions(plan(bad)) == ["REFUSE"] * 3
    assert actions(plan(bad, status="draft")) == ["CREATE"] * 3


def test_an_import_moves_an_entry_only_when_a_column_says_so(
    make_entry: MakeEntry,
) -> None:
    for number, status in enumerate(Entry.Status.values):
        make_entry(f"第{number}条", status=status)
    load(HEAD + "".join(f"第{number}条,新\n" for number in range(4)))
    assert [e.status for e in Entry.objects.order_by("pk")] == Entry.Status.values
    load("问题,答案,状态\n第0条,新,已发布\n第2条,新,下线\n")
    draft, _, live, _ = Entry.objects.order_by("pk")
    assert (draft.status, live.status) == ("published", "retired")
    assert draft.published_at is not None


def test_publishing_needs_its_permission(make_entry: MakeEntry) -> None:
    make_entry("发布的", audience="internal")
    make_entry("草稿", status="draft")
    rows = "发布的,新,,\n草稿,新,,\n草稿二,新,,草稿\n草稿三,新,,待审核\n"
    head = "问题,答案,可见范围,状态\n"
    made = plan(head + rows, status="draft", may_publish=False, may_change_live=True)
    assert actions(made) == ["CHANGE", "CHANGE", "CREATE", "CREATE"]
    rows = "新的,a,,已发布\n发布的,a,公开,\n发布的 ,a,,下线\n草稿,a,,发布\n"
    made = plan(
        head + rows.replace("发布的 ", "发布的"), status="draft", may_publish=False
    )
    assert actions(made) == ["REFUSE"] * 4
    assert reasons(made).count("没有发布和下线的权限") == 3
    assert actions(plan(HEAD + "a,b\n", may_publish=False)) == ["REFUSE"]


# Rows are held to the rules of the models ----------------------------------------


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (f"问题,答案\n{'长' * 201},b\n", "问题：最长 "),
        (f"问题,答案\na,{'长' * 65_537}\n", "答案：最长 "),
        (f"问题,话术\na,{'长' * 4001}\n", "话术：最长 "),
        (f"问题,答案,相似问法\na,b,{'长' * 201}\n", "相似问法：最长 "),
        (f"问题,答案,短码\na,b,{'长' * 201}\n", "短码：最长 "),
        (f"编号,问题,答案\n{'1' * 101},a,b\n", "编号：最长 "),
        (f"来源,问题,答案\n{'长' * 51},a,b\n", "来源：最长 "),
        ("问题,答案,网址后缀\na,b,a b\n", "网址后缀：只能用文字、数字、- 和 _"),
        (f"问题,答案,分类\na,b,{'长' * 51}\n", "分类：名称最长 50 个字"),
        (f"问题,答案,标签\na,b,{'长' * 31}\n", "标签：名称最长 30 个字"),
        (f"问题,答案,模块\na,b,{'长' * 51}\n", "模块：名称最长 50 个字"),
        ("问题,答案,分类\na,b,1/2/3/4/5/6\n", "分类最多 5 级"),
        ("问题,答案,标签\na,b," + "、".join(map(str, range(1000))), "标签：最多 30 个"),
        ("问题,答案,相似问法\na,b," + ";".join(map(str, range(201))), "最多 200 个"),
        ("问题,答案\n,b\n", "问题：不能为空"),
    ],
)
def test_a_row_that_breaks_a_rule_is_refused_with_its_column(
    text: str, reason: str
) -> None:
    assert reason in reasons(plan(text))
    assert not Category.objects.exists()


def test_too_many_new_names_are_a_wrong_column() -> None:
    rows = "".join(f"问{n},b,类{n}\n" for n in range(2001))
    with pytest.raises(ValidationError, match="请检查列是否对应正确"):
        plan("问题,答案,分类\n" + rows)


def test_refused_rows_bring_no_categories_along() -> None:
    made = plan("问题,答案,分类,可见范围\na,b,错的,公幵\nc,d,对的,\n")
    import_export.apply_import(made, by=None, skip_bad=True)
    assert [str(category) for category in Category.objects.all()] == ["对的"]


def test_owners_windows_and_dates_of_review_are_those_that_there_are(
    make_entry: MakeEntry, editor: User
) -> None:
    CampaignPeriod.objects.create(
        name="618", ends_at=timezone.now() + timedelta(days=9)
    )
    entry = make_entry("怎么退")
    head = "问题,答案,负责人,档期,复核日期\n"
    made = load(head + "怎么退,,editor,618,2030-01-05\n")
    assert set(made.planned_rows[0].changed_columns) == {"负责人", "档期", "复核日期"}
    entry.refresh_from_db()
    assert (entry.owner, entry.window and entry.window.name) == (editor, "618")
    assert str(entry.review_at) == "2030-01-05"
    wrong = plan(head + "怎么退,,没这人,没这档期,明天\n")
    assert "负责人：没有这个名称" in reasons(wrong)
    assert "档期：没有这个名称" in reasons(wrong)
    assert "复核日期：看不懂这个时间" in reasons(wrong)


# Whose file it is -------------------------------------------------------------


@pytest.fixture
def ours() -> Category:
    made: Category = Category.objects.create(name="售后")
    return made


@pytest.fixture
def held(editor: User, ours: Category) -> User:
    """Return an editor who writes and publishes in one branch only."""
    for right in ("write", "publish"):
        CategoryPermission.objects.create(user=editor, category=ours, right=right)
    return editor


def test_what_is_out_of_a_remit_is_refused_row_by_row(
    held: User, ours: Category, make_entry: MakeEntry
) -> None:
    theirs = Category.objects.create(name="售前")
    make_entry("别处的", category=theirs)
    made = plan(
        "问题,答案,分类\n新的,a,售后\n更深的,b,售后/退款\n没有分类,c,\n别的分类,d,售前\n"
        "新的顶级,e,财务\n别处的,抢过来,售后\n",
        status="draft",
        by=held,
    )
    assert actions(made) == ["CREATE"] * 2 + ["REFUSE"] * 4
    assert reasons(made).count("不在您可以撰写的范围里") == 4
    assert "会新建 1 个分类：售后/退款" in made.notes
    import_export.apply_import(made, by=held, skip_bad=True)
    assert {str(entry.category) for entry in Entry.objects.filter(status="draft")} == {
        "售后",
        "退款",
    }


def test_authors_do_not_publish_their_own_text_by_a_file(
    held: User, ours: Category, lead: User
) -> None:
    rows = "问题,答案,分类,状态\n新的,a,售后,已发布\n草稿,b,售后,草稿\n"
    made = plan(rows, by=held)
    assert actions(made) == ["REFUSE", "CREATE"]
    assert "要由别人审核才能发布" in reasons(made)


def test_users_who_may_only_propose_change_nothing_live_by_a_file(
    make_entry: MakeEntry, make_user: Callable[..., User]
) -> None:
    writer = make_user("writer", ROLE_WRITER, is_staff=True)
    make_entry("在线的", replies=["甲"])
    make_entry("草稿的", status="draft")
    head = "问题,答案\n"
    made = plan(head + "在线的,改\n草稿的,改\n", by=writer, may_publish=False)
    assert actions(made) == ["REFUSE", "CHANGE"]
    assert "要由有发布权限的人修改" in reasons(made)
    for kind, head in (("replies", "条目,话术"), ("phrasings", "条目,相似问法")):
        made = plan(f"{head}\n在线的,新话\n草稿的,新话\n", kind=kind, by=writer)
        assert actions(made) == ["REFUSE", "CREATE"]
        import_export.apply_import(made, by=writer, skip_bad=True)


def test_many_rows_of_one_place_are_judged_at_once(
    held: User, ours: Category, django_assert_max_num_queries: Any
) -> None:
    rows = "".join(f"问{n},答,售前\n" for n in range(200))
    with django_assert_max_num_queries(30):
        assert len(plan("问题,答案,分类\n" + rows, by=held).refused_rows) == 200
