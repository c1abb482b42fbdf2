"""How well a search says that nothing was found: off-topic queries beside labelled ones.

The confidence threshold is the same for every library. It should refuse at least
MIN_OFF_TOPIC_REFUSED_PERCENT of the queries off a library's topic, and at most
MAX_LABELLED_REFUSED_PERCENT of its labelled queries. Of short queries that are found, the
report says how many are refused with a carrier phrase around them: a greeting or a wish.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from bench.figures import AT_LEAST, AT_MOST, Target, make_target
from bench.indexed_library import IndexedLibrary, open_site
from tests.relevance.labelled import libraries, tsv

MAX_LABELLED_REFUSED_PERCENT, MIN_OFF_TOPIC_REFUSED_PERCENT = 3, 90
MAX_LABELLED_QUERIES = 1_000  # of a library
SAMPLE_SEED = 7  # the sample is the same in every run
MAX_SHORT_QUERY_CHARS = 6  # of queries that get carrier phrases
CARRIER_PATTERNS = (
    "请问{}",
    "你好，{}",
    "我想问一下{}",
    "我想{}",
    "怎么{}",
    "{}怎么办",
    "{}的问题",
)
SET_ALIASES = {"saas_support_zhcn": "saas_support", "saas_support_zhtw": "saas_support"}
# Libraries whose queries are all colloquial, in words that the entries lack: reported,
# but without a target.
COLLOQUIAL_SETS = {"demo", "bank_hant", "cityhall"}


def measure_rejection() -> dict[str, Any]:
    """Return {library: figures}, shares in percent."""
    with open_site() as folder:
        return measure_libraries(folder)


def measure_libraries(folder: Path) -> dict[str, Any]:
    """Return {library: figures}, with indexes in `folder`."""
    from kb.language import vocabulary
    from kb.text.chinese import pinyin, tokenizer

    tokenizer.load_tokenizer_dictionaries()
    pinyin.load_pinyin_dictionaries()
    lexicon = vocabulary.load_starter_lexicon()
    report = {}
    for library in libraries():
        asked = IndexedLibrary(library, folder / library.name)
        queries = {
            "off_topic": list_off_topic_queries(library.name),
            "labelled": _sample_queries(asked, colloquial=False),
            "colloquial": _sample_queries(asked, colloquial=True),
            "carrier": _list_carrier_queries(asked, lexicon),
        }
        counts = {kind: len(some) for kind, some in queries.items()}
        shares = {
            f"{kind}_refused": _compute_refused_percent(asked, some, lexicon)
            for kind, some in queries.items()
        }
        report[library.name] = counts | shares
        print(f"{library.name}: {report[library.name]}", flush=True)
    return report


def list_targets(report: dict[str, Any]) -> Iterator[Target]:
    """Yield the targets, and whether each was reached."""
    for name, row in report.items():
        figure = row["off_topic_refused"]
        yield make_target(
            f"{name}, off topic refused",
            figure,
            AT_LEAST,
            MIN_OFF_TOPIC_REFUSED_PERCENT,
            "%",
        )
        if row["labelled"]:
            figure = row["labelled_refused"]
            yield make_target(
                f"{name}, labelled refused",
                figure,
                AT_MOST,
                MAX_LABELLED_REFUSED_PERCENT,
                "%",
            )


def format_table(report: dict[str, Any]) -> str:
    """Return the figures as Markdown."""
    kinds = {
        "off_topic": "off topic",
        "labelled": "labelled",
        "colloquial": "colloquial",
        "carrier": "short and found, in a carrier phrase",
    }
    heads = " | ".join(f"{shown}, refused" for shown in kinds.values())
    rows = [f"| set | {heads} |", "|---" * (len(kinds) + 1) + "|"]
    for name, row in report.items():
        cells = [
            f"{row[kind]:,}, {row[f'{kind}_refused']} %" if row.get(kind) else "–"
            for kind in kinds
        ]
        rows.append(f"| {name} | {' | '.join(cells)} |")
    return "\n".join(rows)


def list_off_topic_queries(library: str) -> list[str]:
    name = SET_ALIASES.get(library, library)
    rows = tsv("offtopic.tsv")
    return [row["query"] for row in rows if name not in row["not_for"].split(",")]


def _sample_queries(asked: IndexedLibrary, *, colloquial: bool) -> list[str]:
    cases, every = asked.library.cases, asked.library.name in COLLOQUIAL_SETS
    apart = {c.query for c in cases if every or c.set.endswith(", colloquial")}
    queries = sorted(apart if colloquial else {c.query for c in cases} - apart)
    return random.Random(SAMPLE_SEED).sample(
        queries, min(MAX_LABELLED_QUERIES, len(queries))
    )


def _list_carrier_queries(asked: IndexedLibrary, lexicon: Any) -> list[str]:
    """Return the short queries that are found, in every carrier phrase."""
    short = sorted(
        {c.query for c in asked.library.cases if len(c.query) <= MAX_SHORT_QUERY_CHARS}
    )
    found = [query for query in short if asked.is_confident(query, lexicon)]
    return [lead.format(query) for query in found for lead in CARRIER_PATTERNS]


def _compute_refused_percent(
    asked: IndexedLibrary, queries: Sequence[str], lexicon: Any
) -> float:
    refused = sum(not asked.is_confident(query, lexicon) for query in queries)
    return round(100 * refused / max(len(queries), 1), 1)
