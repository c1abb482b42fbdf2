"""A reader's own replies and his team's, by words: few, so the database is enough.

The index holds none of them. What is found here only its readers can find.
"""

from __future__ import annotations

from collections.abc import Iterable

from django.db.models import Q

from kb.language import vocabulary
from kb.models import Entry, Reply, ReplyQuerySet, User
from kb.text.chinese import autocomplete_keys, normalize
from kb.text.chinese.term_weights import QUESTION_WORD_WEIGHT, weigh_terms

MAX_SEARCHED_REPLIES = 1000  # replies that are looked through, the last changed first
MIN_MATCHED_SHARE = 0.6  # share of what was said, by weight, that a reply must hold
KEYWORD_MATCH_SCORE, PREFIX_MATCH_SCORE = (
    3.0,
    2.0,
)  # above any share: a short code, the beginning of a title


def search_private_replies(words: str, *, user: User, limit: int = 5) -> list[Reply]:
    """Return the own and the team's replies that `words` ask for, best first.

    One that hangs on an entry lives with it: where that is not in the reader's
    sight any more, or not in force, the reply is not found.
    """
    spelling = normalize.normalize_text(words).strip()
    terms = weigh_terms(words, vocabulary.load_current_lexicon()).words
    telling = {
        term: weight for term, weight in terms.items() if weight > QUESTION_WORD_WEIGHT
    }
    typed = autocomplete_keys.extract_letters(words)
    scores = {
        reply: score
        for reply in list_usable_replies(user)[:MAX_SEARCHED_REPLIES]
        if (score := _score_reply(reply, spelling, telling, typed)) >= MIN_MATCHED_SHARE
    }
    best = sorted(scores, key=lambda reply: (-scores[reply], reply.owner_id is None))
    return best[:limit]


def list_usable_replies(user: User) -> ReplyQuerySet:
    """Return the own and the team's replies that may be sent now."""
    live = Entry.objects.published_to(user).in_force()
    kept = Reply.objects.private_to(user).filter(Q(entry=None) | Q(entry__in=live))
    return kept.select_related("entry", "segment", "team").order_by("-updated_at")


def _score_reply(
    reply: Reply, spelling: str, telling: dict[str, float], typed: str
) -> float:
    codes = normalize.normalize_text(reply.keywords).split()
    if spelling in codes:
        return KEYWORD_MATCH_SCORE
    if len(typed) > 1 and any(_has_prefix(typed, t) for t in (reply.title, *codes)):
        return PREFIX_MATCH_SCORE
    held = normalize.normalize_text(f"{reply.title} {reply.keywords} {reply.text}")
    whole = sum(telling.values())
    return _sum_matched_weights(telling.items(), held) / whole if whole else 0.0


def _sum_matched_weights(telling: Iterable[tuple[str, float]], held: str) -> float:
    return sum(weight for term, weight in telling if term in held)


def _has_prefix(typed: str, text: str) -> bool:
    """Tell whether `typed`, in characters, pinyin or initials, begins `text`."""
    return any(
        autocomplete_keys.count_matched_units(
            typed, autocomplete_keys.split_key_units(key)
        )
        for key in autocomplete_keys.generate_autocomplete_keys(text)
        if key.place == 0
    )
