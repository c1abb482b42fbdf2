"""Which words of a question tell what it is about, and which only ask."""

from __future__ import annotations

import re
from collections.abc import Container, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

from kb.text.chinese import fast_jieba, tokenizer
from kb.text.chinese.lexicon import EMPTY_LEXICON, Lexicon
from kb.text.chinese.normalize import HAN_RUN_PATTERN, normalize_text

MAX_SYNONYMS_PER_TERM = 6  # members of a set that are asked for beside the one typed
MAX_CARRIER_QUERY_CHARS = (
    20  # characters of a question that may be led up to and hardly told
)
# Phrases that ask, greet or soften; then characters that do so as words.
QUESTION_PHRASES = """
为什么 为啥 为何 什么时候 啥时候 多长时间 多长 什么样 什么 怎么样 怎么办 怎么弄 怎么回事 怎么 怎样 咋办 咋整 咋样 咋 如何 哪里 哪儿
哪些 哪个 多大 多远 啥意思 什么意思 多少 多久 几时 是否 能否 可否 能不能 可不可以 是不是 有没有 可以 请问 问一下 麻烦 帮忙 帮我 你好 您好 你们
谢谢 一下 这个 那个 这种 那种 到底 究竟 还是 已经 现在 今天 明天 昨天 最近 刚刚 我的 我们 就是 但是 因为 所以 然后 的话 需要 想要 应该
""".split()
PARTICLE_CHARACTERS = frozenset(
    "吗呢吧啊呀哦哈嘛的了得地是我你您他她它要能会有在和与就都也还很想请该把被让给去来到又再才只不没个"
)
WISH_CHARACTERS = frozenset("想要")
# Numbers of orders, parcels, phones, cards: one customer's own, and no entry
# speaks of them. Cries: 啊啊啊, 急急急, 哈哈.
_NOISE_PATTERN = re.compile(
    r"(?<![0-9a-z])[a-z]{0,4}[0-9]{9,}(?![0-9a-z])|([啊呀哈呵嗯哦噢喂唉哎嘛呢吧急])\1+"
)
# A text that is nothing but a cry or a key held down: 呵呵, 嘿嘿嘿, hhhhhh, 发发发发.
_INTERJECTION_PATTERN = re.compile(r"([啊呀哈呵嘿嘻嗯哦噢喂唉哎])\1+|([^\W\d])\2{3,}")
_MATTER_SUFFIX_PATTERN = re.compile("的(?:相关)?(?:问题|事情|事)")
_QUESTION_PHRASE_PATTERN = re.compile(
    "|".join(sorted(QUESTION_PHRASES, key=len, reverse=True))
)


@dataclass(frozen=True, slots=True)
class TermWeights:
    """What terms weigh by what they do in a question; a content word weighs 1.

    `question_word` is the weight of words that only ask, greet or soften, `stop_word`
    that of stop words, `synonym` the factor of a synonym beside the typed word. A
    search passes the values of its weights.toml; the defaults are for other callers.
    """

    question_word: float = 0.4
    stop_word: float = 0.05
    synonym: float = 0.45

    @property
    def content_threshold(self) -> float:
        """The weight above which a term is content.

        A pair of a question word's character and another, 么退 of 怎么退货, weighs this.
        """
        return (1 + self.question_word) / 2


DEFAULT_TERM_WEIGHTS = TermWeights()


@dataclass(frozen=True, slots=True)
class WeightedTerms:
    """What a text asks for: words and pairs of Han characters, each with a weight."""

    words: dict[str, float]
    bigrams: dict[str, float]

    def __bool__(self) -> bool:
        return bool(self.words or self.bigrams)

    def list_terms_to_highlight(
        self, full: float = 1.0, weights: TermWeights = DEFAULT_TERM_WEIGHTS
    ) -> tuple[str, ...]:
        """Return the terms to mark: not 怎么, and no single letter beside words.

        `full` is the weight of a content word: `weights.synonym` among synonyms.
        """
        weighed = (self.words | self.bigrams).items()
        told = [
            term
            for term, weight in weighed
            if weight > weights.content_threshold * full
        ]
        return tuple([t for t in told if len(t) > 1] or told)


class CarrierPhrase(NamedTuple):
    """What only leads up to what a text is about: 请问怎么 of 请问怎么退货.

    terms   its words, and each pair of characters of which one is its own
    lone    characters that it leaves alone, as 退 of 怎么退: no pair tells them
    whole   whether the other terms, and `lone`, tell all that the text is about
    """

    terms: frozenset[str]
    single_characters: tuple[str, ...]
    is_topic_complete: bool


