"""Fit [ranking] of kb/search/weights.toml: `python -m bench.fit_ranking [--write]`.

A coordinate search for the most R@1 + MRR@10 of labelled queries, each library counting
alike: one coefficient after another is moved by a step as long as that gains, then steps
are halved. It prints what a fit on the other sets does for each set that is left out, and
the fit on all sets beside the numbers in the file. Those in the file were rounded by hand.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from bench.fitting import (
    RANKING_FEATURES,
    Coefficients,
    QueryCandidates,
    collect_queries,
    evaluate_queries,
    get_weights_in_force,
    leave_out,
    list_libraries,
    parse_options,
    print_coefficients,
    print_table,
    write_section,
)

FITTED_NAMES = (*RANKING_FEATURES, "single_place")
START_STEP, LAST_STEP = 1.0, 0.25  # of a coefficient; finer ones fit noise
MIN_GAIN = 0.02  # points of R@1 + MRR: less is one query of one set


def main() -> None:
    options = parse_options(__doc__ or "")
    queries = collect_queries(options.queries)
    in_force, confidence = get_weights_in_force()
    rows = []
    for name in list_libraries(queries):
        others, left_out = leave_out(queries, name)
        fit = in_force | fit_ranking(others, in_force, confidence)
        rows.append(
            (
                name,
                evaluate_queries(left_out, in_force, confidence),
                evaluate_queries(left_out, fit, confidence),
            )
        )
        print(f"{name}: fitted without it", flush=True)
    print_table(rows)
    fit_on_all = fit_ranking(queries, in_force, confidence)
    print_coefficients(in_force, fit_on_all)
    if options.write:
        from kb.search.weights import WEIGHTS_FILE

        write_section(WEIGHTS_FILE, "ranking", fit_on_all)
        print(f"\nwritten to {WEIGHTS_FILE.name}")


def fit_ranking(
    queries: Sequence[QueryCandidates], in_force: Coefficients, confidence: Coefficients
) -> dict[str, float]:
    """Return the coefficients FITTED_NAMES that order labelled `queries` best.

    The search begins at 1 for each, not at the numbers in force.
    """
    labelled = [query for query in queries if query.is_labelled]

    def measure(values: Coefficients) -> float:
        figures = evaluate_queries(labelled, {**in_force, **values}, confidence)
        return figures.r1 + figures.mrr

    return search_coordinates(measure, dict.fromkeys(FITTED_NAMES, 1.0))


def search_coordinates(
    measure: Callable[[Coefficients], float], start: Coefficients
) -> dict[str, float]:
    """Return the values near `start`, none below 0, for which `measure` is largest."""
    values, best = dict(start), measure(start)
    step = START_STEP
    while step >= LAST_STEP:
        gained = False
        for name in start:
            for direction in (step, -step):
                while values[name] + direction >= 0:
                    trial = {**values, name: values[name] + direction}
                    if (figure := measure(trial)) < best + MIN_GAIN:
                        break
                    values, best, gained = trial, figure, True
        if not gained:
            step /= 2
    return values


if __name__ == "__main__":
    main()
