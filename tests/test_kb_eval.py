"""Search is measured through the site's own code, away from its database."""

from __future__ import annotations

import gzip
import json
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

CORPUS: list[dict[str, Any]] = [
    {"id": "a", "question": "退货运费谁承担", "answer": "质量问题由我们承担。"},
    {"id": "b", "question": "电子发票怎么开", "similar": ["怎么要发票"]},
    {"id": "c", "question": "忘记密码怎么办", "answer": "点找回。"},
]
QUERIES: list[dict[str, Any]] = [
    {"query": "退貨運費誰出", "relevant": ["a"]},
    {"query": "我要发票", "relevant": ["b"]},
    {"query": "密码忘了", "relevant": ["x"]},
]


def write(path: Path, rows: list[dict[str, Any]]) -> Path:
    text = "\n".join(json.dumps(row, ensure_ascii=False) for row in rows)
    if path.suffix == ".gz":
        path.write_bytes(gzip.compress(text.encode()))
    else:
        path.write_text(text, encoding="utf-8")
    return path


def measure(corpus: Path, queries: Path, **options: Any) -> dict[str, Any]:
    out = StringIO()
    call_command(
        "kb_eval", corpus=str(corpus), queries=str(queries), stdout=out, **options
    )
    (line,) = out.getvalue().strip().split("\n")
    report: dict[str, Any] = json.loads(line)
    return report


# No database mark: the command must not touch it, and pytest would refuse.
@pytest.mark.parametrize("name", ["corpus.jsonl", "corpus.jsonl.gz"])
@pytest.mark.parametrize("engine", ["memory", "whoosh"])
def test_recall_is_counted_as_it_is(
    tmp_path: Path, settings: Any, name: str, engine: str
) -> None:
    if engine == "whoosh":
        settings.KB_ENGINE = {
            "BACKEND": "kb.engines.whoosh.WhooshEngine",
            "PATH": tmp_path / "never-used",
        }
    report = measure(write(tmp_path / name, CORPUS), write(tmp_path / "q", QUERIES))
    assert (report["entries"], report["queries"]) == (3, 3)
    assert (report["r1"], report["r5"], report["mrr10"]) == (66.7, 66.7, 0.667)
    assert set(report) >= {"build_s", "r10", "p50_ms", "p95_ms", "rss_mb"}
    assert not (tmp_path / "never-used").exists()


def test_results_are_written_for_other_scorers(tmp_path: Path) -> None:
    run = tmp_path / "run.jsonl"
    corpus, queries = write(tmp_path / "c", CORPUS), write(tmp_path / "q", QUERIES)
    measure(corpus, queries, run=str(run))
    rows = [json.loads(line) for line in run.read_text("utf-8").splitlines()]
    assert [row["ids"][0] for row in rows] == ["a", "b", "c"]


def test_the_vocabulary_that_ships_is_measured_and_may_be_left_out(
    tmp_path: Path,
) -> None:
    corpus = write(tmp_path / "c", [{"id": "a", "question": "增值税专用发票怎么开"}])
    queries = write(tmp_path / "q", [{"query": "专票", "relevant": ["a"]}])
    assert measure(corpus, queries)["r1"] == 100
    assert measure(corpus, queries, no_vocabulary=True)["r1"] == 0


@pytest.mark.parametrize(
    ("content", "message"),
    [("", "空"), ("{", "第 1 行"), (None, "读不了"), ("\udcff", "UTF-8")],
)
def test_a_bad_file_is_named(tmp_path: Path, content: str | None, message: str) -> None:
    corpus = tmp_path / "corpus.jsonl"
    if content is not None:
        corpus.write_bytes(content.encode(errors="surrogateescape"))
    with pytest.raises(CommandError, match=message):
        measure(corpus, write(tmp_path / "q", QUERIES))
