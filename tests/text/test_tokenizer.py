"""Words and bigrams of texts, and words that a vocabulary teaches."""

from __future__ import annotations

import stat
from pathlib import Path

import jieba
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kb.text.chinese import (
    fast_jieba,
    tokenizer,
)

ANY_TEXT = st.text(alphabet=st.characters(codec=None, categories=None), max_size=60)


def test_words_are_those_inside_words_too() -> None:
    assert {"中华", "人民", "中华人民共和国"} <= set(
        tokenizer.tokenize_text("中华人民共和国")
    )


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("iPhone15", {"iphone15", "iphone", "15"}),
        ("Wi-Fi", {"wifi", "wi", "fi"}),
        ("4.7.0", {"4.7.0"}),
        ("C++", {"c++"}),
        ("３天", {"3", "天"}),
    ],
)
def test_mixed_scripts_are_found_whole_and_in_parts(
    text: str, wanted: set[str]
) -> None:
    assert wanted <= set(tokenizer.tokenize_text(text))


def test_traditional_wording_adds_the_simplified_term() -> None:
    assert "网络" in tokenizer.tokenize_text("網路斷線怎麼辦")
    assert "网络" not in tokenizer.tokenize_text("网路断线怎么办")


def test_pairs_overlap_and_lonely_characters() -> None:
    assert tokenizer.extract_bigrams("退货款a钱") == ["退货", "货款", "钱"]


def test_a_term_never_holds_a_space() -> None:
    text = "a b\u3000c\u2028d\u00a0e 退\t货\nf\x1cg"
    assert not [
        t
        for t in tokenizer.tokenize_text(text) + tokenizer.extract_bigrams(text)
        if len(t.split()) != 1
    ]


@given(ANY_TEXT)
def test_any_text_is_cut_without_complaint(text: str) -> None:
    for term in tokenizer.tokenize_text(text) + tokenizer.extract_bigrams(text):
        assert term.split() == [term]
        term.encode()


def test_no_run_longer_than_a_window_is_cut(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    seen: list[int] = []
    cut = fast_jieba.segment_han

    def measured(run: str) -> list[str]:
        seen.append(len(run))
        return cut(run)

    monkeypatch.setattr(fast_jieba, "segment_han", measured)
    tokenizer.tokenize_text("龘" * 2000)
    assert max(seen) == tokenizer.MAX_JIEBA_RUN_CHARS


def test_words_across_a_window_are_not_lost() -> None:
    text = "啊" * (tokenizer.MAX_JIEBA_RUN_CHARS - 1) + "退货"
    assert "退货" in tokenizer.extract_bigrams(text)


def test_a_cache_folder_open_to_others_is_closed(tmp_path: Path) -> None:
    folder = tmp_path / "jieba"
    folder.mkdir(mode=0o755)
    (folder / "jieba.cache").write_bytes(b"planted")
    (folder / "jieba.cache").chmod(0o666)
    before = (jieba.dt.tmp_dir, jieba.dt.cache_file)
    try:
        tokenizer.use_cache_folder(folder)
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700
        assert not (folder / "jieba.cache").exists()
    finally:
        jieba.dt.tmp_dir, jieba.dt.cache_file = before


def test_a_cache_that_is_a_link_is_refused(tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "jieba").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(PermissionError, match="plain path"):
        tokenizer.use_cache_folder(tmp_path / "jieba")
