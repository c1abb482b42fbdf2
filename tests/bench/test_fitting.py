"""The fits of ranking and confidence: they find known numbers, and write them back."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pytest

from bench.fit_confidence import fit_confidence, fit_logistic_regression
from bench.fit_ranking import FITTED_NAMES, fit_ranking, search_coordinates
from bench.fitting import (
    QueryCandidates,
    collect_candidates,
    collect_library_queries,
    evaluate_queries,
    get_weights_in_force,
    leave_out,
    list_libraries,
    rank_query,
    write_section,
)
from bench.indexed_library import IndexedLibrary
from kb.search.weights import WEIGHTS_FILE, read_weights
from kb.text.chinese.lexicon import EMPTY_LEXICON
from tests.relevance.labelled import Case, Labelled

QUESTIONS = {
    "a": "退货的运费由谁承担？",
    "b": "怎么修改收货地址？",
    "c": "会员积分什么时候到期？",
    "d": "发票抬头开错了怎么改？",
}
QUERIES = {"退货运费": "a", "改地址": "b", "积分到期吗": "c", "发票开错": "d"}


def make_query(
    library: str,
    features: np.ndarray,
    is_relevant: np.ndarray,
    *,
    ranking_features: np.ndarray | None = None,
) -> QueryCandidates:
    count = len(features)
    nothing = np.zeros(count, np.bool_)
    return QueryCandidates(
        library=library,
        is_labelled=bool(is_relevant.any()),
        ids=np.arange(count),
        log_scores=np.zeros(count),
        ranking_features=np.zeros((count, 3))
        if ranking_features is None
        else ranking_features,
        confidence_features=features,
        single_place=np.zeros(count),
        is_exact=nothing,
        is_carrier_only=nothing,
        is_fully_covered=nothing,
        is_relevant=is_relevant,
    )


@pytest.fixture
def library(tmp_path: Path) -> IndexedLibrary:
    rows = [
        {
            "id": id,
            "question": question,
            "answer": f"{question}请看说明。",
            "similar": [],
        }
        for id, question in QUESTIONS.items()
    ]
    cases = [Case("toy", query, frozenset({id})) for query, id in QUERIES.items()]
    return IndexedLibrary(Labelled("toy", rows, cases), tmp_path / "index")


def test_logistic_regression_recovers_known_coefficients() -> None:
    rng = np.random.default_rng(1)
    known = np.array([-2.0, 3.0, 1.0])
    features = rng.random((20_000, 2))
    odds = known[0] + features @ known[1:]
    labels = rng.random(len(features)) < 1 / (1 + np.exp(-odds))
    weights = np.full(len(features), 1 / len(features))
    fit = fit_logistic_regression(features, labels, weights)
    assert fit == pytest.approx(known, abs=0.3)


def test_every_library_counts_alike_in_the_fit_of_confidence() -> None:
    rng = np.random.default_rng(2)
    large, small = (
        [
            make_query(name, rng.random((5, 6)), np.array([right] + [False] * 4))
            for right in (True, False) * 10
        ]
        for name in ("large", "small")
    )
    weights = get_weights_in_force()
    fit = fit_confidence([*large, *small], *weights)
    assert fit_confidence([*large * 9, *small], *weights) == pytest.approx(fit)
    assert fit_confidence(large, *weights) != pytest.approx(fit)


def test_coordinate_search_finds_the_best_values() -> None:
    def measure(values: Mapping[str, float]) -> float:
        return -((values["a"] - 2.5) ** 2) - (values["b"] - 0.5) ** 2

    assert search_coordinates(measure, {"a": 1.0, "b": 1.0}) == {"a": 2.5, "b": 0.5}


def test_the_fit_of_ranking_raises_the_feature_that_tells_right_from_wrong() -> None:
    queries = []
    for _ in range(10):
        columns = np.array([[0.0, 0.2, 1.0], [0.0, 0.9, 0.0]])
        queries.append(
            make_query(
                "toy",
                np.ones((2, 6)),
                np.array([False, True]),
                ranking_features=columns,
            )
        )
    ranking, confidence = get_weights_in_force()
    fit = fit_ranking(queries, ranking, confidence)
    assert set(fit) == set(FITTED_NAMES)
    assert 0.7 * fit["query_coverage"] > fit["letter_coverage"]
    assert evaluate_queries(queries, ranking | fit, confidence).r1 == 100.0


def test_queries_rank_here_as_the_site_ranks_them(library: IndexedLibrary) -> None:
    weights = get_weights_in_force()
    queries = collect_library_queries(library, EMPTY_LEXICON)
    assert {query.is_labelled for query in queries} == {True, False}
    relevant = [case.query for case in library.library.cases]
    site = {}
    for text in [*relevant, "今天天气怎么样", "怎么修改"]:
        ranked = library.rank(text, EMPTY_LEXICON)
        site[text] = [(row.id, pytest.approx(row.confidence)) for row in ranked]

    for text, expected in site.items():
        query = collect_candidates(library, text, frozenset(), EMPTY_LEXICON)
        if query is None:
            assert not expected
            continue
        ranked_here = rank_query(query, *weights)
        ids = query.ids[ranked_here.order].tolist()
        found = list(zip(ids, ranked_here.confidences.tolist(), strict=True))
        assert found == expected
    assert any(site.values())


def test_figures_count_libraries_alike_and_reject_off_topic_queries() -> None:
    ranking, confidence = get_weights_in_force()
    right, wrong = np.array([True]), np.array([False])
    sure, unsure = np.ones((1, 6)), np.zeros((1, 6))
    queries = [
        make_query("one", sure, right),
        make_query("one", sure, right),
        make_query("one", unsure, wrong),
        make_query("two", unsure, right),
    ]
    figures = evaluate_queries(queries, ranking, confidence)
    assert figures.r1 == 100.0
    assert figures.rejected_wrong == 100.0
    assert figures.rejected_right == 50.0


def test_one_library_is_left_out() -> None:
    features, right = np.ones((1, 6)), np.array([True])
    queries = [make_query(name, features, right) for name in ("one", "two", "one")]
    assert list_libraries(queries) == ["one", "two"]
    others, left_out = leave_out(queries, "one")
    assert [query.library for query in others] == ["two"]
    assert len(left_out) == 2


def test_a_fit_is_written_back_and_comments_stay(tmp_path: Path) -> None:
    text = WEIGHTS_FILE.read_text("utf-8")
    path = tmp_path / "weights.toml"
    path.write_text(text, "utf-8")
    write_section(path, "ranking", {"query_coverage": 1.75, "single_place": 3.0})
    weights = read_weights(path)
    assert weights.ranking.query_coverage == 1.75
    assert weights.ranking.single_place == 3.0
    assert (
        weights.confidence == read_weights().confidence
    )  # it has a query_coverage too
    changed = path.read_text("utf-8")
    comments = [line.partition("#")[2] for line in text.splitlines()]
    assert [line.partition("#")[2] for line in changed.splitlines()] == comments


def test_a_number_that_the_file_lacks_is_refused_and_nothing_written(
    tmp_path: Path,
) -> None:
    path = tmp_path / "weights.toml"
    path.write_text(text := WEIGHTS_FILE.read_text("utf-8"), "utf-8")
    with pytest.raises(KeyError, match="no_such_number"):
        write_section(path, "ranking", {"query_coverage": 1.0, "no_such_number": 1.0})
    assert path.read_text("utf-8") == text
