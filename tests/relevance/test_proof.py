"""What the proof of the vocabulary says of a row that helps, harms or does nothing."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from bench import vocabulary
from bench.indexed_library import IndexedLibrary
from kb.text.chinese import tokenizer
from tests.relevance.labelled import Case, Labelled

QUESTIONS = {"a": "无法登录怎么解决", "b": "发票抬头怎么改", "c": "我的蓝鲸卡丢了"}


@pytest.fixture
def starter(monkeypatch: pytest.MonkeyPatch) -> vocabulary.StarterVocabulary:
    made = vocabulary.StarterVocabulary()
    made.sets, made.words, made.stops = [], [], []
    return made


def library(folder: Path, query: str, right: str) -> IndexedLibrary:
    rows = [
        {"id": id, "question": question, "answer": "", "similar": []}
        for id, question in QUESTIONS.items()
    ]
    case = Case("toy", query, frozenset({right}))
    return IndexedLibrary(Labelled("toy", rows, [case]), folder / "index")


@pytest.mark.parametrize(("right", "gain"), [("a", 1.0), ("b", 0.0)])
def test_a_set_is_worth_what_it_brings_to_the_top(
    tmp_path: Path, starter: vocabulary.StarterVocabulary, right: str, gain: float
) -> None:
    starter.sets = [["账号", "=", "上不去号 | 无法登录"], ["票据", "=", "票据 | 发票"]]
    found = list(
        vocabulary._measure_synonym_sets(library(tmp_path, "上不去号", right), starter)
    )
    assert [(row, worth) for row, _, worth in found] == [
        ("上不去号 | 无法登录", gain)
    ] * bool(gain)


def test_a_set_that_leads_astray_is_worth_less_than_nothing(
    tmp_path: Path, starter: vocabulary.StarterVocabulary
) -> None:
    starter.sets = [["票据", ">", "改 | 无法登录怎么解决"]]
    asked = library(tmp_path, "发票 改 无法", "b")
    before = asked.compute_reciprocal_rank(
        asked.library.cases[0], starter.make_lexicon(starter.sets[0])
    )
    after = asked.compute_reciprocal_rank(
        asked.library.cases[0], starter.make_lexicon()
    )
    gains = [gain for _, _, gain in vocabulary._measure_synonym_sets(asked, starter)]
    assert sum(gains) == after - before


def test_a_word_is_tried_on_entries_cut_without_it(
    tmp_path: Path, starter: vocabulary.StarterVocabulary
) -> None:
    starter.words = [["蓝鲸卡", "n"]]
    tokenizer.teach_words(starter.make_lexicon().custom_words)
    asked = library(tmp_path, "蓝鲸卡", "c")
    before = asked.engine.load_digests()
    list(vocabulary._measure_words(asked, starter))
    assert asked.engine.load_digests() == before
    tokenizer.teach_words(frozenset())
    asked.reindex_rows(range(len(QUESTIONS)))
    assert {id for id in before if before[id] != asked.engine.load_digests()[id]} == {2}


def test_figures_are_points_of_each_set_so_that_small_sets_count_alike(
    tmp_path: Path,
    starter: vocabulary.StarterVocabulary,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    starter.sets = [["账号", "=", "上不去号 | 无法登录"]]
    small = library(tmp_path / "small", "上不去号", "a")
    large = library(tmp_path / "large", "上不去号", "a")
    others = [Case("large", f"发票{n}", frozenset({"b"})) for n in range(3)]
    cases = [Case("large", "上不去号", frozenset({"a"})), *others]
    large.library = replace(large.library, cases=cases)
    monkeypatch.setattr(vocabulary, "StarterVocabulary", lambda: starter)
    monkeypatch.setattr(vocabulary, "index_libraries", lambda folder: [small, large])
    figures = vocabulary.measure_rows(tmp_path, ["sets"])["sets"]
    assert figures == {"上不去号 | 无法登录": {"toy": 100.0, "large": 25.0}}
