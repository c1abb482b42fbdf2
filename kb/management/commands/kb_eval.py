"""Measure search on a labelled corpus, with the code of the site."""

from __future__ import annotations

import argparse
import gzip
import hashlib
import json
import resource
import time
from collections import defaultdict
from collections.abc import Iterable, Iterator
from functools import cache, partial
from itertools import chain
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from django.conf import settings
from django.core.management.base import CommandError
from django.utils import timezone

from kb import search
from kb.index import documents
from kb.index.engines import Document, Engine, make_engine
from kb.language import vocabulary
from kb.management.base_command import KbCommand
from kb.text.chinese import normalize, pinyin, tokenizer
from kb.text.chinese.lexicon import EMPTY_LEXICON, Lexicon
from kb.text.chinese.similarity import (
    Wording,
    analyze_learned_wordings,
    analyze_wordings,
)
from kb.text.privacy import personal_data
from kb.usage import evidence_levels

PUBLIC_LABEL = "audience=public"
EVALUATED_RESULTS = 10  # results of a query that are evaluated
EvidenceByEntry = dict[str, list[tuple[str, int]]]  # {entry id: [(query, level)]}


class Command(KbCommand):
    help = (
        "把一个语料文件建成临时索引，用带标注的查询检验搜索，打印一行 JSON。"
        "不读写本站数据库。"
    )

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument("--corpus", required=True, help="corpus.jsonl 或 .jsonl.gz")
        parser.add_argument("--queries", help="queries.jsonl")
        parser.add_argument(
            "--learn-from",
            help="代替 --queries（或写同一个文件）：按查询文字的哈希分成两半，"
            "一半当作两个人选过的记录来学，只测另一半；before 是没学之前。"
            "和 --queries 是不同文件时，全部学、全部测。",
        )
        parser.add_argument(
            "--json", action="store_true", help="只打印 JSON（默认也是）"
        )
        parser.add_argument(
            "--no-vocabulary",
            action="store_true",
            help="不用自带的同义词、词典、停用词",
        )
        parser.add_argument(
            "--run", help="把每个查询的结果写到这个文件，供别的评分程序用"
        )

    def handle(self, **options: Any) -> None:
        rows = list(_read_json_lines(options["corpus"]))
        lessons, queries = _split_queries(options["queries"], options["learn_from"])
        if not rows or not queries:
            raise CommandError("语料和查询都不能是空的。")
        tokenizer.load_tokenizer_dictionaries()
        pinyin.load_pinyin_dictionaries()
        lexicon = (
            EMPTY_LEXICON
            if options["no_vocabulary"]
            else vocabulary.load_starter_lexicon()
        )
        tokenizer.teach_words(lexicon.custom_words)
        report: dict[str, Any] = {"entries": len(rows), "queries": len(queries)}
        with TemporaryDirectory() as folder:
            engine = make_engine({**settings.KB_ENGINE, **_make_engine_path(folder)})
            if lessons:
                engine.replace_index(_make_documents(rows))
                before = _measure_quality(
                    _run_queries(engine, lexicon, rows, queries)[0]
                )
                report |= {"learned": len(lessons), "before": before}
            started = time.perf_counter()
            evidence = _make_evidence(lessons)
            engine.replace_index(_make_documents(rows, evidence))
            report["build_s"] = round(time.perf_counter() - started, 2)
            ranks, times, run = _run_queries(engine, lexicon, rows, queries, evidence)
        if options["run"]:
            Path(options["run"]).write_text(
                "\n".join(map(_dump_json, run)) + "\n", "utf-8"
            )
        report["rejected"] = _compute_percentage(not line["sure"] for line in run)
        self.stdout.write(
            _dump_json(report | _measure_quality(ranks) | _measure_speed(times))
        )


def _make_engine_path(folder: str) -> dict[str, Any]:
    return {"PATH": folder} if "PATH" in settings.KB_ENGINE else {}


def _read_json_lines(path: str) -> Iterator[dict[str, Any]]:
    """Yield the objects of a JSON Lines file, gzipped or not."""
    open_file = gzip.open if path.endswith(".gz") else open
    number = 0
    try:
        with open_file(path, "rt", encoding="utf-8") as file:
            for number, line in enumerate(file, 1):  # noqa: B007 - used below
                if line.strip():
                    yield json.loads(line)
    except OSError as error:
        raise CommandError(f"读不了 {path}：{error.strerror or error}") from None
    except ValueError:
        raise CommandError(f"{path} 第 {number} 行不是 UTF-8 的 JSON。") from None


def _make_documents(
    rows: list[dict[str, Any]], evidence: EvidenceByEntry | None = None
) -> Iterator[Document]:
    labels = [PUBLIC_LABEL, "status=published"]
    for i, row in enumerate(rows):
        texts = {
            "question": [row["question"]],
            "phrasings": row.get("similar") or [],
            "answer": [row.get("answer") or ""],
            "picked": [words for words, _ in (evidence or {}).get(row["id"], ())],
        }
        yield documents.make_document(i, texts, labels)


# Learning from picks -------------------------------------------------------------


