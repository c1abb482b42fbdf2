"""The library of a fictional shop, so that a new site has something to show."""

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
RELEVANCE_TESTS_FILE = (
    Path(__file__).parent / "golden.tsv"
)  # what must be found; some is not yet
FOLLOW_UPS_FILE = (
    Path(__file__).parent / "next.json"
)  # what is asked after what, by keys
GROWTH_DAYS = 60  # over which the questions were asked and the entries written
TONES_BY_LABEL = {tone.label: tone.value for tone in Reply.Tone}
MOVES_BY_STATUS = {
    "published": entries.publish_entry,
    "review": entries.submit_entry,
    "retired": entries.retire_entry,
}


@transaction.atomic
def load_demo_library() -> tuple[int, int]:
    """Write the demo library; return how many entries and questions.

    Goes through the same stage functions as people's work, so what it shows is
    what the site does.
    """
    files = [
        json.loads(f.read_text("utf-8")) for f in sorted(LIBRARY_FOLDER.glob("*.json"))
    ]
    made = {
        row["key"]: _create_entry(row, position)
        for position, row in enumerate(row for file in files for row in file["entries"])
    }
    asked = [_create_question(row, made) for file in files for row in file["questions"]]
    _create_follow_ups(made)
    _create_relevance_tests(made)
    _spread_dates(made.values())
    sync.mark_stale(entry.pk for entry in made.values())
    return len(made), len(asked)


def _create_follow_ups(made: Mapping[str, Entry]) -> None:
    FollowUp.objects.bulk_create(
        FollowUp(entry=made[key], then=made[then], order=order)
        for key, after in json.loads(FOLLOW_UPS_FILE.read_text("utf-8")).items()
        for order, then in enumerate(after)
    )


def _create_relevance_tests(made: Mapping[str, Entry]) -> None:
    rows = [
        line.split("\t")
        for line in RELEVANCE_TESTS_FILE.read_text("utf-8").splitlines()[1:]
    ]
    RelevanceTest.objects.bulk_create(
        RelevanceTest(
            words=words,
            side=side,
            entry=made.get(key),
            within=int(within),
        )
        for words, side, key, within in rows
    )


def _spread_dates(made: Iterable[Entry]) -> None:
    """Let the library have grown over DAYS: one written in a second looks dead."""
    rows = list(made)
    chance = random.Random(len(rows))  # noqa: S311 - the same dates every time
    for entry in rows:
        moment = timezone.now() - timedelta(
            days=GROWTH_DAYS * chance.random() ** 2, hours=1
        )
        entry.updated_at = moment
        entry.created_at = moment - timedelta(days=GROWTH_DAYS * chance.random())
        entry.published_at = entry.published_at and moment
    Entry.objects.bulk_update(rows, ["created_at", "updated_at", "published_at"])
    EntryRevision.objects.filter(
        entry__in=rows
    ).delete()  # kept again when one is changed


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


def _create_question(row: Mapping[str, Any], made: Mapping[str, Entry]) -> Question:
    question = intake.record_question(
        row["text"],
        answer=row["answer"],
        channel=row["channel"],
        segment=row["segment"],
        module=_get_or_create_module(row["module"]),
        asked_at=_compute_past_time(row["days_ago"], row["time"]),
    )
    if row["status"] == "settled":
        return triage.settle_question(question, entry=made[row["entry"]], by=None)
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
    """Return that time of day so many days ago, never in the future."""
    day = timezone.localdate() - timedelta(days=days_ago)
    moment = timezone.make_aware(datetime.combine(day, time.fromisoformat(clock)))
    return min(moment, timezone.now())
