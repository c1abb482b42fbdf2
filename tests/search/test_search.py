"""What people type finds what they may read, and nothing else."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta
from itertools import product
from unittest import mock

import pytest
from django.contrib.auth.models import AnonymousUser
from django.utils import timezone
from hypothesis import example, given, settings
from hypothesis import strategies as st

from kb import search as kb_search
from kb.index.documents import make_document
from kb.index.engines import EngineUnavailableError, get_engine
from kb.index.engines.memory import MemoryEngine
from kb.models import Category, Entry, SynonymSet, User
from kb.search import (
    find_duplicate_entries,
    find_related_entries,
    find_similar_entries,
    search_entries,
    suggest_entries,
)
from kb.search.ranking import RankedCandidate
from kb.search.results import ReaderScope
from kb.text.chinese import pinyin, tokenizer
from kb.text.chinese.lexicon import EMPTY_LEXICON
from kb.text.chinese.similarity import analyze_wordings
from kb.usage import LearnedWords
from tests.conftest import MakeEntry

ANYONE = AnonymousUser()
pytestmark = pytest.mark.django_db


@pytest.fixture
def engine_down() -> Iterator[None]:
    with mock.patch.object(get_engine(), "search", side_effect=EngineUnavailableError):
        yield


def found(words: str, user: User | AnonymousUser = ANYONE) -> list[int]:
    return [hit.entry.pk for hit in search_entries(words, user=user).hits]


@pytest.fixture
def shelf(make_entry: MakeEntry) -> dict[str, Entry]:
    return {
        "freight": make_entry("退货运费谁承担？"),
        "invoice": make_entry("电子发票怎么开？", "订单详情里点开发票。"),
        "wifi": make_entry("智能插座连不上 Wi-Fi 怎么办？", "重启路由器。"),
        "refund": make_entry("退款多久到账？", "原路返回，1–3 个工作日。"),
    }


@pytest.mark.parametrize(
    ("words", "wanted"),
    [
        ("退货", "freight"),  # jieba cuts 退货运费 as 退 / 货运费
        ("退貨運費誰出", "freight"),
        ("开发票", "invoice"),
        ("電子發票", "invoice"),
        ("wifi", "wifi"),
        ("ＷＩＦＩ", "wifi"),
        ("退\u200b款", "refund"),
        ("我上周申请的退款怎么还没到账啊，都等了好多天了", "refund"),
        ("原路返回", "refund"),
    ],
)
def test_the_right_entry_comes_first(
    shelf: dict[str, Entry], words: str, wanted: str
) -> None:
    assert found(words)[:1] == [shelf[wanted].pk]


def test_a_word_with_a_hyphen_is_one_word(make_entry: MakeEntry) -> None:
    hyphen, plain = make_entry("连不上 Wi-Fi 怎么办？"), make_entry("WiFi 密码怎么改？")
    assert set(found("wi-fi")) == set(found("WiFi")) == {hyphen.pk, plain.pk}


def test_a_word_with_a_hyphen_has_the_synonyms_of_the_word(
    make_entry: MakeEntry,
) -> None:
    SynonymSet.objects.create(members="email\n邮箱")
    entry = make_entry("邮箱里找不到发票？")
    make_entry("e 字开头的暗号是什么？")
    assert found("E-mail")[:1] == found("email") == [entry.pk]


GIFT, ASKED = "生日当月送一份礼物。", "生日当月送礼物要自己申请吗"


def test_a_sentence_of_an_answer_is_found(make_entry: MakeEntry) -> None:
    make_entry("资料怎么填？", "生日请填准确。\n\n当月改一次。\n\n礼物另说。\n\n送货。")
    assert search_entries(ASKED, user=ANYONE).hits == ()
    explained = make_entry("会员说明", GIFT)
    assert found(ASKED)[:1] == [explained.pk]


def test_where_no_question_asks_it_the_best_sentence_decides(
    make_entry: MakeEntry,
) -> None:
    """A question that shares a few letters is nothing against all of it in one place."""
    near = make_entry("会员日的赠品可以换成别的吗？", "看页面。")
    explained = make_entry("活动说明", "会员日积分翻倍，第二天到账。")
    assert found("会员日积分翻倍吗") == [explained.pk, near.pk]
    asked = make_entry("会员日积分翻倍吗？", "翻。")
    assert found("会员日积分翻倍")[0] == asked.pk


def test_an_exact_question_stays_first_where_answers_are_read(
    make_entry: MakeEntry, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever was picked: of 能不能 no letter tells anything, so answers are read."""
    just, other = (
        make_entry("能不能？", "能。"),
        make_entry("能不能退？", "能不能退，能。"),
    )

    def raised(
        _: LearnedWords, scores: dict[int, float], depth: int
    ) -> dict[int, float]:
        return {other.pk: 1e3} | {pk: scores[pk] for pk in scores if pk != other.pk}

    monkeypatch.setattr(LearnedWords, "boost_scores", raised)
    assert found("能不能") == [just.pk, other.pk]


