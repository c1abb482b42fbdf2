"""Relevance tests (搜索验收): searches with the entry that must be found, run after changes."""

from __future__ import annotations

from kb.quality.relevance_tests.lists import (
    count_tests,
    list_failing_tests,
    load_tests,
)
from kb.quality.relevance_tests.publish_forecast import (
    RankForecast,
    forecast_failures,
    has_forecast_regression,
)
from kb.quality.relevance_tests.result_ranks import (
    ResultRank,
    find_result_rank,
    forecast_result_rank,
    get_test_reader,
)
from kb.quality.relevance_tests.runs import (
    compute_test_stamp,
    get_last_run,
    is_run_due,
    list_rank_changes,
    run_relevance_tests,
    run_relevance_tests_after_change,
)

__all__ = [
    "RankForecast",
    "ResultRank",
    "compute_test_stamp",
    "count_tests",
    "find_result_rank",
    "forecast_failures",
    "forecast_result_rank",
    "get_last_run",
    "get_test_reader",
    "has_forecast_regression",
    "is_run_due",
    "list_failing_tests",
    "list_rank_changes",
    "load_tests",
    "run_relevance_tests",
    "run_relevance_tests_after_change",
]
