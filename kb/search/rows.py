"""From ids to entries: the engine proposes, the database decides."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import cache

from django.db.models import Q
from django.utils import timezone

from kb.feedback import Learned
from kb.models import Entry, EntryQuerySet, Reader, Reply, Standing, plain
from kb.search.narrowing import Narrowed
from kb.search.ranking import Found
from kb.text import likeness, normalize
from kb.text.likeness import Wording, ways
from kb.text.telling import LIGHT, Wanted

LIVE = Entry.Status.PUBLISHED.value
MOST = 100  # results: nobody pages further, and the database checks each
FACTS = """
    SELECT id, question, keywords, status, audience, category_id,
        (valid_from IS NULL OR valid_from <= %s)
        AND (valid_until IS NULL OR valid_until > %s)
    FROM kb_entry WHERE id IN ({})
"""
TOLD = "SELECT id, answer_text FROM kb_entry WHERE id IN ({})"
SAID = "SELECT entry_id, text FROM kb_phrasing WHERE entry_id IN ({}) ORDER BY id"


@dataclass(frozen=True, slots=True)
class Hit:
    """`score`, from 0 to 1, says how surely `entry` is what was asked for.

    `alike` says how much it asks for the same.
    """

    entry: Entry
    score: float
    alike: float = 0.0


@dataclass(frozen=True, slots=True)
class Reading:
    """Who reads, and what of the library: what is published, or drafts as well.

    The entry with the id `as_live` is read as if it were published.
    """

    user: Reader
    drafts: bool = False
    within: Narrowed = field(default_factory=Narrowed)
    as_live: int = 0

    @property
    def entries(self) -> EntryQuerySet:
        """Return all that may be read; `allows` is the same for one row."""
        among = Entry.objects.visible_to(self.user)
        if not self.drafts:
            among = Entry.objects.published_to(self.user)
        return self.within.of(among, self.user)

    def allows(self, standing: Standing) -> bool:
        """Tell whether a row may be read, wherever in the library it stands."""
        if not (self.drafts or standing.is_published):
            return False
        return standing.is_visible_to(self.user)

    def facts(self, ids: Sequence[int]) -> dict[int, tuple[str, str]]:
        """Return {id: (question, keywords)} of those of `ids` that may be read."""
        inside = set(ids)
        if self.within:
            among = self.entries.filter(pk__in=ids).order_by()
            inside = set(among.values_list("pk", flat=True))
        now, as_live = plain.moment(timezone.now()), self.as_live
        rows = plain.rows(FACTS.format(plain.places(ids)), (now, now, *ids))

        @cache  # for few ways to stand there are many rows
        def allowed(standing: plain.Row, as_live: bool) -> bool:
            return self.allows(_taken(Standing(*standing), as_live))

        return {
            row[0]: row[1:3]
            for row in rows
            if row[0] in inside and allowed(row[3:], row[0] == as_live)
        }

    def answers(self, ids: Sequence[int], *, staff: bool) -> dict[int, str]:
        """Return the answers of `ids`, all of which may be read; agents', too."""
        texts: dict[int, str] = dict(plain.rows(TOLD.format(plain.places(ids)), ids))
        if staff:
            shared = Reply.objects.shared().filter(entry__in=ids)
            for pk, text in shared.values_list("entry_id", "text"):
                texts[pk] = f"{texts[pk]}\n{text}"
        return texts

    def load(self, found: Iterable[Found]) -> tuple[Hit, ...]:
        """Return the hits of what was found, all of it within what is read."""
        scores = {one.id: (one.score, one.alike) for one in found}
        read = Entry.of_ids(scores)
        return tuple(
            Hit(read[pk], *scores[pk])
            for pk in scores
            if pk in read and self.allows(_taken(read[pk].standing, pk == self.as_live))
        )


def _taken(standing: Standing, as_live: bool) -> Standing:
    """Return how a row is taken to stand."""
    return standing._replace(status=LIVE) if as_live else standing


def faces(
    ids: Sequence[int],
    deep: int,
    reading: Reading,
    learned: Learned | None,
    *,
    staff: bool,
) -> dict[int, Sequence[Wording]]:
    """Return the readable of `ids`, with the wordings of the first `deep` ones.

    Agents know short codes, too, and either side what led its own people there.
    The engine proposes, the database decides: a stale hit can leak nothing.
    """
    found = reading.facts(ids)
    near = [pk for pk in ids[:deep] if pk in found]
    said: defaultdict[int, list[str]] = defaultdict(list)
    rows = plain.rows(SAID.format(plain.places(near)), near) if near else ()
    for pk, text in rows:
        said[pk].append(text)
    faces: dict[int, Sequence[Wording]] = dict.fromkeys(found, ())
    for pk in near:
        question, keywords = found[pk]
        codes = keywords.split() if staff else ()
        faces[pk] = ways(question, *codes, *said[pk])
        for words in learned.wordings(pk) if learned else ():
            faces[pk] = (*faces[pk], *likeness.learned(words))
    return faces


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
