"""Features of candidates: what of a query each entry holds, and where."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence, Set
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from kb.index.engines import Clause, Engine
from kb.index.engines.base import Mask
from kb.search.candidates import CandidateSet
from kb.search.confidence import CandidateFeatures
from kb.search.query_analysis import SynonymMatch
from kb.search.spelling import correct_query
from kb.search.weights import WEIGHTS
from kb.text.chinese import tokenizer
from kb.text.chinese.similarity import SimilarityTerms, Wording, compare_wordings

ShareArray = npt.NDArray[np.float64]


def compute_features(
    engine: Engine,
    candidates: CandidateSet,
    ids: Sequence[int],
    wordings: Mapping[int, Sequence[Wording]],
) -> list[CandidateFeatures]:
    """Return the features of the documents `ids`, in their order.

    `wordings` has those of each id, the question first.
    """
    context = _FeatureContext.from_candidates(candidates)
    matches = engine.match_clauses(candidates.engine_query, ids)
    matches = np.pad(matches, ((0, 0), (0, 1)))
    # A clause that was not searched for is in the last column, which matches nothing.
    columns: defaultdict[Clause, int] = defaultdict(lambda: -1)
    columns.update((c, n) for n, c in enumerate(candidates.engine_query.clauses))
    shares = _measure_substitutes(candidates, matches, columns)
    coverage = _measure_coverage(candidates, matches, columns, shares)
    return [
        _compute_candidate_features(context, row, covered, core, wordings[id])
        for id, row, (covered, core) in zip(ids, shares.tolist(), coverage, strict=True)
    ]


class _FeatureContext(NamedTuple):
    """What is looked for in the wordings of every candidate.

    `core_weight` is the weight of the core terms, 0 where a synonym may say one of
    them. `synonym_terms` has each synonym with the query terms that it covers.
    """

    candidates: CandidateSet
    similarity_terms: SimilarityTerms
    core_weight: float
    synonym_terms: Sequence[tuple[SynonymMatch, Sequence[str]]]

    @classmethod
    def from_candidates(cls, candidates: CandidateSet) -> _FeatureContext:
        weights, synonyms = candidates.term_weights, candidates.query.synonyms
        core_terms = candidates.core_terms
        has_core_synonym = any(
            term in synonym.member for term in core_terms for synonym in synonyms
        )
        return cls(
            candidates,
            SimilarityTerms.from_terms(
                [*weights, *(term for synonym in synonyms for term in synonym.terms)]
            ),
            0.0 if has_core_synonym else sum(weights[term] for term in core_terms),
            [
                (synonym, [term for term in weights if term in synonym.member])
                for synonym in synonyms
            ],
        )

    def collect_matched_terms(self, terms: Set[str]) -> Set[str]:
        """Return the query terms among `terms`, and those that a synonym there says."""
        matched = terms & self.candidates.term_weights.keys()
        for synonym, covered in self.synonym_terms:
            if synonym.is_matched_by(terms):
                matched.update(covered)
        return matched

    def weigh_matched_terms(self, terms: Set[str], shares: Sequence[float]) -> float:
        """Return the weight of `terms`, and of unwritten terms by their `shares`."""
        weights = self.candidates.term_weights
        total = sum(weights[term] for term in terms)
        unwritten = self.candidates.unwritten_terms
        for term, share in zip(unwritten, shares, strict=True):
            if term.clause.term not in terms:
                total += term.idf_weight * WEIGHTS.features.phonetic_credit * share
        return total

    def is_fully_covered(
        self, covered: float, terms: Set[str], shares: Sequence[float]
    ) -> bool:
        """Return whether all of the query is covered, or `terms` hold all core terms.

        An unwritten term in Latin letters, which is pinyin or initials, counts among
        `terms` if all its substitutes match.
        """
        candidates = self.candidates
        threshold = WEIGHTS.features.full_coverage * candidates.total_weight
        if candidates.has_content_terms and covered >= threshold:
            return True
        spelled = {
            term.clause.term
            for term, share in zip(candidates.unwritten_terms, shares, strict=True)
            if share == 1 and term.clause.term.isascii()
        }
        return bool(candidates.core_terms) and candidates.core_terms <= terms | spelled


def _compute_candidate_features(
    context: _FeatureContext,
    shares: Sequence[float],
    covered: float,
    core_covered: float,
    wordings: Sequence[Wording],
) -> CandidateFeatures:
    """Return the features of an entry with these `wordings`.

    `covered` is the weight of the query terms that its document holds,
    `core_covered` of the core terms among them; `shares` has the share of the
    substitutes that it holds for each unwritten term.
    """
    candidates = context.candidates
    query_wordings: Sequence[Wording] = candidates.query.wordings
    terms, total_weight = context.similarity_terms, candidates.total_weight
    corrected_query = ""
    if any(shares) and (
        covered >= WEIGHTS.features.min_correction_coverage * total_weight
    ):
        corrected_query = correct_query(candidates, wordings)
    if corrected_query:
        query_wordings = [*query_wordings, Wording.from_spelling(corrected_query)]
        terms = terms.with_terms(tokenizer.extract_bigrams(corrected_query))
    similarity = compare_wordings(query_wordings, terms, wordings)
    matched = context.collect_matched_terms(similarity.matched_terms)
    in_wordings = in_own_wordings = context.weigh_matched_terms(matched, shares)
    if similarity.own_matched_terms != similarity.matched_terms:
        own = context.collect_matched_terms(similarity.own_matched_terms)
        in_own_wordings = context.weigh_matched_terms(own, shares)
    min_core = WEIGHTS.features.min_core_coverage * context.core_weight
    return CandidateFeatures(
        query_coverage=covered / total_weight,
        wording_coverage=in_wordings / total_weight,
        rare_term_coverage=min(covered / WEIGHTS.features.certain_rare_terms, 1.0),
        is_fully_covered=context.is_fully_covered(covered, matched, shares),
        is_carrier_only=core_covered < min_core
        and candidates.core_terms.isdisjoint(matched),
        is_exact=wordings[0].letters == query_wordings[0].letters,
        corrected_query=corrected_query,
        similarity=similarity,
        own_wording_coverage=in_own_wordings / total_weight,
    )


def _measure_substitutes(
    candidates: CandidateSet, matches: Mask, columns: Mapping[Clause, int]
) -> ShareArray:
    """Return an array [documents, unwritten terms]: the share of substitutes held.

    `matches`, [documents, clauses], says which clauses each document matches;
    `columns` has the column of each clause.
    """
    unwritten = candidates.unwritten_terms
    if not unwritten:
        return np.zeros((len(matches), 0))
    sizes = [len(term.substitutes) for term in unwritten]
    places = [columns[clause] for term in unwritten for clause in term.substitutes]
    starts = np.cumsum([0, *sizes[:-1]])
    counts = np.add.reduceat(matches[:, places], starts, 1, np.float64)
    shares: ShareArray = counts / sizes
    return shares


def _measure_coverage(
    candidates: CandidateSet,
    matches: Mask,
    columns: Mapping[Clause, int],
    shares: ShareArray,
) -> list[tuple[float, float]]:
    """Return for each document the weight of the terms it holds, and of core terms."""
    terms = candidates.query_terms
    held = matches[:, [columns[term.clause] for term in terms]].astype(float)
    held[:, [n for n, term in enumerate(terms) if term.substitutes]] = (
        WEIGHTS.features.phonetic_credit * shares
    )
    columns_of_term: defaultdict[str, list[int]] = defaultdict(list)
    for column, clause in enumerate(candidates.engine_query.clauses):
        columns_of_term[clause.term].append(column)
    for synonym in candidates.query.synonyms:
        documents = _find_synonym_documents(synonym, columns_of_term, matches)
        covered = np.array([term.clause.term in synonym.member for term in terms])
        held[documents[:, None] & covered] = 1.0
    weights = np.array([term.idf_weight for term in terms])
    core = weights * [term.clause.term in candidates.core_terms for term in terms]
    pairs: list[tuple[float, float]] = (
        held @ np.column_stack([weights, core])
    ).tolist()
    return pairs


def _find_synonym_documents(
    synonym: SynonymMatch, columns_of_term: Mapping[str, list[int]], matches: Mask
) -> Mask:
    """Return a mask [documents] of those that hold another wording of `synonym`."""
    columns = [n for word in synonym.single_words for n in columns_of_term[word]]
    documents = np.zeros(len(matches), np.bool_)
    documents |= matches[:, columns].any(axis=1)
    for words in synonym.word_groups:
        held = [matches[:, columns_of_term[word]].any(axis=1) for word in words]
        documents |= np.all(held, axis=0)
    return documents
