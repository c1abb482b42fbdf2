"""How a sentence is cut, what acts on it, and what it finds: now, and after a change."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from kb.language import vocabulary
from kb.models import Entry, Reader
from kb.search import clean_query, search_entries
from kb.search.weights import WEIGHTS
from kb.text.chinese import tokenizer
from kb.text.chinese.lexicon import Lexicon
from kb.text.chinese.term_weights import weigh_terms

MAX_EXPLAINED_ENTRIES = 5  # entries


@dataclass(frozen=True, slots=True)
class ExplainedToken:
    """A word of the sentence: `weight` is full, light (it only asks) or silent."""

    word: str
    weight_name: str


@dataclass(frozen=True, slots=True)
class SearchExplanation:
    """`sets` are (what stands in the text, what means the same)."""

    tokens: Sequence[ExplainedToken]
    synonyms: Sequence[tuple[str, Sequence[str]]]
    entries: Sequence[Entry]
    is_confident: bool


def explain_search(
    text: str, *, user: Reader, lexicon: Lexicon | None = None
) -> SearchExplanation:
    """Return how `text` is searched for, by `lexicon` or what is in force."""
    text = clean_query(text)
    live = vocabulary.load_current_lexicon()
    if lexicon is None:
        return _build_explanation(text, user, live, tokenizer.tokenize_text(text))
    with vocabulary.use_trial_lexicon(lexicon):
        return _build_explanation(
            text,
            user,
            lexicon,
            tokenizer.tokenize_with_words(text, lexicon.custom_words),
        )


def _build_explanation(
    text: str, user: Reader, lexicon: Lexicon, words: Sequence[str]
) -> SearchExplanation:
    found = search_entries(text, user=user, limit=MAX_EXPLAINED_ENTRIES)
    weights = weigh_terms(text, lexicon, WEIGHTS.term_weights).words
    silent = weigh_terms(" ".join(words), lexicon, WEIGHTS.term_weights).words
    cut = [
        ExplainedToken(one, _name_weight(weights.get(one, silent.get(one, 1.0))))
        for one in words
    ]
    hits = found.hits or found.near_hits
    return SearchExplanation(
        tokens=list(dict.fromkeys(cut)),
        synonyms=[
            (said, list(others)) for said, others in lexicon.synonyms.find_members(text)
        ],
        entries=[hit.entry for hit in hits[:MAX_EXPLAINED_ENTRIES]],
        is_confident=bool(found.hits),
    )


def _name_weight(weight: float) -> str:
    if weight > WEIGHTS.term_weights.content_threshold:
        return "full"
    return "light" if weight >= WEIGHTS.term_weights.question_word else "silent"