@pytest.mark.parametrize(
    "words",
    [
        "请问电子发票",
        "你好，请问一下电子发票",
        "我想退",
        "怎么退",
        "怎麼退",
        "请问thyf",
    ],
)
def test_a_carrier_phrase_does_not_hide_a_question(
    shelf: dict[str, Entry], words: str
) -> None:
    wanted = "invoice" if "发票" in words else "freight"
    assert shelf[wanted].pk in found(words)


@pytest.mark.parametrize("words", ["你会退吗", "怎么唱歌", "我想唱歌", "能不能请客"])
def test_the_core_terms_must_be_in_a_question(
    shelf: dict[str, Entry], make_entry: MakeEntry, words: str
) -> None:
    make_entry("店里放什么音乐？", "店员唱歌的时候很多，请客的时候也有。" * 5)
    assert found(words) == []


def test_a_match_of_the_carrier_phrase_alone_is_rejected(
    make_entry: MakeEntry,
) -> None:
    entry = make_entry("下单后多久发货？", phrasings=["今天拍今天能走吗"])
    make_entry("今天的活动怎么参加？")
    assert found("今天天气怎么样") == []
    assert found("今天发货吗")[:1] == [entry.pk]


def test_a_shared_reply_gives_confidence_to_agents_alone(
    make_entry: MakeEntry, agent: User
) -> None:
    entry = make_entry("会员说明", "积分双倍。", replies=[GIFT])
    entry.replies.create(owner=agent, title="我的", body="我的话")
    assert found(ASKED, agent) == [entry.pk]
    assert found(ASKED) == []
    assert ReaderScope(agent).load_answers([entry.pk], staff=True) == {
        entry.pk: f"积分双倍。\n{GIFT}"
    }


@pytest.mark.parametrize(
    "words", ["", "   ", "\u3000", "\u200b", "？！", "\x00", "*", "😀"]
)
def test_a_query_without_words_finds_nothing(
    shelf: dict[str, Entry], words: str
) -> None:
    results = search_entries(words, user=ANYONE)
    assert (results.hits, results.total, results.is_degraded) == ((), 0, False)


def test_a_query_has_no_syntax(shelf: dict[str, Entry]) -> None:
    plain = found("退款")
    for words in (
        "退款 AND (",
        "status:draft OR 退款",
        "退款~2",
        '"退款',
        "退款^9",
        "[退款 TO",
    ):
        results = search_entries(words, user=ANYONE)
        assert [h.entry.pk for h in results.hits or results.near_hits][:1] == plain


def test_a_query_is_cut_to_the_maximum_length(shelf: dict[str, Entry]) -> None:
    results = search_entries("退款" + "啊" * 10_000, user=ANYONE)
    assert len(results.query) == kb_search.MAX_QUERY_CHARS
    assert results.hits[0].entry == shelf["refund"]


@pytest.mark.parametrize(
    ("typed", "words"),
    [
        ("退 貨　 運 费", "退貨運费"),  # as it is copied from pictures and tables
        ("退 货 运费", "退货 运费"),
        ("退货 运费", "退货 运费"),
        ("7 天", "7 天"),
    ],
)
def test_spaced_han_characters_are_joined(typed: str, words: str) -> None:
    assert kb_search.clean_query(typed) == words


def test_pages_cover_all_results_once(make_entry: MakeEntry) -> None:
    made = {make_entry(f"退款问题{n}").pk for n in "一二三四五"}
    pages = [
        search_entries("退款", user=ANYONE, offset=o, limit=2) for o in (0, 2, 4, 6)
    ]
    assert [len(p.hits) for p in pages] == [2, 2, 1, 0]
    assert {h.entry.pk for p in pages for h in p.hits} == made
    assert {p.total for p in pages} == {5}