def flag_content_letters(spelling: str) -> bytes:
    """Return 1 for each letter of a normalized text that is no particle.

    Not what asks: that somebody asks 怎么 as the entry does is a sign as well.
    """
    return bytes(c.isalnum() and c not in PARTICLE_CHARACTERS for c in spelling)


def strip_function_words(spelling: str) -> str:
    """Return a normalized text without what only asks: 退货 of 请问怎么退货."""
    rest = _QUESTION_PHRASE_PATTERN.sub(" ", spelling)
    return "".join(c for c in rest if c not in PARTICLE_CHARACTERS)


@lru_cache(maxsize=500)  # a search asks several times for the same
def weigh_terms(
    text: str,
    lexicon: Lexicon = EMPTY_LEXICON,
    weights: TermWeights = DEFAULT_TERM_WEIGHTS,
) -> WeightedTerms:
    """Return the terms of `text` with weights up to 1.

    What merely asks weighs LIGHT; a stop word SILENT, unless nothing else is there.
    A cry asks for nothing.
    """
    letters = _get_character_weights(text, lexicon, weights)
    if _INTERJECTION_PATTERN.fullmatch("".join(filter(str.isalnum, letters.spelling))):
        return WeightedTerms({}, {})
    return WeightedTerms(
        {word: letters.weigh_term(word) for word in tokenizer.tokenize_text(text)},
        {pair: letters.weigh_term(pair) for pair in tokenizer.extract_bigrams(text)},
    )


@lru_cache(maxsize=500)
def find_carrier_phrase(
    text: str,
    lexicon: Lexicon = EMPTY_LEXICON,
    weights: TermWeights = DEFAULT_TERM_WEIGHTS,
) -> CarrierPhrase:
    """Return what of `text` asks, greets or softens, where it stands around the rest.

    Of more than SHORT characters nothing: they tell enough, whatever leads up.
    """
    if len(text) > MAX_CARRIER_QUERY_CHARS:
        return CarrierPhrase(frozenset(), (), is_topic_complete=False)
    letters = _get_character_weights(text, lexicon, weights)
    leads = letters.flag_carrier_letters()
    inside, outside, lone, whole = set[str](), set[str](), list[str](), True
    for run in HAN_RUN_PATTERN.finditer(letters.spelling):
        for at in range(run.start(), run.end() - 1):
            pair = letters.spelling[at : at + 2]
            (inside if leads[at] or leads[at + 1] else outside).add(pair)
        for at in _find_single_characters(run, leads):
            lone += (
                [letters.spelling[at]] if letters.is_beside_question_word(at) else []
            )
            whole = whole and letters.is_beside_question_word(at)
    for word in weigh_terms(text, lexicon, weights).words:
        at = letters.spelling.find(word)
        if at >= 0 and all(leads[at : at + len(word)]):
            inside.add(word)
    return CarrierPhrase(frozenset(inside - outside), tuple(dict.fromkeys(lone)), whole)


def _find_single_characters(run: re.Match[str], leads: Sequence[bool]) -> Iterator[int]:
    """Yield where a character of `run` stands that is in no pair which tells."""
    first, last = run.start(), run.end() - 1
    for at in range(first, last + 1):
        before, after = at == first or leads[at - 1], at == last or leads[at + 1]
        if first < last and before and after and not leads[at]:
            yield at


@lru_cache(maxsize=500)
def weigh_synonyms(
    text: str, lexicon: Lexicon, weights: TermWeights = DEFAULT_TERM_WEIGHTS
) -> WeightedTerms:
    """Return the terms of other wordings of `text` that it does not hold itself.

    Each weighs SAME times what the words weigh that it stands for; in several
    wordings, the most that it weighs in one.
    """
    letters = _get_character_weights(text, lexicon, weights)
    typed = weigh_terms(text, lexicon, weights)
    words: dict[str, float] = {}
    pairs: dict[str, float] = {}
    for member, others in find_synonyms(text, lexicon):
        worth = weights.synonym * letters.weigh_term(member)
        for other in others[:MAX_SYNONYMS_PER_TERM]:
            said_words, said_pairs = _tokenize_wording_cached(
                other, lexicon.custom_words
            )
            _raise_weights(words, said_words, worth)
            _raise_weights(pairs, said_pairs, worth)
    return WeightedTerms(
        _exclude_terms(words, typed.words), _exclude_terms(pairs, typed.bigrams)
    )


@lru_cache(maxsize=500)
def find_synonyms(text: str, lexicon: Lexicon) -> Sequence[tuple[str, Sequence[str]]]:
    """Return the synonyms that stand in `text`, each with what means the same."""
    return tuple(lexicon.synonyms.find_members(text))


def tokenize_wording(wording: str, lexicon: Lexicon) -> tuple[str, ...]:
    """Return the words of a wording, as the vocabulary in force cuts them."""
    return _tokenize_wording_cached(wording, lexicon.custom_words)[0]


