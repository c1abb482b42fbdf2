"""Which words of a question tell what it is about, and which only ask."""

from __future__ import annotations

import re
from collections.abc import Container, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

from kb.text import cutting, segment
from kb.text.lexicon import EMPTY, Lexicon
from kb.text.normalize import HAN_RUN, normalize

LIGHT = 0.4  # weight of what only makes a sentence a question
SILENT = 0.05  # weight of a stop word
SAME = 0.45  # weight of what means the same beside what was typed
MOST_OTHERS = 6  # members of a set that are asked for beside the one typed
SHORT = 20  # characters of a question that may be led up to and hardly told
HALF = (1 + LIGHT) / 2  # weight of a pair that half asks: 么退 of 怎么退货
# Phrases that ask, greet or soften; then characters that do so as words.
ASKING = """
为什么 为啥 为何 什么时候 啥时候 多长时间 多长 什么样 什么 怎么样 怎么办 怎么弄 怎么回事 怎么 怎样 咋办 咋整 咋样 咋 如何 哪里 哪儿
哪些 哪个 多大 多远 啥意思 什么意思 多少 多久 几时 是否 能否 可否 能不能 可不可以 是不是 有没有 可以 请问 问一下 麻烦 帮忙 帮我 你好 您好 你们
谢谢 一下 这个 那个 这种 那种 到底 究竟 还是 已经 现在 今天 明天 昨天 最近 刚刚 我的 我们 就是 但是 因为 所以 然后 的话 需要 想要 应该
""".split()
PARTICLES = frozenset(
    "吗呢吧啊呀哦哈嘛的了得地是我你您他她它要能会有在和与就都也还很想请该把被让给去来到又再才只不没个"
)
WISHING = frozenset("想要")
# Numbers of orders, parcels, phones, cards: one customer's own, and no entry
# speaks of them. Cries: 啊啊啊, 急急急, 哈哈.
_NOISE = re.compile(
    r"(?<![0-9a-z])[a-z]{0,4}[0-9]{9,}(?![0-9a-z])|([啊呀哈呵嗯哦噢喂唉哎嘛呢吧急])\1+"
)
# A text that is nothing but a cry or a key held down: 呵呵, 嘿嘿嘿, hhhhhh, 发发发发.
_CRY = re.compile(r"([啊呀哈呵嘿嘻嗯哦噢喂唉哎])\1+|([^\W\d])\2{3,}")
_MATTER = re.compile("的(?:相关)?(?:问题|事情|事)")
_ASKING = re.compile("|".join(sorted(ASKING, key=len, reverse=True)))


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a text asks for: words and pairs of Han characters, each with a weight."""

    words: dict[str, float]
    pairs: dict[str, float]

    def __bool__(self) -> bool:
        return bool(self.words or self.pairs)

    def marks(self, full: float = 1.0) -> tuple[str, ...]:
        """Return the terms worth a mark: not 怎么, and no lone letter beside words.

        `full` is what a word weighs that tells: SAME in what `meant` returns.
        """
        weighed = (self.words | self.pairs).items()
        told = [term for term, weight in weighed if weight > HALF * full]
        return tuple([t for t in told if len(t) > 1] or told)


class Frame(NamedTuple):
    """What only leads up to what a text is about: 请问怎么 of 请问怎么退货.

    terms   its words, and each pair of characters of which one is its own
    lone    characters that it leaves alone, as 退 of 怎么退: no pair tells them
    whole   whether the other terms, and `lone`, tell all that the text is about
    """

    terms: frozenset[str]
    lone: tuple[str, ...]
    whole: bool


def tells(spelling: str) -> bytes:
    """Return 1 for each letter of a normalized text that is no particle.

    Not what asks: that somebody asks 怎么 as the entry does is a sign as well.
    """
    return bytes(c.isalnum() and c not in PARTICLES for c in spelling)


def subject(spelling: str) -> str:
    """Return a normalized text without what only asks: 退货 of 请问怎么退货."""
    rest = _ASKING.sub(" ", spelling)
    return "".join(c for c in rest if c not in PARTICLES)


@lru_cache(maxsize=500)  # a search asks several times for the same
def wanted(text: str, lexicon: Lexicon = EMPTY) -> Wanted:
    """Return the terms of `text` with weights up to 1.

    What merely asks weighs LIGHT; a stop word SILENT, unless nothing else is there.
    A cry asks for nothing.
    """
    weights = _weights(text, lexicon)
    if _CRY.fullmatch("".join(filter(str.isalnum, weights.spelling))):
        return Wanted({}, {})
    return Wanted(
        {word: weights.of(word) for word in segment.words(text)},
        {pair: weights.of(pair) for pair in segment.pairs(text)},
    )


@lru_cache(maxsize=500)
def frame(text: str, lexicon: Lexicon = EMPTY) -> Frame:
    """Return what of `text` asks, greets or softens, where it stands around the rest.

    Of more than SHORT characters nothing: they tell enough, whatever leads up.
    """
    if len(text) > SHORT:
        return Frame(frozenset(), (), whole=False)
    weights = _weights(text, lexicon)
    leads = weights.leading()
    inside, outside, lone, whole = set[str](), set[str](), list[str](), True
    for run in HAN_RUN.finditer(weights.spelling):
        for at in range(run.start(), run.end() - 1):
            pair = weights.spelling[at : at + 2]
            (inside if leads[at] or leads[at + 1] else outside).add(pair)
        for at in _left(run, leads):
            lone += [weights.spelling[at]] if weights.asks_beside(at) else []
            whole = whole and weights.asks_beside(at)
    for word in wanted(text, lexicon).words:
        at = weights.spelling.find(word)
        if at >= 0 and all(leads[at : at + len(word)]):
            inside.add(word)
    return Frame(frozenset(inside - outside), tuple(dict.fromkeys(lone)), whole)


def _left(run: re.Match[str], leads: Sequence[bool]) -> Iterator[int]:
    """Yield where a character of `run` stands that is in no pair which tells."""
    first, last = run.start(), run.end() - 1
    for at in range(first, last + 1):
        before, after = at == first or leads[at - 1], at == last or leads[at + 1]
        if first < last and before and after and not leads[at]:
            yield at


@lru_cache(maxsize=500)
def meant(text: str, lexicon: Lexicon) -> Wanted:
    """Return the terms of other wordings of `text` that it does not hold itself.

    Each weighs SAME times what the words weigh that it stands for; in several
    wordings, the most that it weighs in one.
    """
    weights, typed = _weights(text, lexicon), wanted(text, lexicon)
    words: dict[str, float] = {}
    pairs: dict[str, float] = {}
    for member, others in members(text, lexicon):
        worth = SAME * weights.of(member)
        for other in others[:MOST_OTHERS]:
            said_words, said_pairs = _said(other, lexicon.words)
            _raise(words, said_words, worth)
            _raise(pairs, said_pairs, worth)
    return Wanted(_without(words, typed.words), _without(pairs, typed.pairs))


@lru_cache(maxsize=500)
def members(text: str, lexicon: Lexicon) -> Sequence[tuple[str, Sequence[str]]]:
    """Return the synonyms that stand in `text`, each with what means the same."""
    return tuple(lexicon.synonyms.of(text))


def said(wording: str, lexicon: Lexicon) -> tuple[str, ...]:
    """Return the words of a wording, as the vocabulary in force cuts them."""
    return _said(wording, lexicon.words)[0]


def covered(text: str, lexicon: Lexicon) -> float:
    """Return the share of what `text` says that other wordings can say, too."""
    weights = _weights(text, lexicon)
    said = (weights.sum(member) for member, _ in members(text, lexicon))
    return sum(said) / max(weights.sum(weights.spelling), 1e-9)


class _Weights:
    """What the characters of a text weigh, and so the terms that stand in it."""

    def __init__(self, text: str, lexicon: Lexicon) -> None:
        self.spelling = normalize(text)
        self.particles = dict.fromkeys(PARTICLES, LIGHT)
        self.each = [1.0] * len(self.spelling)
        for match in _ASKING.finditer(self.spelling):
            self._lighten(match.start(), match.end(), LIGHT)
        asking = list(self.each)
        for start, end in lexicon.stops.spans(self.spelling):
            self._lighten(start, end, SILENT)
        for noise in _NOISE.finditer(self.spelling):
            self._lighten(*noise.span(), SILENT)
        self.particles |= dict.fromkeys(lexicon.stops.characters, SILENT)
        if self._says_nothing():
            self.each, self.particles = asking, dict.fromkeys(PARTICLES, LIGHT)

    def of(self, term: str) -> float:
        if term in self.particles:
            return self.particles[term]
        if (at := self.spelling.find(term)) < 0:
            return 1.0  # a word that is not written so, as wifi for wi-fi
        return sum(self.each[at : at + len(term)]) / len(term)

    def sum(self, part: str) -> float:
        """Return what the letters of `part` weigh, which stands in the text.

        Maybe with a hyphen: wifi stands in wi-fi.
        """
        if (at := self.spelling.find(part)) < 0:
            return len(part)
        weighed = zip(part, self.each[at:], strict=False)
        return sum(weight for letter, weight in weighed if letter.isalnum())

    def leading(self) -> list[bool]:
        """Return which letters only lead up to what the text is about."""
        leads = [weight < 1 for weight in self.each]
        for match in _MATTER.finditer(self.spelling):
            leads[match.start() : match.end()] = [True] * len(match[0])
        for run in HAN_RUN.finditer(self.spelling):
            at = run.start()
            for word in cutting.cut(run[0]):
                leads[at] |= word in self.particles
                at += len(word)
        return leads

    def asks_beside(self, at: int) -> bool:
        """Tell whether what stands next to a letter asks for it: 怎么, 能不能, 想, 要."""
        beside = (n for n in (at - 1, at + 1) if 0 <= n < len(self.spelling))
        return any(self.each[n] == LIGHT or self.spelling[n] in WISHING for n in beside)

    def _lighten(self, start: int, end: int, weight: float) -> None:
        self.each[start:end] = [weight] * (end - start)

    def _says_nothing(self) -> bool:
        """Tell whether every letter is part of a stop word."""
        return all(
            weight == SILENT or self.particles.get(letter) == SILENT
            for letter, weight in zip(self.spelling, self.each, strict=True)
            if letter.isalnum()
        )


@lru_cache(maxsize=500)
def _weights(text: str, lexicon: Lexicon) -> _Weights:
    return _Weights(text, lexicon)


@lru_cache(maxsize=10_000)
def _said(
    wording: str, learnt: frozenset[str]
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return the words and pairs of a wording, as it is cut with `learnt` words."""
    return tuple(segment.words(wording)), tuple(segment.pairs(wording))


def _raise(weights: dict[str, float], terms: Iterable[str], weight: float) -> None:
    for term in terms:
        weights[term] = max(weights.get(term, 0.0), weight)


def _without(weights: dict[str, float], terms: Container[str]) -> dict[str, float]:
    return {term: weight for term, weight in weights.items() if term not in terms}
