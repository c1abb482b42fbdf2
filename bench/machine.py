"""Children that measure, each alone with its memory, and what they ran on."""

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

PAUSE = 0.25  # seconds between two looks at a child's memory
MEGABYTE = 1 << 20
LIBRARIES = ("numpy", "whoosh-reloaded", "tantivy", "jieba", "pypinyin", "Django")


class Done(NamedTuple):
    """What a child printed, took, and held in memory at most.

    `cpu_s` are seconds of the processor, those of its children with it.
    """

    printed: str
    seconds: float
    cpu_s: float
    peak_mb: int

    def report(self) -> dict[str, Any]:
        """Return the JSON of the last line printed."""
        found: dict[str, Any] = json.loads(self.printed.splitlines()[-1])
        return found


def environment(folder: Path | str) -> dict[str, str]:
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


def manage(folder: Path | str, *words: str) -> Done:
    """Run a management command on the site in `folder`."""
    return run(folder, str(ROOT / "manage.py"), *words)


def worker(folder: Path | str, module: str, *words: str) -> Done:
    """Run a module of this package as a child of its own."""
    return run(folder, "-m", f"bench.{module}", *words)


def run(folder: Path | str, *words: str) -> Done:
    """Run Python; raises CalledProcessError with what the child complained of."""
    began, used = time.perf_counter(), _childrens_s()
    child = start(folder, words)
    seen, stop = [0], Event()
    watcher = Thread(target=_watch, args=(child.pid, stop, seen), daemon=True)
    watcher.start()
    printed, _ = child.communicate()
    seconds = time.perf_counter() - began
    stop.set()
    watcher.join()
    if child.returncode:
        raise subprocess.CalledProcessError(child.returncode, words, printed)
    return Done(printed, seconds, _childrens_s() - used, round(max(seen) / MEGABYTE))


def start(folder: Path | str, words: Sequence[str]) -> subprocess.Popen[str]:
    """Start Python with pipes to talk through; what it complains of is shown."""
    pipe = subprocess.PIPE
    return subprocess.Popen(
        [sys.executable, *words],
        env=environment(folder),
        cwd=ROOT,
        stdin=pipe,
        stdout=pipe,
        text=True,
    )


def memory_mb() -> dict[str, float]:
    """Return what this process holds in memory, and how much of it is no file's."""
    status = Path("/proc/self/status").read_text()
    held = {
        name: int(re.findall(rf"{name}:\s+(\d+)", status)[0]) / 1024
        for name in ("VmRSS", "RssAnon")
    }
    return {
        "rss_mb": round(held["VmRSS"], 1),
        "anonymous_mb": round(held["RssAnon"], 1),
    }


def processor_s() -> float:
    """Return seconds of processor time used by us and by children that ended."""
    return sum(os.times()[:4])


def size(folder: Path) -> int:
    """Return the bytes of all files in `folder`."""
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


def facts() -> dict[str, Any]:
    """Return what ran the bench, without dates and names."""
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
        "libraries": {name: known for name in LIBRARIES if (known := installed(name))},
    }


def installed(name: str) -> str:
    """Return the version of a package, empty when it is not installed."""
    try:
        return version(name)
    except PackageNotFoundError:
        return ""


def _childrens_s() -> float:
    return sum(os.times()[2:4])


def _watch(pid: int, stop: Event, seen: list[int]) -> None:
    """Note the most memory that a process and its children hold at once.

    Where there are children, in proportional shares: pages that forked processes
    share are counted once. For one process that would only slow it down.
    """
    while not stop.wait(PAUSE):
        tree = _tree(pid)
        held = _share if len(tree) > 1 else _resident
        seen[0] = max(seen[0], sum(map(held, tree)))


def _tree(pid: int) -> list[int]:
    """Return `pid` and its children and theirs."""
    found = [pid]
    for one in found:  # it grows meanwhile
        for children in Path(f"/proc/{one}/task").glob("*/children"):
            with suppress(OSError):
                found += map(int, children.read_text().split())
    return found


def _resident(pid: int) -> int:
    """Return bytes; 0 of a process that has just ended."""
    with suppress(OSError, IndexError):
        pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
        return pages * os.sysconf("SC_PAGE_SIZE")
    return 0


def _share(pid: int) -> int:
    """Return bytes; 0 of a process that has just ended."""
    with suppress(OSError, IndexError):
        rollup = Path(f"/proc/{pid}/smaps_rollup").read_text()
        return int(re.findall(r"^Pss:\s+(\d+)", rollup, re.M)[0]) * 1024
    return 0
