"""Measure search on a labelled corpus, through the code that the site runs on."""

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

from kb import documents, search, vocabulary
from kb.engines import Document, Engine, make_engine
from kb.feedback import weighing
from kb.management.command import KbCommand
from kb.text import normalize, personal, pinyin, segment
from kb.text.lexicon import EMPTY, Lexicon
from kb.text.likeness import Wording, learned, ways

EVERYONE = "audience=public"
DEPTH = 10  # results that count
Evidence = dict[str, list[tuple[str, int]]]  # (words, level) by the entry's id


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
        rows = list(_lines(options["corpus"]))
        lessons, queries = _parted(options["queries"], options["learn_from"])
        if not rows or not queries:
            raise CommandError("语料和查询都不能是空的。")
        segment.warm()
        pinyin.warm()
        lexicon = EMPTY if options["no_vocabulary"] else vocabulary.starter()
        segment.learn(lexicon.words)
        report: dict[str, Any] = {"entries": len(rows), "queries": len(queries)}
        with TemporaryDirectory() as folder:
            engine = make_engine({**settings.KB_ENGINE, **_placed(folder)})
            if lessons:
                engine.replace(_documents(rows))
                before = _quality(_ask(engine, lexicon, rows, queries)[0])
                report |= {"learned": len(lessons), "before": before}
            began = time.perf_counter()
            evidence = _evidence(lessons)
            engine.replace(_documents(rows, evidence))
            report["build_s"] = round(time.perf_counter() - began, 2)
            ranks, times, run = _ask(engine, lexicon, rows, queries, evidence)
        if options["run"]:
            Path(options["run"]).write_text("\n".join(map(_dump, run)) + "\n", "utf-8")
        report["rejected"] = _share(not line["sure"] for line in run)
        self.stdout.write(_dump(report | _quality(ranks) | _speed(times)))


def _placed(folder: str) -> dict[str, Any]:
    return {"PATH": folder} if "PATH" in settings.KB_ENGINE else {}


def _lines(path: str) -> Iterator[dict[str, Any]]:
    """Yield the objects of a JSON Lines file, gzipped or not."""
    opened = gzip.open if path.endswith(".gz") else open
    number = 0
    try:
        with opened(path, "rt", encoding="utf-8") as file:
            for number, line in enumerate(file, 1):  # noqa: B007 - told below
                if line.strip():
                    yield json.loads(line)
    except OSError as error:
        raise CommandError(f"读不了 {path}：{error.strerror or error}") from None
    except ValueError:
        raise CommandError(f"{path} 第 {number} 行不是 UTF-8 的 JSON。") from None


def _documents(
    rows: list[dict[str, Any]], evidence: Evidence | None = None
) -> Iterator[Document]:
    labels = [EVERYONE, "status=published"]
    for place, row in enumerate(rows):
        texts = {
            "question": [row["question"]],
            "phrasings": row.get("similar") or [],
            "answer": [row.get("answer") or ""],
            "picked": [words for words, _ in (evidence or {}).get(row["id"], ())],
        }
        yield documents.describe(place, texts, labels)


# Learning, replayed -------------------------------------------------------------


def _parted(
    queries: str | None, learn_from: str | None
) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Return what is learned from and what is measured."""
    if not (measured := queries or learn_from):
        raise CommandError("请用 --queries 或 --learn-from 给出带标注的查询。")
    lines = list(_lines(measured))
    if not learn_from:
        return [], lines
    if Path(learn_from).resolve() != Path(measured).resolve():
        return list(_lines(learn_from)), lines
    halves: tuple[list[dict[str, Any]], ...] = ([], [])
    for line in lines:
        digest = hashlib.blake2b(line["query"].encode(), digest_size=1).digest()
        halves[digest[0] % 2].append(line)
    return halves[0], halves[1]


def _evidence(lessons: list[dict[str, Any]]) -> Evidence:
    """Return what the site would know, had two persons picked what is relevant."""
    now = timezone.now()
    level = weighing.level([("one", now), ("another", now)], now=now)
    evidence: Evidence = defaultdict(list)
    for line in lessons:
        for id in line["relevant"]:
            evidence[id].append((personal.mask(search.tidy(line["query"])), level))
    return evidence


def _levels(
    rows: list[dict[str, Any]], evidence: Evidence
) -> defaultdict[str, dict[int, int]]:
    """Return {key of words: {place: level}}: what the site would ask its database."""
    levels: defaultdict[str, dict[int, int]] = defaultdict(dict)
    for place, row in enumerate(rows):
        for words, level in evidence.get(row["id"], ()):
            levels[normalize.key(words)][place] = level
    return levels


def _ask(
    engine: Engine,
    lexicon: Lexicon,
    rows: list[dict[str, Any]],
    queries: list[dict[str, Any]],
    evidence: Evidence | None = None,
) -> tuple[list[int], list[float], list[dict[str, Any]]]:
    """Return the rank of each query's first relevant entry (0: none), ms, results."""
    labels = (frozenset({EVERYONE}), frozenset({"status=published"}))
    scope = search.Scope(search.PUBLIC, labels)
    faces = _faces(rows, evidence or {})
    levels = _levels(rows, evidence or {})
    rank = partial(search.rank, engine, answers=_answers(rows))
    ranks: list[int] = []
    times: list[float] = []
    run: list[dict[str, Any]] = []
    for line in queries:
        began = time.perf_counter()
        words = search.tidy(line["query"])
        lift = partial(weighing.raised, levels=levels[normalize.key(words)])
        asked = search.ask(engine, words, scope, lexicon, search.MOST)
        found = rank(asked, faces, lift=lift)[:DEPTH] if asked else []
        times.append((time.perf_counter() - began) * 1000)
        ids = [rows[one.id]["id"] for one in found]
        relevant = set(line["relevant"])
        ranks.append(next((r for r, i in enumerate(ids, 1) if i in relevant), 0))
        run.append({"query": line["query"], "ids": ids, "sure": search.sure(found)})
    return ranks, times, run


def _faces(rows: list[dict[str, Any]], evidence: Evidence) -> search.Faces:
    """Return what tells the wordings of entries, as the database does on the site."""

    @cache
    def face(place: int) -> tuple[Wording, ...]:
        row = rows[place]
        picked = [learned(words) for words, _ in evidence.get(row["id"], ())]
        return (*ways(row["question"], *(row.get("similar") or [])), *chain(*picked))

    return lambda ids, deep: {
        id: face(id) if n < deep else () for n, id in enumerate(ids)
    }


def _answers(rows: list[dict[str, Any]]) -> search.Answers:
    return lambda ids: {id: rows[id].get("answer") or "" for id in ids}


def _quality(ranks: list[int]) -> dict[str, float]:
    def recall(k: int) -> float:
        return _share(0 < rank <= k for rank in ranks)

    mrr = sum(1 / rank for rank in ranks if rank) / len(ranks)
    return {"r1": recall(1), "r5": recall(5), "r10": recall(10), "mrr10": round(mrr, 3)}


def _share(true: Iterable[bool]) -> float:
    """Return how many are true, in percent with one decimal."""
    told = list(true)
    return round(100 * sum(told) / len(told), 1)


def _speed(times: list[float]) -> dict[str, float]:
    ordered = sorted(times)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return {
        "p50_ms": round(ordered[len(ordered) // 2], 2),
        "p95_ms": round(ordered[int(len(ordered) * 0.95)], 2),
        "rss_mb": round(peak),
    }


def _dump(report: dict[str, Any]) -> str:
    return json.dumps(report, ensure_ascii=False)
