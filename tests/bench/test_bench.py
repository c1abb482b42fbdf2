"""The bench: every engine gets the same queries, and reports are complete."""

from __future__ import annotations

import json
import pickle
from itertools import count
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from bench import (
    engines,
    machine,
    rejection,
    relevance,
    sets,
    tables,
    whole,
    worker,
)
from bench.__main__ import PARTS, format_report
from bench.contenders import CONTENDERS, Contender, encode_number
from bench.figures import (
    AT_LEAST,
    AT_MOST,
    compute_percentile,
    format_target,
    make_target,
)
from bench.indexed_library import IndexedLibrary
from kb.index.documents import make_document
from kb.index.engines.base import Clause, Document, Query
from kb.language import vocabulary
from kb.search import PUBLIC_FIELD_GROUPS, analyze_query, build_clauses
from kb.text.chinese.lexicon import EMPTY_LEXICON
from tests.relevance.labelled import libraries

QUESTIONS = {
    "退货运费谁承担": ["退货的运费谁出"],
    "电子发票怎么开": ["怎么开发票"],
    "忘记密码怎么办": ["密码忘记了"],
    "怎么修改收货地址": ["收货地址填错了"],
    "优惠券过期了还能用吗": ["过期的优惠券"],
    "怎么绑定银行卡": ["绑定一张银行卡"],
    "会员积分有什么用": ["积分怎么用"],
    "商品什么时候发货": ["几天发货"],
    "wifi 连不上怎么办": ["wi-fi连不上"],
    "怎么注销账号": ["我要注销账号"],
    "赠品可以单独购买吗": ["想买赠品"],
    "iphone15 保修多久": ["iphone15的保修"],
}
LABELS = frozenset({"audience=public"})
FITS = (LABELS,)
EASY = [queries[0] for queries in QUESTIONS.values()]


