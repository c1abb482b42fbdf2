"""The demo library of a fictional shop, loaded into a new site."""

from __future__ import annotations

import json
import random
from collections.abc import Iterable, Mapping
from datetime import datetime, time, timedelta
from pathlib import Path
from typing import Any

from django.db import transaction
from django.utils import timezone

from kb.import_export.demo.personal_content import create_personal_content
from kb.index import sync
from kb.library import entries
from kb.models import (
    Category,
    Entry,
    EntryRevision,
    FollowUp,
    Module,
    Question,
    RelevanceTest,
    Reply,
    Tag,
)
from kb.questions import intake, triage

__all__ = ["create_personal_content", "load_demo_library"]

LIBRARY_FOLDER = Path(__file__).parent / "library"
# Relevance tests; some of them fail on purpose.
RELEVANCE_TESTS_FILE = Path(__file__).parent / "golden.tsv"
# {key of an entry: keys of the entries that customers ask about next}
FOLLOW_UPS_FILE = Path(__file__).parent / "next.json"
GROWTH_DAYS = 60  # the period over which the dates of entries are spread
TONES_BY_LABEL = {tone.label: tone.value for tone in Reply.Tone}
MOVES_BY_STATUS = {
    "published": entries.publish_entry,
    "review": entries.submit_entry,
    "retired": entries.retire_entry,
}


@transaction.atomic
def load_demo_library() -> tuple[int, int]:
    """Write the demo library; return the numbers of entries and questions.

    It uses the same functions as the pages, so it has what the site itself would write.
    """
    files = [
        json.loads(f.read_text("utf-8")) for f in sorted(LIBRARY_FOLDER.glob("*.json"))
    ]
    entries_by_key = {
        row["key"]: _create_entry(row, position)
        for position, row in enumerate(row for file in files for row in file["entries"])
    }
    questions = [
        _create_question(row, entries_by_key)
        for file in files
        for row in file["questions"]
    ]
    _create_follow_ups(entries_by_key)
    _create_relevance_tests(entries_by_key)
    _spread_dates(entries_by_key.values())
    sync.mark_stale(entry.pk for entry in entries_by_key.values())
    return len(entries_by_key), len(questions)


def _create_follow_ups(entries_by_key: Mapping[str, Entry]) -> None:
    FollowUp.objects.bulk_create(
        FollowUp(entry=entries_by_key[key], then=entries_by_key[then], order=order)
        for key, next_keys in json.loads(FOLLOW_UPS_FILE.read_text("utf-8")).items()
        for order, then in enumerate(next_keys)
    )


def _create_relevance_tests(entries_by_key: Mapping[str, Entry]) -> None:
    rows = [
        line.split("\t")
        for line in RELEVANCE_TESTS_FILE.read_text("utf-8").splitlines()[1:]
    ]
    RelevanceTest.objects.bulk_create(
        RelevanceTest(
            words=words,
            side=side,
            entry=entries_by_key.get(key),
            within=int(within),
        )
        for words, side, key, within in rows
    )


def _spread_dates(entries: Iterable[Entry]) -> None:
    """Spread the dates of the entries over GROWTH_DAYS, the same on every run."""
    rows = list(entries)
    generator = random.Random(len(rows))  # noqa: S311 - not for security
    for entry in rows:
        updated_at = timezone.now() - timedelta(
            days=GROWTH_DAYS * generator.random() ** 2, hours=1
        )
        age = timedelta(days=GROWTH_DAYS * generator.random())
        entry.updated_at = updated_at
        entry.created_at = updated_at - age
        entry.published_at = entry.published_at and updated_at
    Entry.objects.bulk_update(rows, ["created_at", "updated_at", "published_at"])
    # A revision is written again when an entry is changed.
    EntryRevision.objects.filter(entry__in=rows).delete()


def _create_entry(row: Mapping[str, Any], position: int) -> Entry:
    replies = [
        Reply(
            **{"label": "标准", "channel": ""} | reply,
            tone=TONES_BY_LABEL.get(reply.get("label", ""), Reply.Tone.STANDARD),
        )
        for reply in row["replies"]
    ]
    entry = entries.create_draft(
        row["question"],
        by=None,
        replies=replies,
        phrasings=row["phrasings"],
        answer=row["answer"],
        audience=row["audience"],
        keywords=row["keywords"],
        category=_get_or_create_category(row["category"]),
        module=_get_or_create_module(row["module"]),
        source="demo",
        external_id=row["key"],
    )
    entry.tags.set(Tag.objects.get_or_create(name=name)[0] for name in row["tags"])
    if move := MOVES_BY_STATUS.get(row["status"]):
        entry = move(entry, by=None)
    return entry


def _create_question(
    row: Mapping[str, Any], entries_by_key: Mapping[str, Entry]
) -> Question:
    question = intake.record_question(
        row["text"],
        answer=row["answer"],
        channel=row["channel"],
        segment=row["segment"],
        module=_get_or_create_module(row["module"]),
        asked_at=_compute_past_time(row["days_ago"], row["time"]),
    )
    if row["status"] == "settled":
        return triage.settle_question(
            question, entry=entries_by_key[row["entry"]], by=None
        )
    if row["status"] == "declined":
        return triage.decline_question(question, reason=row["reason"], by=None)
    return question


def _get_or_create_category(path: list[str]) -> Category | None:
    parent: Category | None = None
    for name in path:
        parent, _ = Category.objects.get_or_create(name=name, parent=parent)
    return parent


def _get_or_create_module(name: str) -> Module | None:
    if not name:
        return None
    return Module.objects.get_or_create(name=name, defaults={"offered": True})[0]


def _compute_past_time(days_ago: int, clock: str) -> datetime:
    """Return the time of day `clock` (HH:MM) some days ago, not in the future."""
    day = timezone.localdate() - timedelta(days=days_ago)
    at = timezone.make_aware(datetime.combine(day, time.fromisoformat(clock)))
    return min(at, timezone.now())
