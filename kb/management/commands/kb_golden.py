"""Run all relevance tests; print those that fail, and exit with 1 if any do."""

from __future__ import annotations

from typing import Any

from kb.management.base_command import KbCommand
from kb.models import Entry, RelevanceTest, RelevanceTestRun
from kb.quality import relevance_tests


class Command(KbCommand):
    help = "把搜索验收的每一条都搜一遍，列出不达标的；有不达标的就以 1 退出。"

    def handle(self, **options: Any) -> None:
        test_run = relevance_tests.run_relevance_tests(
            by=None, cause=RelevanceTestRun.Cause.COMMAND
        )
        failing = list(RelevanceTest.objects.failing().select_related("entry"))
        above = Entry.objects.in_bulk({pk for row in failing for pk in row.above})
        for row in failing:
            self.stdout.write(
                _format_failed_test(
                    row, [str(above[pk]) for pk in row.above if pk in above]
                )
            )
        self.stdout.write(
            f"共 {test_run.total} 条，{len(failing)} 条不达标，"
            f"{len(test_run.moved)} 条名次变了，"
            f"用时 {test_run.duration_seconds:.1f} 秒。"
        )
        if failing:
            raise SystemExit(1)


def _format_failed_test(row: RelevanceTest, above: list[str]) -> str:
    side = row.get_side_display()
    rank = f"第 {row.rank} 名" if row.rank else "没有找到"
    if row.entry is None:
        return f"{side}搜「{row.words}」不该有结果，却找到：{'、'.join(above)}"
    preceding = f"；排在前面的：{'、'.join(above)}" if above else ""
    return f"{side}搜「{row.words}」→「{row.entry}」要前 {row.within} 名，{rank}{preceding}"
