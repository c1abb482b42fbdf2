"""Relevance tests: run after every change that could move ranks, and before publishing."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from io import StringIO
from threading import Event
from typing import Any

import pytest
import time_machine
from django.core.exceptions import ValidationError
from django.core.management import call_command
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from kb.index import sync
from kb.index.engines import EngineUnavailableError, get_engine
from kb.library import entries
from kb.models import Entry, RelevanceTest, RelevanceTestRun, SynonymSet, User
from kb.operations import jobs
from kb.operations.jobs import relevance_trials, scheduler, task_runs
from kb.quality import relevance_tests
from kb.quality.relevance_tests import runs
from tests.conftest import MakeEntry

pytestmark = pytest.mark.django_db


def expect(
    words: str, entry: Entry | None, *, side: str = "public", within: int = 1
) -> RelevanceTest:
    row = RelevanceTest(words=words, entry=entry, side=side, within=within)
    row.full_clean()
    row.save()
    return row


def ranks() -> dict[str, int | None]:
    return dict(RelevanceTest.objects.values_list("words", "rank"))


@pytest.fixture
def freight(make_entry: MakeEntry) -> Entry:
    return make_entry("退货运费谁承担？", phrasings=["退货的邮费"])


@pytest.fixture
def desk(client: Client, editor: User) -> Client:
    client.force_login(editor)
    return client


# A run -------------------------------------------------------------------------------


def test_a_run_stores_the_rank_of_every_test(
    freight: Entry, make_entry: MakeEntry
) -> None:
    make_entry("发票抬头怎么改？", answer="在订单里改。")
    expect("退货运费", freight)
    expect("发票抬头", freight)
    expect("火星移民", None)
    expect("退货运费谁承担", None)
    run = relevance_tests.run_relevance_tests(by=None)
    assert ranks() == {"退货运费": 1, "发票抬头": 0, "火星移民": 0, "退货运费谁承担": 1}
    assert (run.total, run.failing, run.moved) == (4, 2, [])
    assert {row.words for row in RelevanceTest.objects.failing()} == {
        "发票抬头",
        "退货运费谁承担",
    }


def test_failing_is_one_rule_in_two_forms(freight: Entry) -> None:
    for number, rank in enumerate([None, 0, 1, 2, 3]):
        RelevanceTest.objects.create(
            words=f"甲{number}", entry=freight, within=2, rank=rank
        )
        RelevanceTest.objects.create(words=f"乙{number}", entry=None, rank=rank)
    failing = {row.pk for row in RelevanceTest.objects.failing()}
    assert failing == {row.pk for row in RelevanceTest.objects.all() if row.is_failing}


def test_customers_and_agents_have_ranks_of_their_own(make_entry: MakeEntry) -> None:
    inside = make_entry("赔付上限是多少？", audience="internal", replies=["五百元"])
    expect("赔付上限", inside)
    expect("赔付上限", inside, side="staff")
    draft = make_entry("内部折扣怎么批？", status="draft", audience="internal")
    expect("内部折扣怎么批", draft, side="staff")
    relevance_tests.run_relevance_tests(by=None)
    found = RelevanceTest.objects.order_by("pk").values_list("rank", flat=True)
    assert list(found) == [0, 1, 0]


def test_a_run_stores_changed_ranks_and_entries_above(
    freight: Entry, make_entry: MakeEntry
) -> None:
    row = expect("退货邮费", freight, within=1)
    relevance_tests.run_relevance_tests(by=None)
    assert ranks() == {"退货邮费": 1}
    other = make_entry("退货邮费谁出？", answer="退货邮费。", phrasings=["退货邮费"])
    run = relevance_tests.run_relevance_tests(by=None)
    assert run.moved == [
        {"golden": row.pk, "before": 1, "after": 2, "above": [other.pk]}
    ]
    assert relevance_tests.run_relevance_tests(by=None).moved == []


def test_a_run_without_the_engine_stores_nothing(
    freight: Entry, monkeypatch: pytest.MonkeyPatch
) -> None:
    expect("退货运费", freight)
    relevance_tests.run_relevance_tests(by=None)

    def down(*args: Any) -> None:
        raise EngineUnavailableError("gone")

    monkeypatch.setattr(type(get_engine()), "search", down)
    with pytest.raises(EngineUnavailableError):
        relevance_tests.run_relevance_tests(by=None)
    assert ranks() == {"退货运费": 1}


# When ------------------------------------------------------------------------------


def test_content_vocabulary_and_tests_change_the_stamp(freight: Entry) -> None:
    seen = [relevance_tests.compute_test_stamp()]
    assert relevance_tests.compute_test_stamp() == seen[0]
    entries.update_entry(freight, by=None, based_on=freight.version, keywords="thyf")
    seen.append(relevance_tests.compute_test_stamp())
    SynonymSet.objects.create(members="邮费\n运费")
    seen.append(relevance_tests.compute_test_stamp())
    row = expect("退货运费", freight)
    seen.append(relevance_tests.compute_test_stamp())
    row.within = 2
    row.save()
    seen.append(relevance_tests.compute_test_stamp())
    relevance_tests.run_relevance_tests(by=None)
    assert len(set(seen)) == len(seen)
    assert relevance_tests.compute_test_stamp() == seen[-1]


def test_changed_weights_change_the_stamp(
    db: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = relevance_tests.compute_test_stamp()
    monkeypatch.setattr(runs, "WEIGHTS_HASH", "0123456789abcdef")
    assert relevance_tests.compute_test_stamp() != before


def test_a_change_is_tested_once_by_one_process(freight: Entry) -> None:
    now = relevance_tests.compute_test_stamp()
    assert relevance_tests.is_run_due(now)
    assert relevance_tests.run_relevance_tests_after_change(now) is not None
    assert relevance_tests.run_relevance_tests_after_change(now) is None
    assert not relevance_tests.is_run_due(now)


def test_a_run_whose_process_died_is_repeated(freight: Entry) -> None:
    now = relevance_tests.compute_test_stamp()
    with time_machine.travel("2026-01-01 00:00Z", tick=False):
        RelevanceTestRun.objects.create(cause="change", stamp=now)
    assert relevance_tests.run_relevance_tests_after_change(now) is not None


def test_what_still_changes_waits(freight: Entry) -> None:
    relevance_trials.has_settled_change()
    Entry.objects.first().save()  # type: ignore[union-attr]
    sync.sync_all_marks()
    assert not relevance_trials.has_settled_change()
    assert relevance_trials.has_settled_change()
    relevance_trials.rerun_relevance_tests()
    assert RelevanceTestRun.objects.get().cause == "change"
    assert not relevance_trials.has_settled_change()


def test_what_somebody_asked_for_is_tried_though_nothing_changed(
    freight: Entry,
) -> None:
    expect("退货邮费", freight)
    relevance_tests.run_relevance_tests(by=None)
    task = jobs.get_task("trials")
    assert task
    jobs.request_run(task)
    job = jobs.run_task(task)
    assert job
    assert (job.error, job.requested_at) == ("", None)
    assert job.result.startswith("验收 1 条，0 条不达标")
    assert RelevanceTestRun.objects.filter(cause="button").count() == 2


# Before publishing -------------------------------------------------------------------


@pytest.fixture
def rival(freight: Entry, make_entry: MakeEntry) -> Entry:
    """A draft that would push what customers look for off its place."""
    expect("退货邮费", freight)
    expect("发票抬头", make_entry("发票抬头怎么改？", answer="在订单里改。"))
    relevance_tests.run_relevance_tests(by=None)
    return make_entry("退货邮费谁出？", status="draft", phrasings=["退货邮费"])


def test_a_draft_is_tried_as_if_it_were_live(rival: Entry, freight: Entry) -> None:
    (forecast,) = relevance_tests.forecast_failures(rival)
    assert (forecast.relevance_test.words, forecast.before, forecast.after.rank) == (
        "退货邮费",
        1,
        2,
    )
    assert forecast.is_regression
    assert forecast.after.entry_ids_above == (rival.pk,)
    entries.publish_entry(rival, by=None)
    sync.sync_all_marks()
    assert (
        relevance_tests.find_result_rank(
            "退货邮费", side="public", entry=freight.pk
        ).rank
        == 2
    )


def test_an_internal_draft_takes_no_place_from_customers(
    rival: Entry, freight: Entry
) -> None:
    rival.audience = "internal"
    entries.save_entry(rival, by=None)
    assert relevance_tests.forecast_failures(rival) == []


def test_publishing_a_regression_asks_first(desk: Client, rival: Entry) -> None:
    move = reverse("desk:move", args=[rival.pk, "publish"])
    warned = desk.post(move)
    assert warned.headers["Location"] == reverse(
        "desk:publish-warning", args=[rival.pk]
    )
    page = desk.get(warned.headers["Location"]).content.decode()
    assert "有 1 条现在达标，发布后会不达标" in page
    assert "退货邮费" in page
    rival.refresh_from_db()
    assert rival.status == "draft"
    desk.post(move, {"warned": "yes"})
    rival.refresh_from_db()
    assert rival.status == "published"


def test_saving_and_publishing_in_the_admin_asks_as_well(
    desk: Client, rival: Entry
) -> None:
    from tests.admin_forms import post_change as change

    saved = change(desk, rival, _move="publish")
    assert saved.url == reverse("desk:publish-warning", args=[rival.pk])
    rival.refresh_from_db()
    assert rival.status == "draft"


def test_publishing_what_harms_nothing_takes_one_click(
    desk: Client, freight: Entry, make_entry: MakeEntry
) -> None:
    expect("退货运费", freight)
    relevance_tests.run_relevance_tests(by=None)
    draft = make_entry("发票抬头怎么改？", status="draft", answer="在订单里改。")
    desk.post(reverse("desk:move", args=[draft.pk, "publish"]))
    draft.refresh_from_db()
    assert draft.status == "published"


# Pages -------------------------------------------------------------------------------


def test_the_page_shows_failures_and_runs_again(
    desk: Client, freight: Entry, make_entry: MakeEntry
) -> None:
    expect("发票抬头", freight)
    expect("退货运费", freight)
    done = desk.post(reverse("desk:run-relevance-tests"), follow=True).content.decode()
    assert "跑完 2 条" in done
    assert "1 条不达标" in done
    make_entry("退货运费", phrasings=["退货运费"])
    page = desk.post(reverse("desk:run-relevance-tests"), follow=True).content.decode()
    assert "2 条不达标，1 条名次变了" in page
    assert "第 1 名" in page


def test_many_tests_are_run_by_the_scheduler_and_the_page_does_not_wait(
    desk: Client, freight: Entry, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("kb.web.desk.relevance_tests.MAX_TESTS_RUN_AT_ONCE", 1)
    expect("发票抬头", freight)
    expect("退货运费", freight)
    task_runs.record_scheduler_beat()
    page = desk.post(reverse("desk:run-relevance-tests"), follow=True).content.decode()
    assert "已经开始在后台跑" in page
    assert not RelevanceTestRun.objects.exists()
    scheduler.TaskRunner("here").run_due_tasks(Event())
    assert RelevanceTestRun.objects.get().total == 2


def test_rank_changes_stay_on_the_page_for_a_day(
    desk: Client, freight: Entry, make_entry: MakeEntry
) -> None:
    def lately(days: float = 1) -> list[tuple[int, int]]:
        changes = relevance_tests.list_rank_changes(
            timezone.now() - timedelta(days=days)
        )
        return [(one["before"], one["after"]) for one in changes]

    expect("退货运费", freight)
    relevance_tests.run_relevance_tests(by=None)
    gone = entries.retire_entry(freight, by=None)
    relevance_tests.run_relevance_tests(by=None)
    make_entry("别的改动")
    assert relevance_tests.run_relevance_tests(by=None).moved == []
    assert lately() == [(1, 0)]
    page = desk.get(reverse("desk:relevance-tests")).content.decode()
    assert '一天内名次变了 <span class="soft number">1</span>' in page
    with time_machine.travel(timezone.now() + timedelta(days=2)):
        assert lately() == []
    entries.publish_entry(entries.restore_entry(gone, by=None), by=None)
    relevance_tests.run_relevance_tests(by=None)
    assert lately() == []  # its rank is the first one again


def test_a_page_of_many_tests_needs_no_more_queries(
    desk: Client, freight: Entry, django_assert_num_queries: Any
) -> None:
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    def asked() -> int:
        with CaptureQueriesContext(connection) as captured:
            assert desk.get(reverse("desk:relevance-tests")).status_code == 200
        return len(captured)

    for number in range(2):
        expect(f"发票{number}", freight)
    relevance_tests.run_relevance_tests(by=None)
    few = asked()
    for number in range(2, 30):
        expect(f"发票{number}", freight)
    relevance_tests.run_relevance_tests(by=None)
    assert asked() <= few


def test_only_editors_see_the_page(client: Client, agent: User) -> None:
    client.force_login(agent)
    assert client.get(reverse("desk:relevance-tests")).status_code == 403
    assert client.post(reverse("desk:run-relevance-tests")).status_code == 403


def test_the_same_words_are_expected_once(freight: Entry) -> None:
    expect("退货运费", freight)
    with pytest.raises(ValidationError, match="已经有同样的一条"):
        expect(" 退货运费 ", freight)
    expect("火星", None)
    with pytest.raises(ValidationError, match="已经有同样的一条"):
        expect("火星", None)


# The command -------------------------------------------------------------------------


def test_the_command_prints_what_fails_and_exits_with_one(freight: Entry) -> None:
    out = StringIO()
    expect("退货运费", freight)
    call_command("kb_golden", stdout=out)
    assert "共 1 条，0 条不达标" in out.getvalue()
    expect("发票抬头", freight, within=3)
    with pytest.raises(SystemExit) as stopped:
        call_command("kb_golden", stdout=out)
    assert stopped.value.code == 1
    assert (
        "顾客搜「发票抬头」→「退货运费谁承担？」要前 3 名，没有找到" in out.getvalue()
    )


def test_the_admin_forgets_the_rank_of_a_changed_test(
    desk: Client, freight: Entry, make_user: Callable[..., User]
) -> None:
    row = expect("退货运费", freight)
    relevance_tests.run_relevance_tests(by=None)
    where = reverse("admin:kb_relevancetest_change", args=[row.pk])
    data = {"words": "退货运费", "side": "public", "entry": freight.pk, "within": "0"}
    assert "1" in desk.post(where, data).content.decode()
    desk.post(where, {**data, "within": "2"})
    row.refresh_from_db()
    assert (row.within, row.rank) == (2, None)
