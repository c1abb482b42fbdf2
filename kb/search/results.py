"""From ids to entries: the engine proposes, the database decides who may read."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import cache

from django.db.models import Q
from django.utils import timezone

from kb.models import Entry, EntryQuerySet, EntryVisibility, Reader, Reply
from kb.search.query_analysis import QueryAnalysis
from kb.search.ranking import RankedCandidate
from kb.search.scope import SearchFilters
from kb.search.weights import WEIGHTS
from kb.system.database import raw_sql
from kb.text.chinese import normalize, similarity
from kb.text.chinese.similarity import Wording, analyze_wordings
from kb.usage import LearnedWords

MAX_RESULTS = 100  # results of a search; the database checks each of them
MAX_DATABASE_TERMS = 16  # terms that are looked for without the engine
PUBLISHED_STATUS = Entry.Status.PUBLISHED.value
# Written out: Django takes longer to make rows than the database to find them.
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
    """An entry with the probability, 0 to 1, that it answers the query.

    `duplicate_score`, from 0 to 1, says how much its question asks the same.
    """

    entry: Entry
    confidence: float
    duplicate_score: float = 0.0


@dataclass(frozen=True, slots=True)
class SearchResults:
    """What a search returns.

    query               the query on one line, cut to MAX_QUERY_CHARS
    hits                the entries of one page, best first; none if none is sure
    total               how many the reader may see, up to MAX_RESULTS
    terms_to_highlight  normalized terms to mark, typed and meaning the same
    simplified_terms    as these, of the 简体 wordings of a query in 繁體
    near_hits           the best entries where none is sure enough to be a hit
    did_you_mean        the query as the best entry writes it, where none writes it
                        as typed; else ""
    is_degraded         whether the database was searched, for want of the engine
    """

    query: str
    hits: tuple[SearchHit, ...] = ()
    total: int = 0
    terms_to_highlight: tuple[str, ...] = ()
    is_degraded: bool = False
    near_hits: tuple[SearchHit, ...] = ()
    did_you_mean: str = ""
    simplified_terms: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ReaderScope:
    """What `user` may read of the library: published entries, or drafts as well.

    The entry with the id `preview_entry_id` is read as if it were published.
    """

    user: Reader
    include_drafts: bool = False
    filters: SearchFilters = field(default_factory=SearchFilters)
    preview_entry_id: int = 0

    @property
    def readable_entries(self) -> EntryQuerySet:
        """All entries that may be read; `can_read` is the same for one row."""
        entries = Entry.objects.visible_to(self.user)
        if not self.include_drafts:
            entries = Entry.objects.published_to(self.user)
        return self.filters.filter_entries(entries, self.user)

    def can_read(self, visibility: EntryVisibility) -> bool:
        """Return whether a row may be read, whatever the filters."""
        if not (self.include_drafts or visibility.is_published):
            return False
        return visibility.is_visible_to(self.user)

    def load_facts(self, ids: Sequence[int]) -> dict[int, tuple[str, str]]:
        """Return {id: (question, keywords)} of those of `ids` that may be read."""
        passing = set(ids)
        if self.filters:
            entries = self.readable_entries.filter(pk__in=ids).order_by()
            passing = set(entries.values_list("pk", flat=True))
        now = raw_sql.adapt_datetime(timezone.now())
        rows = raw_sql.fetch_rows(
            ENTRY_FACTS_SQL.format(raw_sql.format_placeholders(ids)), (now, now, *ids)
        )

        @cache  # many rows have few kinds of visibility
        def is_readable_row(columns: raw_sql.SqlRow, is_preview: bool) -> bool:
            visibility = EntryVisibility(*columns)
            return self.can_read(_treat_as_published(visibility, is_preview))

        return {
            row[0]: row[1:3]
            for row in rows
            if row[0] in passing
            and is_readable_row(row[3:], row[0] == self.preview_entry_id)
        }

    def load_answers(self, ids: Sequence[int], *, staff: bool) -> dict[int, str]:
        """Return {id: answer} of `ids`, all readable; with shared replies for staff."""
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

    def load_hits(self, ranked: Iterable[RankedCandidate]) -> tuple[SearchHit, ...]:
        """Return the hits of candidates, those that may be read now."""
        scores = {row.id: (row.confidence, row.duplicate_score) for row in ranked}
        entries = Entry.load_by_ids(scores)
        return tuple(
            SearchHit(entries[pk], *scores[pk])
            for pk in scores
            if pk in entries
            and self.can_read(
                _treat_as_published(entries[pk].visibility, pk == self.preview_entry_id)
            )
        )


def _treat_as_published(
    visibility: EntryVisibility, is_preview: bool
) -> EntryVisibility:
    return visibility._replace(status=PUBLISHED_STATUS) if is_preview else visibility


def load_wordings(
    ids: Sequence[int],
    count: int,
    reader: ReaderScope,
    learned: LearnedWords | None,
    *,
    staff: bool,
) -> dict[int, Sequence[Wording]]:
    """Return {id: wordings} of those of `ids` that may be read.

    The first `count` have their question, phrasings, short codes for staff, and the
    searches after which people of the reader's side picked them; the rest have none.
    A document that is out of date can leak nothing: the database decides.
    """
    facts = reader.load_facts(ids)
    near = [pk for pk in ids[:count] if pk in facts]
    phrasings: defaultdict[int, list[str]] = defaultdict(list)
    if near:
        rows = raw_sql.fetch_rows(
            PHRASINGS_SQL.format(raw_sql.format_placeholders(near)), near
        )
        for pk, text in rows:
            phrasings[pk].append(text)
    wordings: dict[int, Sequence[Wording]] = dict.fromkeys(facts, ())
    for pk in near:
        question, keywords = facts[pk]
        short_codes = keywords.split() if staff else ()
        wordings[pk] = analyze_wordings(question, *short_codes, *phrasings[pk])
        for text in learned.list_wordings(pk) if learned else ():
            wordings[pk] = (*wordings[pk], *similarity.analyze_learned_wordings(text))
    return wordings


def search_database(
    query: QueryAnalysis, readable: EntryQuerySet, learned: LearnedWords
) -> list[RankedCandidate]:
    """Return entries by the share of terms in their question, without the engine."""
    min_weight = WEIGHTS.term_weights.question_word
    terms = [t for t, weight in query.terms.words.items() if weight > min_weight]
    terms = terms[:MAX_DATABASE_TERMS]
    if not terms:
        return []
    condition = Q()
    for term in terms:
        condition |= Q(question__icontains=term)
    rows = readable.filter(condition).values_list("pk", "question")[: MAX_RESULTS * 5]
    scores = {
        pk: sum(term in normalize.normalize_text(question) for term in terms)
        / len(terms)
        for pk, question in rows
    }
    scores = learned.boost_scores(scores, depth=0)
    best = sorted(scores, key=lambda pk: (-scores[pk], pk))[:MAX_RESULTS]
    allowed = set(readable.filter(pk__in=best).values_list("pk", flat=True))
    return [RankedCandidate(pk, min(scores[pk], 1.0)) for pk in best if pk in allowed]
