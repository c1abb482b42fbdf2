"""Search quality and speed, measured on labelled sets: `make bench`.

Each figure comes from a process of its own. Sets are read from KB_SHARED_DATA,
or from `shared/data` beside the checkout; one that is absent is named and left out.
`python -m tests.bench NAME…` runs some of the parts only; `vocabulary` and `rejection`
run by name only, for they ask every labelled query many times.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from tests.bench.rejection import rejection
from tests.bench.vocabulary import vocabulary

ROOT = Path(__file__).resolve().parent.parent.parent
DATA = Path(os.environ.get("KB_SHARED_DATA", ROOT.parent / "shared")) / "data"
SETS = (
    "cloud_faq",
    "saas_support_zhcn",
    "saas_support_zhtw",
    "medical_qa",
    "encyclopedia",
)
COLUMNS = ("r1", "r5", "r10", "mrr10", "p50_ms", "p95_ms", "build_s", "rss_mb")


def manage(folder: str, *words: str) -> str:
    """Run a management command on an empty site in `folder`; return what it printed."""
    environment = os.environ | {
        "DATA_DIR": folder,
        "SECRET_KEY": "bench",
        "HTTPS": "off",
        "LOG_LEVEL": "ERROR",
    }
    command = [sys.executable, str(ROOT / "manage.py"), *words]
    done = subprocess.run(
        command, env=environment, check=True, capture_output=True, text=True, cwd=ROOT
    )
    return done.stdout


def relevance() -> dict[str, Any]:
    """Recall, reciprocal rank and speed of every labelled set, by kb_eval."""
    print("| set | entries | queries | " + " | ".join(COLUMNS) + " |")
    print("|---" * (len(COLUMNS) + 3) + "|")
    found = {}
    for name in SETS:
        corpus, queries = (DATA / name / f"{x}.jsonl" for x in ("corpus", "queries"))
        if not corpus.exists():
            print(f"| {name} | not here |")
            continue
        with TemporaryDirectory() as folder:
            line = manage(
                folder, "kb_eval", "--corpus", str(corpus), "--queries", str(queries)
            )
        row = found[name] = json.loads(line)
        shown = [row[column] for column in ("entries", "queries", *COLUMNS)]
        print(f"| {name} | " + " | ".join(map(str, shown)) + " |", flush=True)
    return found


def importing() -> dict[str, Any]:
    """Seconds from a spreadsheet of 2,700 entries to searchable, and once more."""
    file = DATA / "cloud_faq" / "import_gb18030.csv"
    if not file.exists():
        print(f"{file.name}: not here")
        return {}
    with TemporaryDirectory() as folder:
        manage(folder, "kb_setup", "--no-demo")
        seconds = []
        for _ in range(2):
            began = time.perf_counter()
            manage(folder, "kb_import", "entries", str(file))
            seconds.append(round(time.perf_counter() - began, 1))
    print(
        f"import of 2,700 entries to searchable: {seconds[0]} s, again: {seconds[1]} s"
    )
    return {"first_s": seconds[0], "again_s": seconds[1]}


USUAL = {"relevance": relevance, "importing": importing}
PARTS = USUAL | {"rejection": rejection, "vocabulary": vocabulary}


def main() -> None:
    wanted = sys.argv[1:] or list(USUAL)
    report = {name: PARTS[name]() for name in wanted}
    print(json.dumps(report, ensure_ascii=False))


if __name__ == "__main__":
    main()
