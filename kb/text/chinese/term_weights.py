"""Weights of terms: which words of a question name its topic, and which only ask."""

from __future__ import annotations

import re
from collections.abc import Container, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

from kb.text.chinese import fast_jieba, tokenizer
from kb.text.chinese.lexicon import EMPTY_LEXICON, Lexicon
from kb.text.chinese.normalize import HAN_RUN_PATTERN, normalize_text
from kb.text.chinese.synonyms import FoundSynonyms

MAX_SYNONYMS_PER_TERM = 6  # synonyms that are searched for beside the one typed
MAX_CARRIER_QUERY_CHARS = 20  # characters of a text in which carrier phrases count
# Phrases that ask, greet or soften; then single characters that do so as words.
QUESTION_PHRASES = """
为什么 为啥 为何 什么时候 啥时候 多长时间 多长 什么样 什么 怎么样 怎么办 怎么弄 怎么回事 怎么 怎样 咋办 咋整 咋样 咋 如何 哪里 哪儿
哪些 哪个 多大 多远 啥意思 什么意思 多少 多久 几时 是否 能否 可否 能不能 可不可以 是不是 有没有 可以 请问 问一下 麻烦 帮忙 帮我 你好 您好 你们
谢谢 一下 这个 那个 这种 那种 到底 究竟 还是 已经 现在 今天 明天 昨天 最近 刚刚 我的 我们 就是 但是 因为 所以 然后 的话 需要 想要 应该
""".split()
PARTICLE_CHARACTERS = frozenset(
    "吗呢吧啊呀哦哈嘛的了得地是我你您他她它要能会有在和与就都也还很想请该把被让给去来到又再才只不没个"
)
WISH_CHARACTERS = frozenset("想要")
# Numbers of orders, parcels, phones and cards belong to one customer: no entry
# holds them. Interjections: 啊啊啊, 急急急, 哈哈.
_NOISE_PATTERN = re.compile(
    r"(?<![0-9a-z])[a-z]{0,4}[0-9]{9,}(?![0-9a-z])|([啊呀哈呵嗯哦噢喂唉哎嘛呢吧急])\1+"
)
# A text that is a mere interjection or a key held down: 呵呵, 嘿嘿嘿, hhhhhh, 发发发发.
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
    """Words and bigrams (pairs of Han characters) of a text, each with its weight."""

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
        threshold = weights.content_threshold * full
        weighed = (self.words | self.bigrams).items()
        terms = [term for term, weight in weighed if weight > threshold]
        return tuple([term for term in terms if len(term) > 1] or terms)


class CarrierPhrase(NamedTuple):
    """What of a text only asks, greets or softens: 请问怎么 of 请问怎么退货.

    terms              its words, and each bigram that has a character of it
    single_characters  content characters between two parts of it, as 退 of 怎么退:
                       no bigram holds them alone
    is_topic_complete  whether the other terms and `single_characters` are the topic
    """

    terms: frozenset[str]
    single_characters: tuple[str, ...]
    is_topic_complete: bool


def flag_content_letters(spelling: str) -> bytes:
    """Return 1 for each letter of a normalized text that is no particle, else 0.

    Question words count: a query that asks 怎么 as the entry does is more similar.
    """
    return bytes(c.isalnum() and c not in PARTICLE_CHARACTERS for c in spelling)


def strip_function_words(spelling: str) -> str:
    """Return a normalized text without what only asks: 退货 of 请问怎么退货."""
    rest = _QUESTION_PHRASE_PATTERN.sub(" ", spelling)
    return "".join(c for c in rest if c not in PARTICLE_CHARACTERS)


