"""What editors teach is in force at the next search, in every process."""

from __future__ import annotations

import threading
from collections.abc import Callable
from io import StringIO
from typing import Any
from unittest import mock

import jieba
import pytest
from django.contrib.auth.models import AnonymousUser
from django.core.exceptions import ValidationError
from django.core.management import call_command
from django.db import IntegrityError, transaction
from django.test import Client
from django.urls import reverse

from kb import search
from kb.index import sync
from kb.index.engines import get_engine
from kb.language import vocabulary
from kb.models import (
    DictionaryWord,
    IndexQueue,
    LanguageEdition,
    StopWord,
    StyleRule,
    SynonymSet,
    User,
)
from kb.search import analyze_query
from kb.text.chinese import term_weights, tokenizer
from kb.text.chinese.lexicon import Lexicon
from kb.text.chinese.synonyms import SynonymGroup as Plain
from tests.conftest import MakeEntry

ANYONE = AnonymousUser()
pytestmark = pytest.mark.django_db


def found(words: str, user: User | AnonymousUser = ANYONE) -> list[str]:
    return [hit.entry.question for hit in search.search_entries(words, user=user).hits]


def same(*members: str, two_way: bool = True, topic: str = "通用") -> SynonymSet:
    row = SynonymSet(members="\n".join(members), two_way=two_way, topic=topic)
    row.full_clean()
    row.save()
    return row


def lexicon(*sets: Plain, stops: tuple[str, ...] = ()) -> Lexicon:
    return Lexicon.from_vocabulary(sets, stops, ())


# Synonyms ------------------------------------------------------------------------


def test_a_synonym_finds_from_the_next_search_on(make_entry: MakeEntry) -> None:
    make_entry("无法登录怎么解决")
    make_entry("发票抬头怎么改")
    assert found("上不去号") == []
    row = same("上不去号", "无法登录")
    assert found("上不去号") == ["无法登录怎么解决"]
    row.members = "上不去号\n登不进去"
    row.save()
    assert found("上不去号") == []
    row.members = "上不去号\n发票"
    row.save()
    assert found("上不去号") == ["发票抬头怎么改"]
    row.delete()
    assert found("上不去号") == []


def test_deleting_in_bulk_is_in_force_too(make_entry: MakeEntry) -> None:
    make_entry("无法登录怎么解决")
    same("上不去号", "无法登录")
    assert found("上不去号")
    SynonymSet.objects.all().delete()
    assert found("上不去号") == []


def test_a_one_way_synonym_finds_one_way(make_entry: MakeEntry) -> None:
    make_entry("无法登录怎么解决")
    make_entry("上不去号")
    same("上不去号", "无法登录", two_way=False)
    assert found("上不去号") == ["上不去号", "无法登录怎么解决"]
    assert found("无法登录") == ["无法登录怎么解决"]


def test_a_typed_word_ranks_before_its_synonym(make_entry: MakeEntry) -> None:
    make_entry("运费险是什么")
    make_entry("退货险是什么")
    same("退货险", "运费险")
    assert found("退货险是什么") == ["退货险是什么", "运费险是什么"]
    assert found("运费险是什么") == ["运费险是什么", "退货险是什么"]


def test_traditional_members_meet_simplified_texts(make_entry: MakeEntry) -> None:
    make_entry("蓝牙音箱连不上")
    same("藍芽喇叭", "蓝牙音箱")
    assert found("藍芽喇叭")[:1] == found("蓝芽喇叭")[:1] == ["蓝牙音箱连不上"]


def test_a_synonym_weighs_less_than_half_of_the_typed_word() -> None:
    words = lexicon(Plain(("怎么", "如何")), Plain(("尾款", "剩下的钱")))
    meant = analyze_query("怎么付尾款", words).synonym_terms
    assert (
        meant.words["如何"]
        == term_weights.DEFAULT_TERM_WEIGHTS.synonym
        * term_weights.DEFAULT_TERM_WEIGHTS.question_word
    )
    assert meant.words["钱"] == term_weights.DEFAULT_TERM_WEIGHTS.synonym
    assert {"尾款", "怎么"} & meant.words.keys() == set()


