"""搜索验收: what fails and what moved at the last trial, and a warning before publishing."""

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
from kb.models import Entry, RelevanceTest
from kb.operations.jobs import get_task, is_scheduler_alive, request_run
from kb.quality import relevance_tests as stage
from kb.web.desk.draft_entries import editor_required
from kb.web.desk.inbox import StaffRequest

RECENT_MOVES_WINDOW = timedelta(days=1)  # of which the page tells what moved
MAX_TESTS_RUN_AT_ONCE = 30  # queries that a page waits for
MAX_LISTED_TESTS = 100  # rows of a list on the page; the admin has the rest


@dataclass(frozen=True, slots=True)
class RelevanceTestRow:
    """A golden query with what the page says of it; `before` None was never tried."""

    test: RelevanceTest
    previous_rank: int | None
    current_rank: int
    entries_above: list[Entry]

    @property
    def result_tone(self) -> str:
        if not self.test.is_met_at_rank(self.current_rank):
            return "bad"
        better = self.previous_rank is not None and not self.test.is_met_at_rank(
            self.previous_rank
        )
        return "ok" if better else ""


@editor_required
@require_safe
def show_relevance_tests(request: StaffRequest) -> HttpResponse:
    """Show the last trial: what fails, and what stands elsewhere than before."""
    last = stage.get_last_run()
    failing = RelevanceTest.objects.failing().select_related("entry")
    told = [
        (row, row.rank, row.rank or 0, row.above) for row in failing[:MAX_LISTED_TESTS]
    ]
    moved = stage.list_rank_changes(timezone.now() - RECENT_MOVES_WINDOW)
    seen = Entry.objects.visible_to(request.user)
    context = {
        "last": last,
        "stale": stage.is_run_due(stage.compute_test_stamp()),
        "total": RelevanceTest.objects.count(),
        "failing": _make_test_rows(told, seen),
        "count": failing.count(),
        "moved": _make_test_rows(_load_moved_tests(moved[:MAX_LISTED_TESTS]), seen),
        "moves": len(moved),
    }
    return render(request, "desk/relevance_tests/page.html", context)


@editor_required
@require_POST
def run_relevance_tests(request: StaffRequest) -> HttpResponse:
    """Try them: a few at once, more in the background."""
    task = get_task("trials")
    if (
        task
        and RelevanceTest.objects.count() > MAX_TESTS_RUN_AT_ONCE
        and is_scheduler_alive()
    ):
        request_run(task)
        messages.info(request, "已经开始在后台跑，跑完后刷新这一页就能看到结果。")
        return redirect("desk:golden")
    try:
        trial = stage.run_relevance_tests(by=request.user)
    except EngineUnavailableError:
        messages.error(request, "搜索引擎暂时不可用，没有跑。")
    else:
        tone = messages.warning if trial.failing else messages.success
        tone(
            request,
            f"跑完 {trial.total} 条，用了 {trial.duration_seconds:.1f} 秒："
            f"{trial.failing} 条不达标，{len(trial.moved)} 条名次变了。",
        )
    return redirect("desk:golden")


@editor_required
@require_safe
def show_publish_warning(request: StaffRequest, pk: int) -> HttpResponse:
    """Say what would fail with the entry published; publishing is one more click."""
    seen = Entry.objects.visible_to(request.user)
    entry = seen.filter(pk=pk).first()
    if entry is None:
        messages.warning(request, "这个条目已经不在了。")
        return redirect("desk:drafts")
    told = stage.forecast_failures(entry)
    rows = [
        (t.relevance_test, t.before, t.after.rank, t.after.entry_ids_above)
        for t in told
    ]
    context = {
        "entry": entry,
        "told": _make_test_rows(rows, seen),
        "harmed": sum(one.is_regression for one in told),
    }
    return render(request, "desk/relevance_tests/warning.html", context)


def _load_moved_tests(told: Iterable[dict[str, Any]]) -> list[Any]:
    by_id = {one["golden"]: one for one in told}
    rows = RelevanceTest.objects.select_related("entry").in_bulk(by_id)
    return [
        (rows[pk], one["before"], one["after"], one["above"])
        for pk, one in by_id.items()
        if pk in rows
    ]


def _make_test_rows(rows: Iterable[Any], seen: Any) -> list[RelevanceTestRow]:
    """Put the entries that stand above in place of their ids, in one query."""
    listed = list(rows)
    known = seen.in_bulk({pk for *_, above in listed for pk in above})
    return [
        RelevanceTestRow(row, before, after, [known[pk] for pk in above if pk in known])
        for row, before, after, above in listed
    ]
