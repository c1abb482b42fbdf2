"""Rows deleted in the admin can be restored completely, with the right permission."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.contrib import admin
from django.contrib.auth.models import Group
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.test import Client, RequestFactory
from django.urls import reverse
from django.utils import timezone

from kb import search
from kb.admin.base_admin import BaseAdmin
from kb.library import autosave, entries, pictures
from kb.models import (
    ROLE_EDITOR,
    Announcement,
    AuditEvent,
    CampaignPeriod,
    Category,
    CategoryPermission,
    CustomerSegment,
    DeletedItem,
    DictionaryWord,
    Entry,
    FollowUp,
    Module,
    Picture,
    Question,
    RelevanceTest,
    Reply,
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
from kb.operations import privacy, trash
from kb.publishing import translations
from tests.conftest import MakeEntry, MakeQuestion

pytestmark = pytest.mark.django_db
LIST = reverse("admin:kb_deleteditem_changelist")


@pytest.fixture
def office(client: Client, lead: User) -> Client:
    client.force_login(lead)
    return client


@pytest.fixture
def root(client: Client, make_user: Callable[..., User]) -> Client:
    client.force_login(make_user("root", is_staff=True, is_superuser=True))
    return client


def address(row: Any, page: str) -> str:
    opts = row._meta
    return reverse(f"admin:{opts.app_label}_{opts.model_name}_{page}", args=[row.pk])


def delete(client: Client, row: Any) -> str:
    """Delete on the admin's page; return the address of the button 撤销删除."""
    page = client.post(address(row, "delete"), {"post": "yes"}, follow=True)
    assert page.status_code == 200, page.status_code
    assert not type(row)._default_manager.filter(pk=row.pk).exists()
    assert "30 天内可以恢复" in page.text
    found = re.search(r'formaction="([^"]+/undo/)"[^>]*>撤销删除<', page.text)
    assert found, page.text
    return found[1]


def values(row: Any) -> dict[str, Any]:
    row = type(row)._base_manager.get(pk=row.pk)
    return {
        field.attname: getattr(row, field.attname)
        for field in row._meta.concrete_fields
    }


@pytest.fixture
def draft(make_entry: MakeEntry, lead: User) -> Entry:
    entry = make_entry(
        "草稿里的冷门问题怎么办",
        status="draft",
        replies=["亲，{{单号}}", "您好"],
        phrasings=["冷门问题咋整"],
        category=Category.objects.create(name="售后"),
    )
    entry.tags.add(Tag.objects.create(name="冷门"))
    FollowUp.objects.create(entry=entry, then=make_entry("接着问什么"))
    translations.save_manual_translation(entry, "草稿裡的冷門問題", "")
    entries.update_entry(entry, by=lead, based_on=entry.version, answer="改过一次")
    entry.refresh_from_db()
    return entry


def test_a_deleted_draft_comes_back_whole(office: Client, draft: Entry) -> None:
    before, said = values(draft), entries.take_snapshot(draft)
    history = list(draft.revisions.values_list("version", "content"))
    replies = [values(reply) for reply in draft.replies.all()]
    assert history
    undo = delete(office, draft)
    page = office.post(undo, follow=True)
    assert "已恢复「草稿里的冷门问题怎么办」。" in page.text
    assert page.request["PATH_INFO"] == address(draft, "change")
    assert values(draft) == before
    draft = Entry.objects.get(pk=draft.pk)
    assert entries.take_snapshot(draft) == said
    assert list(draft.revisions.values_list("version", "content")) == history
    assert [values(reply) for reply in draft.replies.all()] == replies
    assert not DeletedItem.objects.exists()
    assert "没有可以恢复的" in office.post(undo, follow=True).text


def test_a_deleted_draft_is_not_found_until_restored(
    office: Client, draft: Entry, lead: User
) -> None:
    words = "草稿里的冷门问题"
    assert draft.pk in {
        hit.entry.pk for hit in search.find_similar_entries(words, user=lead, limit=5)
    }
    undo = delete(office, draft)
    assert draft.pk not in {
        hit.entry.pk for hit in search.find_similar_entries(words, user=lead, limit=5)
    }
    for name in ("admin:kb_entry_changelist", "desk:drafts", "console:home"):
        assert words not in office.get(reverse(name), follow=True).text.replace(
            "已恢复", ""
        )
    office.post(undo)
    assert draft.pk in {
        hit.entry.pk for hit in search.find_similar_entries(words, user=lead, limit=5)
    }