class CharacterWeights:
    """The weight of each character of a text, from which its terms get theirs.

    `letter_weights` has one weight a character of `spelling`, the normalized text.
    `particle_weights` has those of characters that weigh less where they are a word.
    """

    def __init__(
        self,
        text: str,
        lexicon: Lexicon = EMPTY_LEXICON,
        term_weights: TermWeights = DEFAULT_TERM_WEIGHTS,
    ) -> None:
        self.text, self.lexicon, self.term_weights = text, lexicon, term_weights
        question_word, stop_word = term_weights.question_word, term_weights.stop_word
        self.spelling = normalize_text(text)
        self.particle_weights = dict.fromkeys(PARTICLE_CHARACTERS, question_word)
        self.letter_weights = [1.0] * len(self.spelling)
        for match in _QUESTION_PHRASE_PATTERN.finditer(self.spelling):
            self._set_weight(match.start(), match.end(), question_word)
        without_stop_words = list(self.letter_weights)
        for start, end in lexicon.stop_words.find_spans(self.spelling):
            self._set_weight(start, end, stop_word)
        for noise in _NOISE_PATTERN.finditer(self.spelling):
            self._set_weight(*noise.span(), stop_word)
        self.particle_weights |= dict.fromkeys(lexicon.stop_words.characters, stop_word)
        if self._is_all_stop_words():
            self.letter_weights, self.particle_weights = (
                without_stop_words,
                dict.fromkeys(PARTICLE_CHARACTERS, question_word),
            )

    @property
    def is_interjection(self) -> bool:
        """Whether the text is a mere cry or a key held down: 呵呵, hhhhhh."""
        letters = "".join(filter(str.isalnum, self.spelling))
        return bool(_INTERJECTION_PATTERN.fullmatch(letters))

    def weigh_term(self, term: str) -> float:
        """Return the mean weight of the characters of `term`, from 0 to 1."""
        if term in self.particle_weights:
            return self.particle_weights[term]
        if (at := self.spelling.find(term)) < 0:
            return 1.0  # a word that is not written so, as wifi for wi-fi
        return sum(self.letter_weights[at : at + len(term)]) / len(term)

    def sum_letter_weights(self, part: str) -> float:
        """Return the sum of the weights of the letters of `part`.

        A letter that is not found so, as wifi in wi-fi, weighs 1.
        """
        if (at := self.spelling.find(part)) < 0:
            return len(part)
        weighed = zip(part, self.letter_weights[at:], strict=False)
        return sum(weight for letter, weight in weighed if letter.isalnum())

    def flag_carrier_letters(self) -> list[bool]:
        """Return for each letter whether it belongs to a carrier phrase."""
        flags = [weight < 1 for weight in self.letter_weights]
        for match in _MATTER_SUFFIX_PATTERN.finditer(self.spelling):
            flags[match.start() : match.end()] = [True] * len(match[0])
        for run in HAN_RUN_PATTERN.finditer(self.spelling):
            at = run.start()
            for word in fast_jieba.segment_han(run[0]):
                flags[at] |= word in self.particle_weights
                at += len(word)
        return flags

    def is_beside_question_word(self, at: int) -> bool:
        """Return whether a neighbour of the letter asks for it: 怎么, 能不能, 想, 要."""
        neighbours = (n for n in (at - 1, at + 1) if 0 <= n < len(self.spelling))
        return any(
            self.letter_weights[n] == self.term_weights.question_word
            or self.spelling[n] in WISH_CHARACTERS
            for n in neighbours
        )

    def _set_weight(self, start: int, end: int, weight: float) -> None:
        self.letter_weights[start:end] = [weight] * (end - start)

    def _is_all_stop_words(self) -> bool:
        """Return whether every letter is part of a stop word."""
        stop_word = self.term_weights.stop_word
        return all(
            weight == stop_word or self.particle_weights.get(letter) == stop_word
            for letter, weight in zip(self.spelling, self.letter_weights, strict=True)
            if letter.isalnum()
        )


@lru_cache(maxsize=500)
def weigh_terms(
    text: str,
    lexicon: Lexicon = EMPTY_LEXICON,
    weights: TermWeights = DEFAULT_TERM_WEIGHTS,
) -> WeightedTerms:
    """Return the terms of `text` with weights up to 1, as `weigh_character_terms`."""
    return weigh_character_terms(CharacterWeights(text, lexicon, weights))


