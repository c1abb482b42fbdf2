"""Whether a text speaks of a keyword, in whatever spelling."""

from __future__ import annotations

from kb.text import segment
from kb.text.normalize import HAN_RUN, normalize


class Said:
    """A text that several keywords are looked for in."""

    def __init__(self, text: str) -> None:
        self._words = set(segment.words(text))
        self._runs = HAN_RUN.findall(normalize("".join(text.split())))

    def mentions(self, keyword: str) -> bool:
        """Tell whether all words of `keyword` were said, or the whole of it was.

        The whole counts where a word begins: 停运 is not in 暂停运费. It is
        looked for because an unknown word is not cut alike wherever it stands.
        """
        words = set(segment.words(keyword))
        if words and words <= self._words:
            return True
        whole = normalize(keyword)
        if not HAN_RUN.fullmatch(whole):
            return False
        return any(_begins(whole, run) for run in self._runs if whole in run)


def _begins(whole: str, run: str) -> bool:
    starts = segment.starts(run)
    return any(run.startswith(whole, start) for start in starts)