def test_what_an_agent_kept_for_themselves_is_not_in_the_trash(
    office: Client, draft: Entry, agent: User
) -> None:
    own = Reply.objects.create(owner=agent, title="秘密", body="只给我", entry=draft)
    undo = delete(office, draft)
    assert "只给我" not in str(DeletedItem.objects.get().rows)
    own.refresh_from_db()
    assert own.entry is None
    office.post(undo)
    own.refresh_from_db()
    assert own.entry == draft


def test_the_trash_lists_and_restores(office: Client, draft: Entry, lead: User) -> None:
    delete(office, draft)
    item = DeletedItem.objects.get()
    page = office.get(LIST).text
    assert "草稿里的冷门问题怎么办" in page
    assert str(lead) in page
    detail = office.get(address(item, "change")).text
    assert "改过一次" in detail
    restore = reverse("admin:kb_deleteditem_restore", args=[item.pk])
    assert restore in detail
    assert office.get(restore).status_code == 405
    assert "已恢复" in office.post(restore, follow=True).text
    assert Entry.objects.filter(pk=draft.pk).exists()


def test_both_steps_are_in_the_audit_log(
    office: Client, draft: Entry, lead: User
) -> None:
    office.post(delete(office, draft))
    acts = AuditEvent.objects.filter(by=lead, what__contains=f"「{draft}」#{draft.pk}")
    assert [deed.act for deed in acts.order_by("pk")] == ["deleted", "restored"]


def test_users_of_other_categories_neither_see_nor_restore(
    office: Client, draft: Entry, make_user: Callable[..., User]
) -> None:
    undo = delete(office, draft)
    outsider = make_user("outsider", ROLE_EDITOR, is_staff=True)
    other = Category.objects.create(name="售前")
    for right in ("write", "publish"):
        CategoryPermission.objects.create(user=outsider, category=other, right=right)
    office.force_login(outsider)
    item = DeletedItem.objects.get()
    assert "冷门" not in office.get(LIST).text
    assert office.get(address(item, "change"), follow=True).text.count("改过一次") == 0
    restore = reverse("admin:kb_deleteditem_restore", args=[item.pk])
    assert office.post(restore).status_code == 403
    assert office.post(undo).status_code == 403
    assert not Entry.objects.filter(pk=draft.pk).exists()


def test_restoring_needs_the_right_to_write(
    office: Client, draft: Entry, lead: User
) -> None:
    undo = delete(office, draft)
    lead.groups.clear()
    assert office.post(undo).status_code == 403


def test_a_conflict_with_a_restore_is_named(office: Client, draft: Entry) -> None:
    Entry.objects.filter(pk=draft.pk).update(source="表", external_id="7")
    undo = delete(office, draft)
    entries.create_draft("另一条", by=None, source="表", external_id="7")
    page = office.post(undo, follow=True)
    assert "没有恢复：这个来源里已有相同外部编号的条目。" in page.text
    assert DeletedItem.objects.exists()
    assert not Entry.objects.filter(pk=draft.pk).exists()


def test_a_row_that_went_meanwhile_is_left_out(office: Client, draft: Entry) -> None:
    undo = delete(office, draft)
    Tag.objects.all().delete()
    then = FollowUp.objects.count()
    office.post(undo)
    assert list(Entry.objects.get(pk=draft.pk).tags.all()) == []
    assert FollowUp.objects.count() == then + 1


# Every other table -----------------------------------------------------------------


def _golden(make_entry: MakeEntry) -> Any:
    return RelevanceTest.objects.create(words="运费", entry=make_entry(), within=3)


MAKERS: dict[str, Callable[..., Any]] = {
    "category": lambda m: Category.objects.create(name="空的分类"),
    "tag": lambda m: Tag.objects.create(name="发货"),
    "module": lambda m: Module.objects.create(name="支付"),
    "segment": lambda m: CustomerSegment.objects.create(name="学生"),
    "window": lambda m: CampaignPeriod.objects.create(
        name="双十一", starts_at=timezone.now()
    ),
    "snippet": lambda m: Snippet.objects.create(name="落款", body="祝好"),
    "notice": lambda m: Announcement.objects.create(
        title="快递停运", body="因大雪", ends_at=timezone.now() + timedelta(days=1)
    ),
    "site": lambda m: Site.objects.create(name="门店", host="shop.example.com"),
    "widget rule": lambda m: WidgetRule.objects.create(pattern="/pay", query="付款"),
    "synonyms": lambda m: SynonymSet.objects.create(members="邮费\n运费"),
    "word": lambda m: DictionaryWord.objects.create(text="催派送"),
    "stop word": lambda m: StopWord.objects.create(text="那个啥"),
    "wording rule": lambda m: StyleRule.objects.create(
        text="全网最低", reason="广告法"
    ),
    "golden query": _golden,
    "team": lambda m: Team.objects.create(name="夜班"),
    "question": lambda m: Question.objects.create(text="没人收录的问题"),
    "group": lambda m: Group.objects.create(name="实习"),
}


