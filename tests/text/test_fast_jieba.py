"""Runs of Han are cut as jieba cuts them: only the time it takes is another."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import islice

import jieba
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from kb.import_export import demo
from kb.text.chinese import fast_jieba, tokenizer
from kb.text.chinese.normalize import HAN_CHARACTER_CLASS, normalize_text

jieba.initialize()
WORDS = list(islice((w for w in jieba.dt.FREQ if "一" <= w[0] <= "龥"), 0, None, 97))
LETTERS = st.characters(min_codepoint=0x4E00, max_codepoint=0x9FFF)
# Words that stand together, and characters that no word holds.
RUNS = st.lists(st.sampled_from(WORDS) | st.text(LETTERS, max_size=3), max_size=12)


@pytest.fixture(autouse=True)
def _learned() -> Iterator[None]:
    yield
    tokenizer.teach_words(frozenset())


def finer(run: str) -> list[str]:
    return [
        part
        for word in fast_jieba.segment_han(run)
        for part in fast_jieba.list_subwords(word)
    ]


@given(RUNS.map("".join))
@example("退货运费谁承担")
@example("中华人民共和国国务院")
@example("龘靐齉爩")
@example("鿿一鿖")  # Han that jieba does not take for it
@example("的")
def test_words_are_those_of_jieba(run: str) -> None:
    assert fast_jieba.segment_han(run) == jieba.lcut(run)
    assert finer(run) == jieba.lcut_for_search(run)
    begun = {start for _, start, _ in jieba.tokenize(run, mode="search")}
    assert tokenizer.find_word_starts(run) == begun


def test_they_are_in_the_whole_demo_library() -> None:
    files = sorted(demo.LIBRARY_FOLDER.glob("*.json"))
    texts = [normalize_text(file.read_text("utf-8")) for file in files]
    runs = [
        run for text in texts for run in re.findall(f"[{HAN_CHARACTER_CLASS}]+", text)
    ]
    assert len(runs) > 1_000
    assert [finer(run) for run in runs] == list(map(jieba.lcut_for_search, runs))


def test_what_was_learned_counts_at_once() -> None:
    run = "亲亲小布丁套餐怎么退"
    before = fast_jieba.segment_han(run)
    tokenizer.teach_words(frozenset({"小布丁套餐"}))
    assert "小布丁套餐" in fast_jieba.segment_han(run) != before
    assert fast_jieba.segment_han(run) == jieba.lcut(run)
