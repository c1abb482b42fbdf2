"""Rebuild, update or check the search index."""

from __future__ import annotations

import argparse
import time
from collections.abc import Iterable, Iterator
from typing import Any

from django.core.management.base import CommandError

from kb.index import sync
from kb.index.documents import EntrySource
from kb.index.engines import EngineBusyError, RebuildRunningError
from kb.management.base_command import KbCommand
from kb.models import Entry, IndexQueue

DEFAULT_WAIT_SECONDS = 300
RETRY_PAUSE_SECONDS = 0.5
PROGRESS_STEP_ENTRIES = 100  # entries between two updates of the progress line


class Command(KbCommand):
    help = "搜索索引：rebuild 重建，sync 补上落后的，audit 和数据库逐条核对。"

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument("action", choices=["rebuild", "sync", "audit"])
        parser.add_argument(
            "--wait",
            type=int,
            default=DEFAULT_WAIT_SECONDS,
            help=f"别的进程在写索引时，rebuild 最多等多少秒，默认 {DEFAULT_WAIT_SECONDS}",
        )

    def handle(self, action: str, wait: int, **options: Any) -> None:
        getattr(self, f"_{action}")(wait)

    def _rebuild(self, wait: int) -> None:
        """Rebuild the index; wait while another process writes it."""
        deadline = time.monotonic() + wait
        has_waited = False
        while True:
            started = time.monotonic()
            try:
                count = sync.rebuild_index(
                    self._count_progress, sync.choose_process_count()
                )
            except RebuildRunningError:
                raise
            except EngineBusyError:
                if time.monotonic() >= deadline:
                    raise CommandError(
                        f"等了 {wait} 秒，另一个进程还在写索引，没有重建。"
                    ) from None
            else:
                break
            if not has_waited:
                self.stderr.write(f"另一个进程正在写索引，最多等它 {wait} 秒……")
                has_waited = True
            time.sleep(RETRY_PAUSE_SECONDS)
        self.stdout.write(f"已重建：{count} 条，{time.monotonic() - started:.1f} 秒。")

    def _sync(self, wait: int) -> None:
        cleared = sync.sync_all_marks()
        waiting = IndexQueue.objects.due().count()
        self.stdout.write(f"已更新 {cleared} 处，还有 {waiting} 处等待。")
        if waiting:
            raise CommandError("索引正忙或不可用，等待的改动没有丢，稍后再试。")

    def _audit(self, wait: int) -> None:
        drift = sync.audit_indexed_entries()
        if not drift:
            self.stdout.write("索引和数据库一致。")
            return
        sync.sync_all_marks()
        self.stdout.write(f"有 {len(drift)} 条不一致，已更新：{sorted(drift)[:20]}")

    def _count_progress(self, entries: Iterable[EntrySource]) -> Iterator[EntrySource]:
        """Yield the entries; show the progress on a terminal."""
        if not self.stderr.isatty():
            yield from entries
            return
        total = Entry.objects.searchable().count()
        started = time.monotonic()
        for number, entry in enumerate(entries, 1):
            yield entry
            if number % PROGRESS_STEP_ENTRIES == 0 or number == total:
                line = format_progress(number, total, time.monotonic() - started)
                self.stderr.write(f"\r{line}", ending="")
                self.stderr.flush()
        self.stderr.write("")


def format_progress(number: int, total: int, seconds: float) -> str:
    """Return the progress, the rate, and an estimate of the remaining time."""
    rate = number / max(seconds, 0.001)
    rest_seconds = round(max(total - number, 0) / rate)
    minutes, seconds_left = divmod(rest_seconds, 60)
    return (
        f"{number}/{total} 条，每秒 {rate:.0f} 条，"
        f"还需 {minutes} 分 {seconds_left:02} 秒"
    )
