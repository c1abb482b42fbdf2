"""Look at candidates closely: what of a query each holds, and where."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence, Set
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from kb.index.engines import Clause, Engine
from kb.index.engines.base import Mask
from kb.search.confidence import CandidateFeatures
from kb.search.query_analysis import QueryAnalysis, QueryTerm, SynonymMatch
from kb.search.spelling import correct_query
from kb.search.weights import WEIGHTS
from kb.text.chinese import tokenizer
from kb.text.chinese.similarity import (
    SimilarityTerms,
    Wording,
    analyze_wordings,
    compare_wordings,
)

ShareArray = npt.NDArray[np.float64]


def compute_features(
    engine: Engine,
    asked: QueryAnalysis,
    ids: Sequence[int],
    seen: Mapping[int, Sequence[Wording]],
) -> list[CandidateFeatures]:
    """Return the signs of `ids`, in their order; `seen` has the wordings of each."""
    sought = _FeatureContext.from_analysis(asked)
    held = np.pad(engine.match_clauses(asked.engine_query, ids), ((0, 0), (0, 1)))
    at: defaultdict[Clause, int]
    at = defaultdict(lambda: -1)  # what is not asked for, nobody holds
    at.update(
        (clause, place) for place, clause in enumerate(asked.engine_query.clauses)
    )
    heard = _measure_substitutes(sought, held, at)
    covered = _measure_coverage(asked, held, at, heard)
    return [
        _compute_candidate_features(asked, sought, shares, covers, seen[id])
        for id, shares, covers in zip(ids, heard.tolist(), covered, strict=True)
    ]


class _FeatureContext(NamedTuple):
    """What is looked for in every candidate.

    `tells` says whether anything that was typed does more than ask. `worth` is
    that of each term needed, `about` that of the core, 0 where a synonym may say it;
    `lost` are those which nobody writes and others may stand for; `same` the meanings,
    each with the terms that are met where it is.
    """

    has_content_terms: bool
    query_wordings: Sequence[Wording]
    similarity_terms: SimilarityTerms
    term_weights: Mapping[str, float]
    core_weight: float
    unwritten_terms: Sequence[QueryTerm]
    synonym_terms: Sequence[tuple[SynonymMatch, Sequence[str]]]

    @classmethod
    def from_analysis(cls, asked: QueryAnalysis) -> _FeatureContext:
        worth = sum_term_weights(asked)
        lost = [need for need in asked.query_terms if need.substitutes]
        same = [
            (m, [term for term in worth if term in m.member])
            for m in asked.synonym_matches
        ]
        terms = SimilarityTerms.from_terms(
            [*worth, *(term for m in asked.synonym_matches for term in m.terms)]
        )
        said = any(
            term in m.member for term in asked.core_terms for m in asked.synonym_matches
        )
        about = 0.0 if said else sum(map(worth.__getitem__, asked.core_terms))
        return cls(
            asked.has_content_terms,
            analyze_wordings(asked.query_text),
            terms,
            worth,
            about,
            lost,
            same,
        )


def sum_term_weights(asked: QueryAnalysis) -> Mapping[str, float]:
    """Return what each term needed is worth."""
    worth: defaultdict[str, float] = defaultdict(float)
    for need in asked.query_terms:
        worth[need.clause.term] += need.idf_weight
    return worth


def _compute_candidate_features(
    asked: QueryAnalysis,
    sought: _FeatureContext,
    heard: Sequence[float],
    covers: Sequence[float],
    wordings: Sequence[Wording],
) -> CandidateFeatures:
    query, terms, meant = sought.query_wordings, sought.similarity_terms, ""
    covered, core = covers
    if covered >= WEIGHTS.features.min_correction_coverage * asked.total_weight and any(
        heard
    ):
        meant = correct_query(asked, wordings)
    if meant:
        query = [*query, Wording.from_spelling(meant)]
        terms = terms.with_terms(tokenizer.extract_bigrams(meant))
    like = compare_wordings(query, terms, wordings)
    met = _collect_matched_terms(sought, like.matched_terms)
    titled = said = _weigh_matched_terms(sought, heard, met)
    if like.own_matched_terms != like.matched_terms:
        said = _weigh_matched_terms(
            sought, heard, _collect_matched_terms(sought, like.own_matched_terms)
        )
    return CandidateFeatures(
        query_coverage=covered / asked.total_weight,
        wording_coverage=titled / asked.total_weight,
        rare_term_coverage=min(covered / WEIGHTS.features.certain_rare_terms, 1.0),
        is_fully_covered=_is_fully_covered(asked, sought, covered, heard, met),
        is_carrier_only=core < WEIGHTS.features.min_core_coverage * sought.core_weight
        and asked.core_terms.isdisjoint(met),
        is_exact=wordings[0].letters == query[0].letters,
        corrected_query=meant,
        similarity=like,
        own_wording_coverage=said / asked.total_weight,
    )


def _measure_substitutes(
    sought: _FeatureContext, held: Mask, at: Mapping[Clause, int]
) -> ShareArray:
    """Return how much each document holds of what stands for each term lost.

    `held`, [documents, clauses], tells which clauses of the query each matches, and
    `at` which clause stands where.
    """
    if not sought.unwritten_terms:
        return np.zeros((len(held), 0))
    sizes = [len(need.substitutes) for need in sought.unwritten_terms]
    places = [
        at[clause] for need in sought.unwritten_terms for clause in need.substitutes
    ]
    sums = np.add.reduceat(held[:, places], np.cumsum([0, *sizes[:-1]]), 1, np.float64)
    shares: ShareArray = sums / sizes
    return shares


def _measure_coverage(
    asked: QueryAnalysis, held: Mask, at: Mapping[Clause, int], heard: ShareArray
) -> list[tuple[float, float]]:
    """Return what the needs are worth that each document meets, and those of the core."""
    met = held[:, [at[need.clause] for need in asked.query_terms]].astype(float)
    met[:, [n for n, need in enumerate(asked.query_terms) if need.substitutes]] = (
        WEIGHTS.features.phonetic_credit * heard
    )
    places_of = defaultdict(list)
    for place, clause in enumerate(asked.engine_query.clauses):
        places_of[clause.term].append(place)
    for meaning in asked.synonym_matches:
        said = _find_synonym_documents(meaning, places_of, held)
        inside = [n.clause.term in meaning.member for n in asked.query_terms]
        met[said[:, None] & np.array(inside)] = 1.0
    worth = np.array([need.idf_weight for need in asked.query_terms])
    core = worth * [need.clause.term in asked.core_terms for need in asked.query_terms]
    pairs: list[tuple[float, float]] = (met @ np.column_stack([worth, core])).tolist()
    return pairs


def _find_synonym_documents(
    meaning: SynonymMatch, places: Mapping[str, list[int]], holds: Mask
) -> Mask:
    """Return which documents say what means the same."""
    alone = [at for word in meaning.single_words for at in places[word]]
    said = np.zeros(len(holds), np.bool_)
    said |= holds[:, alone].any(axis=1)
    for words in meaning.word_groups:
        each = [holds[:, places[word]].any(axis=1) for word in words]
        said |= np.all(each, axis=0)
    return said


def _collect_matched_terms(sought: _FeatureContext, there: Set[str]) -> Set[str]:
    """Return the terms needed that stand in the wordings, or are said otherwise."""
    met = there & sought.term_weights.keys()
    for meaning, terms in sought.synonym_terms:
        if meaning.is_matched_by(there):
            met.update(terms)
    return met


def _is_fully_covered(
    asked: QueryAnalysis,
    sought: _FeatureContext,
    covered: float,
    heard: Sequence[float],
    met: Set[str],
) -> bool:
    """Tell whether all is covered, or the wordings say all that is asked about.

    Of what only sounds so, Latin letters count for these: pinyin, initials.
    """
    if (
        sought.has_content_terms
        and covered >= WEIGHTS.features.full_coverage * asked.total_weight
    ):
        return True
    spelt = {
        need.clause.term
        for need, share in zip(sought.unwritten_terms, heard, strict=True)
        if share == 1 and need.clause.term.isascii()
    }
    return bool(asked.core_terms) and asked.core_terms <= met | spelt


def _weigh_matched_terms(
    sought: _FeatureContext, heard: Sequence[float], met: Set[str]
) -> float:
    """Return what the needs are worth that are met, or sound so."""
    worth = sum(map(sought.term_weights.__getitem__, met))
    for need, share in zip(sought.unwritten_terms, heard, strict=True):
        if need.clause.term not in met:
            worth += need.idf_weight * WEIGHTS.features.phonetic_credit * share
    return worth
