"""A spreadsheet of 2,700 entries until it is searchable, and the same once more."""

from __future__ import annotations

from collections.abc import Iterator
from tempfile import TemporaryDirectory
from typing import Any

from bench import machine
from bench.figures import Target
from bench.sets import data


def measure() -> dict[str, Any]:
    """Return the seconds of both, by the clock and of the processor."""
    file = data() / "cloud_faq" / "import_gb18030.csv"
    if not file.exists():
        print(f"importing: {file.name} is not below {data()}")
        return {}
    report = {}
    with TemporaryDirectory(prefix="kb-bench-") as folder:
        machine.manage(folder, "kb_setup", "--no-demo")
        for which in ("first", "again"):
            done = machine.manage(folder, "kb_import", "entries", str(file))
            report[f"{which}_s"] = round(done.seconds, 1)
            report[f"{which}_cpu_s"] = round(done.cpu_s, 1)
    print(f"importing: {report}", flush=True)
    return report


def targets(report: dict[str, Any]) -> Iterator[Target]:
    """Yield nothing: no aim is set."""
    yield from ()


def table(report: dict[str, Any]) -> str:
    """Return the figures as a sentence."""
    if not report:
        return ""
    return (
        f"Import of a spreadsheet of 2,700 entries until searchable: "
        f"{report['first_s']} s; the same file again: {report['again_s']} s."
    )
