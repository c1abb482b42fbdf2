"""Make, catch up or check the search index."""

from __future__ import annotations

import argparse
import time
from collections.abc import Iterable, Iterator
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from kb import index
from kb.documents import Source
from kb.engines import EngineUnavailable
from kb.models import Entry, Stale

SHOWN = 100  # entries between two lines of progress


class Command(BaseCommand):
    help = "搜索索引：rebuild 重建，sync 补上落后的，audit 和数据库逐条核对。"

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument("action", choices=["rebuild", "sync", "audit"])

    def handle(self, action: str, **options: Any) -> None:
        try:
            getattr(self, f"_{action}")()
        except EngineUnavailable as error:
            raise CommandError(f"索引暂时不能用：{error}") from None

    def _rebuild(self) -> None:
        began = time.monotonic()
        count = index.rebuild(self._counted, index.processes())
        self.stdout.write(f"已重建：{count} 条，{time.monotonic() - began:.1f} 秒。")

    def _sync(self) -> None:
        cleared = index.sync_all()
        waiting = Stale.objects.due().count()
        self.stdout.write(f"已更新 {cleared} 处，还有 {waiting} 处等待。")
        if waiting:
            raise CommandError("索引正忙或不可用，等待的改动没有丢，稍后再试。")

    def _audit(self) -> None:
        drift = index.audit()
        if not drift:
            self.stdout.write("索引和数据库一致。")
            return
        index.sync_all()
        self.stdout.write(f"有 {len(drift)} 条不一致，已更新：{sorted(drift)[:20]}")

    def _counted(self, entries: Iterable[Source]) -> Iterator[Source]:
        """Show how far a rebuild is, where somebody watches."""
        if not self.stderr.isatty():
            yield from entries
            return
        total = Entry.objects.searchable().count()
        began = time.monotonic()
        for number, entry in enumerate(entries, 1):
            yield entry
            if number % SHOWN == 0 or number == total:
                line = progress(number, total, time.monotonic() - began)
                self.stderr.write(f"\r{line}", ending="")
                self.stderr.flush()
        self.stderr.write("")


def progress(number: int, total: int, seconds: float) -> str:
    """Return how far and how fast we are, and how long it will take yet."""
    rate = number / max(seconds, 0.001)
    left = round(max(total - number, 0) / rate)
    return f"{number}/{total} 条，每秒 {rate:.0f} 条，还需 {left // 60} 分 {left % 60:02} 秒"
