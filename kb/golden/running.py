"""Try all golden queries, and know when what they were tried on has changed."""

from __future__ import annotations

import hashlib
from datetime import datetime, timedelta
from functools import cache
from itertools import chain
from pathlib import Path
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import Count, Max
from django.utils import timezone

from kb import content, index
from kb.golden.standing import Place, place
from kb.models import Edition, Golden, GoldenRun, User

Cause = GoldenRun.Cause
ROOT = Path(__file__).resolve().parent.parent
WEIGHTS = ("search", "text", "engines", "documents.py")  # where the weights stand
STEP = 50  # queries between two notes of how far it has come
LOST = timedelta(minutes=10)  # after which a trial that did not end is given up
KEPT = 100  # trials


def run(*, by: User | None, cause: Cause = Cause.BUTTON) -> GoldenRun:
    """Try every golden query and keep what moved; raises EngineUnavailable.

    A command waits until the index has caught up, a page only for small lots.
    """
    (index.sync_all if cause == Cause.COMMAND else index.sync_small)()
    trial = GoldenRun.objects.create(by=by, cause=cause, stamp=stamp())
    return _carry_out(trial)


def run_after(change: str) -> GoldenRun | None:
    """Try them for the stamp `change`; None when another process does, or has."""
    late = GoldenRun.objects.filter(started_at__lt=timezone.now() - LOST)
    late.filter(finished_at=None).delete()
    try:
        with transaction.atomic():
            trial = GoldenRun.objects.create(cause=Cause.CHANGE, stamp=change)
    except IntegrityError:
        return None
    try:
        return _carry_out(trial)
    except BaseException:  # the process may be told to end
        trial.delete()  # so that somebody tries again
        raise


def due(now: str) -> bool:
    """Tell whether nothing was tried since `now` is what there is to try."""
    last = GoldenRun.objects.exclude(finished_at=None).order_by("-pk").first()
    return last is None or last.stamp != now


def last() -> GoldenRun | None:
    """Return the last trial that ended."""
    rows = GoldenRun.objects.exclude(finished_at=None).select_related("by")
    return rows.first()


def moved(since: datetime) -> list[dict[str, Any]]:
    """Return what stands elsewhere than before the first trial since then.

    A trial follows each change: what one moved must not be gone with the next.
    """
    net: dict[int, dict[str, Any]] = {}
    runs = GoldenRun.objects.filter(finished_at__gt=since).order_by("pk")
    for one in chain.from_iterable(runs.values_list("moved", flat=True)):
        first = net.get(one["golden"], one)
        net[one["golden"]] = {**one, "before": first["before"]}
    return [one for one in net.values() if one["before"] != one["after"]]


def stamp() -> str:
    """Return 32 hex digits that change with content, vocabulary, weights and queries."""
    edition_stamp = content.edition()
    words = Edition.objects.values_list("number", "raised_at").first()
    queries = Golden.objects.aggregate(Count("pk"), Max("updated_at"))
    parts = (edition_stamp.number, edition_stamp.raised_at, words, queries, _weights())
    return hashlib.blake2b(repr(parts).encode(), digest_size=16).hexdigest()


def _carry_out(trial: GoldenRun) -> GoldenRun:
    rows = list(Golden.objects.order_by("pk"))
    same = GoldenRun.objects.filter(pk=trial.pk)
    same.update(total=len(rows))
    moved = []
    for number, row in enumerate(rows, 1):
        found = place(row.words, side=row.side, entry=row.entry_id)
        if row.rank is not None and row.rank != found.rank:
            moved.append(_moved(row, found))
        row.rank, row.above = found.rank, list(found.above)
        if number % STEP == 0:
            same.update(done=number)
    with transaction.atomic():
        Golden.objects.bulk_update(rows, ["rank", "above"], batch_size=200)
        trial.total = trial.done = len(rows)
        trial.failing = sum(row.fails for row in rows)
        trial.moved, trial.finished_at = moved, timezone.now()
        trial.save()
        kept = GoldenRun.objects.values_list("pk", flat=True)[:KEPT]
        GoldenRun.objects.exclude(pk__in=list(kept)).delete()
    return trial


def _moved(row: Golden, found: Place) -> dict[str, Any]:
    return {
        "golden": row.pk,
        "before": row.rank,
        "after": found.rank,
        "above": list(found.above),
    }


@cache
def _weights() -> str:
    """Return a digest of the code that decides what stands where."""
    made = hashlib.blake2b(digest_size=8)
    for name in WEIGHTS:
        path = ROOT / name
        for file in sorted(path.rglob("*.py")) if path.is_dir() else [path]:
            made.update(file.read_bytes())
    return made.hexdigest()
