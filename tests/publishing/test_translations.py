"""Translations into 繁體: converted once, stored, applied when shown, overridden by editors."""

from __future__ import annotations

from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.test import Client
from django.utils import translation

from kb.index import sync
from kb.library import entries
from kb.models import Category, ContentEdition, Entry, EntryTranslation, Tag, User
from kb.publishing import locale_prefix, translations
from kb.text.chinese import traditional
from tests.conftest import MakeEntry

pytestmark = pytest.mark.django_db
PICTURE = f"/media/{'0a' * 16}-8x6.webp"


@pytest.mark.parametrize(
    ("region", "said"),
    [("tw", "「網路」連線後登入帳號"), ("hk", "「網絡」連接後登錄帳號")],
)
def test_it_is_said_in_the_words_of_the_region(region: str, said: str) -> None:
    assert (
        traditional.make_traditional_converter(region)("“网络”连接后登录账号") == said
    )


@pytest.mark.parametrize(
    ("text", "tw", "hk"),
    [
        ("怎么注销账号？", "怎麼註銷帳號？", "怎麼註銷帳號？"),
        ("签收 7 天后，15天后", "簽收 7 天後，15天後", "簽收 7 天後，15天後"),
        ("银行卡里没有钱", "銀行卡裡沒有錢", "銀行卡裏沒有錢"),
        ("感谢支持，绑定微信号", "感謝支持，綁定微信號", "感謝支持，綁定微信號"),
        ("空调用久了", "空調用久了", "空調用久了"),
        ("部分区域收费项目", "部分區域收費項目", "部分區域收費項目"),
        ("批量采购看尺码表", "批量採購看尺碼表", "批量採購看尺碼表"),
        ("故障代码、充电接口", "故障代碼、充電接口", "故障代碼、充電接口"),
    ],
)
def test_it_is_said_as_customers_say_it(text: str, tw: str, hk: str) -> None:
    """The phrases of OpenCC are those of programmers."""
    assert traditional.make_traditional_converter("tw")(text) == tw
    assert traditional.make_traditional_converter("hk")(text) == hk


def test_what_holds_no_chinese_is_left_alone() -> None:
    assert (
        traditional.make_traditional_converter("tw")("Wi-Fi 'x' 42") == "Wi-Fi 'x' 42"
    )


def test_a_saved_entry_gets_a_translation(make_entry: MakeEntry) -> None:
    made = make_entry("网络断了怎么办？", f"重启**路由器**。\n\n![网络灯]({PICTURE})")
    translation = EntryTranslation.objects.get(entry=made)
    assert translation.question == "網路斷了怎麼辦？"
    assert "重啟<strong>路由器</strong>" in translation.answer_html
    assert f'src="{PICTURE}" alt="網路燈"' in translation.answer_html
    assert translation.excerpt == "重啟路由器。"
    entries.update_entry(made, by=None, based_on=made.version, answer="联系客服。")
    sync.sync_all_marks()
    translation.refresh_from_db()
    assert translation.excerpt == "聯絡客服。"


def test_what_came_in_bulk_is_caught_up_with(
    make_entry: MakeEntry, settings: Any
) -> None:
    made = make_entry("网络断了怎么办？")
    EntryTranslation.objects.all().delete()
    assert translations.refresh_outdated_translations() == 1
    assert translations.refresh_outdated_translations() == 0
    settings.KB_HANT = "hk"
    assert translations.refresh_outdated_translations() == 1
    assert EntryTranslation.objects.get(entry=made).question == "網絡斷了怎麼辦？"


def test_names_are_said_again_when_they_are_said_otherwise(db: None) -> None:
    Category.objects.create(name="网络")
    tag = Tag.objects.create(name="账号")
    Category.objects.update(hant="舊的")
    Tag.objects.update(hant="舊的")
    translations.refresh_outdated_translations()
    assert Category.objects.get().hant == "網路"
    tag.refresh_from_db()
    assert tag.hant == "帳號"


def test_an_editors_words_come_first_and_are_known_to_be_behind(
    make_entry: MakeEntry,
) -> None:
    made = make_entry("网络断了怎么办？", "重启路由器。")
    translation = translations.write_manual_translation(
        made.translation, question="斷網了怎麼辦？", answer="重開**機**。"
    )
    assert (translation.question, translation.excerpt, translation.behind) == (
        "斷網了怎麼辦？",
        "重開機。",
        False,
    )
    entries.add_phrasing(made, "上不了网", by=None)  # no change of the original
    sync.sync_all_marks()
    translation.refresh_from_db()
    assert (translation.question, translation.behind) == ("斷網了怎麼辦？", False)
    made.refresh_from_db()
    entries.update_entry(made, by=None, based_on=made.version, answer="联系客服。")
    sync.sync_all_marks()
    translation.refresh_from_db()
    assert (translation.excerpt, translation.behind) == ("重開機。", True)
    assert (
        translations.write_manual_translation(
            translation, question="", answer=""
        ).excerpt
        == "聯絡客服。"
    )
    assert not EntryTranslation.objects.get(entry=made).behind


