"""After a change has settled, golden queries and gaps are tried again."""

from __future__ import annotations

from kb.models import IndexQueue, Job, RelevanceTestRun
from kb.quality import relevance_tests, search_gaps

TRIALS_TASK_NAME = "trials"
_last_stamp: list[str] = [""]  # the stamp of the last look


def rerun_relevance_tests() -> str:
    """Try all that a settled change may have moved, or somebody asked for."""
    asked = Job.objects.filter(pk=TRIALS_TASK_NAME, requested_at__isnull=False).exists()
    if asked:
        trial: RelevanceTestRun | None = relevance_tests.run_relevance_tests(
            by=None, cause=RelevanceTestRun.Cause.MANUAL
        )
    else:
        trial = relevance_tests.run_relevance_tests_after_change(
            relevance_tests.compute_test_stamp()
        )
    if trial is None:  # another process has tried it
        return ""
    closed, reopened = search_gaps.verify_gaps()
    return (
        f"验收 {trial.total} 条，{trial.failing} 条不达标；"
        f"缺口关闭 {closed} 个，重开 {reopened} 个"
    )


def has_settled_change() -> bool:
    """Return whether something changed that is not tried yet, and changes no more.

    An editor saves several times in a row; each would be a trial for itself. So
    two looks in a row must see the same.
    """
    now, before = relevance_tests.compute_test_stamp(), _last_stamp[0]
    _last_stamp[0] = now
    return (
        now == before
        and relevance_tests.is_run_due(now)
        and not IndexQueue.objects.due().exists()
    )
