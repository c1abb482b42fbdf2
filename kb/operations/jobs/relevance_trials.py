"""The task that runs relevance tests and verifies search gaps after a change."""

from __future__ import annotations

from kb.models import IndexQueue, Job, RelevanceTestRun
from kb.quality import relevance_tests, search_gaps

TRIALS_TASK_NAME = "trials"
_last_stamp: list[str] = [""]  # the stamp of the last check


def rerun_relevance_tests() -> str:
    """Run the tests and verify the gaps, after a change or on request."""
    is_requested = Job.objects.filter(
        pk=TRIALS_TASK_NAME, requested_at__isnull=False
    ).exists()
    if is_requested:
        test_run: RelevanceTestRun | None = relevance_tests.run_relevance_tests(
            by=None, cause=RelevanceTestRun.Cause.MANUAL
        )
    else:
        test_run = relevance_tests.run_relevance_tests_after_change(
            relevance_tests.compute_test_stamp()
        )
    if test_run is None:  # another process has run them
        return ""
    closed, reopened = search_gaps.verify_gaps()
    return (
        f"验收 {test_run.total} 条，{test_run.failing} 条不达标；"
        f"缺口关闭 {closed} 个，重开 {reopened} 个"
    )


def has_settled_change() -> bool:
    """Return whether there is an untested change, and nothing changes any more.

    Editors save several times in a row, and each save would start a run. So two checks
    in a row must see the same stamp.
    """
    stamp, previous = relevance_tests.compute_test_stamp(), _last_stamp[0]
    _last_stamp[0] = stamp
    return (
        stamp == previous
        and relevance_tests.is_run_due(stamp)
        and not IndexQueue.objects.due().exists()
    )
