"""Import questions or entries from CSV or XLSX; refusals are one line, never a trace."""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path
from typing import Any

from django.core.management.base import CommandError

from kb import transfer
from kb.management.command import KbCommand
from kb.models import Stale
from kb.text import normalize
from kb.transfer import Action, Options, Plan, Progress

STOPPED = "已中断。数据要么全部写入了，要么完全没有；再导入一次不会重复。"
STATUSES = ["draft", "review", "published", "retired"]


class Command(KbCommand):
    interrupted = STOPPED
    help = "从 CSV 或 XLSX 文件导入问题（questions）或条目（entries）。"

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        add = parser.add_argument
        add("kind", choices=list(transfer.KINDS), help="questions 问题；entries 条目")
        add("file", help="CSV 或 XLSX 文件；- 表示从标准输入读 CSV")
        add("--source", default="", help="默认来源：文件里没有来源列时用它")
        add("--encoding", default="", help="CSV 的编码，默认自动识别")
        add("--status", choices=STATUSES, help="新条目的状态，默认 published")
        add("--audience", choices=["auto", "public", "internal"], help="默认 auto")
        add(
            "--columns",
            default="",
            help="文件没有表头时，依次写出各列的列名，用逗号隔开，不读的列留空",
        )
        add("--dry-run", action="store_true", help="只逐行说明会做什么，不写入")
        add("--skip-bad", action="store_true", help="跳过有错的行，导入其余的")
        add("--rejects", default="", help="有错的行写到这个文件")
        add("--progress", action="store_true", help="总是在标准错误里显示进度")

    def handle(self, *args: Any, **options: Any) -> None:
        plan = self._plan(options)
        self._tell(plan, every=options["dry_run"])
        skip_bad = options["skip_bad"]
        if plan.refused and not skip_bad:
            raise CommandError(
                f"有 {len(plan.refused)} 行不能导入，没有写入任何内容。"
                "改好后再导入，或加 --skip-bad 跳过这些行。"
            )
        if options["dry_run"]:
            self.stdout.write("这是试运行，没有写入任何内容。")
            return
        if plan.refused:
            self._write_rejects(plan, options)
        progress = self._progress(options["progress"])
        written = transfer.apply(plan, by=None, skip_bad=skip_bad, progress=progress)
        self.stdout.write(f"完成：写入 {written:,} 行。")
        if waiting := Stale.objects.due().count():
            self.stdout.write(f"有 {waiting:,} 条还没进索引，运行 kb_index sync 补上。")

    def _plan(self, options: dict[str, Any]) -> Plan:
        kind = options["kind"]
        if kind == "questions" and (options["status"] or options["audience"]):
            raise CommandError("--status 和 --audience 只用于 entries。")
        defaults = Options(
            source=normalize.line(options["source"]),
            status=options["status"] or "published",
            audience=options["audience"] or "auto",
        )
        name, data = _load(options["file"])
        heads = options["columns"].replace("，", ",").split(",")
        table = transfer.read(
            name,
            data,
            kind=kind,
            encoding=options["encoding"],
            heads=heads if any(heads) else (),
        )
        progress = self._progress(options["progress"])
        return transfer.plan(table, kind=kind, options=defaults, progress=progress)

    def _tell(self, plan: Plan, *, every: bool) -> None:
        for note in plan.notes:
            self.stdout.write(f"{note}。")
        for step in plan.steps:
            if every or step.action is Action.REFUSE:
                self.stdout.write(str(step))
        self.stdout.write(plan.summary)

    def _write_rejects(self, plan: Plan, options: dict[str, Any]) -> None:
        """Write the refused rows before anything else is: both or neither."""
        given = Path("stdin.csv" if options["file"] == "-" else options["file"])
        path = Path(options["rejects"] or given.with_suffix(".refused.csv"))
        if path.exists() and given.exists() and path.samefile(given):
            raise CommandError("--rejects 不能是要导入的文件本身。")
        with path.open("w", encoding="utf-8", newline="") as file:
            file.writelines(transfer.rejects(plan))
        self.stdout.write(f"有错的行和原因写在：{_shown(path)}")

    def _progress(self, always: bool) -> Progress:
        terminal = self.stderr.isatty()

        def show(what: str, done: int, count: int) -> None:
            if always or terminal:
                end = "" if terminal and done < count else "\n"
                line = f"{what} {done:,}/{count:,}"
                self.stderr.write(f"\r{line}" if terminal else line, ending=end)

        return show


def _load(given: str) -> tuple[str, bytes]:
    """Return the name and the content of the file, no more than may be imported."""
    most = transfer.MAX_BYTES + 1  # one more: enough to be refused
    if given == "-":
        return "-", sys.stdin.buffer.read(most)
    with open(given, "rb") as file:
        return os.path.basename(given), file.read(most)


def _shown(path: object) -> str:
    return normalize.line(str(path))
