"""Import a CSV or XLSX file; it is planned, printed row by row, and then written."""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path
from typing import Any

from django.core.management.base import CommandError

from kb import import_export
from kb.import_export import (
    ImportOptions,
    ImportPlan,
    PlannedRow,
    ReportProgress,
    RowAction,
    RowConcern,
)
from kb.management.base_command import KbCommand
from kb.models import IndexQueue
from kb.text.chinese import normalize

STOPPED_MESSAGE = "已中断。数据要么全部写入了，要么完全没有；再导入一次不会重复。"
MAX_PRINTED_ROWS = 50  # accepted rows with notes; a dry run prints all rows
STATUS_CHOICES = ["draft", "review", "published", "retired"]


class Command(KbCommand):
    interrupted_message = STOPPED_MESSAGE
    help = "从 CSV 或 XLSX 文件导入条目（entries）、问题（questions）、片段、分类等。"

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        add = parser.add_argument
        add(
            "kind",
            choices=list(import_export.ROW_KINDS),
            help="entries 条目；questions 问题；snippets 片段；categories 分类……",
        )
        add("file", help="CSV 或 XLSX 文件；- 表示从标准输入读 CSV")
        add(
            "--source",
            default="",
            help="来源：文件里没有来源列时用它，不写就用文件名；和编号一起认出同一行",
        )
        add("--encoding", default="", help="CSV 的编码，默认自动识别")
        add("--status", choices=STATUS_CHOICES, help="新条目的状态，默认 published")
        add("--audience", choices=["auto", "public", "internal"], help="默认 auto")
        add(
            "--columns",
            default="",
            help="文件没有表头时，依次写出各列的列名，用逗号隔开，不读的列留空",
        )
        add(
            "--duplicates",
            choices=import_export.DUPLICATE_ACTIONS,
            default=import_export.SKIP_DUPLICATE,
            help="和库里已有的几乎相同的新行：skip 跳过（默认），new 新建，"
            "merge 并入已有条目，作为相似问法",
        )
        add(
            "--replace-rows",
            default="",
            metavar="行号",
            help="确认这些行把编号换成另一个问题，如 3,7；原条目下线，另建新条目",
        )
        add(
            "--update-published",
            action="store_true",
            help="--status 是 draft 或 review 时，也修改已发布的条目（马上生效）",
        )
        add("--dry-run", action="store_true", help="只逐行说明会做什么，不写入")
        add("--skip-bad", action="store_true", help="跳过有错的行，导入其余的")
        add("--rejects", default="", help="有错的行写到这个文件")
        add("--progress", action="store_true", help="总是在标准错误里显示进度")

    def handle(self, *args: Any, **options: Any) -> None:
        plan = self._make_plan(options)
        self._print_plan(plan, all_rows=options["dry_run"])
        skip_bad = options["skip_bad"]
        if plan.refused_rows and not skip_bad:
            raise CommandError(
                f"有 {len(plan.refused_rows)} 行不能导入，没有写入任何内容。"
                f"改好后再导入，或加 --skip-bad 跳过这些行。{_make_advice(plan)}"
            )
        if options["dry_run"]:
            self.stdout.write("这是试运行，没有写入任何内容。")
            return
        if plan.refused_rows or plan.skipped_rows:
            self._write_rejects(plan, options)
        progress = self._make_progress(options["progress"])
        written = import_export.apply_import(
            plan, by=None, skip_bad=skip_bad, progress=progress
        )
        self.stdout.write(f"完成：写入 {written:,} 行。")
        if waiting := IndexQueue.objects.due().count():
            self.stdout.write(f"有 {waiting:,} 条还没进索引，运行 kb_index sync 补上。")

    def _make_plan(self, options: dict[str, Any]) -> ImportPlan:
        kind = options["kind"]
        if kind == "questions" and (options["status"] or options["audience"]):
            raise CommandError("--status 和 --audience 只用于 entries。")
        defaults = ImportOptions(
            source=normalize.clean_single_line(options["source"]),
            status=options["status"] or "published",
            audience=options["audience"] or "auto",
            duplicate_action=options["duplicates"],
            replaced_rows=_parse_row_numbers(options["replace_rows"]),
            may_change_live=options["update_published"] or None,
        )
        name, data = _read_file(options["file"])
        heads = options["columns"].replace("，", ",").split(",")
        table = import_export.read_import_file(
            name,
            data,
            kind=kind,
            encoding=options["encoding"],
            heads=heads if any(heads) else (),
        )
        progress = self._make_progress(options["progress"])
        defaults = import_export.fill_default_source(defaults, table, kind=kind)
        if defaults.is_source_default:
            shown = f"来源：{defaults.source}（文件名，可以用 --source 另写）。"
            self.stdout.write(shown)
        plan = import_export.plan_import(
            table, kind=kind, options=defaults, progress=progress
        )
        wrong = defaults.replaced_rows - {row.row.number for row in plan.replaced_rows}
        if wrong:
            rows = "、".join(map(str, sorted(wrong)))
            raise CommandError(f"--replace-rows：第 {rows} 行没有换成另一个问题。")
        return plan

    def _print_plan(self, plan: ImportPlan, *, all_rows: bool) -> None:
        """Print what would happen; rows that need a decision come first."""
        for note in plan.notes:
            self.stdout.write(f"{note}。")
        for row in plan.replaced_rows:
            self.stdout.write(_format_replacement(row))
        others = [
            row for row in plan.planned_rows if row.concern is not RowConcern.REPLACED
        ]
        noted = [row for row in others if row.notes or row.concern]
        shown = {id(row) for row in noted[:MAX_PRINTED_ROWS]}
        for row in others:
            if all_rows or row.action is RowAction.REFUSE or id(row) in shown:
                self.stdout.write(str(row))
        if len(noted) > MAX_PRINTED_ROWS and not all_rows:
            more = len(noted) - MAX_PRINTED_ROWS
            self.stdout.write(f"另有 {more:,} 行要留意，--dry-run 会全部列出。")
        if live := [row.row.number for row in plan.live_rows if row.is_live]:
            numbers = "、".join(map(str, live[:MAX_PRINTED_ROWS]))
            numbers += " 等" if len(live) > MAX_PRINTED_ROWS else ""
            text = f"其中 {len(live):,} 行改动已发布的内容，导入后马上生效：第 {numbers} 行。"
            self.stdout.write(text)
        self.stdout.write(plan.summary)

    def _write_rejects(self, plan: ImportPlan, options: dict[str, Any]) -> None:
        """Write the refused rows to a file, before the import is written."""
        source = Path("stdin.csv" if options["file"] == "-" else options["file"])
        path = Path(options["rejects"] or source.with_suffix(".refused.csv"))
        if path.exists() and source.exists() and path.samefile(source):
            raise CommandError("--rejects 不能是要导入的文件本身。")
        with path.open("w", encoding="utf-8", newline="") as file:
            file.writelines(import_export.iter_refused_csv(plan))
        self.stdout.write(f"没有导入的行和原因写在：{_format_path(path)}")

    def _make_progress(self, always: bool) -> ReportProgress:
        terminal = self.stderr.isatty()

        def show_progress(what: str, done: int, count: int) -> None:
            if always or terminal:
                end = "" if terminal and done < count else "\n"
                line = f"{what} {done:,}/{count:,}"
                self.stderr.write(f"\r{line}" if terminal else line, ending=end)

        return show_progress


