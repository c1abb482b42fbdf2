"""Try all golden queries, and know when what they were tried on has changed."""

from __future__ import annotations

import hashlib
from datetime import datetime, timedelta
from itertools import chain
from typing import Any

from django.conf import settings
from django.db import IntegrityError, transaction
from django.db.models import Count, Max
from django.utils import timezone

from kb.index import sync
from kb.models import LanguageEdition, RelevanceTest, RelevanceTestRun, User
from kb.publishing import edition
from kb.quality.relevance_tests.result_ranks import ResultRank, find_result_rank
from kb.search.weights import WEIGHTS_HASH

RunCause = RelevanceTestRun.Cause
PROGRESS_STEP_TESTS = 50  # queries between two notes of how far it has come
ABANDONED_RUN_AGE = timedelta(
    minutes=10
)  # after which a trial that did not end is given up
MAX_KEPT_RUNS: int = settings.KB_MAX_RELEVANCE_RUNS


def run_relevance_tests(
    *, by: User | None, cause: RunCause = RunCause.MANUAL
) -> RelevanceTestRun:
    """Try every golden query and keep what moved; raises EngineUnavailable.

    A command waits until the index has caught up, a page only for small lots.
    """
    (sync.sync_all_marks if cause == RunCause.COMMAND else sync.sync_small_lots)()
    trial = RelevanceTestRun.objects.create(
        by=by, cause=cause, stamp=compute_test_stamp()
    )
    return _execute_run(trial)


def run_relevance_tests_after_change(change: str) -> RelevanceTestRun | None:
    """Try them for the stamp `change`; None when another process does, or has."""
    late = RelevanceTestRun.objects.filter(
        started_at__lt=timezone.now() - ABANDONED_RUN_AGE
    )
    late.filter(finished_at=None).delete()
    try:
        with transaction.atomic():
            trial = RelevanceTestRun.objects.create(cause=RunCause.CHANGE, stamp=change)
    except IntegrityError:
        return None
    try:
        return _execute_run(trial)
    except BaseException:  # the process may be told to end
        trial.delete()  # so that somebody tries again
        raise


def is_run_due(now: str) -> bool:
    """Tell whether nothing was tried since `now` is what there is to try."""
    last = RelevanceTestRun.objects.exclude(finished_at=None).order_by("-pk").first()
    return last is None or last.stamp != now


def get_last_run() -> RelevanceTestRun | None:
    """Return the last trial that ended."""
    rows = RelevanceTestRun.objects.exclude(finished_at=None).select_related("by")
    return rows.first()


def list_rank_changes(since: datetime) -> list[dict[str, Any]]:
    """Return what stands elsewhere than before the first trial since then.

    A trial follows each change: what one moved must not be gone with the next.
    """
    net: dict[int, dict[str, Any]] = {}
    runs = RelevanceTestRun.objects.filter(finished_at__gt=since).order_by("pk")
    for one in chain.from_iterable(runs.values_list("moved", flat=True)):
        first = net.get(one["golden"], one)
        net[one["golden"]] = {**one, "before": first["before"]}
    return [one for one in net.values() if one["before"] != one["after"]]


def compute_test_stamp() -> str:
    """Return 32 hex digits that change with content, vocabulary, weights and queries."""
    edition_stamp = edition.get_edition()
    words = LanguageEdition.objects.values_list("number", "raised_at").first()
    queries = RelevanceTest.objects.aggregate(Count("pk"), Max("updated_at"))
    parts = (
        edition_stamp.number,
        edition_stamp.raised_at,
        words,
        queries,
        WEIGHTS_HASH,
    )
    return hashlib.blake2b(repr(parts).encode(), digest_size=16).hexdigest()


def _execute_run(trial: RelevanceTestRun) -> RelevanceTestRun:
    rows = list(RelevanceTest.objects.order_by("pk"))
    same = RelevanceTestRun.objects.filter(pk=trial.pk)
    same.update(total=len(rows))
    moved = []
    for number, row in enumerate(rows, 1):
        found = find_result_rank(row.words, side=row.side, entry=row.entry_id)
        if row.rank is not None and row.rank != found.rank:
            moved.append(_describe_rank_change(row, found))
        row.rank, row.above = found.rank, list(found.entry_ids_above)
        if number % PROGRESS_STEP_TESTS == 0:
            same.update(done=number)
    with transaction.atomic():
        RelevanceTest.objects.bulk_update(rows, ["rank", "above"], batch_size=200)
        trial.total = trial.done = len(rows)
        trial.failing = sum(row.is_failing for row in rows)
        trial.moved, trial.finished_at = moved, timezone.now()
        trial.save()
        kept = RelevanceTestRun.objects.values_list("pk", flat=True)[:MAX_KEPT_RUNS]
        RelevanceTestRun.objects.exclude(pk__in=list(kept)).delete()
    return trial


def _describe_rank_change(row: RelevanceTest, found: ResultRank) -> dict[str, Any]:
    return {
        "golden": row.pk,
        "before": row.rank,
        "after": found.rank,
        "above": list(found.entry_ids_above),
    }
