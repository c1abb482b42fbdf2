"""The figures of a report as Markdown, also for docs/bench.md."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from bench.figures import Target
from bench.sets import ROOT

BENCH_PAGE = ROOT / "docs" / "bench.md"
BEGIN_MARK, END_MARK = "<!-- bench -->", "<!-- /bench -->"
BYTES_PER_MEGABYTE = 1 << 20


def format_engines(report: Mapping[str, Any]) -> str:
    """Return what each engine is, then one table a library."""
    notes = {
        n: e["note"] for race in report.values() for n, e in race["engines"].items()
    }
    legend = "\n".join(f"- {name}: {note}" for name, note in notes.items())
    return "\n\n".join(filter(None, [legend, *map(_format_race, report.values())]))


def format_searches(report: Mapping[str, Any]) -> str:
    """Return one table with a row a library."""
    head = [
        "entries",
        "search, first pass p50 / p95, ms",
        "second pass",
        "second, of the processor",
        "typeahead p50 / p95, ms",
        "first search of a process, s",
        "published → found, s",
        "rebuild, entries/s",
        "its memory, MB",
    ]
    rows = [
        [
            f"{one['entries']:,}",
            _format_percentiles(one["call"], "first_"),
            _format_percentiles(one["call"], "second_"),
            _format_percentiles(one["call"], "second_", "cpu_ms"),
            _format_percentiles(one["suggest"], ""),
            f"{one['cold']['search_s']:.2f}",
            f"{one['commit']['p50_s']:.2f}, at most {one['commit']['most_s']:.2f}",
            f"{one['rebuild_entries_s']}",
            f"{one['rebuild_peak_mb']}",
        ]
        for one in report.values()
    ]
    return _format_table(head, rows) if rows else ""


def format_machine(facts: Mapping[str, Any]) -> str:
    """Return one sentence about what ran the bench."""
    versions = ", ".join(f"{name} {v}" for name, v in facts["libraries"].items())
    return (
        f"{facts['cores']} cores, {facts['memory_gb']} GB, shared with other work "
        f"(load {facts['load_before']:.1f} before the run); {facts['system']}, "
        f"Python {facts['python']}, {versions}."
    )


def format_missed(targets: Iterable[Target]) -> str:
    """Return the missed targets as a list, or a sentence when there are none."""
    targets = list(targets)
    if not targets:
        return "Nothing was measured that has an aim."
    lines = [
        f"- {one['what']}: {one['figure']:g}, aim {one['aim']}"
        for one in targets
        if not one["reached"]
    ]
    return "\n".join(["Missed:", "", *lines]) if lines else "Every aim was reached."


def write_docs(text: str, page: Path = BENCH_PAGE) -> None:
    """Replace what is between the marks in `page`. Raises SystemExit without them."""
    old = page.read_text("utf-8")
    marked = f"{BEGIN_MARK}\n{text.strip()}\n{END_MARK}"
    new, count = re.subn(
        f"{BEGIN_MARK}.*?{END_MARK}", lambda _: marked, old, flags=re.S
    )
    if count != 1:
        raise SystemExit(f"{page.name} must hold {BEGIN_MARK} … {END_MARK} once")
    page.write_text(new, "utf-8")


def _format_race(race: Mapping[str, Any]) -> str:
    head = [
        "engine",
        "first pass p50 / p95 / p99, ms",
        "second pass",
        "second, of the processor",
        "build, entries/s (by processor)",
        "memory, MB",
        "index, MB",
        "same first / top 10, %",
        *(["R@1"] if race["engines"]["ours"]["r1"] is not None else []),
    ]
    rows = [
        _format_engine_row(name, row, race) for name, row in race["engines"].items()
    ]
    ours = race["engines"]["ours"]
    return "\n".join(
        [
            f"**{race['entries']:,} entries**: {race['title']}; {race['queries']:,} "
            f"queries of {race['clauses_a_query']:g} terms in "
            f"{race['postings_a_query']:g} lists of postings each.",
            "",
            _format_table(head, rows),
            "",
            f"Ours builds {ours['with_text_entries_s']} entries/s with jieba and pinyin"
            f" ({ours['with_text_entries_cpu_s']} by processor time), "
            f"{ours['build_peak_mb']} MB at most. {_format_ratios(race['ratios'])}"
            + "".join(f" {name} was left out." for name in race["left_out"]),
        ]
    )


def _format_engine_row(
    name: str, row: Mapping[str, Any], race: Mapping[str, Any]
) -> list[str]:
    sampled = f" ({row['asked']} queries)" if row["asked"] < race["queries"] else ""
    cells = [
        name + sampled,
        _format_percentiles(row, "first_", shares=(50, 95, 99)),
        _format_percentiles(row, "second_", shares=(50, 95, 99)),
        _format_percentiles(row, "second_", "cpu_ms", (50, 95, 99)),
        f"{row['entries_s']:,} ({_compute_rate(race['entries'], row['build_cpu_s']):,})",
        f"{row['rss_mb']:.0f}",
        f"{row['index_bytes'] / BYTES_PER_MEGABYTE:.1f}",
        f"{row['same_first']:.0f} / {row['same_top']:.0f}",
    ]
    return cells if row["r1"] is None else [*cells, f"{row['r1']}"]


def _compute_rate(entries: int, seconds: float) -> int:
    return round(entries / max(seconds, 1e-9))


def _format_ratios(ratios: Mapping[str, Mapping[str, float]]) -> str:
    """Return ratios of times by the clock, and in brackets of the processor."""
    if not ratios:
        return ""
    cells = [f"{n} {r['clock']:g} ({r['processor']:g})" for n, r in ratios.items()]
    return f"Times by the clock (of the processor): {'; '.join(cells)}."


def _format_percentiles(
    row: Mapping[str, Any],
    which: str,
    unit: str = "ms",
    shares: tuple[int, ...] = (50, 95),
) -> str:
    return " / ".join(f"{row[f'{which}p{share}_{unit}']:.2f}" for share in shares)


def _format_table(head: list[str], rows: list[list[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)
