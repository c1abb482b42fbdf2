"""Which words of a question tell what it is about, and which only ask."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass

import jieba

from kb.text import segment
from kb.text.normalize import normalize

LIGHT = 0.4  # weight of what only makes a sentence a question
HALF = (1 + LIGHT) / 2  # weight of a pair that half asks: 么退 of 怎么退货
UNKNOWN = 0.8  # rarity of a word that the dictionary does not have
# Phrases that ask, greet or soften; then characters that do so as words.
ASKING = """
为什么 为啥 为何 什么时候 啥时候 什么样 什么 怎么样 怎么办 怎么弄 怎么回事 怎么 怎样 咋办 咋整 咋样 咋 如何 哪里 哪儿
哪些 哪个 多少 多久 几时 是否 能否 可否 能不能 可不可以 是不是 有没有 可以 请问 问一下 麻烦 帮忙 帮我 你好 您好 你们
谢谢 一下 这个 那个 这种 那种 到底 究竟 还是 已经 现在 我的 我们 就是 但是 因为 所以 然后 的话 需要 想要 应该
""".split()
PARTICLES = frozenset(
    "吗呢吧啊呀哦哈嘛的了得地是我你您他她它要能会有在和与就都也还很想请该把被让给去来到又再才只不没个"
)
_ASKING = re.compile("|".join(sorted(ASKING, key=len, reverse=True)))


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a text asks for: words and pairs of Han characters, each with a weight."""

    words: dict[str, float]
    pairs: dict[str, float]

    def __bool__(self) -> bool:
        return bool(self.words or self.pairs)

    def marks(self) -> tuple[str, ...]:
        """Return the terms worth a mark: not 怎么, and no lone letter beside words."""
        told = [t for t, weight in (self.words | self.pairs).items() if weight > HALF]
        return tuple([t for t in told if len(t) > 1] or told)


def rarity(term: str) -> float:
    """Return how much a word tells in Chinese at large, from 0 to 1.

    By the frequencies of jieba's dictionary, so that it means the same for a
    library of any size; a word it does not know counts as rather rare.
    """
    jieba.initialize()
    frequency = jieba.dt.FREQ.get(term, 0)
    if not frequency:
        return UNKNOWN
    return math.log(jieba.dt.total / frequency) / math.log(jieba.dt.total)


def wanted(text: str) -> Wanted:
    """Return the terms of `text` with weights from LIGHT, merely asking, to 1."""
    spelling = normalize(text)
    light = [False] * len(spelling)
    for match in _ASKING.finditer(spelling):
        light[match.start() : match.end()] = [True] * len(match[0])

    def weight(term: str) -> float:
        if term in PARTICLES:
            return LIGHT
        if (at := spelling.find(term)) < 0:
            return 1.0  # a word that is not written so, as wifi for wi-fi
        share = sum(light[at : at + len(term)]) / len(term)
        return 1 - share * (1 - LIGHT)

    return Wanted(
        {word: weight(word) for word in segment.words(text)},
        {pair: weight(pair) for pair in segment.pairs(text)},
    )
