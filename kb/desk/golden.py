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

from kb import golden as stage
from kb.desk.drafts import editor
from kb.desk.views import StaffRequest
from kb.engines import EngineUnavailable
from kb.jobs import get_task, is_scheduler_alive, request_run
from kb.models import Entry, Golden

LATELY = timedelta(days=1)  # of which the page tells what moved
AT_ONCE = 30  # queries that a page waits for
MOST = 100  # rows of a list on the page; the admin has the rest


@dataclass(frozen=True, slots=True)
class Shown:
    """A golden query with what the page says of it; `before` None was never tried."""

    row: Golden
    before: int | None
    after: int
    above: list[Entry]

    @property
    def tone(self) -> str:
        if not self.row.passes_at(self.after):
            return "bad"
        better = self.before is not None and not self.row.passes_at(self.before)
        return "ok" if better else ""


@editor
@require_safe
def golden(request: StaffRequest) -> HttpResponse:
    """Show the last trial: what fails, and what stands elsewhere than before."""
    last = stage.last()
    failing = Golden.objects.failing().select_related("entry")
    told = [(row, row.rank, row.rank or 0, row.above) for row in failing[:MOST]]
    moved = stage.moved(timezone.now() - LATELY)
    seen = Entry.objects.visible_to(request.user)
    context = {
        "last": last,
        "stale": stage.due(stage.stamp()),
        "total": Golden.objects.count(),
        "failing": _shown(told, seen),
        "count": failing.count(),
        "moved": _shown(_moved(moved[:MOST]), seen),
        "moves": len(moved),
    }
    return render(request, "desk/relevance_tests/page.html", context)


@editor
@require_POST
def run(request: StaffRequest) -> HttpResponse:
    """Try them: a few at once, more in the background."""
    task = get_task("trials")
    if task and Golden.objects.count() > AT_ONCE and is_scheduler_alive():
        request_run(task)
        messages.info(request, "已经开始在后台跑，跑完后刷新这一页就能看到结果。")
        return redirect("desk:golden")
    try:
        trial = stage.run(by=request.user)
    except EngineUnavailable:
        messages.error(request, "搜索引擎暂时不可用，没有跑。")
    else:
        tone = messages.warning if trial.failing else messages.success
        tone(
            request,
            f"跑完 {trial.total} 条，用了 {trial.seconds:.1f} 秒："
            f"{trial.failing} 条不达标，{len(trial.moved)} 条名次变了。",
        )
    return redirect("desk:golden")


@editor
@require_safe
def warning(request: StaffRequest, pk: int) -> HttpResponse:
    """Say what would fail with the entry published; publishing is one more click."""
    seen = Entry.objects.visible_to(request.user)
    entry = seen.filter(pk=pk).first()
    if entry is None:
        messages.warning(request, "这个条目已经不在了。")
        return redirect("desk:drafts")
    told = stage.foretell(entry)
    rows = [(t.golden, t.before, t.after.rank, t.after.above) for t in told]
    context = {
        "entry": entry,
        "told": _shown(rows, seen),
        "harmed": sum(one.harmed for one in told),
    }
    return render(request, "desk/relevance_tests/warning.html", context)


def _moved(told: Iterable[dict[str, Any]]) -> list[Any]:
    by_id = {one["golden"]: one for one in told}
    rows = Golden.objects.select_related("entry").in_bulk(by_id)
    return [
        (rows[pk], one["before"], one["after"], one["above"])
        for pk, one in by_id.items()
        if pk in rows
    ]


def _shown(rows: Iterable[Any], seen: Any) -> list[Shown]:
    """Put the entries that stand above in place of their ids, in one query."""
    listed = list(rows)
    known = seen.in_bulk({pk for *_, above in listed for pk in above})
    return [
        Shown(row, before, after, [known[pk] for pk in above if pk in known])
        for row, before, after, above in listed
    ]
