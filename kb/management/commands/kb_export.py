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
from kb.import_export import ExportKind
from kb.management.base_command import KbCommand


class Command(KbCommand):
    help = "把分类、片段、条目、话术、问法、问题、词汇或搜索验收导出成 CSV 或 XLSX，可以再导入。"

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
        export = import_export.prepare_export(kind)
        headings = import_export.list_export_headings(kind)
        if file == "-":
            sys.stdout.writelines(
                import_export.iter_csv_lines(headings, export.iter_lines())
            )
            return
        path = Path(file)
        if path.suffix.lower() not in {".csv", ".xlsx"}:
            raise CommandError("文件名要以 .csv 或 .xlsx 结尾。")
        try:
            counts = [
                self._write_file(target, headings, part, export.label)
                for target, part in _split_into_files(path, export, rows)
            ]
        except OSError as error:
            raise CommandError(f"写不了「{file}」：{error.strerror or error}") from None
        files = f"，分成 {len(counts)} 个文件" if len(counts) > 1 else ""
        self.stdout.write(f"导出了 {sum(counts):,} 行{export.label}{files}。")

    def _write_file(
        self,
        path: Path,
        headings: Sequence[str],
        rows: Iterable[Sequence[str]],
        title: str,
    ) -> int:
        """Write a file and return how many rows it has; readers see no partial file."""
        temporary = path.with_name(f".{path.name}.part")
        try:
            if path.suffix.lower() == ".xlsx":
                with temporary.open("wb") as book:
                    count = import_export.write_workbook(headings, rows, book, title)
            else:
                with temporary.open("w", encoding="utf-8", newline="") as text:
                    lines = import_export.iter_csv_lines(headings, rows)
                    count = sum(1 for line in lines if text.write(line)) - 1
            temporary.replace(path)
        finally:
            temporary.unlink(missing_ok=True)
        return count


def _split_into_files(
    path: Path, export: ExportKind, max_rows: int | None
) -> Iterator[tuple[Path, Iterable[Sequence[str]]]]:
    """Yield the path and the rows of each file, the first also when it is empty.

    `max_rows` is how many rows a file has, 0 for no limit, None for what one import
    can read.
    """
    if max_rows == 0:
        yield path, export.iter_lines()
        return
    parts = import_export.split_rows(export, *filter(None, [max_rows]))
    first: Sequence[Sequence[str]] = next(parts, ())
    for number, part in enumerate(chain([first], parts), 1):
        yield path if number == 1 else path.with_stem(f"{path.stem}-{number}"), part
