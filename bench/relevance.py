"""Labelled sets through the site's own code, by kb_eval, beside floors and aims."""

from __future__ import annotations

from collections.abc import Iterator
from tempfile import TemporaryDirectory
from typing import Any

from bench import machine
from bench.figures import AT_LEAST, Target, target
from bench.sets import data

# Of each set its figures, each with the floor below which nothing may fall and the aim.
AIMS: dict[str, dict[str, tuple[float, float | None]]] = {
    "cloud_faq": {"r1": (95, 98), "r5": (99, None)},
    "saas_support_zhcn": {"r1": (77, 82), "r10": (94, 96)},
    "saas_support_zhtw": {"r1": (75, 80), "r10": (93.5, 96)},
    "medical_qa": {"r1": (49, 53), "r10": (65.5, None)},
    "encyclopedia": {"r1": (97, 98.5)},
}
TITLES = {
    "cloud_faq": "cloud FAQ",
    "saas_support_zhcn": "office support, 繁 → 简",
    "saas_support_zhtw": "office support, 简 → 繁",
    "medical_qa": "patients' questions",
    "encyclopedia": "encyclopedia",
}
QUICK = ("cloud_faq", "encyclopedia")


def measure(names: tuple[str, ...]) -> dict[str, Any]:
    """Return {set: kb_eval's report} of every set that is here."""
    found = {}
    with TemporaryDirectory(prefix="kb-bench-") as folder:
        for name in names:
            files = [data() / name / f"{part}.jsonl" for part in ("corpus", "queries")]
            if not all(file.exists() for file in files):
                print(f"relevance: {name} is not below {data()}")
                continue
            words = ["--corpus", str(files[0]), "--queries", str(files[1])]
            report = machine.manage(folder, "kb_eval", *words).report()
            print(f"{name}: {report}", flush=True)
            found[name] = report
    return found


def targets(report: dict[str, Any]) -> Iterator[Target]:
    """Yield floors and aims, and whether they were reached."""
    for name, row in report.items():
        for figure, (floor, aim) in AIMS[name].items():
            yield target(f"{name} {figure}, floor", row[figure], AT_LEAST, floor)
            if aim is not None:
                yield target(f"{name} {figure}", row[figure], AT_LEAST, aim)


def table(report: dict[str, Any]) -> str:
    """Return the figures as Markdown; ✓ and ✗ say whether an aim was reached."""
    rows = [
        "| set | entries | queries | R@1 | R@5 | R@10 | MRR@10 |",
        "|---" * 7 + "|",
    ]
    for name, row in report.items():
        shown = [_beside(name, figure, row[figure]) for figure in ("r1", "r5", "r10")]
        counts = f"{row['entries']:,} | {row['queries']:,}"
        rows.append(
            f"| {TITLES[name]} | {counts} | {' | '.join(shown)} | {row['mrr10']:.3f} |"
        )
    return "\n".join(rows)


def _beside(name: str, figure: str, found: float) -> str:
    floor, aim = AIMS[name].get(figure, (0, None))
    if not floor:
        return f"{found}"
    if found < floor:
        return f"**{found} ✗** (floor {floor:g})"
    if aim is None:
        return f"{found} ✓ (floor {floor:g})"
    return f"{found} {'✓' if found >= aim else '✗'} ({floor:g}, aim {aim:g})"
