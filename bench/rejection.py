"""How well a search says that nothing was found: off-topic queries against labelled ones.

What the site refuses at search.SURE, the same for every library. It may refuse SPARED
percent of a library's labelled queries at most, and should refuse WANTED percent of
those that are off its topic. Of short queries that are found, it tells how many are refused
behind a greeting or a wish.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from bench.figures import AT_LEAST, AT_MOST, Target, target
from bench.indexed_library import IndexedLibrary, open_site
from tests.relevance.labelled import libraries, tsv

SPARED, WANTED = 3, 90  # percent
MOST = 1_000  # labelled queries of a library that are asked
ORDER = 7  # of the sample: the same in every run
SHORT = 6  # characters of a query that may be hidden by what leads up to it
LEADS = (
    "请问{}",
    "你好，{}",
    "我想问一下{}",
    "我想{}",
    "怎么{}",
    "{}怎么办",
    "{}的问题",
)
ALIASES = {"saas_support_zhcn": "saas_support", "saas_support_zhtw": "saas_support"}
# Written to be colloquial, in words that the entries lack, as some queries of other
# libraries are: told, but not aimed at.
COLLOQUIAL = {"demo", "bank_hant", "cityhall"}


def rejection() -> dict[str, Any]:
    """Return {library: figures}, shares in percent."""
    with open_site() as folder:
        return measure(folder)


def measure(folder: Path) -> dict[str, Any]:
    """Return {library: figures} of indexes that are made in `folder`."""
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
            "labelled": _sample(asked, colloquial=False),
            "colloquial": _sample(asked, colloquial=True),
            "led_up": _led_up(asked, lexicon),
        }
        counts = {kind: len(some) for kind, some in queries.items()}
        shares = {
            f"{kind}_refused": _refused(asked, some, lexicon)
            for kind, some in queries.items()
        }
        report[library.name] = counts | shares
        print(f"{library.name}: {report[library.name]}", flush=True)
    return report


def targets(report: dict[str, Any]) -> Iterator[Target]:
    """Yield what is aimed at, and whether it was reached."""
    for name, row in report.items():
        figure = row["off_topic_refused"]
        yield target(f"{name}, off topic refused", figure, AT_LEAST, WANTED, "%")
        if row["labelled"]:
            figure = row["labelled_refused"]
            yield target(f"{name}, labelled refused", figure, AT_MOST, SPARED, "%")


def table(report: dict[str, Any]) -> str:
    """Return the figures as Markdown."""
    kinds = {
        "off_topic": "off topic",
        "labelled": "labelled",
        "colloquial": "colloquial",
        "led_up": "short and found, behind what leads up",
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
    name = ALIASES.get(library, library)
    rows = tsv("offtopic.tsv")
    return [row["query"] for row in rows if name not in row["not_for"].split(",")]


def _sample(asked: IndexedLibrary, *, colloquial: bool) -> list[str]:
    cases, every = asked.library.cases, asked.library.name in COLLOQUIAL
    apart = {c.query for c in cases if every or c.set.endswith(", colloquial")}
    queries = sorted(apart if colloquial else {c.query for c in cases} - apart)
    return random.Random(ORDER).sample(queries, min(MOST, len(queries)))


def _led_up(asked: IndexedLibrary, lexicon: Any) -> list[str]:
    """Return the short queries that are found, behind all that may lead up to them."""
    short = sorted({c.query for c in asked.library.cases if len(c.query) <= SHORT})
    found = [query for query in short if asked.is_confident(query, lexicon)]
    return [lead.format(query) for query in found for lead in LEADS]


def _refused(asked: IndexedLibrary, queries: Sequence[str], lexicon: Any) -> float:
    refused = sum(not asked.is_confident(query, lexicon) for query in queries)
    return round(100 * refused / max(len(queries), 1), 1)