def weigh_character_terms(weights: CharacterWeights) -> WeightedTerms:
    """Return the terms of a text, each with the mean weight of its characters.

    A word that only asks weighs `question_word`; a stop word `stop_word`, unless the
    text has no other words. An interjection has no terms.
    """
    if weights.is_interjection:
        return WeightedTerms({}, {})
    words = tokenizer.tokenize_text(weights.text)
    bigrams = tokenizer.extract_bigrams(weights.text)
    return WeightedTerms(
        {word: weights.weigh_term(word) for word in words},
        {pair: weights.weigh_term(pair) for pair in bigrams},
    )


def find_carrier_phrase(
    weights: CharacterWeights, terms: WeightedTerms
) -> CarrierPhrase:
    """Return the terms of a text that only ask, greet or soften.

    None in a text of more than MAX_CARRIER_QUERY_CHARS characters: it says enough
    besides.
    """
    if len(weights.text) > MAX_CARRIER_QUERY_CHARS:
        return CarrierPhrase(frozenset(), (), is_topic_complete=False)
    flags, spelling = weights.flag_carrier_letters(), weights.spelling
    inside, outside = set[str](), set[str]()
    single_characters, is_complete = list[str](), True
    for run in HAN_RUN_PATTERN.finditer(spelling):
        for at in range(run.start(), run.end() - 1):
            (inside if flags[at] or flags[at + 1] else outside).add(
                spelling[at : at + 2]
            )
        for at in _find_single_characters(run, flags):
            if weights.is_beside_question_word(at):
                single_characters.append(spelling[at])
            else:
                is_complete = False
    for word in terms.words:
        at = spelling.find(word)
        if at >= 0 and all(flags[at : at + len(word)]):
            inside.add(word)
    return CarrierPhrase(
        frozenset(inside - outside),
        tuple(dict.fromkeys(single_characters)),
        is_complete,
    )


def _find_single_characters(run: re.Match[str], flags: Sequence[bool]) -> Iterator[int]:
    """Yield the places in `run` of characters between two of a carrier phrase."""
    first, last = run.start(), run.end() - 1
    for at in range(first, last + 1):
        before, after = at == first or flags[at - 1], at == last or flags[at + 1]
        if first < last and before and after and not flags[at]:
            yield at


def weigh_synonyms(
    weights: CharacterWeights, terms: WeightedTerms, synonyms: FoundSynonyms
) -> WeightedTerms:
    """Return the terms of other wordings of a text that are not among its `terms`.

    Each weighs `TermWeights.synonym` times the weight of the synonym in the text; a
    term of several wordings, the largest of these.
    """
    words: dict[str, float] = {}
    bigrams: dict[str, float] = {}
    custom_words = weights.lexicon.custom_words
    for member, others in synonyms:
        weight = weights.term_weights.synonym * weights.weigh_term(member)
        for other in others[:MAX_SYNONYMS_PER_TERM]:
            other_words, other_bigrams = _tokenize_wording_cached(other, custom_words)
            _raise_weights(words, other_words, weight)
            _raise_weights(bigrams, other_bigrams, weight)
    return WeightedTerms(
        _exclude_terms(words, terms.words), _exclude_terms(bigrams, terms.bigrams)
    )


def tokenize_wording(wording: str, lexicon: Lexicon) -> tuple[str, ...]:
    """Return the words of a wording of a synonym, as `lexicon` cuts them."""
    return _tokenize_wording_cached(wording, lexicon.custom_words)[0]


def measure_synonym_coverage(
    weights: CharacterWeights, synonyms: FoundSynonyms
) -> float:
    """Return the share of the weight of a text's letters that has synonyms, 0 to 1."""
    covered = (weights.sum_letter_weights(member) for member, _ in synonyms)
    total = weights.sum_letter_weights(weights.spelling)
    return sum(covered) / max(total, 1e-9)


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
