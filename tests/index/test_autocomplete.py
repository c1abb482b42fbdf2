"""What somebody has begun to type finds what they may read, and nothing else."""

from __future__ import annotations

from collections.abc import Callable
from unittest import mock

import pytest
from django.contrib.auth.models import AnonymousUser
from hypothesis import example, given
from hypothesis import strategies as st

from kb import search
from kb.index import autocomplete, sync
from kb.index.engines import EngineUnavailableError, get_engine
from kb.library import entries
from kb.models import Completion, Entry, Phrasing, User
from kb.text.chinese import autocomplete_keys, pinyin
from kb.text.chinese.normalize import normalize_text
from tests.conftest import MakeEntry

ANYONE = AnonymousUser()
ANY_TEXT = st.text(alphabet=st.characters(codec=None, categories=None), max_size=60)
FREIGHT = "退货运费谁承担？"
pytestmark = pytest.mark.django_db


def begun(words: str, user: User | AnonymousUser = ANYONE) -> list[str]:
    return [found.text for found in autocomplete.find_completions(words, user=user)]


# What begins a text -----------------------------------------------------------------


@pytest.mark.parametrize(
    "words",
    [
        "退",
        "退货",
        "退貨運",  # 繁體
        "退 货，运",
        "ｔｕｉ",
        "tuihuo",
        "tui huo",
        "tuih",
        "TuiHuo",
        "tui'h",  # as an input method composes it
        "t'h'y'f",
        "thyf",
        "thyfs",
        "thyfsh",
        "退huo",
        "退h",
        "退货yunf",
        "tui货",
        "tuihyf",
        "thyunfei",
        "t",
        "退货运费谁承担",
        "tuihuoyunfeishuichengdan",
    ],
)
def test_a_text_is_found_by_what_it_begins_with(
    make_entry: MakeEntry, words: str
) -> None:
    make_entry(FREIGHT)
    assert begun(words) == [FREIGHT]


@pytest.mark.parametrize(
    "words", ["货", "运费", "yunfei", "yf", "运f", "谁承", "承担", "shuicheng"]
)
def test_a_word_inside_finds_it_too(make_entry: MakeEntry, words: str) -> None:
    make_entry(FREIGHT)
    assert begun(words) == [FREIGHT]


@pytest.mark.parametrize(
    "words",
    ["退款", "tuik", "tyf", "退y", "费谁", "担", "退货运费谁承担呀", "thyfx", "ui"],
)
def test_what_it_does_not_begin_with_finds_nothing(
    make_entry: MakeEntry, words: str
) -> None:
    make_entry(FREIGHT)
    assert begun(words) == []


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("智能插座连不上 Wi-Fi 怎么办", "wifi"),
        ("智能插座连不上 Wi-Fi 怎么办", "wi-f"),
        ("智能插座连不上 Wi-Fi 怎么办", "lbsw"),
        ("wifi连不上", "wifilbs"),
        ("iPhone换屏", "iphonehp"),
        ("iPhone15 怎么换屏", "iphone15"),
        ("iPhone15 怎么换屏", "iphone15怎"),
        ("iPhone15 怎么换屏", "iphone15zenme"),
        ("查看有关SharePoint的报告", "查看有关sharep"),
        ("查看有关SharePoint的报告", "查看有关 SharePoint的报"),
        ("控制创建 Microsoft 365 组", "控制创建 Micro"),
        ("３天没发货", "3天"),
        ("３天没发货", "3tian"),
        ("账号被盗", "zhbd"),
        ("账号被盗", "zhhbd"),
        ("女装尺码", "nvz"),
        ("女装尺码", "nüz"),
        ("重庆门店", "chongqing"),
        ("重庆门店", "重qing"),  # alone it would be read zhong
        ("𠮷野家优惠", "𠮷"),
    ],
)
def test_scripts_mix(make_entry: MakeEntry, text: str, words: str) -> None:
    make_entry(text)
    assert begun(words) == [text]


def test_a_long_beginning_is_compared_to_its_end(make_entry: MakeEntry) -> None:
    text = "订单显示已经签收但是我没有收到包裹应该怎么处理"
    make_entry(text)
    assert begun(text[:12]) == begun("dingdanxianshiyijingqianshou") == [text]
    assert begun("订单显示已经签收可是") == begun("dingdanxianshiyijingqianx") == []


@pytest.mark.parametrize("typed", ["tuihuo", "fuwuqi", "tuikuan"])
def test_syllables_are_not_read_as_initials(typed: str) -> None:
    assert not any(
        way.has_bare_initial for way in autocomplete_keys.list_typed_readings(typed)
    ), "one range is enough"


# In which order -----------------------------------------------------------------------


def test_the_whole_text_comes_before_a_word_inside(make_entry: MakeEntry) -> None:
    inside, whole = make_entry("钱退吗"), make_entry("退款到账一般要几个工作日")
    autocomplete.update_use_counts({inside.pk: 100})
    assert begun("退") == [whole.question, inside.question]


