"""The admin: every write through its stage, nobody's edit lost, nothing slow."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.conf import settings
from django.contrib.auth.models import AnonymousUser, Group, Permission
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from kb import usage
from kb.index import sync
from kb.library import entries
from kb.models import Category, Entry, IndexQueue, Question, Reply, Search, Tag, User
from kb.questions import to_entries, triage
from tests.conftest import MakeEntry, MakeQuestion

MODELS = (
    "entry question inquiry snippet incident picture face category tag module segment window synonymset"
    " word stopword wordingrule golden search site widgetrule user team deed textrevision job stale"
).split()
LISTS = [f"/admin/kb/{model}/" for model in MODELS] + ["/admin/auth/group/"]
pytestmark = pytest.mark.django_db


@pytest.fixture
def root(make_user: Callable[..., User]) -> User:
    return make_user("root", is_staff=True, is_superuser=True)


@pytest.fixture
def desk(client: Client, editor: User) -> Client:
    """Return the test client of an editor who is logged in."""
    client.force_login(editor)
    return client


def where(entry: Entry | Question | Category | User) -> str:
    name = entry._meta.model_name
    return reverse(f"admin:kb_{name}_change", args=[entry.pk])


def filled(client: Client, address: str) -> dict[str, Any]:
    """Return what the form at `address` would send if nobody touched it."""
    context = client.get(address).context
    forms = [context["adminform"].form]
    for inline in context["inline_admin_formsets"]:
        forms += [inline.formset.management_form, *inline.formset.forms]
    values = {field.html_name: field.value() for form in forms for field in form}
    for name in ("tags", "groups"):
        values[name] = values.get(name) or []
    if asked := values.pop("asked_at", None):  # a field of two inputs
        asked = timezone.localtime(asked)
        values["asked_at_0"], values["asked_at_1"] = asked.date(), asked.time()
    return {name: "" if value is None else value for name, value in values.items()}


def change(client: Client, entry: Any, /, **typed: Any) -> Any:
    return client.post(where(entry), {**filled(client, where(entry)), **typed})


def told(response: Any) -> str:
    """Return the messages on the page that `response` is or leads to."""
    if response.status_code == 302:
        response = response.client.get(response.headers["Location"])
    page = response.content.decode()
    found = re.search(r'<ul class="messagelist">(.*?)</ul>', page, re.S)
    return found[1] if found else ""


# Who comes in ----------------------------------------------------------------------


def test_strangers_are_sent_to_the_one_login_page(client: Client) -> None:
    first = client.get("/admin/kb/entry/")
    second = client.get(first.headers["Location"])
    assert second.headers["Location"] == "/login/?next=/admin/kb/entry/"


def test_agents_stay_outside(client: Client, agent: User) -> None:
    client.force_login(agent)
    for address in [*LISTS, "/admin/"]:
        assert client.get(address, follow=True).status_code == 403


def test_who_is_in_need_not_log_in_again(desk: Client) -> None:
    assert desk.get("/admin/login/").headers["Location"] == "/admin/"


def test_models_stand_in_the_order_of_the_work(client: Client, root: User) -> None:
    client.force_login(root)
    groups = client.get("/admin/").context["app_list"]
    assert [group["name"] for group in groups] == [
        "内容",
        "归类",
        "词汇",
        "使用",
        "站点",
        "人员",
        "系统",
    ]
    names = [model["object_name"] for group in groups for model in group["models"]]
    assert [name.lower() for name in names] == [
        *MODELS[:-4],
        "group",
        "deed",
        "textrevision",
        "job",
        "stale",
    ]


def test_editors_see_only_what_is_theirs(desk: Client) -> None:
    page = desk.get("/admin/").content.decode()
    assert "/admin/kb/entry/" in page
    assert "/admin/import/" in page
    assert "/admin/kb/user/" not in page
    assert desk.get("/admin/kb/user/").status_code == 403


# How it is served --------------------------------------------------------------------


@pytest.mark.parametrize("address", [*LISTS, "/admin/", "/admin/kb/entry/add/"])
def test_the_admin_keeps_the_strict_policy(
    client: Client, root: User, address: str
) -> None:
    Category.objects.create(name="售后")
    client.force_login(root)
    response = client.get(address)
    policy = response.headers["Content-Security-Policy"]
    assert "script-src 'self';" in policy + ";"
    assert "unsafe" not in policy
    page = response.content.decode()
    assert not re.search(r"<style|\sstyle=|\son\w+=|<script(?![^>]*\bsrc=)", page)
    assert "no-store" in response.headers["Cache-Control"]


def test_hostile_searches_and_filters_are_harmless(
    client: Client, root: User, make_entry: MakeEntry
) -> None:
    make_entry(category=Category.objects.create(name="售后"))
    client.force_login(root)
    hostile = [
        {"q": "a" * 60_000},
        {"q": "a " * 3_000},
        {"q": "\x00' OR 1=1 --"},
        {"p": "9" * 30},
        {"o": "1.2.x"},
        {"category": "abc"},
        {"category": "9" * 30},
        {"status__exact": "nothing"},
        {"tags__id__exact": "abc"},
        {"asked_at__year": "abc"},
    ]
    for address in LISTS:
        for asked in hostile:
            status = client.get(address, asked).status_code
            assert status in {200, 302, 400}, (address, asked)


def test_a_filter_tells_nothing_of_passwords(
    desk: Client, make_entry: MakeEntry
) -> None:
    make_entry()
    for asked in (
        "updated_by__password__startswith",
        "created_by__email__contains",
        "questions__answer__contains",
    ):
        assert desk.get("/admin/kb/entry/", {asked: "p"}).status_code == 400


# Entries -------------------------------------------------------------------------------


def test_the_list_is_searched_by_every_face(
    desk: Client, make_entry: MakeEntry
) -> None:
    make_entry("甲", keywords="thyf", replies=["话术里的词"], phrasings=["别的问法"])
    make_entry("乙")
    for words in ("thyf", "话术里", "别的问法", "甲"):
        page = desk.get("/admin/kb/entry/", {"q": words})
        assert [entry.question for entry in page.context["cl"].result_list] == ["甲"]


def test_a_category_filter_finds_what_stands_below(
    desk: Client, make_entry: MakeEntry
) -> None:
    top = Category.objects.create(name="售后")
    below = Category.objects.create(name="退换货", parent=top)
    make_entry("上", category=top)
    make_entry("下", category=below)
    make_entry("别处")
    for node, found in [(top, {"上", "下"}), (below, {"下"})]:
        page = desk.get("/admin/kb/entry/", {"category": node.pk})
        assert {e.question for e in page.context["cl"].result_list} == found


def test_a_new_entry_is_a_draft_of_its_author(desk: Client, editor: User) -> None:
    data = filled(desk, "/admin/kb/entry/add/")
    typed = {
        "question": "怎么开发票？",
        "answer": "点开发票。",
        "audience": "public",
        "phrasings": "要发票\n發票怎麼開\n\n要发票！",
        "replies-TOTAL_FORMS": 1,
        "replies-0-label": "标准",
        "replies-0-body": "好的，{{客户称呼}}",
        "replies-0-order": 0,
        "status": "published",  # forged
    }
    assert desk.post("/admin/kb/entry/add/", {**data, **typed}).status_code == 302
    entry = Entry.objects.get()
    assert (entry.status, entry.created_by, entry.version) == ("draft", editor, 1)
    assert entry.slug == "怎么开发票"
    assert [p.text for p in entry.phrasings.all()] == ["要发票", "發票怎麼開"]
    assert [r.body for r in entry.replies.all()] == ["好的，{{客户称呼}}"]


def test_saving_goes_through_the_stage_and_reaches_the_index(
    desk: Client, editor: User, make_entry: MakeEntry
) -> None:
    entry = make_entry(replies=["旧话术"], phrasings=["旧问法"])
    with_callbacks = change(
        desk,
        entry,
        question="新的标准问题？",
        phrasings="旧问法\n新问法",
        **{"replies-0-body": "新话术"},
    )
    assert with_callbacks.status_code == 302
    entry.refresh_from_db()
    assert (entry.question, entry.version) == ("新的标准问题？", 3)
    assert entry.updated_by == editor
    assert entry.status == "published"
    assert [p.text for p in entry.phrasings.all()] == ["旧问法", "新问法"]
    assert [r.body for r in entry.replies.all()] == ["新话术"]
    assert IndexQueue.objects.filter(entry_id=entry.pk).exists()
    sync.sync_all_marks()
    assert not IndexQueue.objects.exists()
    assert sync.audit_indexed_entries() == set()


def test_a_phrasing_that_stays_keeps_its_question(
    desk: Client, editor: User, make_entry: MakeEntry, make_question: MakeQuestion
) -> None:
    entry = make_entry()
    question = make_question("运费谁来付呀")
    to_entries.add_question_to_entry(entry, question=question, by=editor)
    change(desk, entry, phrasings="运费谁来付呀\n再加一个")
    assert [p.question for p in entry.phrasings.all()] == [question, None]


@pytest.mark.parametrize(
    ("typed", "reason"),
    [
        ("长" * 201, "每行最多 200 字"),
        ("\n".join(str(n) for n in range(1001)), "最多 1000 个问法"),
    ],
)
def test_phrasings_that_do_not_fit_are_refused_and_stay(
    desk: Client, make_entry: MakeEntry, typed: str, reason: str
) -> None:
    entry = make_entry()
    page = change(desk, entry, phrasings=typed).content.decode()
    assert reason in page
    assert typed[:200] in page
    assert not entry.phrasings.exists()


def test_a_reply_is_added_changed_and_removed(
    desk: Client, make_entry: MakeEntry
) -> None:
    entry = make_entry(replies=["一", "二"])
    change(
        desk,
        entry,
        **{
            "replies-TOTAL_FORMS": 3,
            "replies-0-DELETE": "on",
            "replies-1-body": "二改",
            "replies-2-label": "新",
            "replies-2-body": "三",
            "replies-2-order": 9,
        },
    )
    assert [reply.body for reply in entry.replies.all()] == ["二改", "三"]


def test_the_second_of_two_editors_is_told_and_loses_nothing(
    desk: Client, lead: User, make_entry: MakeEntry
) -> None:
    entry = make_entry(replies=["话术"])
    form = filled(desk, where(entry))
    theirs = entries.update_entry(
        entry,
        by=lead,
        based_on=entry.version,
        answer="主管改的答案",
        question="主管改的？",
    )
    mine = {**form, "answer": "我改的答案", "replies-0-body": "我改的话术"}
    response = desk.post(where(entry), mine)
    page = response.content.decode()
    assert entries.EDIT_CONFLICT_MESSAGE in page
    for kept in ("我改的答案", "我改的话术"):
        assert kept in page
    assert "对方改了、您没有改的，已经合进下面的表单：标准问题" in page
    assert response.context["adminform"].form["question"].value() == "主管改的？"
    assert "<del>" in page  # what both changed is shown word by word
    entry.refresh_from_db()
    assert (entry.answer, entry.version) == ("主管改的答案", theirs.version)
    assert [reply.body for reply in entry.replies.all()] == ["话术"]

    again = dict(mine, version=response.context["adminform"].form["version"].value())
    assert desk.post(where(entry), again).status_code == 302
    entry.refresh_from_db()
    assert entry.answer == "我改的答案"


@pytest.mark.parametrize("version", ["", "abc", "0", "9" * 30])
def test_a_form_without_its_version_is_a_conflict(
    desk: Client, make_entry: MakeEntry, version: str
) -> None:
    entry = make_entry()
    page = change(desk, entry, answer="新", version=version).content.decode()
    assert entries.EDIT_CONFLICT_MESSAGE in page
    entry.refresh_from_db()
    assert entry.answer != "新"


def test_a_public_entry_keeps_its_answer(desk: Client, make_entry: MakeEntry) -> None:
    entry = make_entry(replies=["话术"])
    page = change(desk, entry, answer="").content.decode()
    assert "公开发布的条目必须有 FAQ 答案。" in page


@pytest.mark.parametrize(
    "typed",
    [
        {"question": ""},
        {"question": "\u200b"},
        {"question": "长" * 201},
        {"answer": "长" * 70_000},
        {"audience": "everybody"},
        {"category": "999"},
        {"tags": ["abc"]},
        {"slug": "../../etc"},
        {"replies-0-body": ""},
        {"replies-0-body": "长" * 5_000},
        {"replies-0-channel": "fax"},
        {"replies-0-order": "-1"},
        {"replies-0-id": "999"},
        {"replies-TOTAL_FORMS": "abc"},
        {"replies-TOTAL_FORMS": "99999"},
    ],
)
def test_what_does_not_fit_is_refused_with_a_reason(
    desk: Client, make_entry: MakeEntry, typed: dict[str, Any]
) -> None:
    entry = make_entry(replies=["话术"])
    response = change(desk, entry, **typed)
    assert response.status_code == 200
    assert (
        "errorlist" in response.content.decode()
        or "errornote" in response.content.decode()
    )
    entry.refresh_from_db()
    assert entry.version == 2


def test_a_number_that_no_database_takes_breaks_nothing(
    desk: Client, make_entry: MakeEntry
) -> None:
    entry = make_entry()
    # PostgreSQL compares it and finds nothing; SQLite cannot even ask.
    assert change(desk, entry, tags=["9" * 30]).status_code in {200, 400}


def test_forms_that_are_only_claimed_are_not_made(
    desk: Client, make_entry: MakeEntry
) -> None:
    response = change(desk, make_entry(), **{"replies-TOTAL_FORMS": "99999"})
    inline, *_ = response.context["inline_admin_formsets"]
    assert len(inline.formset.forms) <= 60


# The moves of an entry -------------------------------------------------------------------


@pytest.mark.parametrize(
    ("status", "offered"),
    [
        ("draft", {"submit", "publish", "retire"}),
        ("review", {"publish", "send-back", "retire"}),
        ("published", {"retire"}),
        ("retired", {"restore"}),
    ],
)
def test_buttons_offer_what_is_possible_and_do_it(
    desk: Client, make_entry: MakeEntry, status: str, offered: set[str]
) -> None:
    becomes = {
        "submit": "review",
        "publish": "published",
        "send-back": "draft",
        "retire": "retired",
        "restore": "draft",
    }
    for number, name in enumerate(sorted(offered)):
        entry = make_entry(f"条目{number}", status=status)
        page = desk.get(where(entry)).content.decode()
        assert set(re.findall(r'name="_move" value="(.*?)"', page)) == offered
        response = change(desk, entry, answer="顺手改的", _move=name)
        assert str(entry) in told(response)
        entry.refresh_from_db()
        assert (entry.status, entry.answer) == (becomes[name], "顺手改的")


def test_a_new_entry_is_published_by_its_button(desk: Client) -> None:
    data = filled(desk, "/admin/kb/entry/add/")
    typed = {"question": "新条目？", "answer": "有答案。", "_move": "publish"}
    response = desk.post("/admin/kb/entry/add/", {**data, **typed})
    entry = Entry.objects.get()
    assert entry.status == "published"
    assert response.headers["Location"] == where(entry)


def test_a_refused_move_keeps_what_was_saved(
    desk: Client, make_entry: MakeEntry
) -> None:
    entry = make_entry(status="draft", answer="")
    said = told(change(desk, entry, question="改了的问题？", _move="publish"))
    assert "内容已保存，但没有发布" in said
    assert "没有 FAQ 答案" in said
    entry.refresh_from_db()
    assert (entry.question, entry.status) == ("改了的问题？", "draft")


def test_a_move_that_is_not_one_is_a_save(desk: Client, make_entry: MakeEntry) -> None:
    entry = make_entry(status="draft")
    assert change(desk, entry, answer="新", _move="delete").status_code == 302
    entry.refresh_from_db()
    assert (entry.answer, entry.status) == ("新", "draft")


def act(client: Client, action: str, *chosen: Any) -> Any:
    pks = [getattr(one, "pk", one) for one in chosen]
    data = {"action": action, "_selected_action": pks, "post": "yes"}
    return client.post("/admin/kb/entry/", data)


def test_an_action_tells_row_by_row_what_it_could_not_do(
    desk: Client, make_entry: MakeEntry
) -> None:
    good = [make_entry(f"好{n}", status="draft") for n in range(3)]
    empty = make_entry("没答案", status="draft", answer="")
    retired = make_entry("下线了", status="retired")
    said = told(act(desk, "publish", *good, empty, retired))
    assert "发布：3 条成功" in said
    assert "「没答案」没有 FAQ 答案" in said
    assert "「下线了」现在是「已下线」" in said
    assert Entry.objects.filter(status="published").count() == 3


def test_actions_move_both_ways(desk: Client, make_entry: MakeEntry) -> None:
    entry = make_entry(status="draft")
    for action, status in [
        ("submit", "review"),
        ("send_back", "draft"),
        ("publish", "published"),
        ("retire", "retired"),
        ("restore", "draft"),
    ]:
        act(desk, action, entry)
        entry.refresh_from_db()
        assert entry.status == status


def test_forged_choices_of_an_action_are_ignored(
    desk: Client, make_entry: MakeEntry
) -> None:
    entry = make_entry(status="draft")
    for chosen in (["999"], [], ["9" * 30], ["abc"], [*range(2000, 2900)]):
        assert act(desk, "publish", *chosen).status_code in {200, 302}
    assert act(desk, "publish", *range(2000)).status_code == 400
    assert act(desk, "delete_selected", entry).status_code in {200, 302}
    assert act(desk, "no_such_action", entry).status_code in {200, 302}
    entry.refresh_from_db()
    assert entry.status == "draft"


def test_publishing_needs_its_own_right(
    client: Client, make_user: Callable[..., User], make_entry: MakeEntry
) -> None:
    writer = make_user("writer", is_staff=True)
    kinds = ["entry", "reply", "phrasing", "tag", "module", "category"]
    wanted = Permission.objects.filter(
        content_type__model__in=kinds, codename__regex="^(view|add|change)_"
    )
    writer.user_permissions.set(wanted)
    client.force_login(writer)
    entry = make_entry(status="draft")
    page = client.get(where(entry)).content.decode()
    assert set(re.findall(r'name="_move" value="(.*?)"', page)) == {"submit"}
    assert 'value="publish"' not in client.get("/admin/kb/entry/").content.decode()
    act(client, "publish", entry)
    said = told(change(client, entry, answer="改了", _move="publish"))
    assert "没有这个操作的权限" in said
    entry.refresh_from_db()
    assert (entry.status, entry.answer) == ("draft", "改了")


def test_only_a_draft_without_questions_is_deleted(
    desk: Client, editor: User, make_entry: MakeEntry, make_question: MakeQuestion
) -> None:
    kept = [make_entry(s, status=s) for s in ("review", "published", "retired")]
    asked = make_entry("有问题", status="draft")
    to_entries.add_question_to_entry(asked, question=make_question(), by=editor)
    bare = make_entry("只是草稿", status="draft")
    for entry in [*kept, asked, bare]:
        desk.post(f"/admin/kb/entry/{entry.pk}/delete/", {"post": "yes"})
    assert set(Entry.objects.all()) == {*kept, asked}


# Questions ----------------------------------------------------------------------------------


def test_a_question_is_sorted_in_the_inbox_and_not_here(
    desk: Client, make_entry: MakeEntry, make_question: MakeQuestion
) -> None:
    question, entry = make_question(), make_entry()
    change(
        desk, question, text="改了错字", status="settled", entry=entry.pk, reason="x"
    )
    question.refresh_from_db()
    assert question.text == "改了错字"
    assert (question.status, question.entry, question.reason) == ("answered", None, "")


def test_an_open_question_with_its_answer_waits_to_be_sorted(
    desk: Client, make_question: MakeQuestion
) -> None:
    question = make_question(answer="")
    change(desk, question, answer="答案在此。")
    question.refresh_from_db()
    assert question.status == "answered"


def test_an_answered_question_keeps_an_answer(
    desk: Client, make_question: MakeQuestion
) -> None:
    page = change(desk, make_question(), answer="").content.decode()
    assert "没有回答的问题只能是待回答。" in page


def test_questions_are_added_by_hand(desk: Client) -> None:
    data = filled(desk, "/admin/kb/question/add/")
    day = {"asked_at_0": "2026-07-01", "asked_at_1": "08:00"}
    for text, answer in [("有回答", "答"), ("没有回答", "")]:
        typed = {"text": text, "answer": answer, **day}
        desk.post("/admin/kb/question/add/", {**data, **typed})
    statuses = Question.objects.order_by("pk").values_list("text", "status")
    assert list(statuses) == [("有回答", "answered"), ("没有回答", "open")]


def test_a_counted_question_is_not_deleted(
    desk: Client, editor: User, make_entry: MakeEntry, make_question: MakeQuestion
) -> None:
    counted, loose = make_question("计入"), make_question("没计入")
    triage.settle_question(counted, entry=make_entry(), by=editor)
    for question in (counted, loose):
        desk.post(f"/admin/kb/question/{question.pk}/delete/", {"post": "yes"})
    data = {
        "action": "delete_selected",
        "_selected_action": [counted.pk],
        "post": "yes",
    }
    desk.post("/admin/kb/question/", data)
    assert [q.text for q in Question.objects.all()] == ["计入"]


# Categories ------------------------------------------------------------------------------------


@pytest.fixture
def tree(db: None) -> dict[str, Category]:
    names = ["售前", "售后", "账号"]
    nodes = {name: Category.objects.create(name=name) for name in names}
    nodes["运费"] = Category.objects.create(name="运费", parent=nodes["售后"])
    return nodes


def listed(client: Client) -> list[str]:
    page = client.get("/admin/kb/category/")
    return [node.name for node in page.context["cl"].result_list]


def shift(client: Client, node: Category, way: str) -> Any:
    return client.post(f"/admin/kb/category/{node.pk}/move/{way}/")


def test_categories_stand_as_a_tree(desk: Client, tree: dict[str, Category]) -> None:
    assert listed(desk) == ["售前", "售后", "运费", "账号"]
    assert (
        'class="tree depth-1">运费' in desk.get("/admin/kb/category/").content.decode()
    )


def test_a_category_moves_among_its_siblings(
    desk: Client, tree: dict[str, Category]
) -> None:
    shift(desk, tree["账号"], "up")
    assert listed(desk) == ["售前", "账号", "售后", "运费"]
    shift(desk, tree["账号"], "up")
    shift(desk, tree["账号"], "up")  # it is the first already
    assert listed(desk) == ["账号", "售前", "售后", "运费"]
    shift(desk, tree["账号"], "down")
    assert listed(desk) == ["售前", "账号", "售后", "运费"]


def test_moving_a_category_is_a_post_of_somebody_who_may(
    client: Client,
    make_user: Callable[..., User],
    desk: Client,
    tree: dict[str, Category],
) -> None:
    assert desk.get(f"/admin/kb/category/{tree['账号'].pk}/move/up/").status_code == 405
    assert shift(desk, tree["账号"], "sideways").status_code == 404
    looker = make_user("looker", is_staff=True)
    looker.user_permissions.set(Permission.objects.filter(codename="view_category"))
    client.force_login(looker)
    assert shift(client, tree["账号"], "up").status_code == 403
    assert listed(client) == ["售前", "售后", "运费", "账号"]


def test_a_category_never_stands_below_itself(
    desk: Client, tree: dict[str, Category]
) -> None:
    page = change(desk, tree["售后"], parent=tree["运费"].pk)
    assert page.status_code == 200
    assert Category.objects.get(name="售后").parent is None


def test_a_category_with_entries_is_not_deleted(
    desk: Client, tree: dict[str, Category], make_entry: MakeEntry
) -> None:
    make_entry(category=tree["运费"])
    page = desk.post(f"/admin/kb/category/{tree['运费'].pk}/delete/", {"post": "yes"})
    assert page.status_code == 200
    assert Category.objects.filter(name="运费").exists()


# The rest ----------------------------------------------------------------------------------------


def test_what_waits_for_the_index_is_only_looked_at(
    client: Client, root: User, db: None
) -> None:
    client.force_login(root)
    mark = IndexQueue.objects.create(entry_id=7)
    assert "#7" in client.get("/admin/kb/indexqueue/").content.decode()
    assert client.get("/admin/kb/indexqueue/add/").status_code == 403
    delete = f"/admin/kb/indexqueue/{mark.pk}/delete/"
    assert client.post(delete, {"post": "yes"}).status_code == 403
    assert IndexQueue.objects.exists()


def test_searches_are_only_looked_at_those_without_results_first(
    desk: Client, agent: User
) -> None:
    stranger = AnonymousUser()
    usage.record_search("榴莲", user=stranger, results=0)
    usage.record_search("邮费", user=agent, results=3)
    address = "/admin/kb/search/"
    page = desk.get(address).text
    assert page.index("没有结果") < page.index("用了某一条")
    for outcome, words in (("none", "榴莲"), ("some", "邮费"), ("used", "")):
        rows = desk.get(address, {"outcome": outcome}).context["cl"].queryset
        assert "".join(row.words for row in rows) == words
    one = Search.objects.get(results=0)
    assert desk.get(f"{address}add/").status_code == 403
    delete = f"{address}{one.pk}/delete/"
    assert desk.post(delete, {"post": "yes"}).status_code == 403
    assert Search.objects.count() == 2


def test_tags_and_modules_are_looked_up_while_typing(
    desk: Client, client: Client, agent: User
) -> None:
    Tag.objects.create(name="运费")
    asked = {
        "term": "运",
        "app_label": "kb",
        "model_name": "entry",
        "field_name": "tags",
    }
    found = desk.get("/admin/autocomplete/", asked).json()["results"]
    assert [tag["text"] for tag in found] == ["运费"]
    client.force_login(agent)
    assert client.get("/admin/autocomplete/", asked).status_code == 302


def test_only_root_touches_root(
    client: Client, root: User, make_user: Callable[..., User]
) -> None:
    manager = make_user("manager", is_staff=True)
    people = Permission.objects.filter(
        codename__regex="^(view|add|change|delete)_user$"
    )
    manager.user_permissions.set(people)
    client.force_login(manager)
    form = filled(client, where(manager))
    client.post(where(manager), {**form, "is_superuser": "on", "name": "改名"})
    manager.refresh_from_db()
    assert (manager.is_superuser, manager.name) == (False, "改名")
    assert client.post(where(root), {"username": "taken"}).status_code == 403
    password = f"/admin/kb/user/{root.pk}/password/"
    assert client.get(password).status_code == 403
    delete = f"/admin/kb/user/{root.pk}/delete/"
    assert client.post(delete, {"post": "yes"}).status_code == 403


def test_root_makes_an_account(client: Client, root: User) -> None:
    client.force_login(root)
    group = Group.objects.get(name="客服")
    password = "一壶好茶，两碟点心 2026"
    data = {"username": "xiaocha", "name": "小茶", "groups": [group.pk]}
    data |= {"password1": password, "password2": password}
    assert client.post("/admin/kb/user/add/", data).status_code == 302
    user = User.objects.get(username="xiaocha")
    assert user.check_password(password)
    assert user.can_read_library


def test_a_lead_reads_about_people_but_no_hash(
    client: Client, lead: User, agent: User
) -> None:
    client.force_login(lead)
    page = client.get(where(agent)).content.decode()
    assert agent.username in page
    assert agent.password not in page
    assert agent.password.split("$")[-1] not in page


def test_the_words_of_customers_are_only_text(
    desk: Client, make_entry: MakeEntry, make_question: MakeQuestion
) -> None:
    for attack in (
        '"><img src=x onerror=alert(1)>',
        "&lt;img src=x onerror=alert(1)&gt;",
    ):
        entry = make_entry(
            f"条目 {attack}", replies=[attack], phrasings=[f"问 {attack}"]
        )
        question = make_question(attack, answer=attack)
        for address in (*LISTS[:2], where(entry), where(question)):
            page = desk.get(address).content.decode()
            assert "<img src=x" not in page
            if attack.startswith("&"):
                assert "&amp;lt;img" in page


def test_every_page_names_the_site_in_chinese(desk: Client) -> None:
    page = desk.get("/admin/").content.decode()
    assert "话术库与 FAQ 管理" in page
    assert "Django" not in page
    assert settings.LANGUAGE_CODE == "zh-hans"


def test_a_reply_needs_words(desk: Client, make_entry: MakeEntry) -> None:
    entry = make_entry(replies=["话术"])
    page = change(desk, entry, **{"replies-0-body": "\u200b \u200b"})
    assert page.status_code == 200
    assert Reply.objects.get().body == "话术"


def test_what_ends_soon_or_has_ended_is_listed_and_marked(
    desk: Client, make_entry: MakeEntry
) -> None:
    now, day = timezone.now(), timedelta(days=1)
    for name, columns in {
        "上月活动": {"valid_until": now - day},
        "本月活动": {"valid_until": now + day},
        "下月活动": {"valid_from": now + day},
        "一直有效": {},
    }.items():
        make_entry(name, **columns)
    make_entry("旧草稿", status="draft", valid_until=now - day)
    where = "/admin/kb/entry/"
    listed = {
        state: [
            str(entry)
            for entry in desk.get(where, {"validity": state}).context["cl"].result_list
        ]
        for state in ("over", "soon", "later", "now")
    }
    assert listed == {
        "over": ["上月活动"],
        "soon": ["本月活动"],
        "later": ["下月活动"],
        "now": ["一直有效"],
    }
    page = desk.get(where).text
    assert '<span class="badge bad">已过期</span>' in page
    assert '<span class="badge warn">即将过期</span>' in page
    assert desk.get(where, {"validity": "x"}).status_code == 200


def test_a_group_that_people_are_in_stays(
    client: Client, root: User, editor: User
) -> None:
    client.force_login(root)
    group = editor.groups.get()
    address = f"/admin/auth/group/{group.pk}/delete/"
    page = client.get(address).content.decode()
    assert "还在用，不能删除" in page
    assert f"用户：{editor}" in page
    client.post(address, {"post": "yes"})
    chosen = {"action": "delete_selected", "_selected_action": [group.pk]}
    client.post("/admin/auth/group/", {**chosen, "post": "yes"})
    assert Group.objects.filter(pk=group.pk).exists()
    editor.groups.clear()
    client.post(address, {"post": "yes"})
    assert not Group.objects.filter(pk=group.pk).exists()


def test_what_is_deleted_is_told_in_chinese(
    client: Client, root: User, make_entry: MakeEntry
) -> None:
    tag = Tag.objects.create(name="运费")
    make_entry().tags.add(tag)
    client.force_login(root)
    page = client.get(f"/admin/kb/tag/{tag.pk}/delete/").content.decode()
    assert "确定删除标签「运费」吗？" in page
    assert "object (" not in page
    assert "relationship" not in page
    page = client.get(f"/admin/kb/user/{root.pk}/password/").content.decode()
    assert "If disabled" not in page
    assert "现在的密码会作废" in page