@pytest.mark.parametrize("name", MAKERS)
def test_a_deleted_row_of_every_table_comes_back(
    root: Client, make_entry: MakeEntry, name: str
) -> None:
    row = MAKERS[name](make_entry)
    before = values(row)
    undo = delete(root, row)
    page = root.post(undo, follow=True)
    assert f"已恢复「{row}」" in page.text, re.findall("没有恢复[^<]*", page.text)
    assert values(row) == before
    assert AuditEvent.objects.filter(act="restored").count() == 1
    assert AuditEvent.objects.filter(act="deleted").exists() or name == "group"


def test_no_admin_deletes_past_the_trash() -> None:
    for model, model_admin in admin.site._registry.items():
        kind: Any = type(model_admin)
        assert issubclass(kind, BaseAdmin), model
        for method in ("delete_model", "delete_queryset"):
            assert getattr(kind, method) is getattr(BaseAdmin, method), (model, method)


def test_every_deletable_table_is_tried_here() -> None:
    request: Any = RequestFactory().get("/admin/")
    request.user = User(is_superuser=True, is_active=True)
    tables = {
        model
        for model, model_admin in admin.site._registry.items()
        if model_admin.has_delete_permission(request)
    }
    tried = {
        Entry,
        Picture,
        User,
        Question,
        Group,
        Category,
        Tag,
        Module,
        CustomerSegment,
    }
    tried |= {
        CampaignPeriod,
        Snippet,
        Announcement,
        Site,
        WidgetRule,
        SynonymSet,
        DictionaryWord,
        StopWord,
    }
    assert tables - tried == {StyleRule, RelevanceTest, Team}


def test_a_tag_comes_back_on_its_entries(office: Client, make_entry: MakeEntry) -> None:
    entry, tag = make_entry(), Tag.objects.create(name="发货")
    entry.tags.add(tag)
    undo = delete(office, tag)
    assert not entry.tags.exists()
    office.post(undo)
    assert list(entry.tags.all()) == [tag]
    assert TextRevision.objects.filter(act="restored", after="发货").exists()


def test_a_module_comes_back_on_its_entries_but_not_over_another(
    office: Client, make_entry: MakeEntry
) -> None:
    module, other = (
        Module.objects.create(name="支付"),
        Module.objects.create(name="物流"),
    )
    entries_ = [make_entry(f"问题{n}", module=module) for n in range(2)]
    undo = delete(office, module)
    Entry.objects.filter(pk=entries_[0].pk).update(module=other)
    office.post(undo)
    assert [Entry.objects.get(pk=e.pk).module for e in entries_] == [other, module]


def test_several_rows_come_back_by_one_button(office: Client) -> None:
    rows = [StopWord.objects.create(text=text) for text in ("那个啥", "这个啥", "啥子")]
    sent = {
        "action": "delete_selected",
        "_selected_action": [r.pk for r in rows],
        "post": "yes",
    }
    page = office.post(reverse("admin:kb_stopword_changelist"), sent, follow=True).text
    assert not StopWord.objects.filter(pk__in=[r.pk for r in rows]).exists()
    found = re.search(r'formaction="([^"]+/undo/)"', page)
    assert found
    assert "已恢复 3 项。" in office.post(found[1], follow=True).text
    assert StopWord.objects.filter(pk__in=[r.pk for r in rows]).count() == 3


def test_a_picture_comes_back_with_its_file(
    office: Client, lead: User, tmp_path: Any, settings: Any
) -> None:
    from io import BytesIO

    from PIL import Image

    body = BytesIO()
    Image.new("RGB", (40, 30), "red").save(body, "PNG")
    picture = pictures.store_picture(
        ContentFile(body.getvalue(), "a.png"), alt="红", by=lead
    )
    with default_storage.open(picture.name) as file:
        bytes_ = file.read()
    undo = delete(office, picture)
    office.post(undo)
    assert pictures.is_picture_file_intact(Picture.objects.get(pk=picture.pk))
    with default_storage.open(picture.name) as file:
        assert file.read() == bytes_