def test_an_editors_picture_needs_words(make_entry: MakeEntry) -> None:
    translation = make_entry().translation
    with pytest.raises(ValidationError, match="替代文字"):
        translations.write_manual_translation(
            translation, question="", answer=f"![]({PICTURE})"
        )


def test_a_translation_is_applied_in_its_locale_only(
    make_entry: MakeEntry, django_assert_num_queries: Any
) -> None:
    make_entry("网络断了怎么办？", "重启路由器。")
    once, again = Entry.objects.get(), Entry.objects.get()
    with django_assert_num_queries(0):
        translations.apply_translations([once])
    assert once.question == "网络断了怎么办？"
    with (
        translation.override(locale_prefix.LOCALE_TRADITIONAL),
        django_assert_num_queries(1),
    ):
        translations.apply_translations(
            [once, again]
        )  # the same row twice, as on the home page
    assert once.question == again.question == "網路斷了怎麼辦？"
    assert once.answer_html == again.answer_html == "<p>重啟路由器。</p>\n"


def test_what_is_not_kept_yet_is_said_on_the_spot(make_entry: MakeEntry) -> None:
    made = make_entry("网络断了怎么办？", "重启路由器。")
    translations.write_manual_translation(
        made.translation, question="斷網了怎麼辦？", answer=""
    )
    Entry.objects.update(version=9)
    with translation.override(locale_prefix.LOCALE_TRADITIONAL):
        translations.apply_translations([behind := Entry.objects.get()])
        assert behind.question == "斷網了怎麼辦？"
        EntryTranslation.objects.all().delete()
        translations.apply_translations(
            [bare := Entry.objects.defer("answer", "answer_html").get()]
        )
    assert bare.question == "網路斷了怎麼辦？"
    assert bare.excerpt == "重啟路由器。"


def test_an_entry_with_translated_texts_cannot_be_saved(make_entry: MakeEntry) -> None:
    make_entry("网络断了怎么办？")
    with translation.override(locale_prefix.LOCALE_TRADITIONAL):
        translations.apply_translations([shown := Entry.objects.get()])
    with pytest.raises(RuntimeError):
        shown.save()


def test_names_are_said_when_they_are_saved(make_entry: MakeEntry) -> None:
    category = Category.objects.create(name="账号与网络")
    tag = Tag.objects.create(name="优惠券", own_hant="折價券")
    assert (category.hant, tag.hant) == ("帳號與網路", "優惠券")
    with translation.override(locale_prefix.LOCALE_TRADITIONAL):
        translations.translate_names(category, tag)
    assert (category.name, tag.name) == ("帳號與網路", "折價券")


@pytest.mark.parametrize(
    ("path", "code"),
    [
        ("/", "zh-hans"),
        ("/zh-hant/", "zh-hant"),
        ("/zh-hant/q/1/", "zh-hant"),
        ("/en/", "en"),
        ("/zh-hantx/", "zh-hans"),
        ("/zh-hans/", "zh-hans"),
        ("/q/zh-hant/", "zh-hans"),
        ("", "zh-hans"),
    ],
)
def test_the_address_decides_the_locale(path: str, code: str) -> None:
    assert locale_prefix.get_path_locale(path) == code


def test_a_page_has_an_address_in_every_locale() -> None:
    wanted = {"zh-hans": "/q/1/退/", "zh-hant": "/zh-hant/q/1/退/", "en": "/en/q/1/退/"}
    for path in wanted.values():
        assert dict(locale_prefix.list_locale_paths(path)) == wanted


# What editors see ----------------------------------------------------------------


def test_an_editor_writes_a_translation_by_hand(
    client: Client, editor: User, make_entry: MakeEntry
) -> None:
    translation = make_entry("网络断了怎么办？", "重启路由器。").translation
    client.force_login(editor)
    where = f"/admin/kb/entrytranslation/{translation.pk}/change/"
    page = client.get(where).content.decode()
    assert "重启路由器。" in page
    assert "自动转换" in page
    sent = {"own_question": "斷網了怎麼辦？", "own_answer": ""}
    assert client.post(where, sent).status_code == 302
    translation.refresh_from_db()
    assert (translation.question, translation.is_hand_written) == (
        "斷網了怎麼辦？",
        True,
    )
    refused = client.post(where, {"own_answer": f"![]({PICTURE})"}).content.decode()
    assert "替代文字" in refused
    assert client.get("/admin/kb/entrytranslation/add/").status_code == 403


# The edition of what pages show ---------------------------------------------------


def number() -> int:
    found = ContentEdition.objects.values_list("number", flat=True).first()
    return found or 0


def test_every_change_of_what_pages_show_raises_the_edition(
    make_entry: MakeEntry,
) -> None:
    category = Category.objects.create(name="售后")
    made = make_entry(category=category)
    tag = Tag.objects.create(name="运费")
    changes: list[Any] = [
        lambda: entries.retire_entry(made, by=None),
        lambda: entries.restore_entry(made, by=None),
        category.save,
        lambda: made.tags.add(tag),
        tag.save,
        lambda: sync.mark_stale([made.pk]),
        lambda: translations.write_manual_translation(
            made.translation, question="售後", answer=""
        ),
        made.delete,
    ]
    for change in changes:
        before = number()
        change()
        assert number() > before, change
