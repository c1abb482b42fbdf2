"""A spreadsheet of 2,700 entries until it is searchable, and the same once more."""

from __future__ import annotations

from collections.abc import Iterator
from tempfile import TemporaryDirectory
from typing import Any

from bench import machine
from bench.figures import Target
from bench.sets import get_data_folder


def measure_importing() -> dict[str, Any]:
    """Return the seconds of both, by the clock and of the processor."""
    file = get_data_folder() / "cloud_faq" / "import_gb18030.csv"
    if not file.exists():
        print(f"importing: {file.name} is not below {get_data_folder()}")
        return {}
    report = {}
    with TemporaryDirectory(prefix="kb-bench-") as folder:
        machine.run_command(folder, "kb_setup", "--no-demo")
        for which in ("first", "again"):
            done = machine.run_command(folder, "kb_import", "entries", str(file))
            report[f"{which}_s"] = round(done.seconds, 1)
            report[f"{which}_cpu_s"] = round(done.cpu_s, 1)
    print(f"importing: {report}", flush=True)
    return report


def list_targets(report: dict[str, Any]) -> Iterator[Target]:
    """Yield nothing: no aim is set."""
    yield from ()


def format_table(report: dict[str, Any]) -> str:
    """Return the figures as a sentence."""
    if not report:
        return ""
    return (
        f"Import of a spreadsheet of 2,700 entries until searchable: "
        f"{report['first_s']} s; the same file again: {report['again_s']} s."
    )
