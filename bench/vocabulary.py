"""Every row of the starter vocabulary, proved: all labelled queries with and without it.

The worth of a query is one over the rank of the first right entry. A row's figure is
how many points of MRR the whole vocabulary gains over the one without the row, summed
over the sets, so that one query in a small set counts for more: above 0 the row helps.
Words change how entries are cut, too, so those that hold one are indexed anew.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bench.indexed_library import IndexedLibrary, index_libraries, open_site
from tests.relevance.labelled import ROOT, Case

if TYPE_CHECKING:
    from kb.text.chinese.lexicon import Lexicon

STARTER = ROOT / "kb" / "language" / "vocabulary" / "starter"
LEAST = 0.01  # points below this are none: half a query in the larger sets
SHOWN = 20  # rows of a table at either end
Rows = list[list[str]]
Figures = dict[str, dict[str, float]]  # of a row: of each set that it moved
Memory = dict[Case, float]


class Starter:
    """The files of the starter, and lexicons of all their rows but one."""

    def __init__(self) -> None:
        self.sets, self.words, self.stops = (
            _rows(STARTER / f"{name}.tsv")
            for name in ("synonyms", "words", "stopwords")
        )

    def without(
        self, set: list[str] | None = None, word: str = "", stop: str = ""
    ) -> Lexicon:
        """Return the lexicon without a row of synonyms, a word, a stop word."""
        from kb.text.chinese.lexicon import Lexicon
        from kb.text.chinese.synonyms import SynonymGroup

        return Lexicon.from_vocabulary(
            (
                SynonymGroup(tuple(row[2].split(" | ")), row[1] == "=")
                for row in self.sets
                if row is not set
            ),
            (row[0] for row in self.stops if row[0] != stop),
            (row[0] for row in self.words if row[0] != word),
        )


def vocabulary() -> dict[str, Any]:
    """Print what each row is worth that moves anything; return the figures of all."""
    with open_site() as folder:
        return prove(folder)


def prove(
    folder: Path, parts: Iterable[str] = ("sets", "stops", "words")
) -> dict[str, Figures]:
    """Return {part: {row: {set: figure}}}; indexes are kept in `folder`."""
    from kb.text.chinese import pinyin, tokenizer

    tokenizer.load_tokenizer_dictionaries()
    pinyin.load_pinyin_dictionaries()
    starter = Starter()
    tokenizer.teach_words(starter.without().custom_words)
    libraries = index_libraries(folder)
    sizes = Counter(case.set for one in libraries for case in one.library.cases)
    every = {"sets": _sets, "stops": _stops, "words": _words}
    report: dict[str, Figures] = {}
    for part in parts:
        report[part] = defaultdict(lambda: defaultdict(float))
        for library in libraries:
            for row, case, gain in every[part](library, starter):
                report[part][row][case.set] += 100 * gain / sizes[case.set]
        _table(part, report[part])
    return report


def _sets(
    library: IndexedLibrary, starter: Starter
) -> Iterator[tuple[str, Case, float]]:
    all = starter.without()
    holding: dict[str, list[Case]] = defaultdict(list)
    for case in library.library.cases:
        for member, _ in all.synonyms.find_members(case.query):
            holding[member].append(case)
    with_all = _remembered(library, all)
    for row in starter.sets:
        members = row[2].split(" | ")
        asks = members if row[1] == "=" else members[:1]
        cases = {case for ask in asks for case in holding[_spelled(ask)]}
        if cases:
            yield from _gains(
                library, row[2], cases, with_all, starter.without(set=row)
            )


def _stops(
    library: IndexedLibrary, starter: Starter
) -> Iterator[tuple[str, Case, float]]:
    with_all = _remembered(library, starter.without())
    for text, *_ in starter.stops:
        cases = [c for c in library.library.cases if text in _spelled(c.query)]
        lexicon = starter.without(stop=text)
        yield from _gains(library, text, cases, with_all, lexicon)


def _words(
    library: IndexedLibrary, starter: Starter
) -> Iterator[tuple[str, Case, float]]:
    from kb.text.chinese import tokenizer

    all = starter.without()
    with_all = _remembered(library, all)
    for text, *_ in starter.words:
        cases = [c for c in library.library.cases if text in _spelled(c.query)]
        if not cases:
            continue
        places = [
            place
            for place, row in enumerate(library.library.rows)
            if text in _spelled(" ".join([row["question"], row["answer"]]))
            or any(text in _spelled(other) for other in row["similar"])
        ]
        before = {case: with_all(case) for case in cases}
        lexicon = starter.without(word=text)
        tokenizer.teach_words(lexicon.custom_words)
        library.reindex_rows(places)
        yield from _gains(library, text, cases, before.__getitem__, lexicon)
        tokenizer.teach_words(all.custom_words)
        library.reindex_rows(places)


def _gains(
    library: IndexedLibrary,
    row: str,
    cases: Iterable[Case],
    before: Callable[[Case], float],
    lexicon: Lexicon,
) -> Iterator[tuple[str, Case, float]]:
    for case in cases:
        if gain := before(case) - library.compute_reciprocal_rank(case, lexicon):
            yield row, case, gain


def _remembered(library: IndexedLibrary, lexicon: Lexicon) -> Callable[[Case], float]:
    memory: Memory = {}

    def worth(case: Case) -> float:
        if case not in memory:
            memory[case] = library.compute_reciprocal_rank(case, lexicon)
        return memory[case]

    return worth


def _table(part: str, figures: Figures) -> None:
    """Print the rows that harm or help most in all, and what they do to each set."""
    sums = Counter({row: sum(moved.values()) for row, moved in figures.items()})
    ranked = [(row, gain) for row, gain in sums.most_common() if abs(gain) >= LEAST]
    worse = sum(gain < 0 for _, gain in ranked)
    told = f"{len(ranked)} in sum, {worse} for the worse"
    print(f"\n{part}: {len(figures)} move something, {told}\n")
    print("| row | points of MRR | of which |")
    print("|---|---|---|")
    shown = ranked if len(ranked) <= 2 * SHOWN else ranked[:SHOWN] + ranked[-SHOWN:]
    for row, gain in shown:
        moved = sorted(figures[row].items(), key=lambda pair: -abs(pair[1]))
        parts = ", ".join(f"{name} {change:+.2f}" for name, change in moved)
        print(f"| {row.replace(' | ', ' = ')} | {gain:+.2f} | {parts} |")


def _rows(path: Path) -> Rows:
    return [line.split("\t") for line in path.read_text("utf-8").splitlines()[1:]]


def _spelled(text: str) -> str:
    from kb.text.chinese.normalize import normalize_text

    return normalize_text(text).strip()
