"""Search gaps stay open until a search verifies that they are resolved."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.contrib.auth.models import AnonymousUser
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from kb import usage
from kb.index import sync
from kb.language import vocabulary
from kb.library import entries
from kb.models import Category, Entry, Search, SearchGap, SynonymSet, User
from kb.operations import jobs
from kb.quality import search_gaps
from kb.quality.search_gaps.search_meaning import MeaningIndex, SearchMeaning
from kb.text.chinese import normalize
from tests.conftest import MakeEntry

trials = next(task for task in jobs.SCHEDULED_TASKS if task.name == "trials")
pytestmark = pytest.mark.django_db
ANYBODY = AnonymousUser()


def record_searches(
    words: str, *, results: int = 0, times: int = 1, days: float = 0, **columns: Any
) -> None:
    """Let customers search for `words`, so many days ago."""
    moment = timezone.now() - timedelta(days=days)
    columns = {"side": "public", "created_at": moment, **columns}
    for number in range(times):
        facts = {"person": f"p{number}", **columns}
        Search.objects.create(words=words, results=results, **facts)


def collect() -> dict[str, tuple[int, int]]:
    search_gaps.collect_gaps()
    return {
        gap.words: (gap.misses, gap.empty)
        for gap in SearchGap.objects.needing_attention()
    }


@pytest.fixture
def freight(make_entry: MakeEntry) -> Entry:
    return make_entry("退货运费谁承担？")


@pytest.fixture
def desk(client: Client, editor: User) -> Client:
    client.force_login(editor)
    return client


@pytest.fixture
def gap(freight: Entry) -> SearchGap:
    record_searches("回邮的钱", times=4)
    record_searches("请问一下回邮的钱", times=1)
    search_gaps.collect_gaps()
    return SearchGap.objects.get()


def post_action(desk: Client, gap: SearchGap, do: str, **more: Any) -> str:
    address = reverse("desk:settle-gap", args=[gap.pk])
    return str(desk.post(address, {"do": do, **more}, follow=True).content.decode())


# Collecting -----------------------------------------------------------------------------


def test_a_search_without_result_is_a_gap() -> None:
    record_searches("能不能刻字", times=2)
    record_searches("退货", results=3)
    assert collect() == {"能不能刻字": (2, 2)}


def test_unused_results_are_a_gap_after_several_searches(freight: Entry) -> None:
    record_searches("退货", results=3, times=2)
    assert collect() == {}
    record_searches("退货", results=3)
    assert collect() == {"退货": (3, 0)}
    record_searches("退货", results=3, times=2, entry=freight)
    assert collect() == {}


def test_repeated_collection_counts_once() -> None:
    record_searches("能不能刻字", times=2)
    assert collect() == collect() == {"能不能刻字": (2, 2)}
    record_searches("能不能刻字", times=2)
    assert collect() == {"能不能刻字": (4, 4)}


def test_late_pick_is_counted(freight: Entry) -> None:
    usage.record_search("邮费谁出", user=ANYBODY, results=4, person="a:1")
    usage.record_opened_entry(
        "邮费谁出", entry_id=freight.pk, user=ANYBODY, person="b:2"
    )
    assert Search.objects.get().entry is None
    usage.record_opened_entry(
        "邮费 谁出？", entry_id=freight.pk, user=ANYBODY, person="a:1"
    )
    assert Search.objects.get().entry == freight


def test_opened_result_of_a_customer_is_no_gap(client: Client, freight: Entry) -> None:
    client.get(reverse("faq:search"), {"q": "退货运费"})
    client.get(freight.get_absolute_url(), {"q": "退货运费"})
    row = Search.objects.get()
    assert (row.entry, row.by) == (freight, None)
    assert row.person


def test_opened_result_of_a_colleague_is_no_gap(
    client: Client, freight: Entry, agent: User
) -> None:
    client.force_login(agent)
    client.get(reverse("faq:search"), {"q": "退货运费"})
    client.get(freight.get_absolute_url(), {"q": "退货运费"})
    assert (Search.objects.get().entry, Search.objects.get().by) == (freight, agent)


def test_filtered_search_is_not_a_new_search(client: Client, freight: Entry) -> None:
    shelf = Category.objects.create(name="售后")
    Entry.objects.filter(pk=freight.pk).update(category=shelf)
    for narrowed in ("", f"&c={shelf.pk}", "&page=2"):
        client.get(f"{reverse('faq:search')}?q=退货运费{narrowed}")
    assert Search.objects.count() == 1


def test_the_api_is_a_search_like_any_other(client: Client, freight: Entry) -> None:
    address = reverse("api:search")
    for words in ("能不能刻字", "退货运费"):
        client.get(address, {"q": words})
    client.head(address, {"q": "没人会数"})
    client.get(address, {"q": "退货运费", "page": "2"})
    assert collect() == {"能不能刻字": (1, 1)}
    client.get(reverse("api:entry", args=[freight.pk]), {"q": "退货运费"})
    assert Search.objects.get(words="退货运费").entry == freight


def test_api_distinguishes_staff_and_customers(
    client: Client, freight: Entry, agent: User
) -> None:
    client.force_login(agent)
    client.get(reverse("api:agent-search"), {"q": "退货运费"})
    client.get(reverse("api:agent-entry", args=[freight.pk]), {"q": "退货运费"})
    row = Search.objects.get()
    assert (row.side, row.by, row.person, row.entry) == ("staff", agent, "", freight)


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        (["能", "能不", "能不能刻", "能不能刻字"], ["能不能刻字"]),
        (["k", "kez", "刻字", "刻字 多少钱"], ["刻字 多少钱"]),
        (["刻字多少钱", "刻字"], ["刻字"]),
        (["刻字", "刻字"], ["刻字"]),
        (["刻字", "开发票"], ["刻字", "开发票"]),
    ],
)
def test_search_while_typing_counts_once(
    client: Client, typed: list[str], kept: list[str]
) -> None:
    for words in typed:
        client.get(reverse("api:search"), {"q": words})
        search_gaps.collect_gaps()
    assert sorted(Search.objects.values_list("words", flat=True)) == kept
    assert sum(misses for misses, _ in collect().values()) == len(kept)


def test_later_search_counts_again(client: Client) -> None:
    address = reverse("api:search")
    client.get(address, {"q": "刻字"})
    client.get(address, {"q": "刻字"}, headers={"User-Agent": "another"})
    with time_machine.travel(timezone.now() + timedelta(minutes=1)):
        client.get(address, {"q": "刻字"})
    assert Search.objects.count() == 3


def test_one_process_collects_at_a_time() -> None:
    gathering = jobs.get_task("gaps")
    assert gathering
    assert gathering.has_work

    def look() -> None:
        if gathering.has_work and gathering.has_work():
            jobs.run_task(gathering)

    record_searches("能不能刻字")
    look()
    assert SearchGap.objects.get().misses == 1
    record_searches("能不能刻字")
    look()
    assert SearchGap.objects.get().misses == 1
    with time_machine.travel(timezone.now() + timedelta(seconds=20)):
        look()
    assert SearchGap.objects.get().misses == 2


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("怎么退货", "退货怎么弄啊"),
        ("发票抬头", "抬头发票的"),
        ("退款", "退宽"),
        ("能刻字吗", "能不能刻字"),
        ("可以刻字吗", "请问能刻字么"),
        ("保温杯的盖子在哪里可以单独买到", "保温杯的盖子在哪里可以单独买倒呢"),
    ],
)
def test_same_meaning_is_one_gap(one: str, other: str) -> None:
    lexicon, index = vocabulary.load_current_lexicon(), MeaningIndex()
    index.add_meaning(1, SearchMeaning.from_text(one, lexicon))
    assert index.find_same(SearchMeaning.from_text(other, lexicon)) == 1


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("退货", "换货"),
        ("运费险怎么买", "运费险怎么退"),
        ("寄到新疆运费多少钱一公斤", "寄到西藏运费多少钱一公斤"),
        ("怎么登录", "怎么注册"),
    ],
)
def test_different_meaning_is_two_gaps(one: str, other: str) -> None:
    lexicon, index = vocabulary.load_current_lexicon(), MeaningIndex()
    index.add_meaning(1, SearchMeaning.from_text(one, lexicon))
    assert index.find_same(SearchMeaning.from_text(other, lexicon)) is None


def test_synonyms_mean_the_same() -> None:
    SynonymSet.objects.create(members="杯套\n隔热套")
    record_searches("杯套")
    record_searches("隔热套", times=3)
    assert collect() == {"隔热套": (4, 4)}


def test_sides_stay_apart(agent: User) -> None:
    record_searches("刻字")
    record_searches("刻字", side="staff", by=agent, person="")
    search_gaps.collect_gaps()
    assert SearchGap.objects.needing_attention().count() == 2


@pytest.mark.parametrize("words", ["***", "1234", "？？？", "a"])
def test_meaningless_search_is_no_gap(words: str) -> None:
    record_searches(words)
    assert collect() == {}


def test_figures_contain_persons_and_trend(agent: User) -> None:
    record_searches("能不能刻字", times=3)
    record_searches("能刻字吗", times=2, days=10)
    record_searches("能不能刻字", times=1, days=40)
    search_gaps.collect_gaps()
    found = search_gaps.get_gap_figures(SearchGap.objects.all())[
        SearchGap.objects.get().pk
    ]
    assert (
        found.person_count,
        found.misses_this_week,
        found.misses_last_week,
        found.trend,
    ) == (3, 3, 2, 1)
    assert set(found.spellings) == {"能不能刻字", "能刻字吗"}


def test_gap_is_deleted_with_its_searches() -> None:
    record_searches("能不能刻字", days=100)
    search_gaps.collect_gaps()
    usage.refresh_evidence()
    search_gaps.recount_gaps()
    assert not SearchGap.objects.exists()


def test_many_searches_are_collected_in_few_queries() -> None:
    rows = [
        Search(
            words=f"第{n % 900}种刻字{n % 7}", results=0, side="public", person=str(n)
        )
        for n in range(3000)
    ]
    for row in rows:
        row.words_key = normalize.compute_spelling_key(row.words)
    Search.objects.bulk_create(rows)
    with CaptureQueriesContext(connection) as first:
        search_gaps.collect_gaps()
    assert sum(SearchGap.objects.values_list("misses", flat=True)) == 3000
    record_searches("第1种刻字1")
    with CaptureQueriesContext(connection) as again:
        search_gaps.collect_gaps()
    # A database with a higher limit of variables needs fewer for the first, too.
    assert len(again) < min(len(first), 100)


def test_unused_search_of_an_agent_is_a_gap(
    client: Client, agent: User, editor: User
) -> None:
    address = reverse("console:miss")
    assert client.post(address, {"q": "能不能刻字"}).status_code == 403
    client.force_login(agent)
    assert client.post(address, {"q": "能不能刻字", "total": "0"}).status_code == 204
    assert client.post(address, {"q": "", "total": "0"}).status_code == 400
    assert client.post(address, {"q": "x", "total": "abc"}).status_code == 400
    search_gaps.collect_gaps()
    gap = SearchGap.objects.get()
    assert (gap.side, gap.empty) == ("staff", 1)
    assert search_gaps.get_gap_figures([gap])[gap.pk].person_count == 1


# Resolving -----------------------------------------------------------------------------


def test_gap_with_phrasing_closes_after_verification(
    desk: Client, gap: SearchGap, freight: Entry
) -> None:
    page = post_action(desk, gap, "phrasing", entry=freight.pk)
    assert "验证通过：排第 1 名" in page
    gap.refresh_from_db()
    assert (gap.status, gap.entry, gap.rank) == ("closed", freight, 1)
    assert "回邮的钱" in freight.phrasings.values_list("text", flat=True)


def test_a_gap_waits_for_its_draft_to_be_published(
    desk: Client, gap: SearchGap, editor: User
) -> None:
    response = desk.post(reverse("desk:settle-gap", args=[gap.pk]), {"do": "draft"})
    gap.refresh_from_db()
    entry = gap.entry
    assert entry is not None
    assert response.headers["Location"] == reverse(
        "admin:kb_entry_change", args=[entry.pk]
    )
    assert (entry.question, entry.status, entry.audience) == (
        "回邮的钱",
        "draft",
        "public",
    )
    assert [p.text for p in entry.phrasings.all()] == ["请问一下回邮的钱"]
    assert search_gaps.verify_gap(gap).status == "proving"
    entries.update_entry(
        entry, by=None, based_on=entry.version, answer="按实际邮费退。"
    )
    entries.publish_entry(entry, by=None)
    jobs.run_task(trials)
    gap.refresh_from_db()
    assert (gap.status, gap.rank) == ("closed", 1)


def test_a_synonym_makes_the_words_find_the_entry(
    desk: Client, gap: SearchGap, freight: Entry
) -> None:
    typed = {"said": "回邮的钱", "written": "退货运费", "entry": freight.pk}
    near = {"q": "退货运费"}
    address = f"{reverse('desk:settle-gap', args=[gap.pk])}?q=退货运费"
    page = desk.post(address, {"do": "synonym", **typed, **near}, follow=True)
    assert "搜「回邮的钱」也会找写着「退货运费」的条目" in page.content.decode()
    assert SynonymSet.objects.get().list_words() == ["回邮的钱", "退货运费"]
    gap.refresh_from_db()
    assert gap.status == "closed"


def test_synonym_outside_the_words_is_refused_and_kept_in_the_form(
    desk: Client, gap: SearchGap, freight: Entry
) -> None:
    address = f"{reverse('desk:settle-gap', args=[gap.pk])}?q=退货运费"
    typed = {"do": "synonym", "said": "寄费", "written": "运费", "entry": freight.pk}
    page = desk.post(address, typed)
    assert page.status_code == 400
    assert "「寄费」不在搜索的话里" in page.content.decode()
    assert 'value="寄费"' in page.content.decode()


def test_a_closed_gap_opens_again_when_its_entry_falls_out(
    desk: Client, gap: SearchGap, freight: Entry
) -> None:
    post_action(desk, gap, "phrasing", entry=freight.pk)
    entries.retire_entry(freight, by=None)
    sync.sync_all_marks()
    jobs.run_task(trials)
    gap.refresh_from_db()
    assert (gap.status, gap.fell, gap.rank) == ("open", True, 0)
    assert "解决后又找不到了" in desk.get(reverse("desk:gaps")).content.decode()
    assert gap in SearchGap.objects.needing_attention()


def test_declined_gap_returns_only_after_undo(desk: Client, gap: SearchGap) -> None:
    assert "请选一个原因" in post_action(desk, gap, "decline")
    post_action(desk, gap, "decline", reason="不是我们的业务")
    record_searches("回邮的钱", times=5)
    record_searches("回邮的钱呢", times=5)
    assert collect() == {}
    page = desk.get(reverse("desk:gaps")).content.decode()
    assert "撤销：不归我们「回邮的钱」" in page
    post_action(desk, gap, "reopen")
    assert collect().keys() == {"回邮的钱"}


def test_concurrent_resolution_gets_a_message(
    desk: Client, gap: SearchGap, freight: Entry
) -> None:
    post_action(desk, gap, "decline", reason="不是我们的业务")
    assert search_gaps.GAP_HANDLED_MESSAGE in post_action(
        desk, gap, "phrasing", entry=freight.pk
    )
    assert not freight.phrasings.exists()


@pytest.mark.parametrize("sent", ["", "abc", "9" * 30, "-1", "０"])
def test_a_forged_entry_is_refused(desk: Client, gap: SearchGap, sent: str) -> None:
    assert "这个条目已经不在了" in post_action(desk, gap, "phrasing", entry=sent)


# The page -----------------------------------------------------------------------------


def test_the_page_shows_the_most_missed_first(desk: Client, gap: SearchGap) -> None:
    record_searches("能不能刻字", times=9)
    search_gaps.collect_gaps()
    page = desk.get(reverse("desk:gaps")).content.decode()
    assert page.index("能不能刻字") < page.index("回邮的钱")
    assert "9 次没用上，其中 9 次没有结果" in page


def test_a_long_list_costs_no_more_queries(desk: Client, gap: SearchGap) -> None:
    def asked() -> int:
        with CaptureQueriesContext(connection) as captured:
            assert desk.get(reverse("desk:gaps")).status_code == 200
        return len(captured)

    asked()
    few = asked()
    for number in range(30):
        record_searches(f"{'甲乙丙丁戊己庚辛壬癸'[number % 10]}{number}号刻字", times=2)
    search_gaps.collect_gaps()
    assert asked() <= few


@pytest.mark.parametrize(
    "query", [{"gap": "abc"}, {"gap": "9" * 30}, {"status": "x"}, {"side": "'"}]
)
def test_invalid_parameters_show_the_list(
    desk: Client, gap: SearchGap, query: dict[str, str]
) -> None:
    assert desk.get(reverse("desk:gaps"), query).status_code == 200


def test_only_editors_see_gaps(
    client: Client, agent: User, gap: SearchGap, make_user: Callable[..., User]
) -> None:
    client.force_login(agent)
    assert client.get(reverse("desk:gaps")).status_code == 403
    assert client.post(reverse("desk:settle-gap", args=[gap.pk])).status_code == 403
