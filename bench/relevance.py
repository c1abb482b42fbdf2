"""Relevance of labelled sets by `manage.py kb_eval`, beside floors and aims."""

from __future__ import annotations

from collections.abc import Iterator
from tempfile import TemporaryDirectory
from typing import Any

from bench import machine
from bench.figures import AT_LEAST, Target, make_target
from bench.sets import get_data_folder

# {set: {figure: (floor, aim)}}: no figure may fall below its floor.
RELEVANCE_AIMS: dict[str, dict[str, tuple[float, float | None]]] = {
    "cloud_faq": {"r1": (95, 98), "r5": (99, None)},
    "saas_support_zhcn": {"r1": (77, 82), "r10": (94, 96)},
    "saas_support_zhtw": {"r1": (75, 80), "r10": (93.5, 96)},
    "medical_qa": {"r1": (49, 53), "r10": (65.5, None)},
    "encyclopedia": {"r1": (97, 98.5)},
}
SET_TITLES = {
    "cloud_faq": "cloud FAQ",
    "saas_support_zhcn": "office support, 繁 → 简",
    "saas_support_zhtw": "office support, 简 → 繁",
    "medical_qa": "patients' questions",
    "encyclopedia": "encyclopedia",
}
QUICK_SETS = ("cloud_faq", "encyclopedia")


def measure_relevance(names: tuple[str, ...]) -> dict[str, Any]:
    """Return {set: report of kb_eval} of every set that is available."""
    found = {}
    with TemporaryDirectory(prefix="kb-bench-") as folder:
        for name in names:
            files = [
                get_data_folder() / name / f"{part}.jsonl"
                for part in ("corpus", "queries")
            ]
            if not all(file.exists() for file in files):
                print(f"relevance: {name} is not below {get_data_folder()}")
                continue
            words = ["--corpus", str(files[0]), "--queries", str(files[1])]
            report = machine.run_command(folder, "kb_eval", *words).parse_report()
            print(f"{name}: {report}", flush=True)
            found[name] = report
    return found


def list_targets(report: dict[str, Any]) -> Iterator[Target]:
    """Yield floors and aims, and whether each was reached."""
    for name, row in report.items():
        for figure, (floor, aim) in RELEVANCE_AIMS[name].items():
            yield make_target(f"{name} {figure}, floor", row[figure], AT_LEAST, floor)
            if aim is not None:
                yield make_target(f"{name} {figure}", row[figure], AT_LEAST, aim)


def format_table(report: dict[str, Any]) -> str:
    """Return the figures as Markdown; ✓ and ✗ show whether an aim was reached."""
    rows = [
        "| set | entries | queries | R@1 | R@5 | R@10 | MRR@10 |",
        "|---" * 7 + "|",
    ]
    for name, row in report.items():
        shown = [
            _format_figure(name, figure, row[figure]) for figure in ("r1", "r5", "r10")
        ]
        counts = f"{row['entries']:,} | {row['queries']:,}"
        rows.append(
            f"| {SET_TITLES[name]} | {counts} | {' | '.join(shown)} | {row['mrr10']:.3f} |"
        )
    return "\n".join(rows)


def _format_figure(name: str, figure: str, found: float) -> str:
    floor, aim = RELEVANCE_AIMS[name].get(figure, (0, None))
    if not floor:
        return f"{found}"
    if found < floor:
        return f"**{found} ✗** (floor {floor:g})"
    if aim is None:
        return f"{found} ✓ (floor {floor:g})"
    return f"{found} {'✓' if found >= aim else '✗'} ({floor:g}, aim {aim:g})"
