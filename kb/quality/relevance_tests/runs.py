"""Run all relevance tests, and know when what they depend on has changed."""

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
PROGRESS_STEP_TESTS = 50  # between two updates of a run's progress
# Age after which an unfinished run counts as abandoned by its process.
ABANDONED_RUN_AGE = timedelta(minutes=10)
MAX_KEPT_RUNS: int = settings.KB_MAX_RELEVANCE_RUNS


def run_relevance_tests(
    *, by: User | None, cause: RunCause = RunCause.MANUAL
) -> RelevanceTestRun:
    """Run all relevance tests and store which ranks changed.

    A command first syncs the whole index, a page only small lots. Raises
    EngineUnavailableError.
    """
    (sync.sync_all_marks if cause == RunCause.COMMAND else sync.sync_small_lots)()
    run = RelevanceTestRun.objects.create(
        by=by, cause=cause, stamp=compute_test_stamp()
    )
    return _execute_run(run)


def run_relevance_tests_after_change(stamp: str) -> RelevanceTestRun | None:
    """Run the tests for `stamp`; None when another process runs them or has done so.

    Raises EngineUnavailableError.
    """
    abandoned = RelevanceTestRun.objects.filter(
        finished_at=None, started_at__lt=timezone.now() - ABANDONED_RUN_AGE
    )
    abandoned.delete()
    try:
        with transaction.atomic():
            run = RelevanceTestRun.objects.create(cause=RunCause.CHANGE, stamp=stamp)
    except IntegrityError:
        return None
    try:
        return _execute_run(run)
    except BaseException:  # also when the process is asked to end
        run.delete()  # so that another process runs them
        raise


def is_run_due(stamp: str) -> bool:
    """Return whether the last finished run was for another stamp than `stamp`."""
    last = RelevanceTestRun.objects.exclude(finished_at=None).order_by("-pk").first()
    return last is None or last.stamp != stamp


def get_last_run() -> RelevanceTestRun | None:
    """Return the last finished run."""
    rows = RelevanceTestRun.objects.exclude(finished_at=None).select_related("by")
    return rows.first()


def list_rank_changes(since: datetime) -> list[dict[str, Any]]:
    """Return the rank changes since `since`, one a test, from the first rank to the last.

    Every change of content starts a run, so changes of several runs are added up.
    """
    changes: dict[int, dict[str, Any]] = {}
    runs = RelevanceTestRun.objects.filter(finished_at__gt=since).order_by("pk")
    for change in chain.from_iterable(runs.values_list("moved", flat=True)):
        first = changes.get(change["golden"], change)
        changes[change["golden"]] = {**change, "before": first["before"]}
    return [
        change for change in changes.values() if change["before"] != change["after"]
    ]


def compute_test_stamp() -> str:
    """Return 32 hex digits that change with content, vocabulary, weights and tests.

    Code that ranks is not part of it: weights.toml has a version to raise by hand.
    """
    edition_stamp = edition.get_edition()
    language_stamp = LanguageEdition.objects.values_list("number", "raised_at").first()
    tests_stamp = RelevanceTest.objects.aggregate(Count("pk"), Max("updated_at"))
    parts = (
        edition_stamp.number,
        edition_stamp.raised_at,
        language_stamp,
        tests_stamp,
        WEIGHTS_HASH,
    )
    return hashlib.blake2b(repr(parts).encode(), digest_size=16).hexdigest()


def _execute_run(run: RelevanceTestRun) -> RelevanceTestRun:
    """Run all tests, store their ranks and the finished `run`; delete old runs."""
    tests = list(RelevanceTest.objects.order_by("pk"))
    stored_run = RelevanceTestRun.objects.filter(pk=run.pk)
    stored_run.update(total=len(tests))
    changes = []
    for number, test in enumerate(tests, 1):
        result = find_result_rank(test.words, side=test.side, entry=test.entry_id)
        if test.rank is not None and test.rank != result.rank:
            changes.append(_describe_rank_change(test, result))
        test.rank, test.above = result.rank, list(result.entry_ids_above)
        if number % PROGRESS_STEP_TESTS == 0:
            stored_run.update(done=number)
    with transaction.atomic():
        RelevanceTest.objects.bulk_update(tests, ["rank", "above"], batch_size=200)
        run.total = run.done = len(tests)
        run.failing = sum(test.is_failing for test in tests)
        run.moved, run.finished_at = changes, timezone.now()
        run.save()
        latest = RelevanceTestRun.objects.values_list("pk", flat=True)[:MAX_KEPT_RUNS]
        RelevanceTestRun.objects.exclude(pk__in=list(latest)).delete()
    return run


def _describe_rank_change(test: RelevanceTest, result: ResultRank) -> dict[str, Any]:
    """Return a row of RelevanceTestRun.moved, as JSON stores it."""
    return {
        "golden": test.pk,
        "before": test.rank,
        "after": result.rank,
        "above": list(result.entry_ids_above),
    }