def test_a_term_of_two_synonyms_counts_once_and_typed_terms_never_again() -> None:
    words = lexicon(Plain(("到账", "入账")), Plain(("没收到", "入账失败", "收到")))
    meant = analyze_query("没收到也没到账", words).synonym_terms
    assert meant.words["入账"] == term_weights.DEFAULT_TERM_WEIGHTS.synonym
    asked = term_weights.weigh_terms("没收到也没到账")
    assert not asked.words.keys() & meant.words.keys()
    assert not asked.bigrams.keys() & meant.bigrams.keys()


def test_of_a_large_group_only_the_first_synonyms_are_searched() -> None:
    members = ("尾款", *(f"w{n}" for n in range(9)))
    meant = analyze_query("尾款", lexicon(Plain(members))).synonym_terms
    assert {w for w in meant.words if w in members} == set(members[1:7])


def test_hidden_entries_do_not_change_the_results_of_the_public(
    make_entry: MakeEntry, agent: User
) -> None:
    make_entry("无法登录怎么解决")
    make_entry("发票抬头怎么改")
    same("上不去号", "无法登录", "掉线重连")
    before = search.search_entries("上不去号", user=ANYONE)
    for status, audience in (("draft", "public"), ("published", "internal")):
        make_entry("掉线重连", status=status, audience=audience, replies=["上不去号"])
    after = search.search_entries("上不去号", user=ANYONE)
    assert [h.entry.pk for h in after.hits] == [h.entry.pk for h in before.hits]
    assert after.total == before.total
    assert "掉线重连" in found("上不去号", agent)


def test_a_synonym_in_hidden_entries_is_like_one_in_none(
    make_entry: MakeEntry, agent: User
) -> None:
    """Whether it is held decides how loosely is searched: by what the reader sees."""
    make_entry("退款多久到账")
    same("退宽蹦迪", "掉线重连", two_way=False)
    assert found("退宽蹦迪") == []
    make_entry("掉线重连", audience="internal")
    assert found("退宽蹦迪") == []
    assert found("退宽蹦迪", agent)[:1] == ["掉线重连"]


def test_a_synonym_of_a_question_word_finds_nothing(make_entry: MakeEntry) -> None:
    make_entry("如何改发票抬头")
    make_entry("退款多久到账")
    same("怎么", "如何")
    assert found("怎么 退宽") == ["退款多久到账"]


def test_a_synonym_of_little_of_what_is_asked_finds_nothing(
    make_entry: MakeEntry,
) -> None:
    make_entry("提交订单出错怎么办")
    same("报错", "出错")
    assert found("docker 容器启动报错") == []
    assert found("报错") == ["提交订单出错怎么办"]


def test_a_synonym_is_found_beside_a_typing_error(make_entry: MakeEntry) -> None:
    """Nothing is written as typed, but what means it is: no sound is insisted on."""
    make_entry("无法登录怎么解决")
    same("丄不去呺", "无法登录")
    assert found("丄不去呺") == ["无法登录怎么解决"]


# Stop words ------------------------------------------------------------------------


def test_a_stop_word_hardly_counts(make_entry: MakeEntry) -> None:
    make_entry("小哥哥小哥哥小哥哥")
    make_entry("裤子尺码怎么选")
    assert found("小哥哥裤子")[0] == "小哥哥小哥哥小哥哥"
    StopWord.objects.create(text="小哥哥")
    assert found("小哥哥裤子")[0] == "裤子尺码怎么选"


def test_a_query_of_stop_words_alone_still_asks() -> None:
    words = lexicon(stops=("小哥哥", "在吗", "亲"))
    alone = term_weights.weigh_terms("亲，小哥哥在吗？", words)
    assert alone == term_weights.weigh_terms("亲，小哥哥在吗？")
    assert (
        term_weights.weigh_terms("亲裤子", words).words["亲"]
        == term_weights.DEFAULT_TERM_WEIGHTS.stop_word
    )