def test_an_outdated_document_leaks_nothing_and_is_not_counted(
    shelf: dict[str, Entry],
) -> None:
    Entry.objects.filter(pk=shelf["refund"].pk).update(status="retired")
    results = search_entries("退款", user=ANYONE)
    assert shelf["refund"].pk not in [hit.entry.pk for hit in results.hits]
    assert results.total == len(results.hits)


def test_an_entry_made_internal_is_hidden_at_once(
    shelf: dict[str, Entry], agent: User
) -> None:
    Entry.objects.filter(pk=shelf["refund"].pk).update(audience="internal")
    assert shelf["refund"].pk not in found("退款")
    assert "退款多久" not in str(suggest_entries("退款", user=ANYONE))


@pytest.mark.parametrize("drafts", [False, True])
def test_facts_are_read_of_just_what_the_reader_may_find(
    make_entry: MakeEntry, make_user: Callable[..., User], drafts: bool
) -> None:
    """The SQL that search asks says the same as the queryset, to the moment."""
    now, day = timezone.now(), timedelta(days=1)
    shelf = Category.objects.create(name="配送")
    for status, audience in product(Entry.Status.values, Entry.Audience.values):
        for start, end in product((None, now - day, now + day), repeat=2):
            if not (start and end and start >= end):
                name = f"{status} {audience} {start} {end}"
                made = make_entry(name, status=status, audience=audience)
                found = Entry.objects.filter(pk=made.pk)
                found.update(valid_from=start, valid_until=end, category=shelf)
    ids = list(Entry.objects.values_list("pk", flat=True))
    here, elsewhere = AnonymousUser(), AnonymousUser()
    here.shown, elsewhere.shown = frozenset({shelf.pk}), frozenset()  # type: ignore[attr-defined]
    editor, agent = make_user("e", "编辑"), make_user("a", "客服")
    for reader in (ANYONE, here, elsewhere, agent, editor):
        reading = ReaderScope(reader, include_drafts=drafts)
        seen = set(reading.load_facts(ids))
        assert seen == set(reading.readable_entries.values_list("pk", flat=True)), (
            reader
        )
        hits = reading.load_hits([RankedCandidate(pk, 1.0) for pk in ids])
        assert {hit.entry.pk for hit in hits} == seen, reader


def test_drafts_are_no_results_even_for_editors(
    make_entry: MakeEntry, editor: User
) -> None:
    make_entry("如何申请退款", status="draft")
    assert found("退款", editor) == []


def test_a_category_holds_what_is_below_it(make_entry: MakeEntry) -> None:
    top = Category.objects.create(name="售后")
    below = Category.objects.create(name="退款", parent=top)
    inside = make_entry("退款多久到账", category=below)
    make_entry("退款进度在哪看")
    results = search_entries("退款", user=ANYONE, category=top)
    assert [hit.entry for hit in results.hits] == [inside]


def test_search_degrades_when_the_engine_is_down(
    shelf: dict[str, Entry], engine_down: None
) -> None:
    results = search_entries("退款多久", user=ANYONE)
    assert results.is_degraded
    assert results.hits[0].entry == shelf["refund"]


def test_a_degraded_search_leaks_nothing(
    make_entry: MakeEntry, agent: User, engine_down: None
) -> None:
    inside = make_entry("退款补偿上限", audience="internal")
    make_entry("退款草稿", status="draft")
    assert found("退款") == []
    assert found("退款", agent) == [inside.pk]


def test_a_degraded_search_stays_in_its_category(
    make_entry: MakeEntry, engine_down: None
) -> None:
    shelf = Category.objects.create(name="售后")
    inside = make_entry("退款多久到账", category=shelf)
    make_entry("退款进度在哪看")
    results = search_entries("退款", user=ANYONE, category=shelf)
    assert [hit.entry for hit in results.hits] == [inside]


@given(words=st.text(alphabet=st.characters(codec=None, categories=None), max_size=300))
def test_any_text_makes_valid_clauses(words: str) -> None:
    query = kb_search.analyze_query(words, EMPTY_LEXICON)
    for clause in kb_search.build_clauses(query.searched_terms):
        assert clause.weight > 0
        assert len(clause.term.split()) == 1


