"""Whether a text holds a keyword, in whatever spelling."""

from __future__ import annotations

from kb.text.chinese import tokenizer
from kb.text.chinese.normalize import HAN_RUN_PATTERN, normalize_text


class KeywordMatcher:
    """A text that several keywords are looked for in."""

    def __init__(self, text: str) -> None:
        self._words = set(tokenizer.tokenize_text(text))
        self._runs = HAN_RUN_PATTERN.findall(normalize_text("".join(text.split())))

    def has_keyword(self, keyword: str) -> bool:
        """Return whether all words of `keyword` were said, or the whole of it was.

        The whole counts where a word begins: 停运 is not in 暂停运费. It is
        compared because an unknown word is not cut alike in every context.
        """
        words = set(tokenizer.tokenize_text(keyword))
        if words and words <= self._words:
            return True
        whole = normalize_text(keyword)
        if not HAN_RUN_PATTERN.fullmatch(whole):
            return False
        return any(_is_at_word_start(whole, run) for run in self._runs if whole in run)


def _is_at_word_start(whole: str, run: str) -> bool:
    starts = tokenizer.find_word_starts(run)
    return any(run.startswith(whole, start) for start in starts)
