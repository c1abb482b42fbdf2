"""How well a search says that nothing was found: off-topic queries against labelled ones.

A query is rejected when its best score is below a threshold. The threshold asked for
is one for all libraries: it may reject SPARED percent of a library's labelled queries
at most, and should reject WANTED percent of those that are off its topic.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tests.bench.asked import Asked, site
from tests.relevance.labelled import libraries, tsv

SPARED, WANTED = 3, 90  # percent
MOST = 1_000  # labelled queries of a library that are asked
ORDER = 7  # of the sample: the same in every run
ALIASES = {"saas_support_zhcn": "saas_support", "saas_support_zhtw": "saas_support"}


def rejection() -> dict[str, Any]:
    """Print and return {library: figures}, shares in percent."""
    with site() as folder:
        return measure(folder)


def measure(folder: Path) -> dict[str, Any]:
    """Return {library: figures}; indexes are kept in `folder`.

    `nothing` and `nothing_labelled` are what is found for nothing as it stands;
    `threshold` is where SPARED percent of labelled queries are lost, `rejected` the
    off-topic queries below it, and `at_one` both shares at one threshold for all.
    """
    from kb import vocabulary
    from kb.text import pinyin, segment

    segment.warm()
    pinyin.warm()
    lexicon = vocabulary.starter()
    scores = {}
    for library in libraries():
        if library.name != "encyclopedia":  # anything may be on its topic
            asked = Asked(library, folder / library.name)
            off = _best(asked, _off_topic(library.name), lexicon)
            labelled = _best(asked, _sample(asked), lexicon)
            scores[library.name] = (off, labelled)
    one = min(_percentile(labelled, SPARED) for _, labelled in scores.values())
    report = {name: _figures(*both, one) for name, both in scores.items()}
    _table(report, one)
    return report


def _off_topic(library: str) -> list[str]:
    name = ALIASES.get(library, library)
    rows = tsv("offtopic.tsv")
    return [row["query"] for row in rows if name not in row["not_for"].split(",")]


def _sample(asked: Asked) -> list[str]:
    queries = sorted({case.query for case in asked.library.cases})
    return random.Random(ORDER).sample(queries, min(MOST, len(queries)))


def _best(asked: Asked, queries: Sequence[str], lexicon: Any) -> list[float]:
    """Return the best score of each query, 0 where nothing is found."""
    found = (asked.found(query, lexicon) for query in queries)
    return [max(scores.values(), default=0.0) for scores in found]


def _percentile(scores: Sequence[float], share: int) -> float:
    """Return the score that `share` percent are below."""
    ordered = sorted(scores)
    return ordered[len(ordered) * share // 100]


def _figures(
    off: Sequence[float], labelled: Sequence[float], one: float
) -> dict[str, float]:
    own = _percentile(labelled, SPARED)
    return {
        "off_topic": len(off),
        "labelled": len(labelled),
        "nothing": _below(off, 1e-9),
        "nothing_labelled": _below(labelled, 1e-9),
        "threshold": round(own, 3),
        "rejected": _below(off, own),
        "at_one": _below(off, one),
        "at_one_labelled": _below(labelled, one),
    }


def _below(scores: Sequence[float], threshold: float) -> float:
    return round(100 * sum(score < threshold for score in scores) / len(scores), 1)


def _table(report: dict[str, dict[str, float]], one: float) -> None:
    names = list(next(iter(report.values())))
    print(
        f"\noff topic: at least {WANTED} % rejected is wanted; one threshold: {one:.3f}"
    )
    print("\n| library | " + " | ".join(names) + " |")
    print("|---" * (len(names) + 1) + "|")
    for library, figures in report.items():
        print(f"| {library} | " + " | ".join(f"{figures[n]:g}" for n in names) + " |")
