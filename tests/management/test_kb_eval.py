"""kb_eval measures search with the code of the site, without its database."""

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


def measure(corpus: Path, queries: Path | None, **options: Any) -> dict[str, Any]:
    out = StringIO()
    if queries:
        options["queries"] = str(queries)
    call_command("kb_eval", corpus=str(corpus), stdout=out, **options)
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
            "BACKEND": "kb.index.engines.whoosh.WhooshEngine",
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


# Learning --------------------------------------------------------------------------

ASKED = [f"{n}蓝牙耳机{m}" for n in "红黄蓝黑" for m in ("坏了", "没声音", "断连")]


def lessons(path: Path, asked: list[str] = ASKED) -> Path:
    return write(path, [{"query": words, "relevant": ["a"]} for words in asked])


@pytest.mark.parametrize("again", [True, False], ids=["both", "one"])
def test_what_half_of_the_queries_teach_helps_the_other_half(
    tmp_path: Path, again: bool
) -> None:
    corpus, file = write(tmp_path / "c", CORPUS), lessons(tmp_path / "q")
    report = measure(corpus, file if again else None, learn_from=str(file))
    assert report["queries"] + report["learned"] == len(ASKED)
    assert 0 < report["learned"] < len(ASKED)
    assert (report["before"]["r1"], report["r1"]) == (0, 100)


def test_the_order_of_a_file_does_not_matter(tmp_path: Path) -> None:
    corpus = write(tmp_path / "c", CORPUS)
    run = tmp_path / "run"
    measured = []
    for name, asked in (("one", ASKED), ("other", ASKED[::-1])):
        file = lessons(tmp_path / name, asked)
        measure(corpus, None, learn_from=str(file), run=str(run))
        lines = run.read_text("utf-8").splitlines()
        measured.append({json.loads(line)["query"] for line in lines})
    assert measured[0] == measured[1]


def test_another_file_teaches_all_and_all_is_measured(tmp_path: Path) -> None:
    corpus, file = write(tmp_path / "c", CORPUS), lessons(tmp_path / "q")
    queries = write(tmp_path / "other", QUERIES)
    report = measure(corpus, queries, learn_from=str(file))
    assert (report["learned"], report["queries"]) == (len(ASKED), len(QUERIES))


def test_without_lessons_nothing_is_said_of_them(tmp_path: Path) -> None:
    report = measure(write(tmp_path / "c", CORPUS), write(tmp_path / "q", QUERIES))
    assert not {"before", "learned"} & set(report)


def test_one_of_the_two_files_is_needed(tmp_path: Path) -> None:
    with pytest.raises(CommandError, match="--learn-from"):
        measure(write(tmp_path / "c", CORPUS), None)