def test_use_comes_before_brevity(make_entry: MakeEntry) -> None:
    short, long, used = (
        make_entry(text) for text in ("退款呢", "退款要多久呢", "退款多久能到账呢")
    )
    assert begun("退款") == [e.question for e in (short, long, used)]
    assert autocomplete.update_use_counts({used.pk: 3, long.pk: 1}) == 2
    assert begun("退款") == [e.question for e in (used, long, short)]
    assert autocomplete.update_use_counts({used.pk: 3}) == 1, (
        "who is not named is not used"
    )
    assert begun("退款") == [e.question for e in (used, short, long)]


def test_use_survives_a_new_wording_and_a_rebuild(make_entry: MakeEntry) -> None:
    make_entry("退款呢")
    used = make_entry("退款多久到账")
    autocomplete.update_use_counts({used.pk: 3})
    entries.update_entry(used, by=None, based_on=1 + 1, question="退款多久能到账")
    sync.sync_all_marks()
    sync.rebuild_index()
    assert begun("退款") == ["退款多久能到账", "退款呢"]


def test_an_entry_is_suggested_once_by_its_best_text(make_entry: MakeEntry) -> None:
    make_entry("退货运费谁承担", phrasings=["退货要钱吗", "我退货谁出钱"])
    assert begun("退货") == ["退货要钱吗"]


def test_the_order_is_the_same_for_many_matches(
    make_entry: MakeEntry, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = [make_entry(f"退款第{n}问" + "呢" * (9 - n)) for n in range(9)]
    make_entry("怎么退款")
    autocomplete.update_use_counts({made[4].pk: 2})
    few = [begun(words) for words in ("退", "t", "tuikuan", "退k", "怎")]
    monkeypatch.setattr(autocomplete, "MAX_SORTED_ROWS", 2)
    assert [begun(words) for words in ("退", "t", "tuikuan", "退k", "怎")] == few


# Who may see it -----------------------------------------------------------------------


def test_only_what_the_reader_may_read(make_entry: MakeEntry, agent: User) -> None:
    make_entry("赔付上限是多少", audience="internal")
    for state in ("draft", "review", "retired"):
        make_entry(f"赔付{state}", status=state)
    for words in ("赔", "赔付", "pei", "pf", "上限"):
        assert begun(words) == []
        assert begun(words, agent) == ["赔付上限是多少"]


@pytest.mark.parametrize("change", [{"status": "retired"}, {"audience": "internal"}])
def test_a_hidden_entry_is_not_suggested(
    make_entry: MakeEntry, change: dict[str, str]
) -> None:
    entry = make_entry(FREIGHT)
    Entry.objects.filter(pk=entry.pk).update(**change)  # nothing is indexed
    assert [begun(words) for words in ("退", "thyf", "运费")] == [[], [], []]


@pytest.mark.parametrize("indexed", [True, False])
def test_hidden_entries_take_no_place(
    make_entry: MakeEntry,
    django_assert_max_num_queries: Callable[..., object],
    indexed: bool,
) -> None:
    shown = [make_entry(f"退款之后多久才能够到账呢{n}").question for n in range(8)]
    hidden = Entry.objects.bulk_create(
        Entry(question=f"退款{n}", answer="x", status="published", audience="public")
        for n in range(1000)
    )
    autocomplete.update_completions(entry.pk for entry in hidden)
    Entry.objects.filter(pk__in=[e.pk for e in hidden]).update(audience="internal")
    if indexed:
        autocomplete.update_completions(entry.pk for entry in hidden)
    with django_assert_max_num_queries(6 if indexed else 30):  # type: ignore[attr-defined]
        assert sorted(begun("退款")) == sorted(begun("tui")) == sorted(shown)


def test_a_phrasing_that_is_deleted_is_forgotten(make_entry: MakeEntry) -> None:
    entry = make_entry(FREIGHT, phrasings=["寄回去的钱谁出"])
    Phrasing.objects.get(entry=entry).delete()
    sync.sync_all_marks()
    assert begun("寄") == []
    assert not Completion.objects.filter(text="寄回去的钱谁出").exists()


# What is kept -------------------------------------------------------------------------


def test_completions_are_updated_without_an_engine(make_entry: MakeEntry) -> None:
    entry = make_entry(FREIGHT)
    with mock.patch.object(
        get_engine(), "open_writer", side_effect=EngineUnavailableError
    ):
        entries.update_entry(
            entry, by=None, based_on=entry.version, question="发票抬头"
        )
        assert sync.sync_marked_entries() == 0
        assert (begun("退"), begun("发")) == ([], ["发票抬头"])


def test_unchanged_texts_are_not_converted_to_pinyin_again(
    make_entry: MakeEntry, monkeypatch: pytest.MonkeyPatch
) -> None:
    entry = make_entry(FREIGHT)
    monkeypatch.setattr(
        autocomplete_keys,
        "generate_autocomplete_keys",
        mock.Mock(side_effect=AssertionError),
    )
    entries.update_entry(entry, by=None, based_on=entry.version, answer="改了")
    assert autocomplete.update_completions([entry.pk]) == 0
    sync.rebuild_index()


def test_audit_finds_what_a_bulk_update_hid(make_entry: MakeEntry) -> None:
    entry, silent = make_entry(FREIGHT), make_entry("？？")
    assert sync.audit_indexed_entries() == set()
    Completion.objects.filter(entry=entry).delete()
    assert sync.audit_indexed_entries() == {entry.pk}
    sync.sync_marked_entries()
    assert (begun("退"), sync.audit_indexed_entries(), begun("？？")) == (
        [FREIGHT],
        set(),
        [],
    )
    assert not Completion.objects.filter(entry=silent).exists()


def test_a_rebuild_forgets_what_is_retired(make_entry: MakeEntry) -> None:
    make_entry(FREIGHT)
    Entry.objects.update(status="retired")
    sync.rebuild_index()
    assert not Completion.objects.exists()


def test_an_entry_deleted_meanwhile_has_no_rows(make_entry: MakeEntry) -> None:
    entry = make_entry(FREIGHT)
    wanted = {entry.pk: (True, frozenset(["退款"]))}
    Entry.objects.all().delete()
    autocomplete._replace_rows(wanted, [entry.pk])
    assert not Completion.objects.exists()


def test_reading_costs_few_queries(
    make_entry: MakeEntry, django_assert_max_num_queries: Callable[..., object]
) -> None:
    for n in range(20):
        make_entry(f"退款第{n}问")
    for words in ("退", "tui", "退k"):
        with django_assert_max_num_queries(3):  # type: ignore[attr-defined]
            assert len(begun(words)) == 8


# Filled up by a search ----------------------------------------------------------------


def test_a_search_fills_up_from_two_characters_on(make_entry: MakeEntry) -> None:
    make_entry("退款多久到账")
    assert [s.text for s in search.suggest_entries("到账多久", user=ANYONE)] == [
        "退款多久到账"
    ]
    assert search.suggest_entries("到账多久", user=ANYONE, fill=False) == ()
    assert search.suggest_entries("款", user=ANYONE) == ()


# Marks --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "words", "marked"),
    [
        (FREIGHT, "退货", "退货"),
        (FREIGHT, "tuih", "退货"),
        (FREIGHT, "thy", "退货运"),
        (FREIGHT, "yun", "运"),
        ("插座连不上 Wi-Fi 怎么办", "wifi", "Wi-Fi"),
        ("《退貨》運費", "thyf", "退貨》運費"),
        ("先安装", "xian", "先"),
        ("西安门店", "xian", "西安"),
    ],
)
def test_what_was_typed_is_marked(
    make_entry: MakeEntry, text: str, words: str, marked: str
) -> None:
    make_entry(text)
    (found,) = autocomplete.find_completions(words, user=ANYONE)
    assert [found.text[start:end] for start, end in found.highlight_spans] == [marked]


