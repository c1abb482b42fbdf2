"""A reader's own replies and his team's, by words: few, so the database is enough.

The index holds none of them. What is found here only its readers can find.
"""

from __future__ import annotations

from collections.abc import Iterable

from django.db.models import Q

from kb import vocabulary
from kb.models import Entry, Reply, ReplyQuerySet, User
from kb.text import beginnings, normalize
from kb.text.telling import LIGHT, wanted

MOST = 1000  # replies that are looked through, the last changed first
ENOUGH = 0.6  # share of what was said, by weight, that a reply must hold
EXACT, BEGUN = 3.0, 2.0  # above any share: a short code, the beginning of a title


def found(words: str, *, user: User, limit: int = 5) -> list[Reply]:
    """Return the own and the team's replies that `words` ask for, best first.

    One that hangs on an entry lives with it: where that is not in the reader's
    sight any more, or not in force, the reply is not found.
    """
    spelling = normalize.normalize(words).strip()
    terms = wanted(words, vocabulary.in_force()).words
    telling = {term: weight for term, weight in terms.items() if weight > LIGHT}
    typed = beginnings.letters(words)
    scores = {
        reply: score
        for reply in usable(user)[:MOST]
        if (score := _score(reply, spelling, telling, typed)) >= ENOUGH
    }
    best = sorted(scores, key=lambda reply: (-scores[reply], reply.owner_id is None))
    return best[:limit]


def usable(user: User) -> ReplyQuerySet:
    """Return the own and the team's replies that may be sent now."""
    live = Entry.objects.published_to(user).in_force()
    kept = Reply.objects.kept_by(user).filter(Q(entry=None) | Q(entry__in=live))
    return kept.select_related("entry", "segment", "team").order_by("-updated_at")


def _score(reply: Reply, spelling: str, telling: dict[str, float], typed: str) -> float:
    codes = normalize.normalize(reply.keywords).split()
    if spelling in codes:
        return EXACT
    if len(typed) > 1 and any(_begins(typed, t) for t in (reply.title, *codes)):
        return BEGUN
    held = normalize.normalize(f"{reply.title} {reply.keywords} {reply.text}")
    whole = sum(telling.values())
    return _share(telling.items(), held) / whole if whole else 0.0


def _share(telling: Iterable[tuple[str, float]], held: str) -> float:
    return sum(weight for term, weight in telling if term in held)


def _begins(typed: str, text: str) -> bool:
    """Tell whether `typed`, in characters, pinyin or initials, begins `text`."""
    return any(
        beginnings.matched(typed, beginnings.units(key))
        for key in beginnings.keys(text)
        if key.place == 0
    )
