"""Engines side by side: one process each, the same terms, fields and queries.

Queries are sent in blocks, to one engine after another, so that other load on the machine
slows all of them alike. In the first pass terms are new to an engine; the second repeats
it. Each process collects garbage before the first.
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
    TIME_UNITS,
    CallTime,
    Target,
    compute_percentile,
    compute_percentiles,
    make_target,
)
from bench.sets import LIBRARIES, get_data_folder

BLOCK_QUERIES = 50  # that one engine answers before the next one does
OURS, WHOOSH, TANTIVY = "ours", "Whoosh", "tantivy"
Answers = dict[int, dict[str, Any]]  # by number of query


class Ratio(TypedDict):
    """A time divided by another: by the clock, and of the processor."""

    clock: float
    processor: float


@dataclass(frozen=True, slots=True)
class Race:
    """A library, the number of its queries, and for slow engines: every how many-th query.

    `without` names engines that are left out.
    """

    library: str
    queries: int
    sampled: dict[str, int]
    without: tuple[str, ...] = ()


QUICK_RACES = (Race("cloud_faq", 2_000, {WHOOSH: 4}),)
USUAL_RACES = (
    Race("cloud_faq", 2_000, {}),
    Race("mix", 2_000, {"FTS5": 4, WHOOSH: 40}),  # Whoosh needs a second a query
    Race("laws", 2_000, {"FTS5": 20}, without=(WHOOSH,)),
)
FULL_RACES = (
    Race("cloud_faq", 2_000, {}),
    Race("mix", 2_000, {WHOOSH: 10}),
    Race("laws_10k", 2_000, {WHOOSH: 20}),
    Race("laws", 2_000, {WHOOSH: 100}),
)


def compare_engines(races: Iterable[Race]) -> dict[str, Any]:
    """Return {library: report} of every race whose library is available."""
    reports = {}
    for race in races:
        if LIBRARIES[race.library].is_available():
            with TemporaryDirectory(prefix="kb-bench-") as folder:
                reports[race.library] = run_race(race, Path(folder))
        else:
            print(f"engines: {race.library} is not below {get_data_folder()}")
    return reports


def run_race(race: Race, folder: Path) -> dict[str, Any]:
    """Build the index of every installed engine and time the same queries on all."""
    site = folder / "site"
    facts = machine.run_module(site, "worker", "describe", race.library, str(folder))
    report = {"title": LIBRARIES[race.library].title} | facts.parse_report()
    _print_progress(f"{race.library}: {report['entries']} entries described")
    names = [
        n
        for n, one in CONTENDERS.items()
        if one.is_available() and n not in race.without
    ]
    built = {name: _build_index(name, folder) for name in names}
    first, second, memory = _run_passes(race, folder, names)
    engines = {}
    for name in names:
        row = built[name] | memory[name] | {"note": CONTENDERS[name].note}
        row |= {"asked": len(first[name])}
        row |= compute_percentiles(
            _list_call_times(first[name]), "first_"
        ) | compute_percentiles(_list_call_times(second[name]), "second_")
        made = [answer["made_ms"] for answer in second[name].values()]
        row["made_p50_ms"] = compute_percentile(made, 50)
        row |= _compare_hits(first[name], first[OURS])
        row["r1"] = _compute_r1(first[name], folder)
        engines[name] = row
    for which in ("s", "cpu_s"):
        spent = report[f"describe_{which}"] + built[OURS][f"build_{which}"]
        rate = round(report["entries"] / max(spent, 1e-9))
        engines[OURS][f"with_text_entries_{which}"] = rate
    report["left_out"] = [name for name in CONTENDERS if name not in names]
    ratios = _compute_ratios(first, second)
    return report | {"engines": engines, "ratios": ratios}


def list_targets(report: dict[str, Any]) -> Iterator[Target]:
    """Yield the targets, and whether each was reached."""
    for name, race in report.items():
        where = f"at {race['entries']:,} ({name})"
        for what, ratio in race["ratios"].items():
            for by, figure in ratio.items():
                title = f"{what} {where}, by {by}"
                if what.startswith("ours/tantivy"):
                    yield make_target(title, figure, AT_MOST, 1.0, "×")
                elif what.startswith("Whoosh/ours") and race["entries"] == 10_000:
                    yield make_target(title, figure, AT_LEAST, 100, "×")
        ours = race["engines"][OURS]
        for by, which in (("clock", "s"), ("processor", "cpu_s")):
            speed = ours[f"with_text_entries_{which}"]
            title = f"build with jieba and pinyin {where}, by {by}"
            yield make_target(title, speed, AT_LEAST, 400, "/s")
        for what in ("build_peak_mb", "rss_mb"):
            yield make_target(f"ours, {what} {where}", ours[what], AT_MOST, 700, "MB")


def _build_index(name: str, folder: Path) -> dict[str, Any]:
    done = machine.run_module(folder / "site", "worker", "build", name, str(folder))
    report = done.parse_report()
    report["build_peak_mb"] = max(report["build_peak_mb"], done.peak_mb)
    _print_progress(f"  {name}: built, {report['entries_s']} entries/s")
    return report


def _run_passes(
    race: Race, folder: Path, names: Sequence[str]
) -> tuple[dict[str, Answers], dict[str, Answers], dict[str, Any]]:
    asked = pickle.loads((folder / "queries").read_bytes())[1][: race.queries]
    with ExitStack() as stack:
        children = {
            name: stack.enter_context(_start_engine_process(name, folder))
            for name in names
        }
        passes: list[dict[str, Answers]] = []
        for number in (1, 2):
            answers: dict[str, Answers] = {name: {} for name in names}
            for start in range(0, len(asked), BLOCK_QUERIES):
                block = range(start, min(start + BLOCK_QUERIES, len(asked)))
                for name in names:
                    every = race.sampled.get(name, 1)
                    wanted = [i for i in block if i % every == 0]
                    results = children[name](json.dumps(wanted)) if wanted else []
                    answers[name] |= dict(zip(wanted, results, strict=True))
            passes.append(answers)
            _print_progress(f"  pass {number}: {len(asked)} queries asked")
        memory = {name: children[name]("memory") for name in names}
    return passes[0], passes[1], memory


@contextmanager
def _start_engine_process(name: str, folder: Path) -> Iterator[Any]:
    """Start an engine's process; yield a function that sends a line and returns JSON."""
    words = ["-m", "bench.worker", "answer", name, str(folder)]
    child = machine.start_python(folder / "site", words)
    assert child.stdin
    assert child.stdout
    read, write = child.stdout, child.stdin

    def ask(line: str) -> Any:
        write.write(f"{line}\n")
        write.flush()
        return json.loads(read.readline())

    try:
        json.loads(read.readline())  # its index is open
        yield ask
    finally:
        write.close()
        child.wait()
        read.close()


