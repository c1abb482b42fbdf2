"""Export the library to CSV or XLSX, as kb_import reads it back."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain
from pathlib import Path
from typing import Any

from django.core.management.base import CommandError

from kb import import_export
from kb.management.base_command import KbCommand


class Command(KbCommand):
    help = "把条目、话术、问法、问题、词汇或搜索验收导出成 CSV 或 XLSX，可以再导入。"

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument("kind", choices=list(import_export.ROW_KINDS))
        parser.add_argument(
            "file", help="写到哪个 .csv 或 .xlsx；- 表示把 CSV 写到标准输出"
        )
        parser.add_argument(
            "--rows",
            type=int,
            default=None,
            help="一个文件最多多少行，0 是不分；更多就接着写到 名字-2、名字-3……"
            "不写时按一次能导入的量分（2 万行、10 MB）",
        )

    def handle(self, kind: str, file: str, rows: int | None, **options: Any) -> None:
        made = import_export.prepare_export(kind)
        heads = import_export.list_export_headings(kind)
        if file == "-":
            sys.stdout.writelines(
                import_export.iter_csv_lines(heads, made.iter_lines())
            )
            return
        path = Path(file)
        if path.suffix.lower() not in {".csv", ".xlsx"}:
            raise CommandError("文件名要以 .csv 或 .xlsx 结尾。")
        try:
            counts = [
                self._write_file(target, heads, part, made.label)
                for target, part in _split_into_files(path, made.iter_lines(), rows)
            ]
        except OSError as error:
            raise CommandError(f"写不了「{file}」：{error.strerror or error}") from None
        several = f"，分成 {len(counts)} 个文件" if len(counts) > 1 else ""
        self.stdout.write(f"导出了 {sum(counts):,} 行{made.label}{several}。")

    def _write_file(
        self,
        path: Path,
        heads: Sequence[str],
        rows: Iterable[Sequence[str]],
        title: str,
    ) -> int:
        """Write beside the file that is there and then swap: no half of it is seen."""
        scratch = path.with_name(f".{path.name}.part")
        try:
            if path.suffix.lower() == ".xlsx":
                with scratch.open("wb") as book:
                    count = import_export.write_workbook(heads, rows, book, title)
            else:
                with scratch.open("w", encoding="utf-8", newline="") as text:
                    lines = import_export.iter_csv_lines(heads, rows)
                    count = sum(1 for line in lines if text.write(line)) - 1
            scratch.replace(path)
        finally:
            scratch.unlink(missing_ok=True)
        return count


def _split_into_files(
    path: Path, rows: Iterator[list[str]], most: int | None
) -> Iterator[tuple[Path, Iterable[Sequence[str]]]]:
    """Yield files with at most so many rows each; the first even if there is none."""
    if most == 0:
        yield path, rows
        return
    several = import_export.split_rows(rows, *filter(None, [most]))
    first: Sequence[Sequence[str]] = next(several, ())
    for number, part in enumerate(chain([first], several), 1):
        yield path if number == 1 else path.with_stem(f"{path.stem}-{number}"), part