@pytest.mark.parametrize(
    ("text", "term"),
    [("亲属关系证明", "亲属"), ("white 耳机", "white"), ("第三方", "第三方")],
)
def test_a_stop_word_is_not_a_part_of_a_word(text: str, term: str) -> None:
    words = lexicon(stops=("亲", "hi", "三"))
    assert term_weights.weigh_terms(text, words).words[term] == 1


# Words -----------------------------------------------------------------------------


def test_a_word_is_cut_as_one_and_no_more_when_deleted() -> None:
    before = tokenizer.tokenize_text("我的蓝鲸卡丢了")
    row = DictionaryWord.objects.create(text="蓝鲸卡")
    vocabulary.load_current_lexicon()
    assert "蓝鲸卡" in tokenizer.tokenize_text("我的蓝鲸卡丢了")
    row.delete()
    vocabulary.load_current_lexicon()
    assert tokenizer.tokenize_text("我的蓝鲸卡丢了") == before


def test_learning_leaves_no_trace_behind() -> None:
    tokenizer.load_tokenizer_dictionaries()
    before = {word: n for word, n in jieba.dt.FREQ.items() if n}
    total = jieba.dt.total
    words = vocabulary.load_starter_lexicon().custom_words | {"退货", "蓝鲸卡"}
    tokenizer.teach_words(words)
    assert jieba.dt.total == total
    tokenizer.teach_words(frozenset({"蓝鲸卡"}))
    tokenizer.teach_words(frozenset())
    assert {word: n for word, n in jieba.dt.FREQ.items() if n} == before


def test_what_is_learned_does_not_depend_on_what_was() -> None:
    words = frozenset({"的是", "的是不", "不的是", "运费险"})
    tokenizer.teach_words(words)
    at_once = {word: jieba.dt.FREQ[word] for word in words}
    for word in words:
        assert word in tokenizer.tokenize_text(word)
    tokenizer.teach_words(frozenset())
    for n in range(1, len(words) + 1):
        tokenizer.teach_words(frozenset(sorted(words)[:n]))
    assert {word: jieba.dt.FREQ[word] for word in words} == at_once


def test_learning_the_same_again_touches_nothing() -> None:
    words = vocabulary.load_starter_lexicon().custom_words
    with mock.patch.object(tokenizer, "_suggest_frequency", side_effect=AssertionError):
        tokenizer.teach_words(words)
        tokenizer.teach_words(frozenset(list(words)))


@pytest.mark.parametrize(
    "place", ["question", "phrasing", "answer", "reply", "keywords", "繁體"]
)
def test_a_word_marks_the_entries_that_hold_it(
    make_entry: MakeEntry, place: str
) -> None:
    texts: dict[str, dict[str, Any]] = {
        "question": {"question": "蓝鲸卡丢了怎么办"},
        "phrasing": {"phrasings": ["我的蓝鲸卡不见了"]},
        "answer": {"answer": "补一张蓝鲸卡。"},
        "reply": {"replies": ["亲，蓝鲸卡可以补。"]},
        "keywords": {"keywords": "蓝鲸卡"},
        "繁體": {"question": "藍鯨卡丟了怎麼辦"},
    }
    holding = make_entry(**texts[place])
    make_entry("发票抬头怎么改")
    row = DictionaryWord.objects.create(text="蓝鲸卡")
    assert marked() == {holding.pk}
    sync.sync_all_marks()
    row.delete()
    assert marked() == {holding.pk}


def test_a_changed_word_marks_what_held_the_old_one(make_entry: MakeEntry) -> None:
    old, new = make_entry("蓝鲸卡丢了"), make_entry("白鲨卡丢了")
    row = DictionaryWord.objects.create(text="蓝鲸卡")
    sync.sync_all_marks()
    row.text = "白鲨卡"
    row.save()
    assert marked() == {old.pk, new.pk}


