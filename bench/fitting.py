"""What fit_ranking and fit_confidence share: candidates of labelled queries, figures, tables.

A query's candidates are computed once, by the site's own code, with every answer read.
`evaluate_queries` then ranks them by any weights as kb.search.ranking does, which a test
proves for the weights in force.
"""

from __future__ import annotations

import argparse
import random
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import numpy.typing as npt

from bench.indexed_library import (
    MAX_RANK,
    IndexedLibrary,
    index_libraries,
    load_dictionaries,
    open_site,
)
from bench.rejection import list_off_topic_queries

if TYPE_CHECKING:
    from kb.text.chinese.lexicon import Lexicon

Floats = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]
Coefficients = Mapping[str, float]
SAMPLE_SEED = 7  # of the queries of a library: the same in every run
MAX_LIBRARY_QUERIES = (
    300  # labelled queries of a library; off-topic ones are as many at most
)
RANKING_FEATURES = ("indel_ratio_squared", "query_coverage", "letter_coverage")
CONFIDENCE_FEATURES = (
    "query_coverage",
    "wording_coverage",
    "rare_term_coverage",
    "asked_content_share",
    "learned_letter_coverage",
    "answer_coverage",
)
ANSWER_COLUMN = CONFIDENCE_FEATURES.index("answer_coverage")
CONTENT_COLUMN = CONFIDENCE_FEATURES.index("asked_content_share")


@dataclass(frozen=True, slots=True)
class QueryCandidates:
    """A query of a library and its n candidates, in the engine's order.

    library              whose query it is
    is_labelled          False for an off-topic query, whose candidates are all wrong
    ids                  [n] document ids
    log_scores           [n] ln(engine score / best engine score)
    ranking_features     [n, 3] RANKING_FEATURES
    confidence_features  [n, 6] CONFIDENCE_FEATURES, as if every answer were read
    single_place         [n] own_wording_coverage
    is_exact, is_carrier_only, is_fully_covered, is_relevant   [n]
    """

    library: str
    is_labelled: bool
    ids: npt.NDArray[np.int64]
    log_scores: Floats
    ranking_features: Floats
    confidence_features: Floats
    single_place: Floats
    is_exact: Flags
    is_carrier_only: Flags
    is_fully_covered: Flags
    is_relevant: Flags


class RankedQuery(NamedTuple):
    """`order` are candidates' places, best first; `confidences` [n] are in that order.

    `features` [n, 6] are in that order too, answers counted only where they were read.
    """

    order: npt.NDArray[np.int64]
    confidences: Floats
    features: Floats


class Figures(NamedTuple):
    """Shares in percent, log loss in nats a candidate; each library counts alike."""

    r1: float
    mrr: float
    rejected_right: float
    rejected_wrong: float
    log_loss: float


def collect_queries(max_queries: int = MAX_LIBRARY_QUERIES) -> list[QueryCandidates]:
    """Return the candidates of a sample of every library's queries."""
    queries: list[QueryCandidates] = []
    with open_site() as folder:
        lexicon = load_dictionaries()
        for library in index_libraries(folder):
            queries += collect_library_queries(library, lexicon, max_queries)
            print(f"{library.library.name}: candidates collected", flush=True)
    return queries


def collect_library_queries(
    library: IndexedLibrary, lexicon: Lexicon, max_queries: int = MAX_LIBRARY_QUERIES
) -> list[QueryCandidates]:
    """Return candidates of labelled and off-topic queries of one library.

    A query without candidates is left out: no weight moves it.
    """
    name = library.library.name
    relevant = {case.query: case.relevant for case in library.library.cases}
    relevant |= {
        query: frozenset[str]()
        for query in list_off_topic_queries(name)
        if query not in relevant
    }
    chosen = _sample([query for query, ids in relevant.items() if ids], max_queries)
    chosen += _sample(
        [query for query, ids in relevant.items() if not ids], max_queries
    )
    queries = (collect_candidates(library, q, relevant[q], lexicon) for q in chosen)
    return [query for query in queries if query is not None]


