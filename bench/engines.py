"""Engines side by side: one process each, the same terms, fields and queries.

The queries are asked in blocks, each engine in turn while the others wait, so
that a busy machine troubles all of them alike. The first pass meets terms for
the first time; the second repeats it. Garbage is collected before, by all.
"""

from __future__ import annotations

import json
import pickle
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import mean
from tempfile import TemporaryDirectory
from typing import Any, TypedDict

from bench import machine
from bench.contenders import CONTENDERS
from bench.figures import (
    AT_LEAST,
    AT_MOST,
    UNITS,
    Target,
    Took,
    percentile,
    speeds,
    target,
)
from bench.sets import LIBRARIES, data

BLOCK = 50  # queries an engine answers before the next one's turn
OURS, OWN, RIVAL = "ours", "Whoosh", "tantivy"
Answers = dict[int, dict[str, Any]]  # by number of query


class Ratio(TypedDict):
    """One time as so many times another: by the clock, and of the processor."""

    clock: float
    processor: float


@dataclass(frozen=True, slots=True)
class Race:
    """A library, how many of its queries to ask, and every how many-th of slow ones."""

    library: str
    queries: int
    sampled: dict[str, int]
    without: tuple[str, ...] = ()


QUICK = (Race("cloud_faq", 2_000, {OWN: 4}),)
USUAL = (
    Race("cloud_faq", 2_000, {}),
    Race("mix", 2_000, {"FTS5": 4, OWN: 40}),  # Whoosh needs a second a query
    Race("laws", 2_000, {"FTS5": 20}, without=(OWN,)),
)
FULL = (
    Race("cloud_faq", 2_000, {}),
    Race("mix", 2_000, {OWN: 10}),
    Race("laws_10k", 2_000, {OWN: 20}),
    Race("laws", 2_000, {OWN: 100}),
)


def compare(races: Iterable[Race]) -> dict[str, Any]:
    """Return {library: report} of every race whose library is here."""
    found = {}
    for race in races:
        if LIBRARIES[race.library].here():
            with TemporaryDirectory(prefix="kb-bench-") as folder:
                found[race.library] = run(race, Path(folder))
        else:
            print(f"engines: {race.library} is not below {data()}")
    return found


def run(race: Race, folder: Path) -> dict[str, Any]:
    """Build every engine that is installed and ask all of them the same."""
    site = folder / "site"
    facts = machine.worker(site, "worker", "describe", race.library, str(folder))
    report = {"title": LIBRARIES[race.library].title} | facts.report()
    _tell(f"{race.library}: {report['entries']} entries described")
    names = [n for n, one in CONTENDERS.items() if one.here() and n not in race.without]
    built = {name: _build(name, folder) for name in names}
    first, second, memory = _ask(race, folder, names)
    engines = {}
    for name in names:
        row = built[name] | memory[name] | {"note": CONTENDERS[name].note}
        row |= {"asked": len(first[name])}
        row |= speeds(_took(first[name]), "first_") | speeds(
            _took(second[name]), "second_"
        )
        made = [answer["made_ms"] for answer in second[name].values()]
        row["made_p50_ms"] = percentile(made, 50)
        row |= _agreement(first[name], first[OURS])
        row["r1"] = _first_right(first[name], folder)
        engines[name] = row
    for which in ("s", "cpu_s"):
        spent = report[f"describe_{which}"] + built[OURS][f"build_{which}"]
        rate = round(report["entries"] / max(spent, 1e-9))
        engines[OURS][f"with_text_entries_{which}"] = rate
    report["left_out"] = [name for name in CONTENDERS if name not in names]
    ratios = _ratios(first, second)
    return report | {"engines": engines, "ratios": ratios}


def targets(report: dict[str, Any]) -> Iterator[Target]:
    """Yield what is aimed at, and whether it was reached."""
    for name, race in report.items():
        where = f"at {race['entries']:,} ({name})"
        for what, ratio in race["ratios"].items():
            for by, figure in ratio.items():
                told = f"{what} {where}, by {by}"
                if what.startswith("ours/tantivy"):
                    yield target(told, figure, AT_MOST, 1.0, "×")
                elif what.startswith("Whoosh/ours") and race["entries"] == 10_000:
                    yield target(told, figure, AT_LEAST, 100, "×")
        ours = race["engines"][OURS]
        for by, which in (("clock", "s"), ("processor", "cpu_s")):
            speed = ours[f"with_text_entries_{which}"]
            told = f"build with jieba and pinyin {where}, by {by}"
            yield target(told, speed, AT_LEAST, 400, "/s")
        for what in ("build_peak_mb", "rss_mb"):
            yield target(f"ours, {what} {where}", ours[what], AT_MOST, 700, "MB")


