"""Erase the personal data of one person from every table, at their request."""

from __future__ import annotations

from argparse import ArgumentParser
from collections import Counter, defaultdict
from typing import Any

from django.core.management.base import CommandError

from kb.import_export.read import uploads
from kb.management.base_command import KbCommand
from kb.operations import privacy

MAX_SAMPLES_PER_COLUMN = 3
TOO_SHORT_MESSAGE = "「{}」太短，会删掉别人的内容；请给完整的电话、邮箱、单号或一句话。"


class Command(KbCommand):
    help = (
        "删除一个人的个人信息：给出电话、邮箱、单号、提问链接里的编号或任何一段原话。"
        "默认只列出会动到哪里；加 --confirm 才真正删除。"
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "texts",
            nargs="+",
            metavar="内容",
            help="电话、邮箱、单号、编号或原话，可以写几个",
        )
        parser.add_argument(
            "--confirm", action="store_true", help="真正删除；删除后不能恢复"
        )

    def handle(self, *, texts: list[str], confirm: bool, **options: Any) -> None:
        try:
            matches = privacy.find_person(texts)
            files = uploads.find_uploads_containing(texts)
        except ValueError as error:
            raise CommandError(TOO_SHORT_MESSAGE.format(error)) from error
        self._print_matches(matches, len(files))
        if not confirm:
            self.stdout.write("没有改动任何内容。确认后加上 --confirm 再运行一次。")
            return
        counts = privacy.erase_person(texts)
        for file in files:
            file.unlink(missing_ok=True)
        self.stdout.write(f"已删除 {sum(counts.values())} 处，操作记录里记了一笔。")
        if rest := privacy.find_person(texts):
            self._print_matches(rest, 0)
            raise CommandError("还有上面这些没有删掉，请再运行一次。")

    def _print_matches(self, matches: list[privacy.PersonMatch], files: int) -> None:
        counts = Counter(match.table_label for match in matches)
        samples: defaultdict[str, list[str]] = defaultdict(list)
        for match in matches:
            if len(samples[match.table_label]) < MAX_SAMPLES_PER_COLUMN:
                samples[match.table_label].append(f"    #{match.pk} {match.sample}")
        for table, count in counts.most_common():
            self.stdout.write(f"{table}：{count} 处")
            for sample in samples[table]:
                self.stdout.write(sample)
        if files:
            self.stdout.write(f"没有确认的导入文件：{files} 个")
        if not (matches or files):
            self.stdout.write("没有找到。")