def _parse_row_numbers(text: str) -> frozenset[int]:
    """Return the numbers in a list such as 3,7; raises CommandError."""
    parts = text.replace("，", ",").replace("、", ",").split(",")
    numbers = [part.strip() for part in parts if part.strip()]
    if not all(number.isascii() and number.isdecimal() for number in numbers):
        raise CommandError("--replace-rows 要写行号，用逗号隔开，如 3,7。")
    return frozenset(map(int, numbers))


def _format_replacement(row: PlannedRow) -> str:
    """Return a replaced row with the old and the new question."""
    assert row.related_entry is not None  # noqa: S101 - for the type
    return f"{row}\n    原来：{row.related_entry.question}\n    现在：{row.title}"


def _make_advice(plan: ImportPlan) -> str:
    """Return the options that confirm the rows which need a decision."""
    rows = [
        row.row.number
        for row in plan.refused_rows
        if row.concern is RowConcern.REPLACED
    ]
    numbers = ",".join(map(str, rows))
    advice = f"确认换成另一个问题：--replace-rows {numbers}。" if rows else ""
    if any(row.concern is RowConcern.LIVE for row in plan.refused_rows):
        advice += "确认修改已发布的条目：--update-published。"
    return advice


def _read_file(path: str) -> tuple[str, bytes]:
    """Return the name and the content of a file, one byte above the limit at most."""
    size = import_export.MAX_FILE_BYTES + 1
    if path == "-":
        return "-", sys.stdin.buffer.read(size)
    with open(path, "rb") as file:
        return os.path.basename(path), file.read(size)


def _format_path(path: object) -> str:
    return normalize.clean_single_line(str(path))