def test_after_a_word_the_index_is_as_if_built_anew(make_entry: MakeEntry) -> None:
    make_entry("我的蓝鲸卡丢了", answer="请先挂失。", replies=["蓝鲸卡"])
    make_entry("補辦藍鯨卡要多久")
    before = get_engine().load_digests()
    DictionaryWord.objects.create(text="蓝鲸卡")
    sync.sync_all_marks()
    assert get_engine().load_digests() != before
    assert sync.audit_indexed_entries() == set()


def marked() -> set[int]:
    return set(IndexQueue.objects.values_list("entry_id", flat=True))


# Editions --------------------------------------------------------------------------


def test_every_change_is_a_new_edition() -> None:
    numbers = [0]
    for row in (
        SynonymSet(members="退换\n换货"),
        DictionaryWord(text="蓝鲸卡"),
        StopWord(text="哈喽"),
    ):
        for change in (row.save, row.save, row.delete):
            change()
            numbers.append(LanguageEdition.objects.get().number)
    assert numbers == sorted(set(numbers))


def test_a_save_and_its_edition_are_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        vocabulary, "raise_vocabulary_edition", mock.Mock(side_effect=KeyError)
    )
    with pytest.raises(KeyError):
        DictionaryWord.objects.create(text="蓝鲸卡")
    assert not DictionaryWord.objects.exists()


def test_nothing_is_compiled_twice() -> None:
    same("上不去号", "无法登录")
    first = vocabulary.load_current_lexicon()
    with mock.patch.object(vocabulary, "_compile_lexicon", side_effect=AssertionError):
        assert vocabulary.load_current_lexicon() is first


def test_looking_for_a_new_edition_is_one_query(
    django_assert_num_queries: Callable[..., Any],
) -> None:
    same("上不去号", "无法登录")
    vocabulary.load_current_lexicon()
    with django_assert_num_queries(1):
        vocabulary.load_current_lexicon()


def test_an_edition_that_was_rolled_back_is_forgotten(make_entry: MakeEntry) -> None:
    make_entry("无法登录怎么解决")
    make_entry("发票抬头怎么改")
    with pytest.raises(KeyError), transaction.atomic():
        same("上不去号", "无法登录")
        assert found("上不去号") == ["无法登录怎么解决"]
        raise KeyError
    assert found("上不去号") == []
    same("上不去号", "发票")  # the same number, another moment
    assert found("上不去号") == ["发票抬头怎么改"]


