"""From words to a query: what is asked of the engine, and what it is worth."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence, Set
from dataclasses import dataclass, replace
from typing import NamedTuple

from kb.index.engines import Clause, Engine, EngineHits, FieldGroup, Query
from kb.index.engines.base import compute_idf
from kb.search.scope import SearchScope
from kb.search.weights import WEIGHTS
from kb.text.chinese import alternate_forms, normalize, tokenizer
from kb.text.chinese.lexicon import Lexicon
from kb.text.chinese.pinyin import make_phonetic_term, split_pinyin
from kb.text.chinese.term_weights import (
    WeightedTerms,
    find_carrier_phrase,
    find_synonyms,
    measure_synonym_coverage,
    tokenize_wording,
    weigh_synonyms,
    weigh_terms,
)

MAX_QUERY_CHARS = 200  # characters of a query; the rest is cut off
_LATIN_PATTERN = re.compile("[a-z]+")


@dataclass(frozen=True, slots=True)
class QueryTerm:
    """One clause of what was typed, worth its weight times its rarity.

    Rarity is 1 for what nobody writes, and 0 for what stands everywhere, however
    large the library is. `instead` may stand for what is written nowhere.
    """

    clause: Clause
    idf_weight: float
    substitutes: tuple[Clause, ...] = ()


class SynonymMatch(NamedTuple):
    """A synonym in the text, and what else says it: a word, or several together."""

    member: str
    single_words: frozenset[str]
    word_groups: tuple[frozenset[str], ...]

    @property
    def terms(self) -> frozenset[str]:
        return self.single_words.union(*self.word_groups)

    def is_matched_by(self, terms: Set[str]) -> bool:
        """Tell whether `terms` hold what means the same."""
        if not self.single_words.isdisjoint(terms):
            return True
        return any(words <= terms for words in self.word_groups)


@dataclass(frozen=True, slots=True)
class QueryAnalysis:
    """What was asked of the engine, for what, and what it found.

    `worth` is the sum of what the needs are worth, `core` are the terms needed that
    do more than lead up to what is asked; none where they do not tell all of that.
    """

    query_text: str
    engine_query: Query
    query_terms: tuple[QueryTerm, ...]
    synonym_matches: tuple[SynonymMatch, ...]
    total_weight: float
    core_terms: frozenset[str]
    candidates: EngineHits

    @property
    def has_content_terms(self) -> bool:
        """Whether anything of what was typed does more than ask."""
        return any(
            _get_word_weight(need.clause) > WEIGHTS.term_weights.content_threshold
            for need in self.query_terms
        )


def clean_query(words: str) -> str:
    """Return what was typed on one line, at most LONGEST characters of it."""
    return normalize.join_spaced_han(
        normalize.clean_single_line(words[: MAX_QUERY_CHARS * 4])
    )[:MAX_QUERY_CHARS]


def build_clauses(terms: WeightedTerms) -> tuple[Clause, ...]:
    words = (Clause(word, weight) for word, weight in terms.words.items())
    pairs = (
        Clause(p, WEIGHTS.query.bigram * weight, is_bigram=True)
        for p, weight in terms.bigrams.items()
    )
    return (*words, *pairs)


def analyze_query(
    engine: Engine, words: str, scope: SearchScope, lexicon: Lexicon, limit: int
) -> QueryAnalysis | None:
    """Search for `words`, for what means the same, and by other forms.

    None when the words say nothing. Raises EngineUnavailable.
    """
    asking = _QueryAnalyzer(engine, words, scope, lexicon)
    if not asking.typed_clauses:
        return None
    query = asking.build_engine_query(limit)
    needs = asking.list_query_terms(engine.count_documents(scope.labels))
    return QueryAnalysis(
        words,
        query,
        needs,
        asking.match_synonyms(),
        sum(need.idf_weight for need in needs),
        asking.select_core_terms(needs),
        engine.search(query),
    )


class _QueryAnalyzer:
    """What was typed, how many entries hold it, and what is asked in its place.

    Other forms are for terms that are nowhere found: pinyin for a word in Latin
    letters, or the word that it is a slip of (iphnoe for iphone), the sound for a
    pair of characters that nobody writes so (退宽 for 退款), a single character for
    itself.
    """

    def __init__(
        self, engine: Engine, words: str, scope: SearchScope, lexicon: Lexicon
    ) -> None:
        self.query_text, self.scope, self.lexicon = words, scope, lexicon
        self.carrier_phrase = find_carrier_phrase(words, lexicon, WEIGHTS.term_weights)
        self.typed_clauses = build_clauses(
            _add_single_characters(
                self.carrier_phrase.single_characters,
                weigh_terms(words, lexicon, WEIGHTS.term_weights),
            )
        )
        self.bigram_clauses = {c.term: c for c in self.typed_clauses if c.is_bigram}
        self.synonym_clauses = build_clauses(
            weigh_synonyms(words, lexicon, WEIGHTS.term_weights)
        )
        self.document_frequencies = self._count_documents(
            engine, (*self.typed_clauses, *self.synonym_clauses)
        )
        self.hyphen_parts = self._find_hyphen_parts()
        self.phonetic_clauses = {
            c: _make_phonetic_clause(c)
            for c in self.typed_clauses
            if self._is_unwritten_bigram(c)
        }
        self.form_clauses = self._build_form_clauses()
        self.corrected_clauses = {
            c: s for c in self.typed_clauses if (s := self._find_correction(engine, c))
        }

    def build_engine_query(self, limit: int) -> Query:
        """Return what to ask for.

        Where nothing at all is written as typed, nor most of it in words that mean
        it, most must sound so: some pair always does.
        """
        other = (
            *self.phonetic_clauses.values(),
            *self.form_clauses,
            *self.corrected_clauses.values(),
        )
        if self._is_only_phonetic():
            return Query(
                other,
                *self._engine_scope,
                limit,
                min_match_share=WEIGHTS.query.min_phonetic_share,
            )
        # All of them: what was just counted is then found a second time for nothing.
        typed = [
            c._replace(weight=WEIGHTS.query.hyphen_part * c.weight)
            if c.term in self.hyphen_parts
            else c
            for c in self.document_frequencies
        ]
        return Query((*typed, *other), *self._engine_scope, limit)

    def _find_hyphen_parts(self) -> Set[str]:
        """Return the parts of words with a hyphen that are known as one."""
        if not (words := tokenizer.split_hyphenated_words(self.query_text)):
            return frozenset()
        known = {
            clause.term
            for clause in self.typed_clauses
            if self.document_frequencies[clause]
        }
        known.update(
            member for member, _ in find_synonyms(self.query_text, self.lexicon)
        )
        return {part for word in words.keys() & known for part in words[word]}

    def list_query_terms(self, total: int) -> tuple[QueryTerm, ...]:
        """Return the clauses typed; `total` is how many entries could hold them.

        Not a word of one character, which its pair tells better.
        """
        total = max(total, WEIGHTS.query.min_idf_documents)
        self.max_idf = compute_idf(total, 0)
        in_pairs = set(
            "".join(clause.term for clause in self.typed_clauses if clause.is_bigram)
        )
        inside = in_pairs | self.hyphen_parts
        told = (c for c in self.typed_clauses if c.is_bigram or c.term not in inside)
        return tuple(self._make_query_term(clause, total) for clause in told)

    def select_core_terms(self, needs: Iterable[QueryTerm]) -> frozenset[str]:
        """Return the terms needed that tell what is asked about, if they tell all."""
        terms = frozenset(need.clause.term for need in needs)
        return (
            terms - self.carrier_phrase.terms
            if self.carrier_phrase.is_topic_complete
            else frozenset()
        )

    def match_synonyms(self) -> tuple[SynonymMatch, ...]:
        """Return the synonyms that were typed, with what else was asked for."""
        asked = {clause.term for clause in (*self.synonym_clauses, *self.typed_clauses)}
        typed = find_synonyms(self.query_text, self.lexicon)
        return tuple(
            self._match_synonym(member, others, asked) for member, others in typed
        )

    def _match_synonym(
        self, member: str, others: Iterable[str], asked: Set[str]
    ) -> SynonymMatch:
        told = [frozenset(tokenize_wording(other, self.lexicon)) for other in others]
        told = [words for words in told if words and words <= asked]
        words = frozenset().union(*(words for words in told if len(words) == 1))
        return SynonymMatch(member, words, tuple(w for w in told if len(w) > 1))

    def _make_query_term(self, clause: Clause, total: int) -> QueryTerm:
        count = self.document_frequencies[clause]
        worth = clause.weight * compute_idf(total, count) / self.max_idf
        if (
            clause in self.phonetic_clauses
        ):  # stands for the two words of one letter that it is
            worth /= WEIGHTS.query.bigram
        instead = () if count else self._find_substitutes(clause)
        if (
            instead and instead == self.form_clauses
        ):  # pinyin says as much as its syllables
            worth *= max(
                1.0, WEIGHTS.query.typed_form * len(instead) / self._latin_word_count
            )
        return QueryTerm(clause, worth, instead)

    def _find_substitutes(self, clause: Clause) -> tuple[Clause, ...]:
        """Return what stands for a clause that nobody writes."""
        if (
            other := self.phonetic_clauses.get(clause)
            or self.corrected_clauses.get(clause)
        ) is not None:
            return (other,)
        if _LATIN_PATTERN.fullmatch(clause.term):
            return self.form_clauses
        if len(clause.term) == 1:
            return tuple(f for f in self.form_clauses if f.term == f"·{clause.term}")
        pairs = self.bigram_clauses
        inside = (
            pairs[p] for p in tokenizer.extract_bigrams(clause.term) if p in pairs
        )
        return tuple(self.phonetic_clauses.get(pair, pair) for pair in inside)

    def _is_unwritten_bigram(self, clause: Clause) -> bool:
        return (
            clause.is_bigram
            and not self.document_frequencies[clause]
            and len(clause.term) > 1
        )

    def _find_correction(self, engine: Engine, clause: Clause) -> Clause | None:
        """Return the word in Latin letters that was meant, if this reader may know it."""
        if (
            self.document_frequencies[clause]
            or clause.is_bigram
            or not _LATIN_PATTERN.fullmatch(clause.term)
        ):
            return None
        if split_pinyin(clause.term):
            return None
        weight = WEIGHTS.query.phonetic * clause.weight
        alike = [Clause(word, weight) for word in engine.suggest_spellings(clause.term)]
        held = self._count_documents(engine, alike)
        return next((other for other in alike if held[other]), None)

    def _build_form_clauses(self) -> tuple[Clause, ...]:
        lone = [
            Clause(f"·{character}", WEIGHTS.query.typed_form)
            for character in self.carrier_phrase.single_characters
        ]
        known = {
            clause.term
            for clause in self.typed_clauses
            if self.document_frequencies[clause]
        }
        latin = _LATIN_PATTERN.findall(normalize.normalize_text(self.query_text))
        self._latin_word_count = max(len(latin), 1)
        if known and known.issuperset(latin):
            return tuple(lone)
        typed = [
            Clause(form, WEIGHTS.query.typed_form)
            for form in alternate_forms.list_typed_forms(self.query_text)
        ]
        return tuple(dict.fromkeys([*lone, *typed]))

    def _is_only_phonetic(self) -> bool:
        if any(self.document_frequencies[clause] for clause in self.typed_clauses):
            return False
        meaning = any(
            self.document_frequencies[c]
            for c in self.synonym_clauses
            if _is_content_synonym(c)
        )
        return not (
            meaning
            and measure_synonym_coverage(
                self.query_text, self.lexicon, WEIGHTS.term_weights
            )
            >= WEIGHTS.query.min_phonetic_share
        )

    @property
    def _engine_scope(
        self,
    ) -> tuple[tuple[FieldGroup, ...], tuple[frozenset[str], ...]]:
        return self.scope.field_groups, self.scope.labels

    def _count_documents(
        self, engine: Engine, asked: Sequence[Clause]
    ) -> dict[Clause, int]:
        """Return how many documents in scope hold each clause."""
        if not asked:
            return {}
        query = Query(tuple(asked), *self._engine_scope)
        return dict(zip(asked, engine.count_documents_per_clause(query), strict=True))


def _add_single_characters(lone: Iterable[str], terms: WeightedTerms) -> WeightedTerms:
    """Return `terms` with characters that stand alone, as pairs() returns them."""
    return replace(terms, bigrams=dict.fromkeys(lone, 1.0) | terms.bigrams)


def _make_phonetic_clause(pair: Clause) -> Clause:
    return Clause(
        make_phonetic_term(pair.term), WEIGHTS.query.phonetic * _get_word_weight(pair)
    )


def _is_content_synonym(same: Clause) -> bool:
    """Tell whether a clause of the same meaning does more than ask."""
    return _get_word_weight(same) > (
        WEIGHTS.term_weights.synonym * WEIGHTS.term_weights.content_threshold
    )


def _get_word_weight(clause: Clause) -> float:
    """Return what a clause weighs, as if it were a word."""
    return clause.weight / WEIGHTS.query.bigram if clause.is_bigram else clause.weight