def _build(name: str, folder: Path) -> dict[str, Any]:
    done = machine.worker(folder / "site", "worker", "build", name, str(folder))
    report = done.report()
    report["build_peak_mb"] = max(report["build_peak_mb"], done.peak_mb)
    _tell(f"  {name}: built, {report['entries_s']} entries/s")
    return report


def _ask(
    race: Race, folder: Path, names: Sequence[str]
) -> tuple[dict[str, Answers], dict[str, Answers], dict[str, Any]]:
    asked = pickle.loads((folder / "queries").read_bytes())[1][: race.queries]
    with ExitStack() as stack:
        children = {name: stack.enter_context(_child(name, folder)) for name in names}
        passes: list[dict[str, Answers]] = []
        for number in (1, 2):
            answers: dict[str, Answers] = {name: {} for name in names}
            for start in range(0, len(asked), BLOCK):
                block = range(start, min(start + BLOCK, len(asked)))
                for name in names:
                    every = race.sampled.get(name, 1)
                    wanted = [i for i in block if i % every == 0]
                    told = children[name](json.dumps(wanted)) if wanted else []
                    answers[name] |= dict(zip(wanted, told, strict=True))
            passes.append(answers)
            _tell(f"  pass {number}: {len(asked)} queries asked")
        memory = {name: children[name]("memory") for name in names}
    return passes[0], passes[1], memory


@contextmanager
def _child(name: str, folder: Path) -> Iterator[Any]:
    """Start an engine's process; yield a function that asks it."""
    words = ["-m", "bench.worker", "answer", name, str(folder)]
    child = machine.start(folder / "site", words)
    assert child.stdin
    assert child.stdout
    read, write = child.stdout, child.stdin

    def ask(line: str) -> Any:
        write.write(f"{line}\n")
        write.flush()
        return json.loads(read.readline())

    try:
        json.loads(read.readline())  # it has opened
        yield ask
    finally:
        write.close()
        child.wait()
        read.close()


# Figures ---------------------------------------------------------------------------


def _took(answers: Answers) -> list[Took]:
    return [Took(answer["ms"], answer["cpu_ms"]) for answer in answers.values()]


def _agreement(theirs: Answers, ours: Answers) -> dict[str, float]:
    """Return percent of our first hits, and of our top 10, that an engine shares."""
    pairs = [(theirs[i]["ids"], ours[i]["ids"]) for i in theirs if ours[i]["ids"]]
    if not pairs:
        return {"same_first": 0.0, "same_top": 0.0}
    first = mean(t[:1] == o[:1] for t, o in pairs)
    top = mean(len({*t} & {*o}) / len(o) for t, o in pairs)
    return {"same_first": round(100 * first, 1), "same_top": round(100 * top, 1)}


def _first_right(answers: Answers, folder: Path) -> float | None:
    """Return the percent of labelled queries whose first hit answers them."""
    asked = pickle.loads((folder / "queries").read_bytes())[1]
    labelled = [(asked[i][1], answers[i]["ids"]) for i in answers if asked[i][1]]
    if not labelled:
        return None
    return round(100 * mean(bool({*ids[:1]} & {*right}) for right, ids in labelled), 1)


def _ratios(first: dict[str, Answers], second: dict[str, Answers]) -> dict[str, Ratio]:
    """Return times as shares of one another, over the queries that both answered."""
    ratios = {}
    for over, under in ((OURS, RIVAL), (OWN, OURS)):
        for which, answers in (("first", first), ("second", second)):
            if over not in answers or under not in answers:
                continue
            both = answers[over].keys() & answers[under].keys()
            for share in (50, 95):
                ratios[f"{over}/{under} {which} p{share}"] = _ratio(
                    answers[over], answers[under], both, share
                )
    return ratios


def _ratio(one: Answers, other: Answers, both: Iterable[int], share: int) -> Ratio:
    found = [
        percentile([one[i][unit] for i in both], share)
        / max(percentile([other[i][unit] for i in both], share), 1e-3)
        for unit in UNITS
    ]
    return Ratio(clock=round(found[0], 2), processor=round(found[1], 2))


def _tell(line: str) -> None:
    print(line, flush=True)
