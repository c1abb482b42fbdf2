"""From ids to entries: the engine proposes, the database decides."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import cache

from django.db.models import Q
from django.utils import timezone

from kb.models import Entry, EntryQuerySet, EntryVisibility, Reader, Reply
from kb.search.filters import SearchFilters
from kb.search.ranking import RankedCandidate
from kb.search.weights import WEIGHTS
from kb.system.database import raw_sql
from kb.text.chinese import normalize, similarity
from kb.text.chinese.similarity import Wording, analyze_wordings
from kb.text.chinese.term_weights import WeightedTerms
from kb.usage import LearnedWords

PUBLISHED_STATUS = Entry.Status.PUBLISHED.value
MAX_RESULTS = 100  # results: nobody pages further, and the database checks each
ENTRY_FACTS_SQL = """
    SELECT id, question, keywords, status, audience, category_id,
        (valid_from IS NULL OR valid_from <= %s)
        AND (valid_until IS NULL OR valid_until > %s)
    FROM kb_entry WHERE id IN ({})
"""
ANSWERS_SQL = "SELECT id, answer_text FROM kb_entry WHERE id IN ({})"
PHRASINGS_SQL = (
    "SELECT entry_id, text FROM kb_phrasing WHERE entry_id IN ({}) ORDER BY id"
)


@dataclass(frozen=True, slots=True)
class SearchHit:
    """`score`, from 0 to 1, says how surely `entry` is what was asked for.

    `alike` says how much it asks for the same.
    """

    entry: Entry
    confidence: float
    duplicate_score: float = 0.0


@dataclass(frozen=True, slots=True)
class ReaderScope:
    """Who reads, and what of the library: what is published, or drafts as well.

    The entry with the id `as_live` is read as if it were published.
    """

    user: Reader
    include_drafts: bool = False
    filters: SearchFilters = field(default_factory=SearchFilters)
    preview_entry_id: int = 0

    @property
    def readable_entries(self) -> EntryQuerySet:
        """Return all that may be read; `allows` is the same for one row."""
        among = Entry.objects.visible_to(self.user)
        if not self.include_drafts:
            among = Entry.objects.published_to(self.user)
        return self.filters.filter_entries(among, self.user)

    def can_read(self, standing: EntryVisibility) -> bool:
        """Tell whether a row may be read, wherever in the library it stands."""
        if not (self.include_drafts or standing.is_published):
            return False
        return standing.is_visible_to(self.user)

    def load_facts(self, ids: Sequence[int]) -> dict[int, tuple[str, str]]:
        """Return {id: (question, keywords)} of those of `ids` that may be read."""
        inside = set(ids)
        if self.filters:
            among = self.readable_entries.filter(pk__in=ids).order_by()
            inside = set(among.values_list("pk", flat=True))
        now, as_live = raw_sql.adapt_datetime(timezone.now()), self.preview_entry_id
        rows = raw_sql.fetch_rows(
            ENTRY_FACTS_SQL.format(raw_sql.format_placeholders(ids)), (now, now, *ids)
        )

        @cache  # for few ways to stand there are many rows
        def is_allowed_row(standing: raw_sql.SqlRow, as_live: bool) -> bool:
            return self.can_read(
                _treat_as_published(EntryVisibility(*standing), as_live)
            )

        return {
            row[0]: row[1:3]
            for row in rows
            if row[0] in inside and is_allowed_row(row[3:], row[0] == as_live)
        }

    def load_answers(self, ids: Sequence[int], *, staff: bool) -> dict[int, str]:
        """Return the answers of `ids`, all of which may be read; agents', too."""
        texts: dict[int, str] = dict(
            raw_sql.fetch_rows(
                ANSWERS_SQL.format(raw_sql.format_placeholders(ids)), ids
            )
        )
        if staff:
            shared = Reply.objects.shared().filter(entry__in=ids)
            for pk, text in shared.values_list("entry_id", "text"):
                texts[pk] = f"{texts[pk]}\n{text}"
        return texts

    def load_hits(self, found: Iterable[RankedCandidate]) -> tuple[SearchHit, ...]:
        """Return the hits of what was found, all of it within what is read."""
        scores = {one.id: (one.confidence, one.duplicate_score) for one in found}
        read = Entry.load_by_ids(scores)
        return tuple(
            SearchHit(read[pk], *scores[pk])
            for pk in scores
            if pk in read
            and self.can_read(
                _treat_as_published(read[pk].visibility, pk == self.preview_entry_id)
            )
        )


def _treat_as_published(standing: EntryVisibility, as_live: bool) -> EntryVisibility:
    """Return how a row is taken to stand."""
    return standing._replace(status=PUBLISHED_STATUS) if as_live else standing


def load_wordings(
    ids: Sequence[int],
    deep: int,
    reading: ReaderScope,
    learned: LearnedWords | None,
    *,
    staff: bool,
) -> dict[int, Sequence[Wording]]:
    """Return the readable of `ids`, with the wordings of the first `deep` ones.

    Agents know short codes, too, and either side what led its own people there.
    The engine proposes, the database decides: a stale hit can leak nothing.
    """
    found = reading.load_facts(ids)
    near = [pk for pk in ids[:deep] if pk in found]
    said: defaultdict[int, list[str]] = defaultdict(list)
    rows = (
        raw_sql.fetch_rows(
            PHRASINGS_SQL.format(raw_sql.format_placeholders(near)), near
        )
        if near
        else ()
    )
    for pk, text in rows:
        said[pk].append(text)
    faces: dict[int, Sequence[Wording]] = dict.fromkeys(found, ())
    for pk in near:
        question, keywords = found[pk]
        codes = keywords.split() if staff else ()
        faces[pk] = analyze_wordings(question, *codes, *said[pk])
        for words in learned.list_wordings(pk) if learned else ():
            faces[pk] = (*faces[pk], *similarity.analyze_learned_wordings(words))
    return faces


def search_database(
    terms: WeightedTerms, readable: EntryQuerySet, learned: LearnedWords
) -> list[RankedCandidate]:
    """Return entries by the share of terms a question holds, without the engine."""
    least = WEIGHTS.term_weights.question_word
    telling = [t for t, weight in terms.words.items() if weight > least][:16]
    if not telling:
        return []
    holds = Q()
    for term in telling:
        holds |= Q(question__icontains=term)
    rows = readable.filter(holds).values_list("pk", "question")[: MAX_RESULTS * 5]
    scores = {
        pk: sum(term in normalize.normalize_text(question) for term in telling)
        / len(telling)
        for pk, question in rows
    }
    scores = learned.boost_scores(scores, depth=0)
    best = sorted(scores, key=lambda pk: (-scores[pk], pk))[:MAX_RESULTS]
    allowed = set(readable.filter(pk__in=best).values_list("pk", flat=True))
    return [RankedCandidate(pk, min(scores[pk], 1.0)) for pk in best if pk in allowed]