@pytest.fixture
def library(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """Return the name of a library that is a dozen entries now, one query each."""
    folder = tmp_path / "shared" / "data" / "cloud_faq"
    folder.mkdir(parents=True)
    rows: list[dict[str, Any]] = [
        {"id": str(n), "question": question, "answer": f"第{n}条的答案。"}
        for n, question in enumerate(QUESTIONS)
    ]
    asks: list[dict[str, Any]] = [
        {"query": query, "relevant": [str(n)]} for n, query in enumerate(EASY)
    ]
    for name, lines in {"corpus": rows, "queries": asks}.items():
        text = "\n".join(json.dumps(line, ensure_ascii=False) for line in lines)
        (folder / f"{name}.jsonl").write_text(text, "utf-8")
    monkeypatch.setenv("KB_SHARED_DATA", str(tmp_path / "shared"))
    return "cloud_faq"


def terms(words: str) -> tuple[Clause, ...]:
    return build_clauses(analyze_query(words, EMPTY_LEXICON).terms)


@pytest.fixture
def embedded(settings: Any, tmp_path: Path) -> None:
    """Use the default engine, where tests usually have the reference."""
    settings.KB_ENGINE = {
        "BACKEND": "kb.index.engines.whoosh.WhooshEngine",
        "PATH": tmp_path / "never-used",
    }


def contender(name: str, folder: Path) -> Contender:
    if not CONTENDERS[name].is_available():
        pytest.skip(f"{name} is not installed: `make bench` installs it")
    folder.mkdir()
    return CONTENDERS[name](folder)


@pytest.mark.usefixtures("embedded")
@pytest.mark.parametrize("name", CONTENDERS)
def test_every_engine_finds_the_same_first_hit(name: str, tmp_path: Path) -> None:
    documents = [
        make_document(
            n, {"question": [question], "answer": [f"第{n}条的答案。"]}, LABELS
        )
        for n, question in enumerate(QUESTIONS)
    ]
    queries = [Query(terms(words), PUBLIC_FIELD_GROUPS, FITS) for words in EASY]
    contender(name, tmp_path / name).build(documents)
    opened = CONTENDERS[name](tmp_path / name)
    opened.open(queries)
    found = [opened.search_top(opened.prepare_query(query))[:1] for query in queries]
    assert found == [(n,) for n in range(len(QUESTIONS))]


@pytest.mark.parametrize("name", CONTENDERS)
@pytest.mark.usefixtures("embedded")
def test_no_tokenizer_changes_a_term(name: str, tmp_path: Path) -> None:
    odd = ["c++", "c#", "a.b", "café", "ß", "OR", "not", '"', "退货"]
    documents = [Document(n, LABELS, {"answer": (t,)}) for n, t in enumerate(odd)]
    documents += [Document(len(odd), LABELS, {"forms": ("~tui'huo",)})]
    contender(name, tmp_path / name).build(documents)
    asked = [*odd, "~tui'huo"]
    queries = [Query((Clause(term, 1.0),), PUBLIC_FIELD_GROUPS, FITS) for term in asked]
    opened = CONTENDERS[name](tmp_path / name)
    opened.open(queries)
    found = [opened.search_top(opened.prepare_query(query)) for query in queries]
    assert found == [(n,) for n in range(len(asked))]


def test_reading_time_is_measured_apart_by_both_clocks(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    documents = [Document(n) for n in range(5)]
    with (tmp_path / "documents").open("wb") as file:
        pickle.dump(documents[:3], file)
        pickle.dump(documents[3:], file)
    clocks = SimpleNamespace(  # one goes on by 1 a look, the other by 10
        perf_counter=count().__next__, thread_time=count(0, 10).__next__
    )
    monkeypatch.setattr(worker, "time", clocks)
    feed = worker.DocumentFeed(tmp_path / "documents")
    assert list(feed) == documents
    assert (feed.count, feed.spent, feed.used) == (5, 3, 30), "twice, and the end"


def test_the_report_has_all_figures_of_every_engine(library: str) -> None:
    report = engines.compare_engines([engines.Race(library, 100, {"Whoosh": 2})])
    race = report[library]
    names = [name for name, one in CONTENDERS.items() if one.is_available()]
    assert list(race["engines"]) == names
    assert race["entries"] == len(QUESTIONS)
    for name, row in race["engines"].items():
        assert row["asked"] == (4 if name == "Whoosh" else 7), "five warm up"
        assert (row["same_first"], row["r1"]) == (100, 100), name
        figures = {
            f"{which}_p{share}_{unit}"
            for which in ("first", "second")
            for share in (50, 95, 99)
            for unit in ("ms", "cpu_ms")
        }
        assert figures <= row.keys()
        for key in ("build_s", "entries_s", "build_peak_mb", "rss_mb", "index_bytes"):
            assert row[key] > 0, (name, key)
    others = {"tantivy": "ours/tantivy", "Whoosh": "Whoosh/ours"}
    pairs = [pair for name, pair in others.items() if name in names]
    assert set(race["ratios"]) == {
        f"{pair} {which} p{share}"
        for pair in pairs
        for which in ("first", "second")
        for share in (50, 95)
    }
    aims = [one["what"] for one in engines.list_targets(report)]
    assert any("build with jieba" in what for what in aims)
    assert ("tantivy" in names) == any("ours/tantivy" in what for what in aims)
    table = tables.format_engines(report)
    assert all(f"| {name}" in table for name in names)


def test_a_search_is_measured_on_a_site(
    library: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(whole, "COLD_PROCESSES", 1)
    report = whole.measure_searches({library: 100})
    site = report[library]
    assert site["entries"] == len(QUESTIONS)
    assert site["call"]["queries"] == len(QUESTIONS) - 1, "one warms up"
    assert site["suggest"]["asked"] == site["suggest"]["beginnings"] > 50
    assert 0 < site["commit"]["p50_s"] <= site["commit"]["most_s"]
    assert site["cold"]["search_s"] > 0
    assert site["rebuild_entries_s"] > 0
    assert site["rebuild_peak_mb"] > 20, "a process with Django is no smaller"
    whats = " ".join(one["what"] for one in whole.list_targets(report))
    for aim in ("search call", "typeahead", "first search", "commit", "rebuild"):
        assert aim in whats
    assert f"| {len(QUESTIONS)} |" in tables.format_searches(report)


def test_a_set_that_is_absent_is_named_and_left_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("KB_SHARED_DATA", str(tmp_path))
    own = {"rejection", "pages"}  # these have sets of their own
    reports = {n: p.measure("quick") for n, p in PARTS.items() if n not in own}
    assert not any(reports.values())
    output = capsys.readouterr().out
    for name in ("engines: cloud_faq", "search: cloud_faq", "relevance: encyclopedia"):
        assert f"{name} is not below {tmp_path}" in output
    shown = format_report({"machine": machine.describe_machine(), "parts": reports})
    assert str(machine.describe_machine()["python"]) in shown
    assert "Every aim was reached" not in shown, "nothing was measured"


def test_short_queries_are_searched_in_carrier_phrases(tmp_path: Path) -> None:
    library = next(one for one in libraries() if one.name == "cityhall")
    asked, lexicon = (
        IndexedLibrary(library, tmp_path / "index"),
        vocabulary.load_starter_lexicon(),
    )
    queries = rejection._list_carrier_queries(asked, lexicon)
    short = {
        c.query
        for c in library.cases
        if len(c.query) <= rejection.MAX_SHORT_QUERY_CHARS
    }
    led = {lead.format(query) for query in short for lead in rejection.CARRIER_PATTERNS}
    assert 500 < len(queries) <= len(led)
    assert set(queries) <= led
    assert rejection._compute_refused_percent(asked, queries, lexicon) < 10, (
        "12 before they were"
    )
    row = dict.fromkeys(("off_topic", "labelled", "colloquial"), 0) | {"carrier": 9}
    assert "| 9, 12.5 % |" in rejection.format_table(
        {"x": row | {"carrier_refused": 12.5}}
    )


def test_a_missed_target_is_reported() -> None:
    slow = make_target("search", 9.5, AT_MOST, 8, "ms")
    good = make_target("recall", 98, AT_LEAST, 98)
    assert format_target(slow).startswith("MISSED")
    assert format_target(good).startswith("reached")
    text = tables.format_missed([slow, good])
    assert "- search: 9.5, aim ≤ 8 ms" in text
    assert "recall" not in text


def test_percentiles_are_measured_times() -> None:
    times = [float(n) for n in range(100, 0, -1)]
    assert [compute_percentile(times, share) for share in (50, 95, 99)] == [50, 95, 99]
    assert compute_percentile([7.0], 99) == compute_percentile([7.0, 7.5], 50) == 7


def test_the_page_is_written_between_its_marks(tmp_path: Path) -> None:
    page = tmp_path / "bench.md"
    page.write_text(f"# 题\n{tables.BEGIN_MARK}\nold\n{tables.END_MARK}\n末\n", "utf-8")
    for text in (r"new \1", "newer"):
        tables.write_docs(text, page)
    assert page.read_text("utf-8") == (
        f"# 题\n{tables.BEGIN_MARK}\nnewer\n{tables.END_MARK}\n末\n"
    )
    page.write_text("# no marks", "utf-8")
    with pytest.raises(SystemExit, match="must hold"):
        tables.write_docs("new", page)


def test_docs_bench_has_the_marks() -> None:
    text = tables.BENCH_PAGE.read_text("utf-8")
    assert text.count(tables.BEGIN_MARK) == text.count(tables.END_MARK) == 1


def test_each_number_has_letters_of_its_own() -> None:
    written = [encode_number(number) for number in range(20_000)]
    assert written[:2] == ["a", "b"]
    assert len(set(written)) == len(written)
    assert all(word.isascii() and word.islower() for word in written)


def test_queries_have_the_same_order_every_time(library: str) -> None:
    one = sets.LIBRARIES[library]
    ids = [row["id"] for row in one.rows()]
    assert one.load_queries(ids) == one.load_queries(ids)
    assert {words for words, _ in one.load_queries(ids)} == set(EASY)
    # A query whose answer is not in the library would count as a failure.
    assert len(one.load_queries(ids[:5])) == 5


def test_floors_and_aims_are_printed_beside_figures() -> None:
    row = {"entries": 7261, "queries": 7611, "r1": 49.2, "r5": 61.7, "r10": 65.0}
    report = {"medical_qa": row | {"mrr10": 0.547}}
    text = relevance.format_table(report)
    assert "49.2 ✗ (49, aim 53)" in text
    assert "**65.0 ✗** (floor 65.5)" in text
    found = {one["what"]: one["reached"] for one in relevance.list_targets(report)}
    assert found == {
        "medical_qa r1, floor": True,
        "medical_qa r1": False,
        "medical_qa r10, floor": False,
    }
