"""Evidence: picks of several persons improve search; nothing else does."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import AnonymousUser
from django.core.exceptions import ValidationError
from django.core.management import call_command
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st

from kb import usage
from kb.index import documents, sync
from kb.index.engines import get_engine
from kb.library import entries
from kb.models import (
    Category,
    Entry,
    Evidence,
    IndexQueue,
    Pick,
    Reader,
    Search,
    SearchSide,
    User,
    Vote,
)
from kb.search import search_entries, suggest_entries
from kb.text.chinese import normalize
from kb.text.privacy import personal_data
from kb.usage import evidence_levels
from kb.usage.evidence import SEARCH_RETENTION
from tests.conftest import MakeEntry

ANYONE = AnonymousUser()
PUBLIC, STAFF = SearchSide.PUBLIC, SearchSide.STAFF
COPIED, HELPFUL = Pick.Kind.COPIED, Pick.Kind.HELPFUL
WORDS = "要自己付邮费吗"
pytestmark = pytest.mark.django_db


@pytest.fixture
def freight(make_entry: MakeEntry) -> Entry:
    """An entry without WORDS in its text, among others."""
    make_entry("发票抬头怎么改？", answer="在订单里改。")
    return make_entry("退货运费谁承担？", answer="质量问题由我们承担。")


def record_picks(
    entry: Entry, *people: str, words: str = WORDS, side: SearchSide = PUBLIC
) -> None:
    for person in people:
        usage.record_pick(entry, words=words, person=person, side=side, kind=HELPFUL)
    sync.sync_all_marks()


def search_ids(words: str, user: Reader = ANYONE) -> list[int]:
    return [hit.entry.pk for hit in search_entries(words, user=user).hits]


def search_scores(words: str, user: Reader = ANYONE) -> list[tuple[int, float]]:
    return [(h.entry.pk, h.confidence) for h in search_entries(words, user=user).hits]


def move_back(rows: Any, days: float) -> None:
    rows.update(created_at=timezone.now() - timedelta(days=days))


def refresh() -> None:
    call_command("kb_learn", stdout=StringIO())
    sync.sync_all_marks()


# Evidence ------------------------------------------------------------------------


def test_entry_picked_by_two_persons_is_found(freight: Entry) -> None:
    assert search_ids(WORDS) == []
    record_picks(freight, "a", "b")
    assert search_ids(WORDS) == [freight.pk]
    assert search_ids("要自己付郵費嗎？") == [freight.pk]


def test_common_terms_of_several_wordings_are_learned(freight: Entry) -> None:
    """One wording counts for itself only, or similar queries would find the entry."""
    record_picks(freight, *"abc")
    assert (search_ids("邮费"), search_ids("邮费要多少钱")) == ([], [])
    record_picks(freight, "a", "c", words="邮费谁出")
    assert (search_ids("邮费"), search_ids("邮费要多少钱")) == (
        [freight.pk],
        [freight.pk],
    )
    assert search_ids("要自己付") == []


def test_one_person_alone_changes_nothing(freight: Entry) -> None:
    digests = get_engine().load_digests()
    for words in (WORDS, "付邮费", WORDS, "自己付邮费", "郵費要付嗎"):
        record_picks(freight, "a", words=words)
    assert search_ids(WORDS) == []
    assert get_engine().load_digests() == digests
    assert not Evidence.objects.exists()


def test_another_browser_is_not_another_person(freight: Entry) -> None:
    record_picks(
        freight, *(usage.build_visitor_key("198.51.100.7", f"b{n}") for n in range(9))
    )
    assert not Evidence.objects.exists()
    record_picks(freight, usage.build_visitor_key("198.51.100.8", "b0"))
    assert Evidence.objects.get().people == 2


def test_a_pick_is_one_row_a_person_and_repeating_renews_it(freight: Entry) -> None:
    record_picks(freight, "a")
    move_back(Pick.objects, 50)
    record_picks(freight, "a", words=" 要自己，付郵費嗎？")
    only = Pick.objects.get()
    assert timezone.now() - only.created_at < timedelta(days=1)


def test_all_spellings_are_the_same_words(freight: Entry) -> None:
    record_picks(freight, "a")
    record_picks(freight, "b", words="要自己付郵費嗎？")
    assert Evidence.objects.get().words == WORDS


def test_words_without_terms_are_no_pick(freight: Entry) -> None:
    for words in ("", " ", "？？！", "13812345678", "\x00"):
        record_picks(freight, "a", "b", words=words)
    assert not Pick.objects.exists()


def test_similar_words_get_no_evidence(make_entry: MakeEntry) -> None:
    """Queries share question phrases whatever they ask for."""
    make_entry("怎么修改收货人？")
    other = make_entry("收货地址怎么修改？")
    words = "请问一下我这个订单现在要怎么修改{}呢"
    record_picks(
        Entry.objects.exclude(pk=other.pk).get(), *"abcd", words=words.format("姓名")
    )
    assert search_ids(words.format("收货地址"))[:1] == [other.pk]


@pytest.mark.parametrize(("learner", "other"), [(PUBLIC, STAFF), (STAFF, PUBLIC)])
def test_evidence_of_one_side_does_not_affect_the_other(
    freight: Entry, agent: User, learner: SearchSide, other: SearchSide
) -> None:
    reader: dict[SearchSide, Reader] = {PUBLIC: ANYONE, STAFF: agent}
    queries = ("退货运费谁承担", "质量", "发票", WORDS, "邮费", "youfei")
    before = [search_scores(words, reader[other]) for words in queries]
    record_picks(freight, *"abcdefg", side=learner)
    record_picks(freight, *"abcdefg", side=learner, words="邮费谁出")
    assert [search_scores(words, reader[other]) for words in queries] == before
    assert search_ids(WORDS, reader[learner]) == [freight.pk]
    learned = usage.LearnedWords(normalize.compute_spelling_key(WORDS), other)
    assert learned.boost_scores({freight.pk: 1.0}, depth=1) == {freight.pk: 1.0}
    assert learned.list_wordings(freight.pk) == []


def test_internal_entry_hides_its_learned_words_from_the_public(
    freight: Entry, agent: User
) -> None:
    record_picks(freight, "a", "b")
    record_picks(freight, "a", "b", words="邮费谁出")
    assert search_ids("邮费") == [freight.pk]
    Entry.objects.filter(pk=freight.pk).update(audience="internal")
    sync.audit_indexed_entries()
    sync.sync_all_marks()
    for words in (WORDS, "邮费"):
        assert (search_ids(words), search_ids(words, agent)) == ([], [])


def test_evidence_never_beats_the_question_that_was_typed(
    freight: Entry, make_entry: MakeEntry
) -> None:
    """However many people picked another entry after these words."""
    other = make_entry(
        "退货运费谁承担，换货呢？", answer="退货运费谁承担，看原因。退货，运费，承担。"
    )
    crowd = [f"p{n}" for n in range(12)]
    for words in ("退货运费谁承担", "谁承担退货运费呀", "退货运费", "运费谁承担"):
        record_picks(other, *crowd, words=words)
    assert max(e.level for e in Evidence.objects.all()) == len(
        evidence_levels.EVIDENCE_LEVEL_STRENGTHS
    )
    assert search_ids("退货运费呢")[0] == other.pk
    for typed in ("退货运费谁承担", "退货运费谁承担？", "退貨運費誰承擔"):
        assert search_ids(typed)[:2] == [freight.pk, other.pk]


def test_evidence_does_not_leave_its_category(
    freight: Entry, make_entry: MakeEntry
) -> None:
    shelf = Category.objects.create(name="发票")
    make_entry("发票邮寄吗？", category=shelf)
    record_picks(freight, "a", "b")
    hits = search_entries(WORDS, user=ANYONE, category=shelf).hits
    assert freight.pk not in [hit.entry.pk for hit in hits]


def test_without_the_engine_picks_still_count(
    freight: Entry, settings: Any, tmp_path: Path
) -> None:
    record_picks(freight, "a", "b")
    settings.KB_ENGINE = {
        "BACKEND": "kb.index.engines.whoosh.WhooshEngine",
        "PATH": tmp_path / "never-built",
    }
    assert search_ids(WORDS) == [freight.pk]


def test_only_the_strongest_words_count(freight: Entry) -> None:
    rows = [
        Evidence(entry=freight, side=PUBLIC, words=f"词{n}", words_key=n, level=1)
        for n in range(documents.MAX_LEARNED_WORDINGS)
    ]
    Evidence.objects.bulk_create(rows)
    record_picks(freight, *"abc")
    learned = usage.LearnedWords(normalize.compute_spelling_key("别的"), PUBLIC)
    learned.boost_scores({freight.pk: 1.0}, depth=1)
    assert learned.list_wordings(freight.pk)[0] == WORDS
    assert len(learned.list_wordings(freight.pk)) == len(rows)
    (document,) = sync.build_entry_documents(Entry.objects.filter(pk=freight.pk))
    assert document.terms["picked"] == ("词",) * documents.MAX_TERM_REPEATS


def test_an_entry_is_marked_only_when_a_level_changes(freight: Entry) -> None:
    marks = []
    for person in "abcdef":
        usage.record_pick(freight, words=WORDS, person=person, side=STAFF, kind=COPIED)
        marks.append(IndexQueue.objects.count())
        IndexQueue.objects.all().delete()
    assert marks == [0, 1, 1, 0, 0, 1]


@given(
    ages=st.lists(st.floats(0, 2000), min_size=0, max_size=40),
    later=st.floats(0, 2000),
)
def test_a_level_is_capped_grows_with_people_and_falls_with_time(
    ages: list[float], later: float
) -> None:
    now = timezone.now()
    picks = [(f"p{n}", now - timedelta(days=days)) for n, days in enumerate(ages)]
    level = evidence_levels.compute_evidence_level(picks, now=now)
    assert 0 <= level <= len(evidence_levels.EVIDENCE_LEVEL_STRENGTHS)
    assert (
        evidence_levels.compute_evidence_level([*picks, ("new", now)], now=now) >= level
    )
    assert (
        evidence_levels.compute_evidence_level(picks, now=now + timedelta(days=later))
        <= level
    )
    assert evidence_levels.compute_evidence_level(picks * 3, now=now) == level
    assert evidence_levels.compute_evidence_level(picks[:1], now=now) == 0


# Time ----------------------------------------------------------------------------


def test_evidence_decays_and_the_index_follows(freight: Entry) -> None:
    record_picks(freight, "a", "b")
    move_back(Pick.objects, 170)
    refresh()
    assert search_ids(WORDS) == [freight.pk]
    move_back(Pick.objects, 200)
    refresh()
    assert (search_ids(WORDS), Evidence.objects.count()) == ([], 0)
    assert Pick.objects.count() == 2  # one more person would bring it back
    move_back(Pick.objects, 361)
    refresh()
    assert not Pick.objects.exists()


def test_evidence_whose_picks_are_gone_goes(freight: Entry) -> None:
    record_picks(freight, "a", "b")
    Pick.objects.all().delete()
    assert usage.refresh_evidence() == (1, 0)
    assert not Evidence.objects.exists()


def test_learning_again_changes_nothing(freight: Entry) -> None:
    record_picks(freight, *"abc")
    record_picks(freight, *"ab", words="邮费谁出", side=STAFF)
    before = list(Evidence.objects.values())
    assert usage.refresh_evidence() == (0, 0)
    assert list(Evidence.objects.values()) == before


def test_searches_are_deleted_after_retention() -> None:
    usage.record_search("新的", user=ANYONE, results=0)
    usage.record_search("旧的", user=ANYONE, results=0)
    move_back(Search.objects.filter(words="旧的"), SEARCH_RETENTION.days + 1)
    usage.refresh_evidence()
    assert [row.words for row in Search.objects.all()] == ["新的"]


# Persons -----------------------------------------------------------------------------


def test_visitor_key_contains_no_address() -> None:
    person = usage.build_visitor_key("198.51.100.7", "Firefox")
    assert person == usage.build_visitor_key("198.51.100.7", "Firefox")
    assert person != usage.build_visitor_key("198.51.100.7", "Safari")
    assert person != usage.build_visitor_key("198.51.100.8", "Firefox")
    assert len(person) == 17
    assert "198" not in person


def test_visitor_key_needs_the_secret_key(settings: Any) -> None:
    one = usage.build_visitor_key("198.51.100.7", "Firefox")
    settings.SECRET_KEY = "another"
    assert usage.build_visitor_key("198.51.100.7", "Firefox") != one


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("2001:db8:1:2:3::4", "2001:db8:1:2:ffff::9", True),
        ("2001:db8:1:2:3::4", "2001:db8:1:3:3::4", False),
        ("::ffff:198.51.100.7", "198.51.100.7", True),
        ("::ffff:198.51.100.7", "::ffff:198.51.100.8", False),
        ("nonsense", "nonsense", True),
        ("nonsense", "", False),
    ],
)
def test_a_network_is_one_person(one: str, other: str, same: bool) -> None:
    people = [
        evidence_levels.get_person_origin(usage.build_visitor_key(a, "x"))
        for a in (one, other)
    ]
    assert (people[0] == people[1]) is same


# Searches ------------------------------------------------------------------------


def test_customer_searches_are_anonymous_and_staff_searches_are_not(
    agent: User, make_user: Callable[..., User]
) -> None:
    for user in (ANYONE, make_user("customer"), agent):
        usage.record_search("退货", user=user, results=3)
    rows = Search.objects.order_by("pk").values_list("side", "by", "results")
    assert list(rows) == [
        ("public", None, 3),
        ("public", None, 3),
        ("staff", agent.pk, 3),
    ]


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        ("我的电话 138 1234-5678 打不通", "我的电话 *** 打不通"),
        ("订单１２３４５６７８９呢", "订单***呢"),
        ("身份证11010119900307123X丢了", "身份证***丢了"),
        ("发到 zhang.san+a@mail.example.com.cn 了吗", "发到 *** 了吗"),
        ("单号SF1234567890到哪了", "单号***到哪了"),
        ("满300减50，尺码 42 用 iPhone15", "满300减50，尺码 42 用 iPhone15"),
        ("123456 是验证码", "123456 是验证码"),
    ],
)
def test_personal_data_is_masked_in_searches(
    freight: Entry, typed: str, kept: str
) -> None:
    usage.record_search(typed, user=ANYONE, results=0)
    record_picks(freight, "a", words=typed)
    vote = usage.record_vote(
        freight, helpful=True, words=typed, person="b", side=PUBLIC
    )
    assert personal_data.mask_personal_data(typed) == kept
    recorded = {
        Search.objects.get().words,
        *Pick.objects.values_list("words", flat=True),
    }
    assert recorded | {vote.words} == {kept.replace("\x00", "")}


def test_numbers_of_people_are_no_evidence(freight: Entry) -> None:
    record_picks(freight, "a", words="邮费 13812345678")
    record_picks(freight, "b", words="邮费 13987654321")
    assert (search_ids("邮费"), search_ids("13812345678")) == ([freight.pk], [])
    (document,) = sync.build_entry_documents(Entry.objects.filter(pk=freight.pk))
    assert "138" not in "".join(document.terms.get("picked", ()))


def test_any_text_can_be_recorded() -> None:
    for words in ("\ud800", "\x00", "退" * 9999, "' OR 1=1 --", "@@@@" * 99, "1" * 300):
        usage.record_search(words, user=ANYONE, results=0)
    assert all(0 < len(row.words) <= 200 for row in Search.objects.all())


# Votes ---------------------------------------------------------------------------


def vote(entry: Entry, person: str, helpful: bool = True, words: str = WORDS) -> Vote:
    vote = usage.record_vote(
        entry, helpful=helpful, words=words, person=person, side=PUBLIC
    )
    sync.sync_all_marks()
    return vote


def test_a_helpful_vote_after_a_search_is_a_pick(freight: Entry) -> None:
    vote(freight, "a")
    vote(freight, "b")
    vote(freight, "c", words="")
    assert search_ids(WORDS) == [freight.pk]
    assert set(Pick.objects.values_list("kind", flat=True)) == {HELPFUL}


def test_one_person_has_one_vote_and_may_change_it(freight: Entry) -> None:
    vote(freight, "a")
    vote(freight, "b")
    vote(freight, "b", helpful=False)
    assert dict(Vote.objects.values_list("person", "helpful")) == {
        "a": True,
        "b": False,
    }
    assert search_ids(WORDS) == []
    vote(freight, "b")
    assert search_ids(WORDS) == [freight.pk]


def test_unhelpful_vote_deletes_helpful_picks_and_keeps_copies(freight: Entry) -> None:
    record_picks(freight, "b")
    usage.record_pick(freight, words=WORDS, person="a", side=PUBLIC, kind=COPIED)
    vote(freight, "a", helpful=False)
    assert search_ids(WORDS) == [freight.pk]


# Proposals -----------------------------------------------------------------------


def list_proposals() -> list[tuple[int, str]]:
    rows = usage.list_phrasing_proposals()
    assert usage.query_phrasing_proposals().count() == len(rows)
    return [(row.entry.pk, row.words) for row in rows]


def test_words_of_several_persons_are_proposed(freight: Entry) -> None:
    record_picks(freight, "a", "b", words="邮费谁出")
    assert list_proposals() == []
    record_picks(freight, *"abcd")
    record_picks(freight, "u1", side=STAFF)
    record_picks(freight, "u2", side=STAFF)
    (row,) = usage.list_phrasing_proposals()
    assert (row.words, row.customer_count, row.colleague_count) == (WORDS, 4, 2)
    assert usage.list_phrasing_proposals(0) == []


def test_known_phrasing_is_not_proposed_again(freight: Entry) -> None:
    entries.add_phrasing(freight, "邮费谁出", by=None)
    for words in ("退货运费，谁承担", "郵費誰出？", "邮费 13812345678"):
        record_picks(freight, *"abc", words=words)
    assert list_proposals() == []


def test_an_accepted_proposal_is_a_phrasing_of_a_new_version(freight: Entry) -> None:
    record_picks(freight, *"abc")
    (row,) = usage.list_phrasing_proposals()
    assert (
        usage.accept_phrasing_proposal(freight, words_key=row.words_key, by=None)[0]
        == WORDS
    )
    now = Entry.objects.get(pk=freight.pk)
    assert [p.text for p in now.phrasings.all()] == [WORDS]
    assert now.version == freight.version + 1
    assert list_proposals() == []
    usage.accept_phrasing_proposal(
        freight, words_key=row.words_key, by=None
    )  # once more: nothing new
    assert Entry.objects.get(pk=freight.pk).version == now.version


def test_a_refused_proposal_never_comes_back(freight: Entry) -> None:
    record_picks(freight, *"abc")
    (row,) = usage.list_phrasing_proposals()
    usage.refuse_phrasing_proposal(freight, words_key=row.words_key)
    assert list_proposals() == []
    Pick.objects.all().delete()
    usage.refresh_evidence()
    record_picks(freight, *"abcdefgh")
    record_picks(freight, *"abcdefgh", side=STAFF)
    assert list_proposals() == []
    assert search_ids(WORDS) == [freight.pk]  # for ranking it counts on


def test_retired_entries_get_no_proposals(freight: Entry) -> None:
    record_picks(freight, *"abc")
    entries.retire_entry(freight, by=None)
    assert list_proposals() == []


def test_missing_proposal_gets_a_message(freight: Entry) -> None:
    for act in (
        usage.refuse_phrasing_proposal,
        lambda e, **k: usage.accept_phrasing_proposal(e, by=None, **k),
    ):
        with pytest.raises(ValidationError, match="已经不在"):
            act(freight, words_key="x")


def test_autocomplete_ranks_by_picks(freight: Entry, make_entry: MakeEntry) -> None:
    make_entry("退货运费")  # shorter, so it stood first
    record_picks(freight, "a", "b", "c")
    assert suggest_entries("退货", user=ANYONE)[0].entry != freight
    usage.refresh_evidence()
    assert suggest_entries("退货", user=ANYONE)[0].entry == freight
