"""From ids to entries: the engine proposes, the database decides."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from django.db.models import Q

from kb.feedback import Learned
from kb.models import Entry, EntryQuerySet, Phrasing
from kb.search.ranking import Found
from kb.text import normalize
from kb.text.likeness import Wording, ways
from kb.text.telling import LIGHT, Wanted

MOST = 100  # results: nobody pages further, and the database checks each


@dataclass(frozen=True, slots=True)
class Hit:
    """`score`, from 0 to 1, says how surely `entry` is what was asked for."""

    entry: Entry
    score: float


def faces(
    ids: Sequence[int],
    deep: int,
    readable: EntryQuerySet,
    learned: Learned | None,
    *,
    staff: bool,
) -> dict[int, Sequence[Wording]]:
    """Return the readable of `ids`, with the wordings of the first `deep` ones.

    Agents know short codes, too, and either side what led its own people there.
    The engine proposes, the database decides: a stale hit can leak nothing.
    """
    rows = readable.filter(pk__in=ids).order_by()
    texts = rows.values_list("pk", "question", "keywords")
    found = {pk: (question, keywords) for pk, question, keywords in texts}
    near = [pk for pk in ids[:deep] if pk in found]
    said: defaultdict[int, list[str]] = defaultdict(list)
    phrasings = Phrasing.objects.filter(entry__in=near).order_by()
    for _, pk, text in sorted(phrasings.values_list("pk", "entry", "text")):
        said[pk].append(text)
    faces: dict[int, Sequence[Wording]] = dict.fromkeys(found, ())
    for pk in near:
        question, keywords = found[pk]
        codes = keywords.split() if staff else ()
        picked = learned.wordings(pk) if learned else ()
        faces[pk] = ways(question, *codes, *said[pk], *picked)
    return faces


def load(found: Iterable[Found], readable: EntryQuerySet) -> tuple[Hit, ...]:
    scores = {one.id: one.score for one in found}
    # In no order: SQLite would sort whole rows, with their answers.
    entries = readable.select_related("category").order_by().in_bulk(scores)
    return tuple(Hit(entries[pk], scores[pk]) for pk in scores if pk in entries)


def in_database(
    terms: Wanted, readable: EntryQuerySet, learned: Learned
) -> list[Found]:
    """Return entries by the share of terms a question holds, without the engine."""
    telling = [t for t, weight in terms.words.items() if weight > LIGHT][:16]
    if not telling:
        return []
    holds = Q()
    for term in telling:
        holds |= Q(question__icontains=term)
    rows = readable.filter(holds).values_list("pk", "question")[: MOST * 5]
    scores = {
        pk: sum(term in normalize.normalize(question) for term in telling)
        / len(telling)
        for pk, question in rows
    }
    scores = learned.raised(scores, deep=0)
    best = sorted(scores, key=lambda pk: (-scores[pk], pk))[:MOST]
    allowed = set(readable.filter(pk__in=best).values_list("pk", flat=True))
    return [Found(pk, min(scores[pk], 1.0)) for pk in best if pk in allowed]
