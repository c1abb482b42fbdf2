"""What each row of the starter vocabulary gains: labelled queries with and without it.

The figure of a row is how many points of MRR the whole vocabulary has more than the one
without the row, summed over the sets, so that a query of a small set counts more: above 0
the row helps. Words also change how entries are tokenized: entries that contain one are
indexed again.
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

STARTER_FOLDER = ROOT / "kb" / "language" / "vocabulary" / "starter"
MIN_MOVED_POINTS = 0.01  # points: less is half a query of the larger sets
MAX_SHOWN_ROWS = 20  # at either end of a table
Rows = list[list[str]]
Figures = dict[str, dict[str, float]]  # {row: {set: points}}
Memory = dict[Case, float]


class StarterVocabulary:
    """The files of the starter, and lexicons of all their rows but one."""

    def __init__(self) -> None:
        self.sets, self.words, self.stops = (
            _read_rows(STARTER_FOLDER / f"{name}.tsv")
            for name in ("synonyms", "words", "stopwords")
        )

    def make_lexicon(
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


def measure_vocabulary() -> dict[str, Any]:
    """Print the rows that move anything; return the figures of all."""
    with open_site() as folder:
        return measure_rows(folder)


def measure_rows(
    folder: Path, parts: Iterable[str] = ("sets", "stops", "words")
) -> dict[str, Figures]:
    """Return {part: {row: {set: points of MRR}}}; indexes are in `folder`."""
    from kb.text.chinese import pinyin, tokenizer

    tokenizer.load_tokenizer_dictionaries()
    pinyin.load_pinyin_dictionaries()
    starter = StarterVocabulary()
    tokenizer.teach_words(starter.make_lexicon().custom_words)
    libraries = index_libraries(folder)
    sizes = Counter(case.set for one in libraries for case in one.library.cases)
    every = {
        "sets": _measure_synonym_sets,
        "stops": _measure_stop_words,
        "words": _measure_words,
    }
    report: dict[str, Figures] = {}
    for part in parts:
        report[part] = defaultdict(lambda: defaultdict(float))
        for library in libraries:
            for row, case, gain in every[part](library, starter):
                report[part][row][case.set] += 100 * gain / sizes[case.set]
        _print_table(part, report[part])
    return report


def _measure_synonym_sets(
    library: IndexedLibrary, starter: StarterVocabulary
) -> Iterator[tuple[str, Case, float]]:
    all = starter.make_lexicon()
    holding: dict[str, list[Case]] = defaultdict(list)
    for case in library.library.cases:
        for member, _ in all.synonyms.find_members(case.query):
            holding[member].append(case)
    with_all = _cache_reciprocal_ranks(library, all)
    for row in starter.sets:
        members = row[2].split(" | ")
        asks = members if row[1] == "=" else members[:1]
        cases = {case for ask in asks for case in holding[_normalize(ask)]}
        if cases:
            yield from _compute_gains(
                library, row[2], cases, with_all, starter.make_lexicon(set=row)
            )


def _measure_stop_words(
    library: IndexedLibrary, starter: StarterVocabulary
) -> Iterator[tuple[str, Case, float]]:
    with_all = _cache_reciprocal_ranks(library, starter.make_lexicon())
    for text, *_ in starter.stops:
        cases = [c for c in library.library.cases if text in _normalize(c.query)]
        lexicon = starter.make_lexicon(stop=text)
        yield from _compute_gains(library, text, cases, with_all, lexicon)


def _measure_words(
    library: IndexedLibrary, starter: StarterVocabulary
) -> Iterator[tuple[str, Case, float]]:
    from kb.text.chinese import tokenizer

    all = starter.make_lexicon()
    with_all = _cache_reciprocal_ranks(library, all)
    for text, *_ in starter.words:
        cases = [c for c in library.library.cases if text in _normalize(c.query)]
        if not cases:
            continue
        places = [
            place
            for place, row in enumerate(library.library.rows)
            if text in _normalize(" ".join([row["question"], row["answer"]]))
            or any(text in _normalize(other) for other in row["similar"])
        ]
        before = {case: with_all(case) for case in cases}
        lexicon = starter.make_lexicon(word=text)
        tokenizer.teach_words(lexicon.custom_words)
        library.reindex_rows(places)
        yield from _compute_gains(library, text, cases, before.__getitem__, lexicon)
        tokenizer.teach_words(all.custom_words)
        library.reindex_rows(places)


def _compute_gains(
    library: IndexedLibrary,
    row: str,
    cases: Iterable[Case],
    before: Callable[[Case], float],
    lexicon: Lexicon,
) -> Iterator[tuple[str, Case, float]]:
    for case in cases:
        if gain := before(case) - library.compute_reciprocal_rank(case, lexicon):
            yield row, case, gain


def _cache_reciprocal_ranks(
    library: IndexedLibrary, lexicon: Lexicon
) -> Callable[[Case], float]:
    memory: Memory = {}

    def worth(case: Case) -> float:
        if case not in memory:
            memory[case] = library.compute_reciprocal_rank(case, lexicon)
        return memory[case]

    return worth


def _print_table(part: str, figures: Figures) -> None:
    """Print the rows with the largest gains and losses, and those of each set."""
    sums = Counter({row: sum(moved.values()) for row, moved in figures.items()})
    ranked = [
        (row, gain) for row, gain in sums.most_common() if abs(gain) >= MIN_MOVED_POINTS
    ]
    worse = sum(gain < 0 for _, gain in ranked)
    summary = f"{len(ranked)} in sum, {worse} for the worse"
    print(f"\n{part}: {len(figures)} move something, {summary}\n")
    print("| row | points of MRR | of which |")
    print("|---|---|---|")
    shown = (
        ranked
        if len(ranked) <= 2 * MAX_SHOWN_ROWS
        else ranked[:MAX_SHOWN_ROWS] + ranked[-MAX_SHOWN_ROWS:]
    )
    for row, gain in shown:
        moved = sorted(figures[row].items(), key=lambda pair: -abs(pair[1]))
        parts = ", ".join(f"{name} {change:+.2f}" for name, change in moved)
        print(f"| {row.replace(' | ', ' = ')} | {gain:+.2f} | {parts} |")


def _read_rows(path: Path) -> Rows:
    return [line.split("\t") for line in path.read_text("utf-8").splitlines()[1:]]


def _normalize(text: str) -> str:
    from kb.text.chinese.normalize import normalize_text

    return normalize_text(text).strip()
