"""Make, catch up or check the search index."""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Iterable, Iterator
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from kb import index
from kb.engines import Document, EngineUnavailable
from kb.models import Entry, Stale


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
        count = index.rebuild(self._counted)
        self.stdout.write(f"已重建：{count} 条，{time.monotonic() - began:.1f} 秒。")

    def _sync(self) -> None:
        cleared = index.sync_all()
        waiting = Stale.objects.count()
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

    def _counted(self, documents: Iterable[Document]) -> Iterator[Document]:
        """Show how far a rebuild is, where somebody watches."""
        total = Entry.objects.searchable().count()
        for number, document in enumerate(documents, 1):
            yield document
            if sys.stderr.isatty() and (number % 100 == 0 or number == total):
                self.stderr.write(f"\r{number}/{total}", ending="")
                self.stderr.flush()
        if sys.stderr.isatty():
            self.stderr.write("")