def test_what_a_search_found_has_no_such_marks(make_entry: MakeEntry) -> None:
    make_entry("退款多久到账")
    (found,) = search.suggest_entries("到账多久", user=ANYONE)
    assert found.highlight_spans == ()


# Anything at all ----------------------------------------------------------------------


@given(ANY_TEXT, ANY_TEXT)
@example("%", "\\_%")
@example("圕ﷺ", "tushuguan")
@example("İß㈱", "i")
def test_any_text_may_be_stored_and_typed(text: str, words: str) -> None:
    for key in autocomplete_keys.generate_autocomplete_keys(text):
        units = autocomplete_keys.split_key_units(key)
        assert "".join(sound for _, sound in units) == key.sound
        assert (
            len(key.letters)
            == len(key.initials)
            == len(units)
            <= autocomplete_keys.MAX_KEY_UNITS
        )
        assert autocomplete_keys.count_matched_units(key.letters, units)
        assert autocomplete_keys.count_matched_units(key.sound, units)
        assert autocomplete_keys.count_matched_units(key.initials, units)
        start, end = autocomplete_keys.locate_typed_span(text, key.place, len(units))
        assert key.letters in autocomplete_keys.extract_letters(text[start:end])
    typed = autocomplete_keys.extract_letters(words)
    assert (
        len(autocomplete_keys.list_typed_readings(typed))
        <= autocomplete_keys.MAX_TYPED_READINGS
    )
    assert all(c.isalnum() for c in typed)


@given(st.text(alphabet="退货运费tuihoyfnzsc%_\\' ", max_size=12))
@example("%")
@example("_货")
def test_wildcards_are_literal(words: str) -> None:
    typed = autocomplete_keys.extract_letters(words)
    for found in autocomplete.find_completions(words, user=ANYONE):
        units = [
            (c, pinyin.list_syllables(c)[0])
            for c in autocomplete_keys.extract_letters(found.text)
        ]
        assert autocomplete_keys.count_matched_units(typed, units[found.position :])
    for row in autocomplete.find_completions(words, user=ANYONE):
        assert row.typed_count <= len(normalize_text(row.text))


@given(st.text(alphabet=st.characters(codec=None, categories=None), max_size=20))
def test_completion_never_fails(words: str) -> None:
    autocomplete.find_completions(words, user=ANYONE)