@pytest.mark.django_db(transaction=True)
def test_threads_agree_on_the_newest_edition() -> None:
    from django.db import connection

    held: list[Lexicon] = []

    def look() -> None:
        held.append(vocabulary.load_current_lexicon())
        connection.close()

    for number in range(3):
        same("上不去号", f"无法登录{number}")
        threads = [threading.Thread(target=look) for _ in range(6)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        (seen,) = {id(lexicon) for lexicon in held}
        assert (
            f"无法登录{number}"
            in vocabulary.load_current_lexicon().synonyms.find_members("上不去号")[0][1]
        )
        assert id(vocabulary.load_current_lexicon()) == seen
        held.clear()
        SynonymSet.objects.all().delete()


# The vocabulary that ships ----------------------------------------------------------


def test_the_starter_needs_no_database_and_is_what_is_loaded(
    django_assert_num_queries: Callable[..., Any],
) -> None:
    with django_assert_num_queries(0):
        shipped = vocabulary.load_starter_lexicon()
    assert vocabulary.install_starter_vocabulary() > 1000
    loaded = vocabulary.load_current_lexicon()
    assert loaded.custom_words == shipped.custom_words
    for text in ("登不上了咋办", "钱没到", "專票"):
        assert (
            loaded.synonyms.find_members(text)
            == shipped.synonyms.find_members(text)
            != []
        )
        assert term_weights.weigh_terms(
            f"您好，{text}", loaded
        ) == term_weights.weigh_terms(f"您好，{text}", shipped)
    assert LanguageEdition.objects.get().number == 1


def test_every_row_that_ships_would_be_accepted_from_an_editor() -> None:
    vocabulary.install_starter_vocabulary()
    for model in (SynonymSet, DictionaryWord, StopWord):
        for row in model.objects.all()[:: 25 if model is SynonymSet else 1]:
            row.full_clean()


def test_setting_up_loads_it_once_and_never_over_editors_work(
    make_entry: MakeEntry,
) -> None:
    make_entry("退运费险有啥用")
    call_command("kb_setup", no_demo=True, stdout=StringIO())
    assert "运费险" in vocabulary.load_current_lexicon().custom_words
    assert sync.audit_indexed_entries() == set()
    SynonymSet.objects.all().delete()
    DictionaryWord.objects.all().delete()
    StopWord.objects.all().delete()
    call_command("kb_setup", no_demo=True, stdout=StringIO())
    assert not SynonymSet.objects.exists()
    assert vocabulary.load_current_lexicon().custom_words == frozenset()


# What is refused ---------------------------------------------------------------------


@pytest.mark.parametrize(
    ("members", "reason"),
    [
        ("退款", "至少写两个"),
        ("退款\n\n", "至少写两个"),
        ("网络\n網絡", "同一个词"),
        ("WiFi\nｗｉｆｉ\n无线", "同一个词"),
        ("退款\n！！", "没有可以搜索的字"),
        ("退款\n" + "长" * 33, "太长"),
        ("退款、退钱\n返款", "一行只写一个词"),
        ("\n".join(f"退款{n}" for n in range(21)), "最多 20 个"),
    ],
)
def test_a_set_that_says_nothing_is_refused_with_a_reason(
    members: str, reason: str
) -> None:
    with pytest.raises(ValidationError, match=reason):
        same(members)


def test_blank_lines_and_spaces_are_tidied() -> None:
    assert same(" 退款 ", "", "退  钱").members == "退款\n退 钱"


def test_synonyms_that_exist_already_are_refused_by_name() -> None:
    old = same("退款", "退钱", "返款")
    with pytest.raises(
        ValidationError, match="“退款”“退钱”已经在另一组里：退款 = 退钱 = 返款"
    ):
        same("退款", "退錢", "还钱")
    same("退款", "还钱")  # one word may mean several things
    old.full_clean()  # itself is no other set


@pytest.mark.django_db
def test_a_one_way_set_says_nothing_twice() -> None:
    SynonymSet.objects.create(members="注消\n注销\n销户", two_way=False)
    with pytest.raises(ValidationError, match="“注消”“注销”已经在另一组里"):
        SynonymSet(members="注消\n注销", two_way=False).clean()
    SynonymSet(members="注销\n销号", two_way=False).clean()
    SynonymSet(members="注肖\n注销\n注消", two_way=False).clean()


def test_the_starter_goes_from_site_to_site(django_assert_max_num_queries: Any) -> None:
    """Nothing that ships is refused when it comes back."""
    lines = (
        vocabulary.STARTER_FOLDER.joinpath("synonyms.tsv")
        .read_text("utf-8")
        .splitlines()
    )
    assert len(lines) == len(set(lines))


def test_a_one_way_set_repeats_only_what_its_first_word_finds() -> None:
    old = same("拒收", "拒绝签收")
    same("拒签", "拒收", "拒绝签收", two_way=False)
    with pytest.raises(ValidationError, match=str(old)):
        same("拒收", "拒绝签收", "不收", two_way=False)
    same("拒签", "拒收")  # the other way is new


@pytest.mark.parametrize("text", ["卡", "蓝鲸 卡", "sim卡", "蓝鲸卡!", "", "abc"])
def test_a_word_is_two_or_more_han_characters(text: str) -> None:
    with pytest.raises(ValidationError):
        DictionaryWord(text=text).full_clean()


@pytest.mark.parametrize("model", [DictionaryWord, StopWord])
def test_a_word_exists_once_in_any_spelling(
    model: type[DictionaryWord | StopWord],
) -> None:
    for text in ("网络", "網路"):
        row = model(text=text)
        row.full_clean()
        row.save()
    with pytest.raises(ValidationError, match="已经有这个词"):
        model(text="網絡").full_clean()


@pytest.mark.parametrize(
    "row",
    [
        SynonymSet(topic="通用"),
        SynonymSet(topic="", members="a"),
        DictionaryWord(),
        StopWord(),
    ],
)
def test_the_database_refuses_what_is_empty(row: Any) -> None:
    with pytest.raises(IntegrityError), transaction.atomic():
        row.save()


# The admin ---------------------------------------------------------------------------


@pytest.mark.parametrize("who", ["editor", "lead"])
def test_editors_change_the_vocabulary(
    client: Client, request: pytest.FixtureRequest, make_entry: MakeEntry, who: str
) -> None:
    make_entry("无法登录怎么解决")
    client.force_login(request.getfixturevalue(who))
    typed = {"members": "上不去号\r\n无法登录", "two_way": "on", "topic": "账号"}
    client.post(reverse("admin:kb_synonymset_add"), typed)
    row = SynonymSet.objects.get()
    page = client.get(reverse("admin:kb_synonymset_changelist"), {"topic": "账号"})
    assert "上不去号 = 无法登录" in page.content.decode()
    assert found("上不去号") == ["无法登录怎么解决"]
    client.post(reverse("admin:kb_synonymset_delete", args=[row.pk]), {"post": "yes"})
    assert found("上不去号") == []
    for name, text in (("dictionaryword", "蓝鲸卡"), ("stopword", "哈喽")):
        client.post(reverse(f"admin:kb_{name}_add"), {"text": text, "tag": "n"})
    lexicon = vocabulary.load_current_lexicon()
    assert lexicon.custom_words == {"蓝鲸卡"}
    assert list(lexicon.stop_words.find_spans("哈喽"))


def test_the_form_says_what_is_wrong_and_keeps_what_was_typed(
    client: Client, editor: User
) -> None:
    client.force_login(editor)
    typed = {"members": "退款", "two_way": "on", "topic": "退换"}
    page = client.post(reverse("admin:kb_synonymset_add"), typed).content.decode()
    assert "至少写两个不同的词" in page
    assert "退款</textarea>" in page
    assert "可以互换着说的词" in page  # the help text


@pytest.mark.parametrize("name", ["synonymset", "dictionaryword", "stopword"])
def test_others_cannot_change_the_vocabulary(
    client: Client, make_user: Callable[..., User], agent: User, name: str
) -> None:
    for user in (agent, make_user("staff", is_staff=True)):
        client.force_login(user)
        for page in ("add", "changelist"):
            address = reverse(f"admin:kb_{name}_{page}")
            assert client.get(address, follow=True).status_code == 403


# What contradicts itself -----------------------------------------------------------


def test_one_way_sets_that_lead_back_are_refused_with_the_way(db: None) -> None:
    same("退宽", "退款", two_way=False)
    same("退款", "返款", two_way=False)
    with pytest.raises(ValidationError, match="返款 → 退宽 → 退款 → 返款"):
        same("返款", "退宽", two_way=False)
    same("反款", "退宽", two_way=False)  # it leads there, and nothing leads back


def test_a_stop_word_is_no_synonym(db: None) -> None:
    row = same("退钱", "退款")
    with pytest.raises(ValidationError, match="退钱 = 退款"):
        StopWord(text="退钱").full_clean()
    row.delete()
    StopWord(text="退钱").full_clean()


def test_what_ships_contradicts_nothing(db: None) -> None:
    vocabulary.install_starter_vocabulary()
    for model in (SynonymSet, DictionaryWord, StopWord):
        for row in model.objects.all():
            row.full_clean()


# The panel: what a change would do, before it is saved --------------------------------


@pytest.fixture
def desk(client: Client, editor: User) -> Client:
    client.force_login(editor)
    return client


def tried(client: Client, kind: str, **typed: Any) -> Any:
    address = reverse(f"admin:kb_{kind}_try")
    return client.post(address, {"kind": kind, **typed})


def test_a_synonym_is_tried_before_it_is_saved(
    desk: Client, make_entry: MakeEntry
) -> None:
    wanted = make_entry("无法登录怎么解决")
    make_entry("发票抬头怎么改")
    response = tried(
        desk, "synonymset", q="上不去号", members="上不去号\n无法登录", two_way="on"
    )
    assert not response.context["now"].is_confident
    assert response.context["then"].is_confident
    assert [entry for entry, _ in response.context["moves"]] == [wanted]
    assert response.context["then"].synonyms == [("上不去号", ["无法登录"])]
    assert found("上不去号") == []
    assert not SynonymSet.objects.exists()


def test_a_stop_word_is_tried_before_it_is_saved(desk: Client) -> None:
    response = tried(desk, "stopword", q="亲亲 退款", text="亲亲")
    weights = [(c.word, c.weight_name) for c in response.context["then"].tokens]
    assert ("亲亲", "silent") in weights
    assert ("亲亲", "silent") not in [
        (c.word, c.weight_name) for c in response.context["now"].tokens
    ]


def test_a_word_is_cut_as_it_would_be_and_nothing_is_learned(desk: Client) -> None:
    before = tokenizer.tokenize_text("小茶卡怎么用")
    response = tried(desk, "dictionaryword", q="小茶卡怎么用", text="小茶卡")
    assert "小茶卡" in [cut.word for cut in response.context["then"].tokens]
    assert "小茶卡" not in [cut.word for cut in response.context["now"].tokens]
    assert tokenizer.tokenize_text("小茶卡怎么用") == before


def test_a_changed_row_is_tried_in_place_of_the_stored_one(
    desk: Client, make_entry: MakeEntry
) -> None:
    make_entry("无法登录怎么解决")
    row = same("上不去号", "无法登录")
    response = tried(
        desk,
        "synonymset",
        row=row.pk,
        q="上不去号",
        members="上不去号\n别的词",
        two_way="on",
    )
    assert response.context["now"].is_confident
    assert not response.context["then"].is_confident


def test_an_invalid_row_is_explained_and_not_tried(desk: Client) -> None:
    response = tried(desk, "synonymset", q="退款", members="退款")
    assert "至少写两个不同的词" in response.content.decode()
    assert "现在" in response.content.decode()
    page = desk.get(reverse("admin:kb_dictionaryword_try"), {"q": "怎么退款"})
    assert "怎么" in page.content.decode()
    for forged in ({"q": "x" * 500}, {"q": "退", "row": "9" * 30}, {"q": "\x00"}):
        assert tried(desk, "dictionaryword", **forged).status_code == 200


def test_a_style_rule_is_tried_before_it_is_saved(
    desk: Client, make_entry: MakeEntry
) -> None:
    def check(q: str, **typed: Any) -> Any:
        sent = {"q": q, **rule, **typed}
        return desk.post(reverse("admin:kb_stylerule_try"), sent)

    bad = make_entry("好不好", answer="全网最低價。")
    make_entry("别的", answer="全网最低价格表", replies=["全网"])
    rule = {"kind": "absolute", "text": "最低价", "severity": "error"}
    rule |= {"exceptions": "最低价格表", "suggestion": "说实在的价钱"}
    page = check("我们最低价")
    assert [str(one) for one in page.context["now"]] == []
    assert [one.excerpt for one in page.context["then"]] == ["最低价"]
    assert page.context["matching_entries"] == [bad]
    assert "说实在的价钱" in page.content.decode()
    assert not check("最低价格表").context["then"]
    wrong = check("我们", exceptions="别的词")
    assert "例外“别的词”要含有“最低价”" in wrong.content.decode()
    for forged in ({"severity": "x"}, {"row": "9" * 19}, {"text": "\0"}):
        assert check("退", **forged).status_code == 200
    assert check("x" * 999).status_code == 200
    assert not StyleRule.objects.filter(text="最低价").exists()


def test_every_form_of_the_vocabulary_has_the_panel(desk: Client) -> None:
    for kind in ("synonymset", "dictionaryword", "stopword", "stylerule"):
        address = reverse(f"admin:kb_{kind}_try")
        assert address in desk.get(reverse(f"admin:kb_{kind}_add")).content.decode()
        listed = desk.get(reverse(f"admin:kb_{kind}_changelist")).content.decode()
        assert address in listed
