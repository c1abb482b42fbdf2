"""Search in private replies: a user's own, and those of the user's team.

They are few and not in the search index, so every search reads them from the
database and scores them here. No other user can find them.
"""

from __future__ import annotations

from django.db.models import Q

from kb.language import vocabulary
from kb.models import Entry, Reply, ReplyQuerySet, User
from kb.text.chinese import autocomplete_keys, normalize
from kb.text.chinese.term_weights import DEFAULT_TERM_WEIGHTS, weigh_terms

MAX_SEARCHED_REPLIES = 1000  # last changed first
MIN_MATCHED_SHARE = 0.6  # of the query's term weights that a reply must contain
# Both are above any matched share, which is at most 1.
KEYWORD_MATCH_SCORE = 3.0  # the whole query is a keyword of the reply
PREFIX_MATCH_SCORE = 2.0  # the query begins the title or a keyword


def search_private_replies(words: str, *, user: User, limit: int = 5) -> list[Reply]:
    """Return own and team replies that match `words`, at most `limit`, best first.

    A reply of an entry is found only while `user` may read that entry and it is in
    force. Of equal scores own replies come before those of the team.
    """
    normalized = normalize.normalize_text(words).strip()
    terms = weigh_terms(words, vocabulary.load_current_lexicon()).words
    content_weights = {
        term: weight
        for term, weight in terms.items()
        if weight > DEFAULT_TERM_WEIGHTS.question_word
    }
    typed_letters = autocomplete_keys.extract_letters(words)
    scores = {
        reply: score
        for reply in list_usable_replies(user)[:MAX_SEARCHED_REPLIES]
        if (score := _score_reply(reply, normalized, content_weights, typed_letters))
        >= MIN_MATCHED_SHARE
    }
    best = sorted(scores, key=lambda reply: (-scores[reply], reply.owner_id is None))
    return best[:limit]


def list_usable_replies(user: User) -> ReplyQuerySet:
    """Return own and team replies whose entry, if any, is published and in force."""
    entries_in_force = Entry.objects.published_to(user).in_force()
    replies = Reply.objects.private_to(user).filter(
        Q(entry=None) | Q(entry__in=entries_in_force)
    )
    return replies.select_related("entry", "segment", "team").order_by("-updated_at")


def _score_reply(
    reply: Reply, normalized: str, content_weights: dict[str, float], typed_letters: str
) -> float:
    """Return how well `reply` matches: a score above 1, or the matched share, 0 to 1."""
    codes = normalize.normalize_text(reply.keywords).split()
    if normalized in codes:
        return KEYWORD_MATCH_SCORE
    if len(typed_letters) > 1 and any(
        _has_prefix(typed_letters, t) for t in (reply.title, *codes)
    ):
        return PREFIX_MATCH_SCORE
    reply_text = normalize.normalize_text(
        f"{reply.title} {reply.keywords} {reply.text}"
    )
    total = sum(content_weights.values())
    matched = sum(
        weight for term, weight in content_weights.items() if term in reply_text
    )
    return matched / total if total else 0.0


def _has_prefix(typed_letters: str, text: str) -> bool:
    """Return whether `text` begins with the letters, as characters, pinyin or initials."""
    return any(
        autocomplete_keys.count_matched_units(
            typed_letters, autocomplete_keys.split_key_units(key)
        )
        for key in autocomplete_keys.generate_autocomplete_keys(text)
        if key.place == 0
    )