def test_an_account_comes_back_without_its_password(root: Client, agent: User) -> None:
    own = Reply.objects.create(owner=agent, title="我的", body="好")
    groups = set(agent.groups.all())
    undo = delete(root, agent)
    item = DeletedItem.objects.get()
    assert agent.password not in str(item.rows)
    root.post(undo)
    back = User.objects.get(pk=agent.pk)
    assert set(back.groups.all()) == groups
    assert not back.has_usable_password()
    assert Reply.objects.get(pk=own.pk).owner == back


def test_a_refused_deletion_says_no_success(
    office: Client, make_entry: MakeEntry
) -> None:
    snippet = Snippet.objects.create(name="落款", body="祝好")
    make_entry(replies=["亲 {{> 落款}}"])
    page = office.post(address(snippet, "delete"), {"post": "yes"}, follow=True).text
    assert "成功" not in page
    assert Snippet.objects.filter(pk=snippet.pk).exists()
    assert not DeletedItem.objects.exists()


def test_what_was_typed_and_dropped_comes_back_to_its_writer_alone(
    office: Client, lead: User, make_user: Callable[..., User]
) -> None:
    fields = [("question", "写到一半的问题"), ("answer", "半句")]
    row = autosave.save_form_fields(fields, entry=None, by=lead)
    page = office.post(reverse("admin:kb_entry_drop"), {"drop": row.pk}, follow=True)
    found = re.search(r'formaction="([^"]+/undo/)"', page.text)
    assert found
    assert "写到一半" not in office.get(LIST).text
    office.force_login(make_user("root", is_staff=True, is_superuser=True))
    assert "写到一半" not in office.get(LIST).text
    assert office.post(found[1]).status_code == 403
    office.force_login(lead)
    assert "写到一半的问题" in office.post(found[1], follow=True).text
    assert [
        list(pair) for pair in autosave.list_autosaves(None, by=lead).get().fields
    ] == [list(pair) for pair in fields]


# How long, and for whom not ----------------------------------------------------------


def test_the_trash_is_emptied_after_its_days(office: Client, draft: Entry) -> None:
    undo = delete(office, draft)
    DeletedItem.objects.update(deleted_at=timezone.now() - timedelta(days=29))
    privacy.delete_expired_personal_data()
    assert DeletedItem.objects.count() == 1
    DeletedItem.objects.update(deleted_at=timezone.now() - timedelta(days=31))
    privacy.delete_expired_personal_data()
    assert not DeletedItem.objects.exists()
    assert "没有可以恢复的" in office.post(undo, follow=True).text


def test_zero_days_keeps_it_for_ever(
    settings: Any, office: Client, draft: Entry
) -> None:
    settings.KB_RETENTION_DAYS = {**settings.KB_RETENTION_DAYS, "deleted": 0}
    trash.delete_row(draft, by=None)
    DeletedItem.objects.update(deleted_at=timezone.now() - timedelta(days=3000))
    privacy.delete_expired_personal_data()
    assert DeletedItem.objects.exists()
    assert "一直保留" in office.get(LIST).text
    assert trash.describe_period() == "随时可以恢复"


def test_an_erased_person_is_erased_from_the_trash(
    office: Client, draft: Entry
) -> None:
    Entry.objects.filter(pk=draft.pk).update(question="王小二的订单 13812345678 怎么退")
    draft.refresh_from_db()
    undo = delete(office, draft)
    assert privacy.find_person(["13812345678", "王小二"])
    privacy.erase_person(["13812345678", "王小二"])
    item = DeletedItem.objects.get()
    assert "13812345678" not in f"{item.name}{item.rows}"
    assert "王小二" not in f"{item.name}{item.rows}"
    office.post(undo)
    back = Entry.objects.get(pk=draft.pk)
    key = back.question_key
    back.update_derived_columns()
    assert back.question_key == key


def test_a_deleted_question_of_an_erased_person_is_gone(
    office: Client, make_question: MakeQuestion
) -> None:
    question = make_question("我是王小二，货呢", answer="")
    delete(office, question)
    privacy.erase_person(["王小二"])
    assert not DeletedItem.objects.exists()