@settings(max_examples=2000)
@given(words=st.text(alphabet=st.characters(codec=None, categories=None), max_size=300))
@example(words="退宽 tuihuo 票 wifi 20231123884512 急急急")
@example(words="龘靐" * 150)
def test_any_text_is_searched_and_ranked(words: str) -> None:
    """Without a database: what is typed is no syntax, and scores are from 0 to 1."""
    texts = ["退款多久到账？", "智能插座连不上 Wi-Fi 怎么办？", "電子發票怎麼開"]
    label = frozenset({"status=published"})
    engine = MemoryEngine()
    engine.replace_index(
        make_document(n, {"question": [t]}, label) for n, t in enumerate(texts)
    )
    scope = kb_search.SearchScope(kb_search.PUBLIC_FIELD_GROUPS, (label,))
    query = kb_search.analyze_query(words, EMPTY_LEXICON)
    candidates = kb_search.find_candidates(engine, query, scope, 20)
    if candidates:
        found = kb_search.rank_candidates(
            engine,
            candidates,
            lambda ids, _: {n: analyze_wordings(texts[n]) for n in ids},
        )
        assert all(0 <= one.confidence <= 1 for one in found)
        assert len({one.id for one in found}) == len(found)


# Suggestions ---------------------------------------------------------------------


def test_suggestions_begin_with_what_is_typed(shelf: dict[str, Entry]) -> None:
    texts = [s.text for s in suggest_entries("退", user=ANYONE)]
    assert set(texts[:2]) == {"退款多久到账？", "退货运费谁承担？"}


def test_a_phrasing_is_suggested_in_its_own_words(make_entry: MakeEntry) -> None:
    entry = make_entry("退货运费谁承担？", phrasings=["寄回去的邮费算谁的"])
    (suggestion,) = suggest_entries("寄回", user=ANYONE)
    assert (suggestion.entry, suggestion.text) == (entry, "寄回去的邮费算谁的")


def test_suggestions_fold_scripts(shelf: dict[str, Entry]) -> None:
    assert suggest_entries("電子發", user=ANYONE)[0].entry == shelf["invoice"]


def test_suggestions_show_only_what_the_reader_may_read(
    make_entry: MakeEntry, agent: User
) -> None:
    inside = make_entry("赔付上限是多少", audience="internal")
    make_entry("赔付草稿", status="draft")
    assert suggest_entries("赔付", user=ANYONE) == ()
    assert [s.entry for s in suggest_entries("赔付", user=agent)] == [inside]


def test_wildcards_are_not_wild(shelf: dict[str, Entry]) -> None:
    for words in ("%", "_", "\\", "' OR --"):
        assert suggest_entries(words, user=ANYONE) == ()


# Nearest and related -------------------------------------------------------------


def test_similar_entries_include_drafts_for_editors(
    make_entry: MakeEntry, editor: User
) -> None:
    draft = make_entry("退货运费谁承担", status="draft")
    assert [
        hit.entry for hit in find_similar_entries("退货的运费算谁的", user=editor)
    ] == [draft]
    assert find_similar_entries("退货的运费算谁的", user=ANYONE) == ()


def test_related_entries_leave_out_the_entry_itself(make_entry: MakeEntry) -> None:
    entry, other = make_entry("退款多久到账"), make_entry("退款到账要几天")
    make_entry("退款到账草稿", status="draft")
    assert find_related_entries(entry, user=ANYONE) == (other,)


def test_there_are_no_similar_entries_without_an_engine(
    shelf: dict[str, Entry], engine_down: None
) -> None:
    assert find_similar_entries("退款", user=ANYONE) == ()


def test_drafts_take_no_place_from_what_outsiders_may_see(
    make_entry: MakeEntry,
) -> None:
    entry, other = make_entry("退款多久到账"), make_entry("退款多久能到账呢")
    for n in range(40):
        make_entry(f"退款多久到账{n}", status="draft")
    assert find_related_entries(entry, user=ANYONE) == (other,)
    assert {hit.entry for hit in find_similar_entries("退款多久到账", user=ANYONE)} == {
        entry,
        other,
    }


def test_duplicates_ask_for_the_same(make_entry: MakeEntry, editor: User) -> None:
    same = make_entry("退款多久到账？", status="draft")
    make_entry("退款到账后发票怎么处理，还能不能再开一次？")
    make_entry("如何修改收货地址")
    hits = find_duplicate_entries("退款多久能到账", user=editor)
    assert [hit.entry for hit in hits] == [same]
    assert (
        find_duplicate_entries("退款多久能到账", user=editor, exclude=[same.pk]) == ()
    )


