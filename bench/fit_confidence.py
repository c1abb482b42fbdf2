"""Fit [confidence] of kb/search/weights.toml: `python -m bench.fit_confidence [--write]`.

A logistic regression of right candidates of labelled queries against the surest ones of
off-topic queries, each library counting alike. Newton's method with a small ridge
(Bishop, Pattern Recognition and Machine Learning, 2006, section 4.3.3). It prints what a
fit on the other sets does for each set that is left out, and the fit on all sets beside
the numbers in the file, which were rounded by hand.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import numpy as np

from bench.fitting import (
    CONFIDENCE_FEATURES,
    Coefficients,
    Flags,
    Floats,
    QueryCandidates,
    collect_queries,
    evaluate_queries,
    get_weights_in_force,
    leave_out,
    list_libraries,
    parse_options,
    print_coefficients,
    print_table,
    rank_query,
    write_section,
)

MAX_STEPS = 50  # of Newton's method; a dozen are usual
RIDGE = 1e-3  # of the squared coefficients, beside a log loss that is a mean
CONVERGED_STEP = 1e-9
CANDIDATES_PER_QUERY = 5  # that decide whether anything is shown


def main() -> None:
    options = parse_options(__doc__ or "")
    queries = collect_queries(options.queries)
    ranking, in_force = get_weights_in_force()
    rows = []
    for name in list_libraries(queries):
        others, left_out = leave_out(queries, name)
        fit = in_force | fit_confidence(others, ranking, in_force)
        rows.append(
            (
                name,
                evaluate_queries(left_out, ranking, in_force),
                evaluate_queries(left_out, ranking, fit),
            )
        )
    print_table(rows)
    fit_on_all = fit_confidence(queries, ranking, in_force)
    print_coefficients(in_force, fit_on_all)
    if options.write:
        from kb.search.weights import WEIGHTS_FILE

        write_section(WEIGHTS_FILE, "confidence", fit_on_all)
        print(f"\nwritten to {WEIGHTS_FILE.name}")


def fit_confidence(
    queries: Sequence[QueryCandidates], ranking: Coefficients, in_force: Coefficients
) -> dict[str, float]:
    """Return the intercept and the coefficients of CONFIDENCE_FEATURES.

    Each query gives one sample: the first right candidate of a labelled query, the
    surest of an off-topic one, as of both the surest decides whether results are
    shown. A labelled query without a right candidate gives none. Libraries count
    alike, and so do right and wrong samples of a library.
    """
    features, labels, groups = [], [], []
    for query in queries:
        ranked = rank_query(query, ranking, in_force)
        top = ranked.order[:CANDIDATES_PER_QUERY]
        is_right = query.is_relevant[top]
        # No coefficient moves a candidate that is capped for its carrier phrase.
        is_usable = ~query.is_carrier_only[top] & (is_right == query.is_labelled)
        if not is_usable.any():
            continue
        places = np.flatnonzero(is_usable)
        surest = places[ranked.confidences[places].argmax()]
        features.append(ranked.features[places[0] if query.is_labelled else surest])
        labels.append(query.is_labelled)
        groups.append((query.library, query.is_labelled))
    sizes = Counter(groups)
    sample_weights = np.array([1 / sizes[group] / len(sizes) for group in groups])
    coefficients = fit_logistic_regression(
        np.array(features), np.array(labels), sample_weights
    )
    names = ("intercept", *CONFIDENCE_FEATURES)
    return dict(zip(names, coefficients.tolist(), strict=True))


def fit_logistic_regression(
    features: Floats, labels: Flags, sample_weights: Floats
) -> Floats:
    """Return [1 + f] intercept and coefficients of `features` [n, f].

    `labels` [n] say which samples are right, `sample_weights` [n] add up to 1.
    Raises ValueError when Newton's method does not converge.
    """
    inputs = np.column_stack([np.ones(len(features)), features])
    ridge = RIDGE * np.eye(inputs.shape[1])
    ridge[0, 0] = 0.0  # an intercept is not pulled to 0
    coefficients: Floats = np.zeros(inputs.shape[1])
    for _ in range(MAX_STEPS):
        likely = 1 / (1 + np.exp(-inputs @ coefficients))
        gradient = inputs.T @ (sample_weights * (likely - labels))
        gradient += ridge @ coefficients
        curvature = sample_weights * likely * (1 - likely)
        hessian = inputs.T @ (curvature[:, None] * inputs) + ridge
        step = np.linalg.solve(hessian, gradient)
        coefficients = coefficients - step
        if np.abs(step).max() < CONVERGED_STEP:
            return coefficients
    raise ValueError("the fit of confidence did not converge")


if __name__ == "__main__":
    main()
