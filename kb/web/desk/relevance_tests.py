"""搜索验收: failures and rank changes of the last run, and a warning before publishing."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_POST, require_safe

from kb.index.engines import EngineUnavailableError
from kb.library import entries
from kb.models import Entry, RelevanceTest, User
from kb.operations.jobs import get_task, is_scheduler_alive, request_run
from kb.quality import relevance_tests as stage
from kb.web.desk.access import StaffRequest, editor_required

RECENT_MOVES_WINDOW = timedelta(days=1)  # the page lists rank changes of this time
MAX_TESTS_RUN_AT_ONCE = 30  # more of them run in the background
MAX_LISTED_TESTS = 100  # of each list on the page; the admin has the rest


@dataclass(frozen=True, slots=True)
class RelevanceTestRow:
    """A test with its ranks: 0 is not found, None as previous rank was never run."""

    test: RelevanceTest
    previous_rank: int | None
    current_rank: int
    entries_above: list[Entry]

    @property
    def badge_class(self) -> str:
        """Return "bad" for a failure, "ok" for a test that passes again, else ""."""
        if not self.test.is_met_at_rank(self.current_rank):
            return "bad"
        was_failing = self.previous_rank is not None and not self.test.is_met_at_rank(
            self.previous_rank
        )
        return "ok" if was_failing else ""


@editor_required
@require_safe
def show_relevance_tests(request: StaffRequest) -> HttpResponse:
    """Show the last run: which tests fail, and which ranks have changed."""
    failing = stage.list_failing_tests()
    failing_rows = [
        (test, test.rank, test.rank or 0, test.above)
        for test in failing[:MAX_LISTED_TESTS]
    ]
    moves = stage.list_rank_changes(timezone.now() - RECENT_MOVES_WINDOW)
    moved_rows = _load_moved_tests(moves[:MAX_LISTED_TESTS])
    context = {
        "last_run": stage.get_last_run(),
        "is_run_due": stage.is_run_due(stage.compute_test_stamp()),
        "total": stage.count_tests(),
        "failing": _make_test_rows(failing_rows, user=request.user),
        "failing_total": failing.count(),
        "moved": _make_test_rows(moved_rows, user=request.user),
        "moved_total": len(moves),
    }
    return render(request, "desk/relevance_tests/page.html", context)


@editor_required
@require_POST
def run_relevance_tests(request: StaffRequest) -> HttpResponse:
    """Run the tests: a few while the page waits, more in the background."""
    task = get_task("trials")
    is_long = stage.count_tests() > MAX_TESTS_RUN_AT_ONCE
    if task and is_long and is_scheduler_alive():
        request_run(task)
        messages.info(request, "已经开始在后台跑，跑完后刷新这一页就能看到结果。")
        return redirect("desk:relevance-tests")
    try:
        run = stage.run_relevance_tests(by=request.user)
    except EngineUnavailableError:
        messages.error(request, "搜索引擎暂时不可用，没有跑。")
    else:
        add_message = messages.warning if run.failing else messages.success
        add_message(
            request,
            f"跑完 {run.total} 条，用了 {run.duration_seconds:.1f} 秒："
            f"{run.failing} 条不达标，{len(run.moved)} 条名次变了。",
        )
    return redirect("desk:relevance-tests")


@editor_required
@require_safe
def show_publish_warning(request: StaffRequest, pk: int) -> HttpResponse:
    """Show which tests would fail with the entry published; one more click publishes."""
    entry = entries.find_entry(pk, user=request.user)
    if entry is None:
        messages.warning(request, "这个条目已经不在了。")
        return redirect("desk:drafts")
    forecasts = stage.forecast_failures(entry)
    rows = [
        (row.relevance_test, row.before, row.after.rank, row.after.entry_ids_above)
        for row in forecasts
    ]
    context = {
        "entry": entry,
        "failing": _make_test_rows(rows, user=request.user),
        "regressions": sum(forecast.is_regression for forecast in forecasts),
    }
    return render(request, "desk/relevance_tests/warning.html", context)


def _load_moved_tests(moves: Iterable[dict[str, Any]]) -> list[Any]:
    """Return (test, rank before, rank after, ids above) of the tests that still exist."""
    moves_by_id = {move["golden"]: move for move in moves}
    tests = stage.load_tests(moves_by_id)
    return [
        (tests[pk], move["before"], move["after"], move["above"])
        for pk, move in moves_by_id.items()
        if pk in tests
    ]


def _make_test_rows(rows: Iterable[Any], *, user: User) -> list[RelevanceTestRow]:
    """Return the rows with entries in place of the ids above, loaded in one query."""
    listed = list(rows)
    ids = {pk for *_, ids_above in listed for pk in ids_above}
    by_id = entries.load_entries(ids, user=user)
    return [
        RelevanceTestRow(test, before, after, [by_id[pk] for pk in ids if pk in by_id])
        for test, before, after, ids in listed
    ]
