"""Explain a search: its words, their weights, synonyms and results."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from kb.language import vocabulary
from kb.models import Entry, Reader
from kb.search import QueryAnalysis, SearchFilters, analyze_query, run_search
from kb.search.weights import WEIGHTS
from kb.text.chinese import tokenizer
from kb.text.chinese.lexicon import Lexicon
from kb.text.chinese.term_weights import weigh_terms

MAX_EXPLAINED_ENTRIES = 5  # entries


@dataclass(frozen=True, slots=True)
class ExplainedToken:
    """A word of a text; `weight_name` is full, light (it only asks) or silent."""

    word: str
    weight_name: str


@dataclass(frozen=True, slots=True)
class SearchExplanation:
    """What a text is searched for, and what it finds.

    `synonyms` are (a synonym in the text, its other wordings).
    """

    tokens: Sequence[ExplainedToken]
    synonyms: Sequence[tuple[str, Sequence[str]]]
    entries: Sequence[Entry]
    is_confident: bool


def explain_search(
    text: str, *, user: Reader, lexicon: Lexicon | None = None
) -> SearchExplanation:
    """Return how `text` is searched for, by `lexicon` or the vocabulary in force."""
    current = vocabulary.load_current_lexicon()
    query = analyze_query(text, lexicon or current)
    if lexicon is None:
        return _explain_query(query, tokenizer.tokenize_text(query.text), user)
    with vocabulary.use_trial_lexicon(lexicon):
        words = tokenizer.tokenize_with_words(query.text, lexicon.custom_words)
        return _explain_query(query, words, user)


def _explain_query(
    query: QueryAnalysis, words: Sequence[str], user: Reader
) -> SearchExplanation:
    """Return the explanation of `query`, which `lexicon` cuts into `words`."""
    results = run_search(
        query, user=user, filters=SearchFilters(), limit=MAX_EXPLAINED_ENTRIES
    )
    # Words that only a trial lexicon cuts have no weight in the query.
    weights = (
        weigh_terms(" ".join(words), query.lexicon, WEIGHTS.term_weights).words
        | query.terms.words
    )
    tokens = [
        ExplainedToken(word, _name_weight(weights.get(word, 1.0))) for word in words
    ]
    hits = results.hits or results.near_hits
    return SearchExplanation(
        tokens=list(dict.fromkeys(tokens)),
        synonyms=[
            (member, list(others))
            for member, others in query.lexicon.synonyms.find_members(query.text)
        ],
        entries=[hit.entry for hit in hits[:MAX_EXPLAINED_ENTRIES]],
        is_confident=bool(results.hits),
    )


def _name_weight(weight: float) -> str:
    if weight > WEIGHTS.term_weights.content_threshold:
        return "full"
    return "light" if weight >= WEIGHTS.term_weights.question_word else "silent"
