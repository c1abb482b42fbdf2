"""What runs in the background: a table of tasks, and the process that runs them."""

from __future__ import annotations

from kb.jobs.clock import clock_doubt
from kb.jobs.running import is_scheduler_alive, request_run, run_task
from kb.jobs.tasks import TASKS, Task, get_task

__all__ = [
    "TASKS",
    "Task",
    "clock_doubt",
    "get_task",
    "is_scheduler_alive",
    "request_run",
    "run_task",
]