def collect_candidates(
    library: IndexedLibrary, text: str, relevant: frozenset[str], lexicon: Lexicon
) -> QueryCandidates | None:
    """Return the candidates of one query with their features; None without any."""
    from kb.search.features import compute_features
    from kb.search.ranking import MAX_RANKED_CANDIDATES
    from kb.search.weights import WEIGHTS
    from kb.text.markup.passage import score_best_sentence

    candidates = library.find_candidates(text, lexicon)
    if candidates is None or not candidates.hits.ids:
        return None
    scores = np.array(candidates.hits.scores)
    best = scores.max()
    is_kept = scores >= WEIGHTS.ranking.min_score_share * best
    ids = np.array(candidates.hits.ids)[is_kept][:MAX_RANKED_CANDIDATES]
    near = ids.tolist()
    wordings = library.load_wordings(near, len(near))
    features = compute_features(library.engine, candidates, near, wordings)
    term_weights = candidates.term_weights
    answers = library.load_answers(near)
    rows = library.library.rows
    return QueryCandidates(
        library=library.library.name,
        is_labelled=bool(relevant),
        ids=ids,
        log_scores=np.log(scores[is_kept][: len(ids)] / best),
        ranking_features=np.array(
            [
                (
                    f.similarity.indel_ratio**2,
                    f.query_coverage,
                    f.similarity.letter_coverage,
                )
                for f in features
            ]
        ),
        confidence_features=np.array(
            [
                (
                    f.query_coverage,
                    f.wording_coverage,
                    f.rare_term_coverage,
                    f.similarity.asked_content_share,
                    f.similarity.learned_letter_coverage,
                    score_best_sentence(answers[id], term_weights)
                    / candidates.total_weight,
                )
                for id, f in zip(near, features, strict=True)
            ]
        ),
        single_place=np.array([f.own_wording_coverage for f in features]),
        is_exact=np.array([f.is_exact for f in features]),
        is_carrier_only=np.array([f.is_carrier_only for f in features]),
        is_fully_covered=np.array([f.is_fully_covered for f in features]),
        is_relevant=np.array([rows[id]["id"] in relevant for id in near]),
    )


def get_weights_in_force() -> tuple[dict[str, float], dict[str, float]]:
    """Return {name: value} of [ranking] and [confidence] in weights.toml."""
    from kb.search.weights import WEIGHTS

    return asdict(WEIGHTS.ranking), asdict(WEIGHTS.confidence)


def rank_query(
    query: QueryCandidates, ranking: Coefficients, confidence: Coefficients
) -> RankedQuery:
    """Rank the candidates of `query` by weights, as kb.search.ranking does."""
    from kb.search.ranking import MAX_NEAR_HITS

    coefficients = np.array([ranking[name] for name in RANKING_FEATURES])
    scores = query.log_scores + query.ranking_features @ coefficients
    scores = scores + ranking["exact_match"] * query.is_exact
    order = np.lexsort((query.ids, -scores))
    features = query.confidence_features[order].copy()
    answers = features[:, ANSWER_COLUMN].copy()
    features[:, ANSWER_COLUMN] = 0.0
    confidences = _compute_confidences(query, order, features, confidence)
    is_confident = confidences[:MAX_NEAR_HITS].max() >= confidence["threshold"]
    content_share = features[0, CONTENT_COLUMN]
    if not (is_confident and content_share >= ranking["min_question_coverage"]):
        top = slice(0, MAX_NEAR_HITS)
        features[top, ANSWER_COLUMN] = answers[top]
        place = np.maximum(answers[top], query.single_place[order[top]])
        raised = scores[order[top]] + ranking["single_place"] * place
        again = np.lexsort((query.ids[order[top]], -raised))
        order[top], features[top] = order[top][again], features[top][again]
        confidences = _compute_confidences(query, order, features, confidence)
    return RankedQuery(order, confidences, features)


def evaluate_queries(
    queries: Sequence[QueryCandidates], ranking: Coefficients, confidence: Coefficients
) -> Figures:
    """Return the figures of `queries` by weights; NaN where none are of that kind."""
    from kb.search.ranking import MAX_NEAR_HITS

    by_library: dict[str, list[Figures]] = {}
    nan = float("nan")
    for query in queries:
        ranked = rank_query(query, ranking, confidence)
        is_relevant = query.is_relevant[ranked.order]
        places = np.flatnonzero(is_relevant[:MAX_RANK])
        rank = int(places[0]) + 1 if len(places) else 0
        top = slice(0, MAX_NEAR_HITS)
        rejected = 100.0 * (ranked.confidences[top].max() < confidence["threshold"])
        likelihoods = np.where(
            is_relevant[top], ranked.confidences[top], 1 - ranked.confidences[top]
        )
        labelled = query.is_labelled
        by_library.setdefault(query.library, []).append(
            Figures(
                r1=100.0 * (rank == 1) if labelled else nan,
                mrr=100.0 / rank if rank else (0.0 if labelled else nan),
                rejected_right=rejected if is_relevant[top].any() else nan,
                rejected_wrong=nan if labelled else rejected,
                log_loss=float(-np.log(np.maximum(likelihoods, 1e-12)).mean()),
            )
        )
    return _average([_average(rows) for rows in by_library.values()])


