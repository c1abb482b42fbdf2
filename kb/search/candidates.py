"""The entries that an engine proposes for a query, and what each term is worth.

A clause that no entry holds as it was typed is searched for in other forms: the
pinyin of a word in Latin letters, the word that it is a typing error of (iphnoe
for iphone), the sound of a pair of characters (退宽 for 退款).
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass
from functools import cached_property

from kb.index.engines import Clause, Engine, EngineHits, Query
from kb.index.engines.base import compute_idf
from kb.search.query_analysis import QueryAnalysis
from kb.search.scope import SearchScope
from kb.search.weights import WEIGHTS
from kb.text.chinese import pinyin, tokenizer
from kb.text.chinese.term_weights import WeightedTerms

_LATIN_PATTERN = re.compile("[a-z]+")


@dataclass(frozen=True, slots=True)
class QueryTerm:
    """A clause as it was typed, with `idf_weight`: its weight times its idf.

    The idf is divided by its maximum: 1 for a term in no document, 0 for one in
    all of them, however large the library. `substitutes` may match in place of a
    clause that no document holds; `sounds` are its pairs of syllables, as terms
    of sound, to find what is written instead.
    """

    clause: Clause
    idf_weight: float
    substitutes: tuple[Clause, ...] = ()
    sounds: tuple[str, ...] = ()


@dataclass(frozen=True, eq=False)
class CandidateSet:
    """What was asked of the engine for `query`, and its hits.

    `total_weight` is the sum of the terms' idf weights. `core_terms` are the terms
    outside the carrier phrase; none where they leave out a part of the topic.
    """

    query: QueryAnalysis
    engine_query: Query
    query_terms: tuple[QueryTerm, ...]
    total_weight: float
    core_terms: frozenset[str]
    hits: EngineHits

    @cached_property
    def has_content_terms(self) -> bool:
        """Whether any term does more than ask."""
        return any(
            _get_word_weight(term.clause) > WEIGHTS.term_weights.content_threshold
            for term in self.query_terms
        )

    @cached_property
    def term_weights(self) -> Mapping[str, float]:
        """{term: sum of its idf weights, as a word and as a bigram}."""
        weights: defaultdict[str, float] = defaultdict(float)
        for query_term in self.query_terms:
            weights[query_term.clause.term] += query_term.idf_weight
        return dict(weights)

    @cached_property
    def unwritten_terms(self) -> tuple[QueryTerm, ...]:
        """The terms that no document holds and others may stand for."""
        return tuple(term for term in self.query_terms if term.substitutes)


def build_clauses(terms: WeightedTerms) -> tuple[Clause, ...]:
    """Return a clause for each word, then one for each bigram of `terms`."""
    words = (Clause(word, weight) for word, weight in terms.words.items())
    bigrams = (
        Clause(pair, WEIGHTS.query.bigram * weight, is_bigram=True)
        for pair, weight in terms.bigrams.items()
    )
    return (*words, *bigrams)


def find_candidates(
    engine: Engine, query: QueryAnalysis, scope: SearchScope, limit: int
) -> CandidateSet | None:
    """Return what `engine` finds for `query`, its synonyms and its other forms.

    None for an empty query. Raises EngineUnavailableError.
    """
    if query.is_empty:
        return None
    builder = _EngineQueryBuilder(engine, query, scope)
    engine_query = builder.build_engine_query(limit)
    query_terms = builder.list_query_terms(engine.count_documents(scope.labels))
    core_terms = frozenset[str]()
    if query.carrier_phrase.is_topic_complete:
        terms = frozenset(query_term.clause.term for query_term in query_terms)
        core_terms = terms - query.carrier_phrase.terms
    return CandidateSet(
        query,
        engine_query,
        query_terms,
        sum(query_term.idf_weight for query_term in query_terms),
        core_terms,
        engine.search(engine_query),
    )


class _EngineQueryBuilder:
    """The clauses of a query, their document frequencies in scope, and other forms."""

    def __init__(
        self, engine: Engine, query: QueryAnalysis, scope: SearchScope
    ) -> None:
        self.engine, self.query, self.scope = engine, query, scope
        self.typed_clauses = build_clauses(query.searched_terms)
        self.synonym_clauses = build_clauses(query.synonym_terms)
        self.document_frequencies = self._count_documents(
            (*self.typed_clauses, *self.synonym_clauses)
        )
        self.bigram_clauses = {c.term: c for c in self.typed_clauses if c.is_bigram}
        self.written_terms = {
            clause.term
            for clause in self.typed_clauses
            if self.document_frequencies[clause]
        }
        self.redundant_parts = self._find_redundant_parts()
        self.phonetic_clauses = {
            clause: self._make_phonetic_clause(clause)
            for clause in self.typed_clauses
            if self._is_unwritten_bigram(clause)
        }
        self.form_clauses = self._build_form_clauses()
        self.corrected_clauses = {
            clause: correction
            for clause in self.typed_clauses
            if (correction := self._find_correction(clause))
        }

    def build_engine_query(self, limit: int) -> Query:
        """Return the query for the engine, at most `limit` hits.

        Where no term is written as typed and synonyms say less than half, half of
        the clauses must match by sound: some pair of sounds always does.
        """
        other_clauses = (
            *self.phonetic_clauses.values(),
            *self.form_clauses,
            *self.corrected_clauses.values(),
        )
        if self._is_only_phonetic():
            return self._make_engine_query(
                other_clauses, limit, min_match_share=WEIGHTS.query.min_phonetic_share
            )
        # All clauses, those that match nothing too: the engine remembers their
        # postings from the count.
        clauses = [
            clause._replace(weight=WEIGHTS.query.hyphen_part * clause.weight)
            if clause.term in self.redundant_parts
            else clause
            for clause in self.document_frequencies
        ]
        return self._make_engine_query((*clauses, *other_clauses), limit)

    def list_query_terms(self, document_count: int) -> tuple[QueryTerm, ...]:
        """Return the typed clauses with their idf among `document_count` documents.

        Without words of one character that a bigram holds, and parts of a
        hyphenated word.
        """
        document_count = max(document_count, WEIGHTS.query.min_idf_documents)
        max_idf = compute_idf(document_count, 0)
        covered = set("".join(self.bigram_clauses)) | self.redundant_parts
        return tuple(
            self._make_query_term(clause, document_count, max_idf)
            for clause in self.typed_clauses
            if clause.is_bigram or clause.term not in covered
        )

    def _find_redundant_parts(self) -> Set[str]:
        """Return the parts of hyphenated words that are known as one word."""
        words = self.query.hyphen_parts
        if not words:
            return frozenset()
        known = self.written_terms | {m.member for m in self.query.synonyms}
        return {part for word in words.keys() & known for part in words[word]}

    def _make_query_term(
        self, clause: Clause, document_count: int, max_idf: float
    ) -> QueryTerm:
        frequency = self.document_frequencies[clause]
        weight = clause.weight * compute_idf(document_count, frequency) / max_idf
        if clause in self.phonetic_clauses:
            weight /= WEIGHTS.query.bigram  # it counts for both of its characters
        if frequency:
            return QueryTerm(clause, weight)
        substitutes = self._list_substitutes(clause)
        if substitutes and substitutes == self.form_clauses:
            # A word in pinyin weighs as much as its syllables.
            latin_count = max(len(self.query.latin_words), 1)
            form_weight = WEIGHTS.query.typed_form * len(substitutes) / latin_count
            weight *= max(1.0, form_weight)
        sounds = pinyin.list_sounds(clause.term) if substitutes else ()
        return QueryTerm(clause, weight, substitutes, tuple(sounds))

    def _list_substitutes(self, clause: Clause) -> tuple[Clause, ...]:
        """Return the clauses that may match in place of one in no document."""
        other = self.phonetic_clauses.get(clause) or self.corrected_clauses.get(clause)
        if other is not None:
            return (other,)
        if _LATIN_PATTERN.fullmatch(clause.term):
            return self.form_clauses
        if len(clause.term) == 1:
            form = f"·{clause.term}"
            return tuple(c for c in self.form_clauses if c.term == form)
        inside = (
            self.bigram_clauses[pair]
            for pair in tokenizer.extract_bigrams(clause.term)
            if pair in self.bigram_clauses
        )
        return tuple(self.phonetic_clauses.get(pair, pair) for pair in inside)

    def _is_unwritten_bigram(self, clause: Clause) -> bool:
        return (
            clause.is_bigram
            and not self.document_frequencies[clause]
            and len(clause.term) > 1
        )

    def _make_phonetic_clause(self, bigram: Clause) -> Clause:
        return Clause(
            self.query.phonetic_terms[bigram.term],
            WEIGHTS.query.phonetic * _get_word_weight(bigram),
        )

    def _find_correction(self, clause: Clause) -> Clause | None:
        """Return the Latin word that was meant, if a document in scope holds it."""
        if (
            self.document_frequencies[clause]
            or clause.is_bigram
            or not _LATIN_PATTERN.fullmatch(clause.term)
            or pinyin.split_pinyin(clause.term)
        ):
            return None
        weight = WEIGHTS.query.phonetic * clause.weight
        spellings = self.engine.suggest_spellings(clause.term)
        corrections = [Clause(word, weight) for word in spellings]
        frequencies = self._count_documents(corrections)
        return next((c for c in corrections if frequencies[c]), None)

    def _build_form_clauses(self) -> tuple[Clause, ...]:
        """Return clauses of single characters, and of pinyin where it may be some."""
        forms = [f"·{c}" for c in self.query.carrier_phrase.single_characters]
        written = self.written_terms
        if not (written and written.issuperset(self.query.latin_words)):
            forms += self.query.typed_forms
        return tuple(
            Clause(form, WEIGHTS.query.typed_form) for form in dict.fromkeys(forms)
        )

    def _is_only_phonetic(self) -> bool:
        if self.written_terms:
            return False
        has_content_synonym = any(
            self.document_frequencies[clause]
            for clause in self.synonym_clauses
            if _is_content_synonym(clause)
        )
        return not (
            has_content_synonym
            and self.query.synonym_coverage >= WEIGHTS.query.min_phonetic_share
        )

    def _make_engine_query(
        self, clauses: Sequence[Clause], limit: int, min_match_share: float = 0.0
    ) -> Query:
        return Query(
            tuple(clauses),
            self.scope.field_groups,
            self.scope.labels,
            limit,
            min_match_share=min_match_share,
        )

    def _count_documents(self, clauses: Sequence[Clause]) -> dict[Clause, int]:
        """Return {clause: number of documents in scope that hold it}."""
        if not clauses:
            return {}
        query = Query(tuple(clauses), self.scope.field_groups, self.scope.labels)
        counts = self.engine.count_documents_per_clause(query)
        return dict(zip(clauses, counts, strict=True))


def _is_content_synonym(clause: Clause) -> bool:
    """Return whether a clause of a synonym does more than ask."""
    return (
        _get_word_weight(clause)
        > WEIGHTS.term_weights.synonym * WEIGHTS.term_weights.content_threshold
    )


def _get_word_weight(clause: Clause) -> float:
    """Return the weight of a clause as if it were a word."""
    return clause.weight / WEIGHTS.query.bigram if clause.is_bigram else clause.weight
