"""Background jobs: a table of tasks, and the process that runs them."""

from __future__ import annotations

from kb.operations.jobs.clock_check import explain_clock_doubt
from kb.operations.jobs.task_runs import is_scheduler_alive, request_run, run_task
from kb.operations.jobs.tasks import SCHEDULED_TASKS, Task, get_task

__all__ = [
    "SCHEDULED_TASKS",
    "Task",
    "explain_clock_doubt",
    "get_task",
    "is_scheduler_alive",
    "request_run",
    "run_task",
]