def _split_queries(
    queries: str | None, learn_from: str | None
) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Return the queries to learn from and the queries to measure."""
    if not (measured := queries or learn_from):
        raise CommandError("请用 --queries 或 --learn-from 给出带标注的查询。")
    lines = list(_read_json_lines(measured))
    if not learn_from:
        return [], lines
    if Path(learn_from).resolve() != Path(measured).resolve():
        return list(_read_json_lines(learn_from)), lines
    halves: tuple[list[dict[str, Any]], ...] = ([], [])
    for line in lines:
        digest = hashlib.blake2b(line["query"].encode(), digest_size=1).digest()
        halves[digest[0] % 2].append(line)
    return halves[0], halves[1]


def _make_evidence(lessons: list[dict[str, Any]]) -> EvidenceByEntry:
    """Return the evidence as if two people had picked each relevant entry."""
    now = timezone.now()
    level = evidence_levels.compute_evidence_level(
        [("first", now), ("second", now)], now=now
    )
    evidence: EvidenceByEntry = defaultdict(list)
    for line in lessons:
        for id in line["relevant"]:
            evidence[id].append(
                (
                    personal_data.mask_personal_data(search.clean_query(line["query"])),
                    level,
                )
            )
    return evidence


def _make_levels(
    rows: list[dict[str, Any]], evidence: EvidenceByEntry
) -> defaultdict[str, dict[int, int]]:
    """Return {spelling key of a query: {index of the entry: level}}."""
    levels: defaultdict[str, dict[int, int]] = defaultdict(dict)
    for i, row in enumerate(rows):
        for words, level in evidence.get(row["id"], ()):
            levels[normalize.compute_spelling_key(words)][i] = level
    return levels


def _run_queries(
    engine: Engine,
    lexicon: Lexicon,
    rows: list[dict[str, Any]],
    queries: list[dict[str, Any]],
    evidence: EvidenceByEntry | None = None,
) -> tuple[list[int], list[float], list[dict[str, Any]]]:
    """Return for each query the rank of its first relevant entry, its time, its results.

    Ranks begin with 1, 0 is for none; times are in milliseconds.
    """
    labels = (frozenset({PUBLIC_LABEL}), frozenset({"status=published"}))
    scope = search.SearchScope(search.PUBLIC_FIELD_GROUPS, labels)
    load_wordings = _make_wordings_lookup(rows, evidence or {})
    levels = _make_levels(rows, evidence or {})
    load_answers = _make_answers_lookup(rows)
    ranks: list[int] = []
    times: list[float] = []
    run: list[dict[str, Any]] = []
    for line in queries:
        began = time.perf_counter()
        query = search.analyze_query(line["query"], lexicon)
        candidates = search.find_candidates(engine, query, scope, search.MAX_RESULTS)
        ranked = candidates and search.rank_candidates(
            engine,
            candidates,
            load_wordings,
            boost_scores=partial(
                evidence_levels.boost_by_evidence, levels=levels[query.spelling_key]
            ),
            load_answers=load_answers,
        )
        results = (ranked or [])[:EVALUATED_RESULTS]
        times.append((time.perf_counter() - began) * 1000)
        ids = [rows[candidate.id]["id"] for candidate in results]
        relevant = set(line["relevant"])
        ranks.append(next((r for r, i in enumerate(ids, 1) if i in relevant), 0))
        run.append(
            {"query": line["query"], "ids": ids, "sure": search.is_confident(results)}
        )
    return ranks, times, run


def _make_wordings_lookup(
    rows: list[dict[str, Any]], evidence: EvidenceByEntry
) -> search.LoadWordings:
    """Return the function that loads the wordings of entries, here from the corpus."""

    @cache
    def get_wordings(i: int) -> tuple[Wording, ...]:
        row = rows[i]
        picked = [
            analyze_learned_wordings(words) for words, _ in evidence.get(row["id"], ())
        ]
        return (
            *analyze_wordings(row["question"], *(row.get("similar") or [])),
            *chain(*picked),
        )

    return lambda ids, deep: {
        pk: get_wordings(pk) if n < deep else () for n, pk in enumerate(ids)
    }


def _make_answers_lookup(rows: list[dict[str, Any]]) -> search.LoadAnswers:
    return lambda ids: {pk: rows[pk].get("answer") or "" for pk in ids}


def _measure_quality(ranks: list[int]) -> dict[str, float]:
    def compute_recall(k: int) -> float:
        return _compute_percentage(0 < rank <= k for rank in ranks)

    mrr = sum(1 / rank for rank in ranks if rank) / len(ranks)
    return {
        "r1": compute_recall(1),
        "r5": compute_recall(5),
        "r10": compute_recall(10),
        "mrr10": round(mrr, 3),
    }


def _compute_percentage(flags: Iterable[bool]) -> float:
    """Return the share of true flags in percent, with one decimal."""
    values = list(flags)
    return round(100 * sum(values) / len(values), 1)


def _measure_speed(times: list[float]) -> dict[str, float]:
    ordered = sorted(times)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return {
        "p50_ms": round(ordered[len(ordered) // 2], 2),
        "p95_ms": round(ordered[int(len(ordered) * 0.95)], 2),
        "rss_mb": round(peak),
    }


def _dump_json(report: dict[str, Any]) -> str:
    return json.dumps(report, ensure_ascii=False)
