"""Child processes that measure, with their time and memory, and the machine they ran on."""

from __future__ import annotations

import json
import os
import platform
import re
import subprocess
import sys
import time
from collections.abc import Sequence
from contextlib import suppress
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from threading import Event, Thread
from typing import Any, NamedTuple

from bench.sets import ROOT

MEMORY_POLL_SECONDS = 0.25  # between two readings of a child's memory
BYTES_PER_MEGABYTE = 1 << 20
REPORTED_PACKAGES = (
    "numpy",
    "whoosh-reloaded",
    "tantivy",
    "jieba",
    "pypinyin",
    "Django",
)


class ChildResult(NamedTuple):
    """Output, time and peak memory of a child process.

    `cpu_s` are seconds of the processor, with those of its own children.
    """

    printed: str
    seconds: float
    cpu_s: float
    peak_mb: int

    def parse_report(self) -> dict[str, Any]:
        """Return the JSON of the last line printed."""
        found: dict[str, Any] = json.loads(self.printed.splitlines()[-1])
        return found


def make_environment(folder: Path | str) -> dict[str, str]:
    """Return the environment of a site with its data in `folder`."""
    return os.environ | {
        "DATA_DIR": str(folder),
        "SECRET_KEY": "bench",
        "HTTPS": "off",
        "LOG_LEVEL": "ERROR",
        "KB_ENGINE": "whoosh",
        "DATABASE_URL": "",
        "CACHE_URL": "",
        "PYTHONWARNINGS": "ignore",
        "DJANGO_SETTINGS_MODULE": "config.settings",
    }


def run_command(folder: Path | str, *words: str) -> ChildResult:
    """Run a management command on the site in `folder`."""
    return run_python(folder, str(ROOT / "manage.py"), *words)


def run_module(folder: Path | str, module: str, *words: str) -> ChildResult:
    """Run a module of this package as a child of its own."""
    return run_python(folder, "-m", f"bench.{module}", *words)


def run_python(folder: Path | str, *words: str) -> ChildResult:
    """Run Python to its end. Raises CalledProcessError for a non-zero exit code."""
    began, used = time.perf_counter(), _get_children_seconds()
    child = start_python(folder, words)
    seen, stop = [0], Event()
    watcher = Thread(
        target=_track_peak_memory, args=(child.pid, stop, seen), daemon=True
    )
    watcher.start()
    printed, _ = child.communicate()
    seconds = time.perf_counter() - began
    stop.set()
    watcher.join()
    if child.returncode:
        raise subprocess.CalledProcessError(child.returncode, words, printed)
    return ChildResult(
        printed,
        seconds,
        _get_children_seconds() - used,
        round(max(seen) / BYTES_PER_MEGABYTE),
    )


def start_python(folder: Path | str, words: Sequence[str]) -> subprocess.Popen[str]:
    """Start Python with pipes for standard input and output; errors are shown."""
    pipe = subprocess.PIPE
    return subprocess.Popen(
        [sys.executable, *words],
        env=make_environment(folder),
        cwd=ROOT,
        stdin=pipe,
        stdout=pipe,
        text=True,
    )


def measure_memory_mb() -> dict[str, float]:
    """Return MB of memory of this process, and those not mapped from files."""
    status = Path("/proc/self/status").read_text()
    kilobytes = {
        name: int(re.findall(rf"{name}:\s+(\d+)", status)[0]) / 1024
        for name in ("VmRSS", "RssAnon")
    }
    return {
        "rss_mb": round(kilobytes["VmRSS"], 1),
        "anonymous_mb": round(kilobytes["RssAnon"], 1),
    }


def get_processor_seconds() -> float:
    """Return seconds of the processor of this process and its finished children."""
    return sum(os.times()[:4])


def sum_file_sizes(folder: Path) -> int:
    """Return the bytes of all files in `folder`."""
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


def describe_machine() -> dict[str, Any]:
    """Return facts about the machine, without dates and host names."""
    cpu = re.findall(r"model name\s*:\s*(.+)", Path("/proc/cpuinfo").read_text())
    return {
        "cores": os.cpu_count(),
        "cpu": cpu[0] if cpu else platform.machine(),
        "memory_gb": round(
            os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / (1 << 30)
        ),
        "load_before": os.getloadavg()[0],
        "system": platform.system(),
        "python": platform.python_version(),
        "libraries": {
            name: known
            for name in REPORTED_PACKAGES
            if (known := get_package_version(name))
        },
    }


def get_package_version(name: str) -> str:
    """Return the version of a package, empty when it is not installed."""
    try:
        return version(name)
    except PackageNotFoundError:
        return ""


def _get_children_seconds() -> float:
    return sum(os.times()[2:4])


def _track_peak_memory(pid: int, stop: Event, seen: list[int]) -> None:
    """Keep in `seen` the most bytes that a process and its children use at once.

    With children these are proportional shares, so that pages which forked processes
    share count once; for one process that reading would only slow it down.
    """
    while not stop.wait(MEMORY_POLL_SECONDS):
        tree = _list_process_tree(pid)
        held = _read_proportional_bytes if len(tree) > 1 else _read_resident_bytes
        seen[0] = max(seen[0], sum(map(held, tree)))


def _list_process_tree(pid: int) -> list[int]:
    """Return `pid` and its children and theirs."""
    pids = [pid]
    for each in pids:  # grows in the loop
        for children in Path(f"/proc/{each}/task").glob("*/children"):
            with suppress(OSError):
                pids += map(int, children.read_text().split())
    return pids


def _read_resident_bytes(pid: int) -> int:
    """Return bytes; 0 for a process that has just ended."""
    with suppress(OSError, IndexError):
        pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
        return pages * os.sysconf("SC_PAGE_SIZE")
    return 0


def _read_proportional_bytes(pid: int) -> int:
    """Return bytes; 0 for a process that has just ended."""
    with suppress(OSError, IndexError):
        rollup = Path(f"/proc/{pid}/smaps_rollup").read_text()
        return int(re.findall(r"^Pss:\s+(\d+)", rollup, re.M)[0]) * 1024
    return 0