def print_table(rows: Iterable[tuple[str, Figures, Figures]]) -> None:
    """Print (set left out, figures of the file, figures of the fit on the others)."""
    names = ("R@1", "MRR@10", "right rejected", "wrong rejected", "log loss")
    print("\n| set left out | " + " | ".join(f"{n}, file → fit" for n in names) + " |")
    print("|---" * (len(names) + 1) + "|")
    for name, file, fit in rows:
        cells = [
            f"{a:.3f} → {b:.3f}" if title == "log loss" else f"{a:.1f} → {b:.1f}"
            for title, a, b in zip(names, file, fit, strict=True)
        ]
        print(f"| {name} | {' | '.join(cells)} |")


def print_coefficients(file: Coefficients, fit: Coefficients) -> None:
    """Print each number of the file beside the fitted one."""
    print("\n| number | file | fit |\n|---|---|---|")
    for name, value in fit.items():
        print(f"| {name} | {file[name]:g} | {value:.3f} |")


def write_section(path: Path, section: str, values: Coefficients) -> None:
    """Write `values` into [section] of a TOML file; comments and order stay.

    Raises KeyError for a name that the section lacks; nothing is written then.
    """
    lines = path.read_text("utf-8").split("\n")
    header = lines.index(f"[{section}]")
    written = set()
    for number in range(header + 1, len(lines)):
        if lines[number].startswith("["):
            break
        match = re.match(r"(\w+) = ([-+.\w]+)(\s*#.*)?$", lines[number])
        if match and match[1] in values:
            value = round(float(values[match[1]]), 3)
            lines[number] = f"{match[1]} = {value}{match[3] or ''}"
            written.add(match[1])
    if unknown := values.keys() - written:
        raise KeyError(f"[{section}] has no {', '.join(sorted(unknown))}")
    path.write_text("\n".join(lines), "utf-8")


def parse_options(description: str) -> argparse.Namespace:
    """Return the options `write` and `queries` of a fitting script."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument(
        "--write", action="store_true", help="write the fit into weights.toml"
    )
    parser.add_argument(
        "--queries",
        type=int,
        default=MAX_LIBRARY_QUERIES,
        help="labelled queries of a library that are sampled",
    )
    return parser.parse_args()


def leave_out(
    queries: Sequence[QueryCandidates], library: str
) -> tuple[list[QueryCandidates], list[QueryCandidates]]:
    """Return the queries of the other libraries, and those of `library`."""
    others = [query for query in queries if query.library != library]
    return others, [query for query in queries if query.library == library]


def list_libraries(queries: Sequence[QueryCandidates]) -> list[str]:
    return list(dict.fromkeys(query.library for query in queries))


def _compute_confidences(
    query: QueryCandidates,
    order: npt.NDArray[np.int64],
    features: Floats,
    weights: Coefficients,
) -> Floats:
    """Return [n] confidences in `order`, as kb.search.confidence computes one."""
    coefficients = np.array([weights[name] for name in CONFIDENCE_FEATURES])
    likely = 1 / (1 + np.exp(-(features @ coefficients + weights["intercept"])))
    confidences: Floats = np.select(
        [query.is_carrier_only[order], query.is_fully_covered[order]],
        [
            np.minimum(likely, weights["max_carrier_only"]),
            np.maximum(likely, weights["min_full_match"]),
        ],
        likely,
    )
    return confidences


def _average(rows: Sequence[Figures]) -> Figures:
    columns = np.array(rows, dtype=np.float64).reshape(-1, len(Figures._fields))
    means = [
        float(column[~np.isnan(column)].mean())
        if not np.isnan(column).all()
        else float("nan")
        for column in columns.T
    ]
    return Figures(*means)


def _sample(queries: list[str], count: int) -> list[str]:
    return random.Random(SAMPLE_SEED).sample(sorted(queries), min(count, len(queries)))