def test_an_answer_that_holds_all_the_words_is_no_duplicate(
    make_entry: MakeEntry, editor: User
) -> None:
    """It is found, and surely; but it does not ask the same."""
    explained = "质量问题的退货运费由我们承担，个人原因的退货运费谁承担，看运费险。"
    make_entry("七天无理由怎么算？", explained)
    make_entry("维修来回的运费谁承担？", explained)
    assert search_entries("退货运费谁承担", user=ANYONE).total == 2
    assert find_duplicate_entries("退货运费谁承担", user=editor) == ()


# Other forms -----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("words", "wanted"),
    [
        ("tuihuo yunfei", "freight"),
        ("tuihuoyunfei", "freight"),
        ("thyf", "freight"),
        ("退huo运费", "freight"),
        ("退宽多久到帐", "refund"),
        ("票", "invoice"),
    ],
)
def test_an_entry_is_found_by_sound_and_by_one_character(
    shelf: dict[str, Entry], words: str, wanted: str
) -> None:
    assert found(words)[:1] == [shelf[wanted].pk]


def test_a_written_match_outranks_a_phonetic_match(make_entry: MakeEntry) -> None:
    written, sounds = make_entry("退款多久到账"), make_entry("腿宽怎么选裤子")
    assert found("退款")[:1] == [written.pk]
    assert sounds.pk not in found("退款")


def test_hidden_entries_do_not_change_phonetic_matches(make_entry: MakeEntry) -> None:
    entry = make_entry("退款多久到账")
    assert found("退宽") == [entry.pk]
    make_entry("退宽草稿", status="draft")
    make_entry("退宽内部", audience="internal")
    assert found("退宽") == [entry.pk]


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("退宽多久到账", "退款多久到账"),
        ("tuikuan多久到账", "退款多久到账"),
        ("tui kuang 多久", ""),
        ("电子发漂", "电子发票"),
        ("退款多久到账", ""),
        ("thyf", ""),
    ],
)
def test_did_you_mean_is_in_the_words_of_the_library(
    shelf: dict[str, Entry], typed: str, meant: str
) -> None:
    assert search_entries(typed, user=ANYONE).did_you_mean == meant


def test_a_correction_keeps_latin_words(make_entry: MakeEntry, editor: User) -> None:
    make_entry("iphone15 退款多久到账")
    [hit] = find_similar_entries("iphone15 退宽多久到账", user=editor)
    assert hit.duplicate_score > 0.9


def test_a_correction_uses_no_hidden_entry(make_entry: MakeEntry) -> None:
    make_entry("退款多久到账", audience="internal")
    make_entry("退款草稿", status="draft")
    make_entry("发票抬头")
    assert search_entries("退宽多久", user=ANYONE).did_you_mean == ""


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("iphnoe怎么激活", "iphone怎么激活"),
        ("ihpone 激活", "iphone 激活"),
        ("iphone怎么激活", ""),
        ("iphnoe15 激活", "iphone15 激活"),
    ],
)
def test_a_typing_error_is_corrected(
    make_entry: MakeEntry, typed: str, meant: str
) -> None:
    phone = make_entry("iPhone 怎么激活？")
    make_entry("发票怎么开？")
    results = search_entries(typed, user=ANYONE)
    assert [hit.entry for hit in results.hits][:1] == [phone]
    assert results.did_you_mean == meant


def test_a_correction_reveals_no_hidden_word(make_entry: MakeEntry) -> None:
    make_entry("iPhone 怎么激活？", audience="internal")
    make_entry("怎么激活会员卡？")
    results = search_entries("iphnoe怎么激活", user=ANYONE)
    assert "iphone" not in f"{results.did_you_mean}{results.terms_to_highlight}"


def test_warm_up_loads_the_dictionaries(
    shelf: dict[str, Entry],
) -> None:
    with (
        mock.patch.object(
            tokenizer, "tokenize_text", wraps=tokenizer.tokenize_text
        ) as cut,
        mock.patch.object(pinyin, "split_pinyin", wraps=pinyin.split_pinyin) as spelled,
    ):
        kb_search.warm_up_search()
    assert cut.called
    assert spelled.called


def test_warm_up_survives_a_missing_index(shelf: dict[str, Entry]) -> None:
    engine = get_engine()
    with mock.patch.object(
        engine, "count_documents_per_clause", side_effect=EngineUnavailableError
    ) as asked:
        kb_search.warm_up_search()
    assert asked.called