def measure_synonym_coverage(
    text: str, lexicon: Lexicon, weights: TermWeights = DEFAULT_TERM_WEIGHTS
) -> float:
    """Return the share of what `text` says that other wordings can say, too."""
    letters = _get_character_weights(text, lexicon, weights)
    said = (
        letters.sum_letter_weights(member) for member, _ in find_synonyms(text, lexicon)
    )
    return sum(said) / max(letters.sum_letter_weights(letters.spelling), 1e-9)


class _CharacterWeights:
    """What the characters of a text weigh, and so the terms that stand in it."""

    def __init__(self, text: str, lexicon: Lexicon, weights: TermWeights) -> None:
        self.term_weights = weights
        question_word, stop_word = weights.question_word, weights.stop_word
        self.spelling = normalize_text(text)
        self.particle_weights = dict.fromkeys(PARTICLE_CHARACTERS, question_word)
        self.letter_weights = [1.0] * len(self.spelling)
        for match in _QUESTION_PHRASE_PATTERN.finditer(self.spelling):
            self._set_weight(match.start(), match.end(), question_word)
        asking = list(self.letter_weights)
        for start, end in lexicon.stop_words.find_spans(self.spelling):
            self._set_weight(start, end, stop_word)
        for noise in _NOISE_PATTERN.finditer(self.spelling):
            self._set_weight(*noise.span(), stop_word)
        self.particle_weights |= dict.fromkeys(lexicon.stop_words.characters, stop_word)
        if self._is_all_stop_words():
            self.letter_weights, self.particle_weights = (
                asking,
                dict.fromkeys(PARTICLE_CHARACTERS, question_word),
            )

    def weigh_term(self, term: str) -> float:
        if term in self.particle_weights:
            return self.particle_weights[term]
        if (at := self.spelling.find(term)) < 0:
            return 1.0  # a word that is not written so, as wifi for wi-fi
        return sum(self.letter_weights[at : at + len(term)]) / len(term)

    def sum_letter_weights(self, part: str) -> float:
        """Return what the letters of `part` weigh, which stands in the text.

        Maybe with a hyphen: wifi stands in wi-fi.
        """
        if (at := self.spelling.find(part)) < 0:
            return len(part)
        weighed = zip(part, self.letter_weights[at:], strict=False)
        return sum(weight for letter, weight in weighed if letter.isalnum())

    def flag_carrier_letters(self) -> list[bool]:
        """Return which letters only lead up to what the text is about."""
        leads = [weight < 1 for weight in self.letter_weights]
        for match in _MATTER_SUFFIX_PATTERN.finditer(self.spelling):
            leads[match.start() : match.end()] = [True] * len(match[0])
        for run in HAN_RUN_PATTERN.finditer(self.spelling):
            at = run.start()
            for word in fast_jieba.segment_han(run[0]):
                leads[at] |= word in self.particle_weights
                at += len(word)
        return leads

    def is_beside_question_word(self, at: int) -> bool:
        """Tell whether what stands next to a letter asks for it: 怎么, 能不能, 想, 要."""
        beside = (n for n in (at - 1, at + 1) if 0 <= n < len(self.spelling))
        return any(
            self.letter_weights[n] == self.term_weights.question_word
            or self.spelling[n] in WISH_CHARACTERS
            for n in beside
        )

    def _set_weight(self, start: int, end: int, weight: float) -> None:
        self.letter_weights[start:end] = [weight] * (end - start)

    def _is_all_stop_words(self) -> bool:
        """Tell whether every letter is part of a stop word."""
        stop_word = self.term_weights.stop_word
        return all(
            weight == stop_word or self.particle_weights.get(letter) == stop_word
            for letter, weight in zip(self.spelling, self.letter_weights, strict=True)
            if letter.isalnum()
        )


@lru_cache(maxsize=500)
def _get_character_weights(
    text: str, lexicon: Lexicon, weights: TermWeights
) -> _CharacterWeights:
    return _CharacterWeights(text, lexicon, weights)


@lru_cache(maxsize=10_000)
def _tokenize_wording_cached(
    wording: str, learnt: frozenset[str]
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return the words and pairs of a wording, as it is cut with `learnt` words."""
    return tuple(tokenizer.tokenize_text(wording)), tuple(
        tokenizer.extract_bigrams(wording)
    )


def _raise_weights(
    weights: dict[str, float], terms: Iterable[str], weight: float
) -> None:
    for term in terms:
        weights[term] = max(weights.get(term, 0.0), weight)


def _exclude_terms(
    weights: dict[str, float], terms: Container[str]
) -> dict[str, float]:
    return {term: weight for term, weight in weights.items() if term not in terms}
