"""What a query says: its terms, synonyms, sounds and wordings, worked out once.

`analyze_query` is the one reader of the words that somebody typed. It knows no
engine and no database. All later steps of a search read the value it returns.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass, replace
from functools import cached_property
from typing import NamedTuple

from kb.search.weights import WEIGHTS
from kb.text.chinese import (
    alternate_forms,
    normalize,
    regional,
    term_weights,
    tokenizer,
)
from kb.text.chinese.lexicon import Lexicon
from kb.text.chinese.pinyin import make_phonetic_term
from kb.text.chinese.similarity import Wording, analyze_wordings
from kb.text.chinese.synonyms import FoundSynonyms
from kb.text.chinese.term_weights import (
    CarrierPhrase,
    CharacterWeights,
    WeightedTerms,
)

MAX_QUERY_CHARS = 200  # characters of a query; the rest is cut off
_LATIN_PATTERN = re.compile("[a-z]+")


class SynonymMatch(NamedTuple):
    """A synonym in the query, and the terms that say the same.

    `single_words` say it alone; of `word_groups` all words of one group together.
    """

    member: str
    single_words: frozenset[str]
    word_groups: tuple[frozenset[str], ...]

    @property
    def terms(self) -> frozenset[str]:
        return self.single_words.union(*self.word_groups)

    def is_matched_by(self, terms: Set[str]) -> bool:
        """Return whether `terms` hold a wording of the same meaning."""
        if not self.single_words.isdisjoint(terms):
            return True
        return any(words <= terms for words in self.word_groups)


@dataclass(frozen=True, eq=False)
class QueryAnalysis:
    """A query with everything that a search derives from its words alone.

    text            the query on one line, at most MAX_QUERY_CHARS characters
    spelling        `text` normalized
    terms           words and bigrams, each with its weight
    carrier_phrase  the terms that only ask or greet, and single characters beside them
    synonym_terms   terms of other wordings that the query does not hold itself
    synonyms        the synonyms in it, with the terms that say the same
    hyphen_parts    {word written with a hyphen: its parts}
    latin_words     runs of Latin letters in `spelling`

    What few queries need is computed at its first use, once.
    """

    text: str
    spelling: str
    lexicon: Lexicon
    terms: WeightedTerms
    carrier_phrase: CarrierPhrase
    synonym_terms: WeightedTerms
    synonyms: tuple[SynonymMatch, ...]
    hyphen_parts: Mapping[str, Sequence[str]]
    latin_words: tuple[str, ...]
    _weights: CharacterWeights
    _found_synonyms: FoundSynonyms

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing to search for: no word, or a mere interjection."""
        return not self.terms

    @cached_property
    def searched_terms(self) -> WeightedTerms:
        """`terms`, with the characters that a carrier phrase leaves alone as bigrams."""
        single = dict.fromkeys(self.carrier_phrase.single_characters, 1.0)
        return replace(self.terms, bigrams=single | self.terms.bigrams)

    @cached_property
    def spelling_key(self) -> str:
        """32 hex digits, equal for queries that differ only in spelling."""
        return normalize.compute_spelling_key(self.text)

    @cached_property
    def wordings(self) -> tuple[Wording, ...]:
        """The query as it is compared with the wordings of entries."""
        return analyze_wordings(self.text)

    @cached_property
    def typed_forms(self) -> tuple[str, ...]:
        """Terms of the query read as pinyin, initials or one character."""
        return tuple(alternate_forms.list_typed_forms(self.text))

    @cached_property
    def phonetic_terms(self) -> Mapping[str, str]:
        """{bigram: the term of its sound}; single characters have none."""
        bigrams = self.searched_terms.bigrams
        return {pair: make_phonetic_term(pair) for pair in bigrams if len(pair) > 1}

    @cached_property
    def synonym_coverage(self) -> float:
        """Share of the query, by weight of its letters, that has synonyms."""
        return term_weights.measure_synonym_coverage(
            self._weights, self._found_synonyms
        )

    def list_terms_to_highlight(self, corrected_query: str = "") -> tuple[str, ...]:
        """Return the terms to mark in a text: typed, of the correction, of synonyms."""
        weights = WEIGHTS.term_weights
        return (
            *self.terms.list_terms_to_highlight(weights=weights),
            *_list_content_terms(corrected_query, self.lexicon),
            *self.synonym_terms.list_terms_to_highlight(weights.synonym, weights),
        )

    @cached_property
    def simplified_terms(self) -> tuple[str, ...]:
        """Terms to mark of the 简体 wordings of a query in 繁體; else none."""
        wordings = regional.list_simplified_wordings(self.text)
        return tuple(
            term
            for wording in wordings
            for term in _list_content_terms(wording, self.lexicon)
        )


def clean_query(text: str) -> str:
    """Return `text` on one line, at most MAX_QUERY_CHARS characters of it."""
    return normalize.join_spaced_han(
        normalize.clean_single_line(text[: MAX_QUERY_CHARS * 4])
    )[:MAX_QUERY_CHARS]


def analyze_query(text: str, lexicon: Lexicon) -> QueryAnalysis:
    """Return the analysis of what somebody typed, by the vocabulary `lexicon`.

    `lexicon.custom_words` must have been taught to the tokenizer.
    """
    text = clean_query(text)
    weights = CharacterWeights(text, lexicon, WEIGHTS.term_weights)
    terms = term_weights.weigh_character_terms(weights)
    carrier_phrase = term_weights.find_carrier_phrase(weights, terms)
    found = lexicon.synonyms.find_members(text)
    synonym_terms = term_weights.weigh_synonyms(weights, terms, found)
    return QueryAnalysis(
        text=text,
        spelling=weights.spelling,
        lexicon=lexicon,
        terms=terms,
        carrier_phrase=carrier_phrase,
        synonym_terms=synonym_terms,
        synonyms=_match_synonyms(
            found, lexicon, terms, synonym_terms, carrier_phrase.single_characters
        ),
        hyphen_parts=tokenizer.split_hyphenated_words(text),
        latin_words=tuple(_LATIN_PATTERN.findall(weights.spelling)),
        _weights=weights,
        _found_synonyms=found,
    )


def _match_synonyms(
    found: FoundSynonyms,
    lexicon: Lexicon,
    terms: WeightedTerms,
    synonym_terms: WeightedTerms,
    single_characters: Sequence[str],
) -> tuple[SynonymMatch, ...]:
    """Return each synonym with its other wordings that are searched for as well."""
    searched = {
        *(terms.words | terms.bigrams),
        *(synonym_terms.words | synonym_terms.bigrams),
        *single_characters,
    }
    matches = []
    for member, others in found:
        wordings = [
            frozenset(term_weights.tokenize_wording(other, lexicon)) for other in others
        ]
        wordings = [words for words in wordings if words and words <= searched]
        single = frozenset[str]().union(*(w for w in wordings if len(w) == 1))
        groups = tuple(words for words in wordings if len(words) > 1)
        matches.append(SynonymMatch(member, single, groups))
    return tuple(matches)


def _list_content_terms(text: str, lexicon: Lexicon) -> tuple[str, ...]:
    weights = WEIGHTS.term_weights
    terms = term_weights.weigh_terms(text, lexicon, weights)
    return terms.list_terms_to_highlight(weights=weights)