# Figures ---------------------------------------------------------------------------


def _list_call_times(answers: Answers) -> list[CallTime]:
    return [CallTime(answer["ms"], answer["cpu_ms"]) for answer in answers.values()]


def _compare_hits(theirs: Answers, ours: Answers) -> dict[str, float]:
    """Return the percent of our first hits, and of our top 10, that an engine shares."""
    pairs = [(theirs[i]["ids"], ours[i]["ids"]) for i in theirs if ours[i]["ids"]]
    if not pairs:
        return {"same_first": 0.0, "same_top": 0.0}
    first = mean(t[:1] == o[:1] for t, o in pairs)
    top = mean(len({*t} & {*o}) / len(o) for t, o in pairs)
    return {"same_first": round(100 * first, 1), "same_top": round(100 * top, 1)}


def _compute_r1(answers: Answers, folder: Path) -> float | None:
    """Return the percent of labelled queries whose first hit answers them."""
    asked = pickle.loads((folder / "queries").read_bytes())[1]
    labelled = [(asked[i][1], answers[i]["ids"]) for i in answers if asked[i][1]]
    if not labelled:
        return None
    return round(100 * mean(bool({*ids[:1]} & {*right}) for right, ids in labelled), 1)


def _compute_ratios(
    first: dict[str, Answers], second: dict[str, Answers]
) -> dict[str, Ratio]:
    """Return ratios of times, over the queries that both engines answered."""
    ratios = {}
    for over, under in ((OURS, TANTIVY), (WHOOSH, OURS)):
        for which, answers in (("first", first), ("second", second)):
            if over not in answers or under not in answers:
                continue
            both = answers[over].keys() & answers[under].keys()
            for share in (50, 95):
                ratios[f"{over}/{under} {which} p{share}"] = _compute_ratio(
                    answers[over], answers[under], both, share
                )
    return ratios


def _compute_ratio(
    one: Answers, other: Answers, both: Iterable[int], share: int
) -> Ratio:
    ratios = [
        compute_percentile([one[i][unit] for i in both], share)
        / max(compute_percentile([other[i][unit] for i in both], share), 1e-3)
        for unit in TIME_UNITS
    ]
    return Ratio(clock=round(ratios[0], 2), processor=round(ratios[1], 2))


def _print_progress(line: str) -> None:
    print(line, flush=True)
